/* A borrowed run of bytes. Whoever hands out a slice says how long its bytes live. */
#ifndef TW_BASE_SLICE_H
#define TW_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct tw_slice {
    const char *data; /* may be NULL when size is 0 */
    size_t size;      /* bytes, no terminator */
} tw_slice;

#define TW_SLICE_LITERAL(text) ((tw_slice){(text), sizeof(text) - 1})
#define TW_SLICE_FMT "%.*s"
#define TW_SLICE_ARG(s) (int)(s).size, (s).data

static inline tw_slice tw_slice_of(const char *text) {
    return (tw_slice){text, text ? strlen(text) : 0};
}

static inline bool tw_slice_equal(tw_slice a, tw_slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). Thread: any. */
bool tw_slice_is_utf8(tw_slice s);

#endif
