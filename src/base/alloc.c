/* The heap behind one door: what cannot be had ends the process with its size. Any thread. */
#include "base/alloc.h"

#include "base/failpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A test makes any one of them fail. */
#define HAVE(block, size) have(TW_FAILPOINT(ALLOC) ? NULL : (block), size)

static void *have(void *block, size_t size) {
    if (!block) {
        fprintf(stderr, "tailwater: out of memory: %zu bytes; what was committed is kept: make room and start again\n",
                size);
        exit(1);
    }
    return block;
}

void *tw_alloc(size_t size) {
    return HAVE(malloc(size ? size : 1), size);
}
void *tw_zalloc(size_t size) {
    return HAVE(calloc(1, size ? size : 1), size);
}
void *tw_realloc(void *block, size_t size) {
    return HAVE(realloc(block, size ? size : 1), size);
}

void *tw_alloc_lines(size_t size) {
    size_t rounded = (size + 63) / 64 * 64;
    void *block = HAVE(aligned_alloc(64, rounded ? rounded : 64), size);
    return memset(block, 0, rounded);
}

void *tw_alloc_large(size_t size) {
    if (size < TW_LARGE_PAGE)
        return tw_alloc_lines(size);
    size_t rounded = (size + TW_LARGE_PAGE - 1) / TW_LARGE_PAGE * TW_LARGE_PAGE;
    void *block = HAVE(aligned_alloc(TW_LARGE_PAGE, rounded), size);
    (void)madvise(block, rounded, MADV_HUGEPAGE); /* where there are none, small ones do */
    return memset(block, 0, rounded);
}

char *tw_strdup(const char *text) {
    size_t size = strlen(text) + 1;
    return memcpy(tw_alloc(size), text, size);
}

void *tw_grow(void *array, size_t *capacity, size_t need, size_t width) {
    if (need <= *capacity)
        return array;
    size_t more = *capacity < 8 ? 16 : *capacity * 2;
    if (more < need)
        more = need;
    *capacity = more;
    return tw_realloc(array, more * width);
}
