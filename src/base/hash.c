/* xxHash behind our names. Any thread; a hasher belongs to one. */
#include "base/hash.h"

#include "base/alloc.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct tw_hasher {
    XXH3_state_t *state;
};

uint64_t tw_hash64(tw_slice s) {
    return XXH3_64bits(s.data, s.size);
}
uint64_t tw_hash64_seed(tw_slice s, uint64_t seed) {
    return XXH3_64bits_withSeed(s.data, s.size, seed);
}

tw_hash128 tw_hash128_of(tw_slice s) {
    XXH128_hash_t h = XXH3_128bits(s.data, s.size);
    return (tw_hash128){h.low64, h.high64};
}

tw_hasher *tw_hasher_create(void) {
    tw_hasher *h = tw_alloc(sizeof *h);
    h->state = tw_alloc_lines(sizeof *h->state); /* aligned as it wants */
    XXH3_128bits_reset(h->state);
    return h;
}

tw_hasher *tw_hasher_free(tw_hasher *h) {
    if (h) {
        free(h->state);
        free(h);
    }
    return NULL;
}

void tw_hasher_add(tw_hasher *h, const void *bytes, size_t size) {
    XXH3_128bits_update(h->state, bytes, size);
}

tw_hash128 tw_hasher_value(const tw_hasher *h) {
    XXH128_hash_t v = XXH3_128bits_digest(h->state);
    return (tw_hash128){v.low64, v.high64};
}
