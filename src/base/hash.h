/* Hashes: the only door to xxHash. XXH3 is stable across versions since 0.8.0, so its values may go to disk. */
#ifndef TW_BASE_HASH_H
#define TW_BASE_HASH_H

#include "base/slice.h"

typedef struct tw_hash128 {
    uint64_t lo, hi;
} tw_hash128;

uint64_t tw_hash64(tw_slice s); /* XXH3-64 */
uint64_t tw_hash64_seed(tw_slice s, uint64_t seed);
tw_hash128 tw_hash128_of(tw_slice s); /* XXH3-128 */

/* A running XXH3-128 over many pieces. */
typedef struct tw_hasher tw_hasher;
tw_hasher *tw_hasher_create(void);
tw_hasher *tw_hasher_free(tw_hasher *h);
void tw_hasher_add(tw_hasher *h, const void *bytes, size_t size);
tw_hash128 tw_hasher_value(const tw_hasher *h);

#endif
