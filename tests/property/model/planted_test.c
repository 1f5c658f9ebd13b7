/* Streams with a planted answer: what each scorer is for is found, and the reasons add up. */
#include "base/alloc.h"
#include "base/rng.h"
#include "model/model.h"
#include "support/test.h"

#include <stdlib.h>

#define ITEMS 60
#define USERS 40

static tw_config config;
static tw_model *model;
static int64_t offset, now_ms;

static void begin(void) {
    tw_config_init(&config);
    config.learn_dim = 16;
    config.learn_negatives = 32;
    config.learn_blend_every = 4;
    model = tw_model_create(&config, NULL, NULL);
    offset = 0;
    now_ms = 1700000000000;
}

static void end(void) {
    model = tw_model_free(model);
    tw_config_done(&config);
}

static void meet(uint32_t user, uint32_t item) {
    char u[16], i[16];
    tw_event e = {.kind = TW_KIND_CLICK, .event_ms = now_ms += 1000};
    tw_err err;
    uint32_t met;
    e.user_id = (tw_slice){u, (size_t)snprintf(u, sizeof u, "u%u", user)};
    e.item_id = (tw_slice){i, (size_t)snprintf(i, sizeof i, "i%u", item)};
    ASSERT_OK(tw_model_learn(model, 0, &e, 0, offset++, &met, &err));
}

static uint32_t user_of(uint32_t user) {
    char u[16];
    return tw_model_user_find(model, 0, (tw_slice){u, (size_t)snprintf(u, sizeof u, "u%u", user)});
}

/* The number in an item's id, which has no end of its own. */
static uint32_t number_of(uint32_t item) {
    char text[16];
    snprintf(text, sizeof text, TW_SLICE_FMT, TW_SLICE_ARG(tw_model_item_id(model, item)));
    return (uint32_t)strtoul(text + 1, NULL, 10);
}

/* The number in the id of the best item. */
static uint32_t best_for(uint32_t slot) {
    uint32_t n = tw_model_item_slots(model), best = 0;
    float *scores = tw_alloc(n * sizeof *scores);
    tw_model_score(model, slot, now_ms, scores);
    for (uint32_t i = 1; i < n; i++)
        best = scores[i] > scores[best] ? i : best;
    free(scores);
    tw_reasons why;
    float sum = 0;
    tw_model_explain(model, best, &why);
    for (int s = 0; s < tw_model_scorers(model); s++) {
        ASSERT_TRUE(why.share[s] >= 0);
        sum += why.share[s];
    }
    ASSERT_NEAR(sum, 1, 1e-4);
    return number_of(best);
}

TEST(what_always_follows_is_first) {
    begin();
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 31);
    for (int i = 0; i < 3000; i++) {
        uint32_t user = tw_rng_below(&rng, USERS), item = tw_rng_below(&rng, ITEMS / 2);
        meet(user, item);
        meet(user, ITEMS / 2 + item);
    }
    int right = 0;
    for (uint32_t item = 0; item < ITEMS / 2; item++) {
        meet(USERS + item, item); /* a new user, after one event */
        right += best_for(user_of(USERS + item)) == ITEMS / 2 + item;
    }
    ASSERT_GT(right, ITEMS / 2 - 4);
    end();
}

TEST(what_a_user_comes_back_to_is_first) {
    begin();
    tw_rng rng = tw_rng_at(tw_test_seed(), 2, 31);
    for (int i = 0; i < 3000; i++) {
        uint32_t user = tw_rng_below(&rng, USERS);
        meet(user, user); /* each has one of its own, and looks at something else in between */
        meet(user, USERS + tw_rng_below(&rng, ITEMS - USERS));
    }
    int right = 0;
    for (uint32_t user = 0; user < USERS; user++)
        right += best_for(user_of(user)) == user;
    ASSERT_GT(right, USERS * 3 / 4);
    end();
}

TEST(who_is_unknown_gets_what_is_popular) {
    begin();
    tw_rng rng = tw_rng_at(tw_test_seed(), 3, 31);
    for (int i = 0; i < 2000; i++)
        meet(tw_rng_below(&rng, USERS), tw_rng_below(&rng, 3) ? tw_rng_below(&rng, ITEMS) : 7);
    ASSERT_EQ(best_for(TW_SLOT_NONE), 7);
    end();
}

TEST(what_one_scorer_says_can_be_left_out) {
    begin();
    tw_rng rng = tw_rng_at(tw_test_seed(), 4, 31);
    for (int i = 0; i < 2000; i++)
        meet(tw_rng_below(&rng, USERS), tw_rng_below(&rng, ITEMS));
    uint32_t n = tw_model_item_slots(model);
    float *with = tw_alloc(n * sizeof *with), *without = tw_alloc(n * sizeof *without);
    tw_model_score(model, user_of(0), now_ms, with);
    for (int s = 0; s < tw_model_scorers(model); s++) {
        ASSERT_TRUE(tw_model_score_without(model, s, without));
        int differ = 0;
        for (uint32_t i = 0; i < n; i++) {
            ASSERT_EQ(with[i] > -INFINITY, without[i] > -INFINITY);
            differ += with[i] != without[i];
        }
        ASSERT_GT(differ, 0);
    }
    tw_model_score(model, TW_SLOT_NONE, now_ms, with);
    ASSERT_FALSE(tw_model_score_without(model, 0, without));
    free(with);
    free(without);
    end();
}

/* 10 always follows 11, and both are met most; the user that is asked for met 3 and 11. */
TEST(each_scorer_can_be_asked_alone) {
    begin();
    tw_rng rng = tw_rng_at(tw_test_seed(), 5, 31);
    for (int i = 0; i < 3000; i++) {
        uint32_t user = tw_rng_below(&rng, USERS);
        meet(user, tw_rng_below(&rng, 2) ? 7 : tw_rng_below(&rng, ITEMS));
        meet(user, 11);
        meet(user, 10);
    }
    meet(USERS, 3);
    meet(USERS, 11);
    uint32_t n = tw_model_item_slots(model);
    float *blended = tw_alloc(n * sizeof *blended), *alone = tw_alloc(n * sizeof *alone);
    tw_model_score(model, user_of(USERS), now_ms, blended);
    for (int s = 0; s < tw_model_scorers(model); s++) {
        const char *name = tw_model_scorer_name(model, s);
        uint32_t best = 0;
        ASSERT_TRUE(tw_model_score_alone(model, s, alone));
        for (uint32_t i = 0; i < n; i++) {
            ASSERT_EQ(blended[i] > -INFINITY, alone[i] > -INFINITY);
            best = alone[i] > alone[best] ? i : best;
        }
        uint32_t number = number_of(best);
        if (strcmp(name, "context") == 0 || strcmp(name, "transitions") == 0)
            ASSERT_EQ(number, 10);
        else if (strcmp(name, "repeat") == 0)
            ASSERT_TRUE(number == 3 || number == 11);
        else
            ASSERT_TRUE(number == 10 || number == 11);
    }
    tw_model_score(model, TW_SLOT_NONE, now_ms, blended);
    ASSERT_FALSE(tw_model_score_alone(model, 0, alone));
    free(blended);
    free(alone);
    end();
}
