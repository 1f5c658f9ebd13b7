/* The heap and its bookkeeping against lists made by searching all items at each place, on random shops. */
#include "base/rng.h"
#include "pipeline/rank/shape.h"
#include "support/test.h"

#include <stdlib.h>

#define SHOPS 300
#define ITEMS_MAX 40
#define DAY_AGO_MS (500 * TW_DAY_MS)

static tw_model *model;
static tw_rng rng;
static uint32_t slots;
static float scores[ITEMS_MAX];

static void draw_shop(const tw_config *config) {
    static const char *const categories[] = {"", "a", "b", "a|b", "c", "b||c"};
    tw_err err;
    uint32_t user;
    model = tw_model_create(config, NULL, NULL);
    slots = 1 + tw_rng_below(&rng, ITEMS_MAX);
    for (uint32_t item = 0; item < slots; item++) {
        char id[16];
        snprintf(id, sizeof id, "i%u", item);
        const tw_event event = {.kind = TW_KIND_CLICK,
                                .event_ms = DAY_AGO_MS + (tw_rng_below(&rng, 3) ? -1000 : 1000),
                                .user_id = TW_SLICE_LITERAL("u"),
                                .item_id = tw_slice_of(id),
                                .category = tw_slice_of(categories[tw_rng_below(&rng, 6)])};
        ASSERT_EQ(tw_model_learn(model, 0, &event, 0, item, &user, &err), TW_OK);
        scores[item] = tw_rng_below(&rng, 5) ? (float)tw_rng_below(&rng, 8) : -INFINITY; /* with many ties */
    }
    ASSERT_EQ(tw_model_item_slots(model), slots);
}

static bool in_list(const tw_pick *picks, int count, uint32_t item) {
    for (int i = 0; i < count; i++)
        if (picks[i].item == item)
            return true;
    return false;
}

/* An item's i-th category; empty past the end. */
static tw_slice category_at(uint32_t item, int i) {
    tw_slice all = tw_model_item_category(model, item);
    const char *at = all.data, *end = all.data + all.size;
    for (; at && at < end; i--) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        if (i == 0)
            return (tw_slice){at, (size_t)((bar ? bar : end) - at)};
        at = bar ? bar + 1 : end;
    }
    return (tw_slice){0};
}

static bool is_open(const tw_shape_ask *ask, const tw_pick *picks, int count, uint32_t item, bool lifted) {
    if (!(scores[item] > -INFINITY) || in_list(picks, count, item))
        return false;
    for (int c = 0; c < 3 && ask->category_max && !lifted; c++) {
        tw_slice category = category_at(item, c);
        int64_t used = 0;
        for (int i = 0; i < count; i++)
            used += tw_categories_have(tw_model_item_category(model, picks[i].item), category);
        if (category.size && used >= ask->category_max)
            return false;
    }
    return true;
}

/* What the docs of shape.h say, by searching: does the list have it so? */
static void check(const tw_shape_ask *ask, const tw_pick *picks, int count) {
    bool lifted = false;
    for (int place = 0; place <= count; place++) {
        uint32_t best = TW_SLOT_NONE, young = 0;
        for (int turn = 0; turn < 2 && best == TW_SLOT_NONE; turn++) {
            lifted |= turn == 1;
            for (uint32_t item = 0; item < slots; item++) {
                if (!is_open(ask, picks, place, item, lifted))
                    continue;
                young += tw_model_item_first_ms(model, item) > ask->new_since_ms;
                if (best == TW_SLOT_NONE || tw_pick_ahead(model, (tw_pick){.score = scores[item], .item = item},
                                                          (tw_pick){.score = scores[best], .item = best}))
                    best = item;
            }
        }
        if (place == count) { /* it ends where nothing is left, or where it is long enough */
            ASSERT_TRUE(count == ask->top || best == TW_SLOT_NONE);
            return;
        }
        uint32_t item = picks[place].item;
        ASSERT_TRUE(is_open(ask, picks, place, item, lifted));
        if (ask->explore_share == 0) {
            ASSERT_EQ(item, best);
            ASSERT_TRUE(picks[place].propensity == 0);
            continue;
        }
        double e = young ? ask->explore_share : 0;
        double p = item == best ? 1 - e : 0;
        if (young && tw_model_item_first_ms(model, item) > ask->new_since_ms)
            p += e / young;
        ASSERT_NEAR(picks[place].propensity, p, 1e-5);
    }
}

TEST(lists_are_what_a_search_at_each_place_gives_and_the_cap_never_makes_one_shorter) {
    static tw_pick picks[ITEMS_MAX];
    tw_config config;
    tw_config_init(&config);
    config.learn_dim = config.learn_negatives = 8;
    rng = tw_rng_at(tw_test_seed(), 1, 77);
    for (int shop = 0; shop < SHOPS; shop++) {
        draw_shop(&config);
        tw_shape *shape = tw_shape_create(model);
        for (int i = 0; i < 10; i++) {
            const tw_shape_ask ask = {.top = 1 + (int)tw_rng_below(&rng, ITEMS_MAX),
                                      .category_max = tw_rng_below(&rng, 4),
                                      .explore_share = tw_rng_below(&rng, 2) ? tw_rng_unit(&rng) : 0,
                                      .new_since_ms = DAY_AGO_MS,
                                      .rng = tw_rng_at(tw_rng_next(&rng), 1, 1)};
            int count = tw_shape_list(shape, &ask, scores, slots, picks), shown = 0;
            for (uint32_t item = 0; item < slots; item++)
                shown += scores[item] > -INFINITY;
            ASSERT_EQ(count, shown < ask.top ? shown : ask.top);
            check(&ask, picks, count);
        }
        tw_shape_free(shape);
        tw_model_free(model);
    }
    tw_config_done(&config);
}
