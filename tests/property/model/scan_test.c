/* The best items by bounds against scoring all: the same items, the same scores, bit for bit, on vectors of every kind. */
#include "base/rng.h"
#include "model/scan.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

#define ITEMS_MAX 1500

/* Kinds of catalogue: plain, of very unequal lengths, all but equal, equal, zero, huge, too small for a scale. */
enum { PLAIN, UNEQUAL, CLOSE, EQUAL, ZERO, HUGE_ONES, TINY, KINDS };

static void fill(tw_rng *rng, int kind, float *row, int D, uint32_t item) {
    float size = kind == UNEQUAL     ? expf(4 * (float)tw_rng_normal(rng))
                 : kind == HUGE_ONES ? 1e15f
                 : kind == TINY      ? 1e-36f
                                     : 1;
    for (int d = 0; d < D; d++) {
        row[d] = size * (float)tw_rng_normal(rng);
        if (kind == CLOSE)
            row[d] = sinf((float)d) + 1e-4f * row[d];
        if (kind == EQUAL)
            row[d] = sinf((float)d);
        if (kind == ZERO && item % 3)
            row[d] = 0;
    }
}

static void add_items(tw_items *items, tw_rng *rng, int kind, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "i%u", items->slots.end);
        uint32_t item = tw_items_add(items, tw_slice_of(id), 0);
        fill(rng, kind, tw_row(&items->out, item), items->out.D, item);
        items->bias[item] = tw_rng_below(rng, 2) ? 0 : (float)tw_rng_normal(rng);
        items->flags[item] = tw_rng_below(rng, 10) ? 0 : TW_ITEM_RETIRED;
    }
}

/* As learning does it: a step that may be too small to copy the vector anew. */
static void nudge(tw_rng *rng, float *row, int D) {
    float step = expf(-8 * (float)tw_rng_unit(rng));
    for (int d = 0; d < D; d++)
        row[d] += step * row[d] * (float)tw_rng_normal(rng);
}

static bool is_excluded(const uint32_t *excluded, uint32_t count, uint32_t item) {
    for (uint32_t i = 0; i < count; i++)
        if (excluded[i] == item)
            return true;
    return false;
}

/* Whoever has fewer than top items ahead of it, ties counted as behind, must be a candidate; every candidate's score must be exact. */
static void check(tw_scan *scan, const tw_items *items, const tw_kernels *k, tw_rng *rng, int kind, bool fresh) {
    static float scores[ITEMS_MAX], vector[512];
    static int candidate[ITEMS_MAX];
    int D = items->out.D, top = 1 + (int)tw_rng_below(rng, 30);
    uint32_t excluded[20], excluded_count = tw_rng_below(rng, 20), n = items->slots.end;
    fill(rng, kind == TINY || kind == HUGE_ONES ? PLAIN : kind, vector, D, 0);
    for (uint32_t i = 0; i < excluded_count; i++)
        excluded[i] = tw_rng_below(rng, n);
    int count = tw_scan_best(scan, items, vector, excluded, excluded_count, top);
    ASSERT_TRUE(count >= 0);
    memset(candidate, 0, sizeof candidate);
    for (int i = 0; i < count; i++)
        candidate[scan->best[i]] = i + 1;
    for (uint32_t item = 0; item < n; item++) {
        scores[item] = k->dot(tw_row(&items->out, item), vector, D) + items->bias[item];
        if (!tw_item_shown(items, item) || is_excluded(excluded, excluded_count, item))
            scores[item] = -INFINITY;
    }
    for (uint32_t item = 0; item < n; item++) {
        int ahead = 0;
        for (uint32_t other = 0; other < n; other++)
            ahead += scores[other] > scores[item];
        if (scores[item] > -INFINITY && ahead < top)
            ASSERT_TRUE(candidate[item] > 0);
        if (candidate[item]) {
            ASSERT_TRUE(scores[item] > -INFINITY);
            ASSERT_TRUE(memcmp(&scan->best_scores[candidate[item] - 1], &scores[item], sizeof scores[item]) == 0);
        }
    }
    if (kind == PLAIN && n >= 1000 && fresh)
        ASSERT_LT(count, (int)n / 4); /* or it would be of no use */
}

