/* What the files of vectors share. Nobody but src/base/vectors*.c includes this. */
#ifndef TW_BASE_VECTORS_INTERNAL_H
#define TW_BASE_VECTORS_INTERNAL_H

#include "base/map.h"
#include "base/vectors.h"

typedef struct tw_vectors_entry {
    uint64_t at; /* of the word in the file; its numbers stand behind it */
    uint32_t size;
} tw_vectors_entry;

struct tw_vectors {
    tw_slice bytes;
    bool mapped;
    tw_vectors_format format;
    int D;
    tw_vectors_entry *words; /* (count) */
    size_t capacity;
    uint32_t count, duplicates;
    tw_map *map;
    tw_hash128 hash;
};

/* Can a word of these formats not hold this? */
static inline bool tw_vectors_splits(char c) {
    return (unsigned char)c <= ' ' || c == 0x7f;
}

/* vectors_read.c: finds the form, checks every record and adds its word. Errors: TW_E_BAD_FILE. */
tw_code tw_vectors_read(tw_vectors *vectors, tw_err *err);
/* vectors.c: the next word of the file, which is in its bytes. */
void tw_vectors_add(tw_vectors *vectors, tw_slice word);

#endif
