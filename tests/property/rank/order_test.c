/* The first items of an order, and the places of all in it, tell the same; under rules too. */
#include "base/rng.h"
#include "pipeline/rank/list.h"
#include "support/test.h"

#define ITEMS 700 /* more than some blocks of the selection, and not whole ones */
#define USERS 40
#define EVENTS 3000
#define TOP 20

static tw_err err;

static void learn_at_random(tw_model *model, tw_rng *rng) {
    for (int64_t offset = 0; offset < EVENTS; offset++) {
        char user_id[16], item_id[16];
        uint32_t user;
        snprintf(user_id, sizeof user_id, "u%u", tw_rng_below(rng, USERS));
        snprintf(item_id, sizeof item_id, "i%u", tw_rng_below(rng, ITEMS));
        const tw_event event = {.kind = TW_KIND_CLICK,
                                .event_ms = 1600000000000 + offset * 60000,
                                .user_id = tw_slice_of(user_id),
                                .item_id = tw_slice_of(item_id)};
        ASSERT_OK(tw_model_learn(model, 0, &event, 0, offset, &user, &err));
    }
}

static void compare(tw_model *model, const tw_config *config) {
    tw_ranker *ranker = tw_ranker_create(model, config);
    uint32_t n = tw_model_item_slots(model), top[TOP];
    int64_t now_ms = 1600000000000 + EVENTS * 60000;
    for (uint32_t user = 0; user < tw_model_user_slots(model); user += 7) {
        int listed = 0;
        tw_ranker_place(ranker, user, now_ms, 1, 0);
        int count = tw_ranker_top(ranker, TOP, top);
        ASSERT_EQ(count, TOP);
        for (uint32_t item = 0; item < n; item++) {
            uint32_t place = tw_ranker_place(ranker, user, now_ms, 1, item);
            if (place == 0 || place > TOP)
                continue;
            ASSERT_EQ(top[place - 1], item);
            listed++;
        }
        ASSERT_EQ(listed, TOP);
    }
    tw_ranker_free(ranker);
}

TEST(the_first_items_are_those_with_the_first_places) {
    tw_config config;
    tw_config_init(&config);
    config.learn_dim = 8;
    config.learn_negatives = 8;
    tw_model *model = tw_model_create(&config, NULL, NULL);
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 41);
    learn_at_random(model, &rng);
    compare(model, &config);
    config.rank_exclude = TW_EXCLUDE_CONSUMED;
    compare(model, &config);
    config.rank_explore_share = 0.3;
    compare(model, &config);
    tw_model_free(model);
    tw_config_done(&config);
}