TEST(the_best_by_bounds_are_the_best_by_exact_scores) {
    for (int b = 0; tw_kernels_names[b]; b++) {
        const tw_kernels *k = tw_kernels_named(tw_kernels_names[b]);
        tw_rng rng = tw_rng_at(tw_test_seed(), 9, (uint64_t)b);
        for (int round = 0; k && round < 8 * KINDS; round++) {
            int kind = round % KINDS, D = round < KINDS ? 64 : 4 * (1 + (int)tw_rng_below(&rng, 128));
            tw_items items = {0};
            tw_scan scan;
            tw_items_init(&items, D);
            tw_scan_init(&scan, k, &items);
            add_items(&items, &rng, kind, 1 + tw_rng_below(&rng, 1000));
            check(&scan, &items, k, &rng, kind, true);
            for (int change = 0; change < 50; change++) { /* vectors move, items come and go */
                uint32_t item = tw_rng_below(&rng, items.slots.end);
                if (tw_rng_below(&rng, 2))
                    fill(&rng, kind, tw_row(&items.out, item), D, item);
                items.flags[item] = tw_rng_below(&rng, 2) ? 0 : TW_ITEM_OUT_OF_STOCK;
                tw_dirty_add(&items.dirty_out, item);
                tw_dirty_add(&items.dirty, item);
            }
            tw_dirty_clear(&items.dirty_out); /* a commit */
            add_items(&items, &rng, kind, tw_rng_below(&rng, 400));
            check(&scan, &items, k, &rng, kind, true);
            for (int step = 0; step < 4; step++) {
                for (uint32_t item = 0; item < items.slots.end; item += 1 + tw_rng_below(&rng, 3)) {
                    nudge(&rng, tw_row(&items.out, item), D);
                    tw_dirty_add(&items.dirty_out, item);
                }
                check(&scan, &items, k, &rng, kind, false);
            }
            tw_scan_done(&scan);
            tw_items_done(&items);
        }
    }
}

/* Bounds taken ahead for several users are those of each alone, are used once, and are forgotten when an item changes. */
TEST(looking_ahead_changes_no_answer) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 9, 8);
    for (int round = 0; round < 40; round++) {
        tw_items items = {0};
        tw_scan ahead, alone;
        float vectors[TW_SCAN_AHEAD][64];
        const float *pointers[TW_SCAN_AHEAD];
        int count = 1 + (int)tw_rng_below(&rng, TW_SCAN_AHEAD);
        tw_items_init(&items, 64);
        add_items(&items, &rng, PLAIN, 1 + tw_rng_below(&rng, ITEMS_MAX));
        tw_scan_init(&alone, tw_kernels_get(), &items);
        tw_scan_init(&ahead, tw_kernels_get(), &items);
        for (int i = 0; i < count; i++) {
            fill(&rng, PLAIN, vectors[i], 64, 0);
            pointers[i] = vectors[i];
        }
        if (count > 2)
            vectors[1][5] = NAN;
        tw_scan_look_ahead(&ahead, &items, pointers, count);
        /* of nobody: only copies the items, because bounds are as wide as the largest row ever copied makes them */
        tw_scan_look_ahead(&alone, &items, NULL, 0);
        int change_at = tw_rng_below(&rng, 2) ? (int)tw_rng_below(&rng, (uint32_t)count) : -1;
        for (int i = 0; i < count; i++) {
            if (i == change_at) {
                uint32_t item = tw_rng_below(&rng, items.slots.end);
                nudge(&rng, tw_row(&items.out, item), 64);
                tw_dirty_add(&alone.stale, item);
                tw_dirty_add(&ahead.stale, item);
            }
            uint32_t excluded[3] = {0, tw_rng_below(&rng, items.slots.end), 0};
            int a = tw_scan_best(&ahead, &items, vectors[i], excluded, 3, 10);
            int b = tw_scan_best(&alone, &items, vectors[i], excluded, 3, 10);
            ASSERT_EQ(a, b);
            ASSERT_TRUE(a <= 0 || memcmp(ahead.best, alone.best, (size_t)a * sizeof *alone.best) == 0);
            ASSERT_TRUE(a <= 0 || memcmp(ahead.best_scores, alone.best_scores, (size_t)a * sizeof(float)) == 0);
            ASSERT_EQ(tw_scan_best(&ahead, &items, vectors[i], NULL, 0, 10),
                      tw_scan_best(&alone, &items, vectors[i], NULL, 0, 10));
        }
        tw_scan_done(&ahead);
        tw_scan_done(&alone);
        tw_items_done(&items);
    }
}

TEST(a_vector_that_is_not_finite_has_all_scored) {
    tw_items items = {0};
    tw_scan scan;
    float vector[8] = {1, 2, 3};
    tw_rng rng = tw_rng_at(tw_test_seed(), 9, 9);
    tw_items_init(&items, 8);
    tw_scan_init(&scan, tw_kernels_get(), &items);
    add_items(&items, &rng, PLAIN, 40);
    vector[3] = NAN;
    ASSERT_EQ(tw_scan_best(&scan, &items, vector, NULL, 0, 5), -1);
    vector[3] = INFINITY;
    ASSERT_EQ(tw_scan_best(&scan, &items, vector, NULL, 0, 5), -1);
    vector[3] = 3e38f; /* its products overflow */
    ASSERT_EQ(tw_scan_best(&scan, &items, vector, NULL, 0, 5), -1);
    vector[3] = 0;
    ASSERT_TRUE(tw_scan_best(&scan, &items, vector, NULL, 0, 5) > 0);
    for (uint32_t item = 0; item < 40; item++)
        items.flags[item] = 0;
    tw_row(&items.out, 7)[2] = NAN;
    tw_dirty_add(&items.dirty_out, 7);
    ASSERT_EQ(tw_scan_best(&scan, &items, vector, NULL, 0, 5), -1);
    tw_scan_done(&scan);
    tw_items_done(&items);
}
