/* Open addressing with linear probing over 8-byte slots; deletion shifts later entries back, so there are no graves. The id
 * bytes stay with the owner. Grows by doubling at three quarters full. */
#include "base/map.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/hash.h"

#include <stdlib.h>

typedef struct slot {
    uint32_t tag;   /* high half of the hash; the home comes from the same bits, so that growth needs no id */
    uint32_t index; /* plus 1; 0: empty */
} slot;

struct tw_map {
    tw_map_equal_fn equal;
    const void *owner;
    slot *slots; /* (mask + 1) */
    size_t mask, count;
};

#define SLOTS_MIN 64

tw_map *tw_map_create(tw_map_equal_fn equal, const void *owner) {
    tw_map *map = tw_zalloc(sizeof *map);
    map->equal = equal;
    map->owner = owner;
    map->mask = SLOTS_MIN - 1;
    map->slots = tw_zalloc(SLOTS_MIN * sizeof(slot));
    return map;
}

tw_map *tw_map_free(tw_map *map) {
    if (map) {
        free(map->slots);
        free(map);
    }
    return NULL;
}

uint64_t tw_map_hash(tw_slice id, uint32_t salt) {
    return tw_hash64_seed(id, salt);
}

static uint32_t tag_of(uint64_t hash) {
    return (uint32_t)(hash >> 32);
}

/* Multiplication spreads the 32 bits of the tag over larger tables (Fibonacci hashing, Knuth 1998, 6.4). */
static size_t home_of(const tw_map *map, uint32_t tag) {
    return (size_t)((tag * 0x9e3779b97f4a7c15u) >> 24) & map->mask;
}

uint32_t tw_map_find(const tw_map *map, tw_slice id, uint32_t salt, uint64_t hash) {
    uint32_t tag = tag_of(hash);
    for (size_t at = home_of(map, tag); map->slots[at].index; at = (at + 1) & map->mask)
        if (map->slots[at].tag == tag && map->equal(map->owner, map->slots[at].index - 1, id, salt))
            return map->slots[at].index - 1;
    return TW_MAP_NONE;
}

void tw_map_prefetch(const tw_map *map, uint64_t hash) {
    __builtin_prefetch(&map->slots[home_of(map, tag_of(hash))]);
}

static void place(tw_map *map, slot s) {
    size_t at = home_of(map, s.tag);
    while (map->slots[at].index)
        at = (at + 1) & map->mask;
    map->slots[at] = s;
}

void tw_map_insert(tw_map *map, uint64_t hash, uint32_t index) {
    TW_ASSERT(index != TW_MAP_NONE);
    if ((map->count + 1) * 4 > (map->mask + 1) * 3) {
        slot *old = map->slots;
        size_t old_count = map->mask + 1;
        map->mask = old_count * 2 - 1;
        map->slots = tw_zalloc(old_count * 2 * sizeof(slot));
        for (size_t i = 0; i < old_count; i++)
            if (old[i].index)
                place(map, old[i]);
        free(old);
    }
    place(map, (slot){tag_of(hash), index + 1});
    map->count++;
}

void tw_map_remove(tw_map *map, uint64_t hash, uint32_t index) {
    size_t at = home_of(map, tag_of(hash));
    while (map->slots[at].index != index + 1) {
        TW_ASSERT(map->slots[at].index);
        at = (at + 1) & map->mask;
    }
    for (size_t next = (at + 1) & map->mask; map->slots[next].index; next = (next + 1) & map->mask) {
        size_t home = home_of(map, map->slots[next].tag);
        if (((next - home) & map->mask) >= ((next - at) & map->mask)) { /* its probe passes through the gap */
            map->slots[at] = map->slots[next];
            at = next;
        }
    }
    map->slots[at] = (slot){0};
    map->count--;
}

size_t tw_map_count(const tw_map *map) {
    return map->count;
}
size_t tw_map_size_bytes(const tw_map *map) {
    return (map->mask + 1) * sizeof(slot);
}
