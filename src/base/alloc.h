/* The door to the heap. Memory is sized from the configuration at start; running out afterwards has no useful answer
 * inside a step, so these end the process with one line that names the size. Recovery is start-up. Thread: any. */
#ifndef TW_BASE_ALLOC_H
#define TW_BASE_ALLOC_H

#include <stddef.h>

void *tw_alloc(size_t size);                /* uninitialised */
void *tw_zalloc(size_t size);               /* zeroed; large blocks come from fresh pages and cost nothing yet */
void *tw_realloc(void *block, size_t size); /* as realloc */
void *tw_alloc_lines(size_t size);          /* zeroed, aligned to 64 bytes; released by free() */
/* The same for a table that is read all over: the system is asked for large pages, so that a random access does not wait for the page
 * table as well (10 M ids, 128 MiB). Released by free(). */
void *tw_alloc_large(size_t size);
#define TW_LARGE_PAGE ((size_t)2 << 20) /* bytes; x86-64 and ARM64 with pages of 4 KiB */
char *tw_strdup(const char *text);

/* Grows an array of elements of `width` bytes so that it holds at least need; doubles. Returns the (moved) array. */
void *tw_grow(void *array, size_t *capacity, size_t need, size_t width);

#endif
