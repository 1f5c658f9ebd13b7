/* The id map against a plain array, under random adds, finds and removals. */
#include "base/map.h"
#include "base/rng.h"
#include "support/test.h"

#define IDS 3000

static char ids[IDS][16];
static bool there[IDS];

static bool same(const void *owner, uint32_t index, tw_slice id, uint32_t salt) {
    (void)owner, (void)salt;
    return tw_slice_equal(tw_slice_of(ids[index]), id);
}

TEST(map_finds_what_is_there_and_nothing_else) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 1);
    tw_map *map = tw_map_create(same, NULL);
    size_t count = 0;
    for (int i = 0; i < IDS; i++)
        snprintf(ids[i], sizeof ids[i], "id-%d", i);
    for (int i = 0; i < 200000; i++) {
        uint32_t n = tw_rng_below(&rng, IDS);
        tw_slice id = tw_slice_of(ids[n]);
        uint64_t hash = tw_map_hash(id, 0);
        ASSERT_EQ(tw_map_find(map, id, 0, hash), there[n] ? n : TW_MAP_NONE);
        if (!there[n]) {
            tw_map_insert(map, hash, n);
            count++;
        } else if (tw_rng_below(&rng, 2)) {
            tw_map_remove(map, hash, n);
            count--;
        } else {
            continue;
        }
        there[n] = !there[n];
        ASSERT_EQ(tw_map_count(map), count);
    }
    tw_map_free(map);
}
