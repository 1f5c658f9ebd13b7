/* Profiles of planted users, and of catalogues and events that are not as one would like. */
#include "base/alloc.h"
#include "base/rng.h"
#include "model/internal.h"
#include "support/test.h"

#include <stdlib.h>

static tw_config config;
static tw_model *model;
static int64_t offset, now_ms;

static void begin(void) {
    config.learn_dim = 8;
    config.learn_negatives = 8;
    model = tw_model_create(&config, NULL, NULL);
    offset = 0;
    now_ms = 1700000000000;
}

static void end(void) {
    model = tw_model_free(model);
    tw_config_done(&config);
}

static tw_code try_meet(uint32_t user, uint32_t item, const char *category, double price) {
    char u[16], i[16];
    tw_event e = {.kind = TW_KIND_CLICK, .event_ms = now_ms += 1000, .category = tw_slice_of(category), .price = price};
    tw_err err;
    uint32_t met;
    if (price >= 0)
        e.has = TW_HAS_PRICE;
    e.user_id = (tw_slice){u, (size_t)snprintf(u, sizeof u, "u%u", user)};
    e.item_id = (tw_slice){i, (size_t)snprintf(i, sizeof i, "i%u", item)};
    return tw_model_learn(model, 0, &e, 0, offset++, &met, &err);
}
static void meet(uint32_t user, uint32_t item, const char *category) {
    ASSERT_EQ(try_meet(user, item, category, -1), TW_OK);
}

static const float *profile_of(const char *user) {
    uint32_t slot = tw_model_user_find(model, 0, tw_slice_of(user));
    ASSERT_NE(slot, TW_SLOT_NONE);
    const float *p = tw_model_profile(model, slot, now_ms);
    double sum = 0;
    for (uint32_t c = 0; p && c < tw_model_categories(model); c++) {
        ASSERT_TRUE(isfinite(p[c]) && p[c] >= 0);
        sum += (double)p[c];
    }
    if (p)
        ASSERT_NEAR(sum, 1, 1e-4);
    return p;
}

static uint32_t number_of(const char *name) {
    for (uint32_t c = 0; c < tw_model_categories(model); c++)
        if (tw_slice_equal(tw_model_category_name(model, c), tw_slice_of(name)))
            return c;
    tw_test_fail(__FILE__, __LINE__, "no category %s", name);
}

/* After a an item of b comes, always; shares over any horizon cannot say which of the two is next. */
TEST(what_comes_next_is_learned_and_not_only_what_was) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    tw_rng rng = tw_rng_at(tw_test_seed(), 3, 0);
    for (int i = 0; i < 6000; i++) {
        uint32_t user = tw_rng_below(&rng, 20);
        for (int both = 0; both < 2; both++)
            meet(user, 2 * tw_rng_below(&rng, 10) + (uint32_t)both, both ? "b" : "a");
    }
    meet(3, 4, "a");
    ASSERT_TRUE(profile_of("u3")[number_of("b")] > 0.9f);
    meet(3, 5, "b");
    ASSERT_TRUE(profile_of("u3")[number_of("a")] > 0.9f);
    end();
}

TEST(a_new_taste_shows_at_once) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    tw_rng rng = tw_rng_at(tw_test_seed(), 3, 1);
    static const char *const names[] = {"a", "b", "c", "d"};
    for (int i = 0; i < 8000; i++) { /* each user has one taste, which changes at times */
        uint32_t user = tw_rng_below(&rng, 30), taste = (user + (uint32_t)i / 2000) % 4;
        meet(user, taste + 4 * tw_rng_below(&rng, 5), names[taste]);
    }
    uint32_t taste = (7 + 7999 / 2000) % 4, other = (taste + 2) % 4;
    ASSERT_TRUE(profile_of("u7")[number_of(names[taste])] > 0.6f);
    for (int i = 0; i < 6; i++)
        meet(7, other + 4 * (uint32_t)i % 5, names[other]);
    ASSERT_TRUE(profile_of("u7")[number_of(names[other])] > 0.6f);
    end();
}

TEST(without_categories_there_is_no_profile_and_no_row) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    for (uint32_t i = 0; i < 50; i++)
        ASSERT_EQ(try_meet(i % 3, i % 7, "", 5), TW_OK);
    ASSERT_EQ(tw_model_categories(model), 0);
    ASSERT_TRUE(profile_of("u1") == NULL);
    tw_buf buf = {0};
    tw_model_encode(model, TW_TABLE_WEIGHT, TW_WEIGHT_PROFILE, &buf);
    ASSERT_EQ(buf.size, 0);
    end();
}

TEST(profiles_that_are_off_cost_no_state) {
    tw_config_init(&config);
    config.profile_enabled = true;
    config.profile_enabled = false;
    begin();
    for (uint32_t i = 0; i < 50; i++)
        meet(i % 3, i % 7, "a|b");
    ASSERT_EQ(tw_model_categories(model), 0);
    ASSERT_TRUE(profile_of("u1") == NULL);
    ASSERT_EQ(tw_user_at(&model->users, 0)->taste.categories, 0);
    end();
}

TEST(one_category_is_certain) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    for (uint32_t i = 0; i < 200; i++)
        meet(i % 3, i % 7, "all");
    ASSERT_NEAR(profile_of("u1")[0], 1, 1e-6);
    end();
}

TEST(of_5000_categories_the_first_are_told_apart_and_the_rest_share_one) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    tw_rng rng = tw_rng_at(tw_test_seed(), 3, 2);
    for (uint32_t i = 0; i < 6000; i++) {
        char name[16];
        uint32_t item = i < 5000 ? i : tw_rng_below(&rng, 5000);
        snprintf(name, sizeof name, "c%u", item);
        meet(i % 11, item, name);
    }
    for (uint32_t i = 0; i < 20; i++) /* what u4 met last weighs, and chance may have put some of the first there */
        meet(4, 4999, "c4999");
    ASSERT_EQ(tw_model_categories(model), 65);
    ASSERT_TRUE(tw_slice_equal(tw_model_category_name(model, 63), TW_SLICE_LITERAL("c63")));
    ASSERT_TRUE(tw_slice_equal(tw_model_category_name(model, 64), TW_SLICE_LITERAL("other")));
    ASSERT_TRUE(profile_of("u4")[64] > 0.8f);
    float shares[65];
    ASSERT_TRUE(tw_model_category_shares(model, TW_SLICE_LITERAL("c3|c4999|never seen"), shares));
    ASSERT_NEAR(shares[3], 1.0 / 3, 1e-6);
    ASSERT_NEAR(shares[64], 2.0 / 3, 1e-6);
    end();
}

TEST(a_category_never_seen_is_nothing_until_it_is_met) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    float shares[8];
    meet(1, 1, "a");
    ASSERT_FALSE(tw_model_category_shares(model, TW_SLICE_LITERAL("b||c"), shares));
    ASSERT_EQ(tw_model_categories(model), 1);
    meet(1, 2, "|b||a|b|");
    ASSERT_EQ(tw_model_categories(model), 2);
    ASSERT_TRUE(tw_model_category_shares(model, TW_SLICE_LITERAL("b|a|b"), shares));
    ASSERT_NEAR(shares[number_of("b")], 2.0 / 3, 1e-6); /* named twice, counted twice */
    end();
}

TEST(a_name_that_is_too_long_is_no_category_and_one_at_the_edge_is) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    char name[TW_CATEGORY_NAME_MAX + 2] = {0};
    memset(name, 'x', TW_CATEGORY_NAME_MAX + 1);
    meet(1, 1, name);
    ASSERT_EQ(tw_model_categories(model), 0);
    name[TW_CATEGORY_NAME_MAX] = '\0';
    meet(1, 1, name);
    ASSERT_EQ(tw_model_categories(model), 1);
    end();
}

TEST(a_user_with_one_event_has_a_profile_near_what_was_met) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    for (uint32_t i = 0; i < 400; i++)
        meet(i % 9, i % 9 % 2 + 2 * (i % 5), i % 9 % 2 ? "a" : "b");
    meet(100, 1, "a");
    ASSERT_TRUE(profile_of("u100")[number_of("a")] > 0.5f);
    end();
}

TEST(prices_and_times_without_measure_leave_every_number_finite) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    for (uint32_t i = 0; i < 600; i++) {
        if (i % 50 == 0)
            now_ms += 1000000000000; /* 30 years */
        ASSERT_EQ(try_meet(i % 5, i % 13, i % 2 ? "a" : "b", i % 3 ? 1e300 : 0), TW_OK);
        profile_of("u0");
    }
    end();
}

TEST(a_rate_that_is_out_of_all_bounds_stops_before_anything_is_kept) {
    tw_config_init(&config);
    config.profile_enabled = true;
    config.profile_rate = 10;
    config.profile_batch = 1;
    begin();
    tw_rng rng = tw_rng_at(7, 3, 3); /* of this stream it is known that it diverges */
    tw_code code = TW_OK;
    for (uint32_t i = 0; i < 20000 && code == TW_OK; i++) {
        uint32_t category = tw_rng_below(&rng, 8);
        char name[8];
        snprintf(name, sizeof name, "c%u", category);
        code = try_meet(i % 5, category, name, 1);
    }
    ASSERT_EQ(code, TW_E_DIVERGED);
    end();
}

TEST(a_user_taken_to_another_process_keeps_the_taste_by_name) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    for (uint32_t i = 0; i < 90; i++)
        meet(i % 3, i % 6, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c");
    tw_buf row = {0};
    tw_model_user_export(model, tw_model_user_find(model, 0, TW_SLICE_LITERAL("u1")), &row);
    tw_model *other = tw_model_create(&config, NULL, NULL);
    tw_model *ours = model;
    model = other;
    meet(9, 100, "z"); /* numbers differ there */
    tw_err err;
    uint32_t user;
    ASSERT_OK(tw_model_user_import(other, 0, TW_SLICE_LITERAL("u1"), tw_buf_slice(&row), &user, &err));
    const tw_taste *there = &tw_user_at(&other->users, user)->taste, *here = &tw_user_at(&ours->users, 1)->taste;
    ASSERT_NEAR(tw_taste_count(there, number_of("b"), TW_HORIZON_LONG), tw_taste_count(here, 1, TW_HORIZON_LONG), 0);
    ASSERT_GT(tw_taste_count(there, number_of("b"), TW_HORIZON_LONG), 10);
    ASSERT_NEAR(there->pace, here->pace, 0);
    for (size_t size = 0; size < row.size; size += 3)
        ASSERT_EQ(tw_model_user_import(other, 0, TW_SLICE_LITERAL("u1"), (tw_slice){row.data, size}, &user, &err),
                  TW_E_CORRUPT);
    tw_buf_done(&row);
    tw_model_free(other);
    model = ours;
    end();
}

/* A user's row as the store keeps it, through which what was published goes as well. */
static uint32_t reload(tw_model *into, uint32_t user) {
    tw_buf head = {0}, row = {0};
    tw_err err;
    tw_model_encode(model, TW_TABLE_WEIGHT, TW_WEIGHT_PROFILE, &head);
    tw_model_encode(model, TW_TABLE_USER, user, &row);
    ASSERT_OK(tw_model_load(into, TW_TABLE_WEIGHT, TW_WEIGHT_PROFILE, tw_buf_slice(&head), false, &err));
    ASSERT_OK(tw_model_load(into, TW_TABLE_USER, user, tw_buf_slice(&row), false, &err));
    for (size_t size = 1; size < 40 && size < row.size; size++)
        ASSERT_EQ(tw_model_load(into, TW_TABLE_USER, user, (tw_slice){row.data, row.size - size}, false, &err),
                  TW_E_STORE);
    ASSERT_OK(tw_model_load(into, TW_TABLE_USER, user, tw_buf_slice(&row), false, &err));
    tw_buf_done(&head);
    tw_buf_done(&row);
    return user;
}

TEST(what_was_published_is_kept_to_a_bytes_rounding_in_the_row_and_by_name_elsewhere) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    for (uint32_t i = 0; i < 90; i++)
        meet(i % 3, i % 6, i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c|d");
    uint32_t user = tw_model_user_find(model, 0, TW_SLICE_LITERAL("u1")), there;
    float p[TW_MODEL_CATEGORIES_MAX], shown[TW_MODEL_CATEGORIES_MAX];
    ASSERT_FALSE(tw_model_shown(model, user, shown));
    memcpy(p, profile_of("u1"), 4 * sizeof *p);
    tw_model_show(model, user, p);
    meet(0, 90, "e"); /* a category that had no share then */
    ASSERT_TRUE(tw_model_shown(model, user, shown));
    for (int c = 0; c < 4; c++)
        ASSERT_NEAR(sqrtf(shown[c]), sqrtf(p[c]), 1.5 / 255);
    ASSERT_NEAR(shown[4], 0, 0);

    tw_model *other = tw_model_create(&config, NULL, NULL);
    float again[TW_MODEL_CATEGORIES_MAX];
    ASSERT_TRUE(tw_model_shown(other, reload(other, user), again));
    for (int c = 0; c < 5; c++)
        ASSERT_NEAR(again[c], shown[c], 0);
    tw_model_free(other);

    tw_buf row = {0};
    tw_err err;
    tw_model_user_export(model, user, &row);
    tw_model *ours = model;
    model = other = tw_model_create(&config, NULL, NULL);
    meet(9, 100, "z|b"); /* numbers differ there */
    ASSERT_OK(tw_model_user_import(other, 0, TW_SLICE_LITERAL("u1"), tw_buf_slice(&row), &there, &err));
    ASSERT_TRUE(tw_model_shown(other, there, again));
    ASSERT_NEAR(again[number_of("b")], shown[1], 1e-6);
    ASSERT_NEAR(again[number_of("z")], 0, 0);
    tw_buf_done(&row);
    tw_model_free(other);
    model = ours;
    end();
}

TEST(manners_are_those_of_the_users_own_events) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    tw_user_manners m;
    for (int i = 0; i < 400; i++) {
        now_ms += 6 * 3600 * 1000 - 3000; /* try_meet adds a second each */
        ASSERT_EQ(try_meet(0, (uint32_t)i % 9, "a", 10), TW_OK);
        ASSERT_EQ(try_meet(1, (uint32_t)i % 9, "a", 1000), TW_OK);
        meet(2, (uint32_t)i % 9 + 20, "a");
    }
    int64_t last_ms = now_ms - 2000;
    tw_model_manners(model, 0, last_ms, &m);
    ASSERT_EQ(m.events, 400);
    ASSERT_EQ(m.last_ms, last_ms);
    ASSERT_EQ(m.last_ms - m.first_ms, 399 * 6 * 3600 * 1000LL);
    ASSERT_NEAR(m.events_per_day, 4, .1); /* plus what the newest event counts at once: 1/2 of 1/7 */
    ASSERT_NEAR(m.price, 10, 1e-3);
    ASSERT_TRUE(m.price_deviations < -.43);
    tw_model_manners(model, 1, last_ms + 7 * 86400000LL, &m);
    ASSERT_NEAR(m.events_per_day, 4 * exp(-1), .1);
    ASSERT_NEAR(m.price, 1000, 1e-1);
    ASSERT_TRUE(m.price_deviations > .43);
    tw_model_manners(model, 2, last_ms, &m);
    ASSERT_TRUE(isnan(m.price) && isnan(m.price_deviations));
    end();
}

TEST(one_event_is_about_one_a_day_and_a_price_that_is_no_number_is_none) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    tw_user_manners m;
    ASSERT_EQ(try_meet(0, 1, "a", (double)INFINITY), TW_OK);
    tw_model_manners(model, 0, now_ms, &m);
    ASSERT_EQ(m.events, 1);
    ASSERT_EQ(m.first_ms, m.last_ms);
    ASSERT_NEAR(m.events_per_day, 1, .1);
    ASSERT_TRUE(isnan(m.price));
    now_ms += 4000000000000; /* more than a century: the count must not come to nothing */
    meet(0, 1, "a");
    tw_model_manners(model, 0, now_ms, &m);
    ASSERT_EQ(m.last_ms - m.first_ms, 4000000000000 + 1000);
    ASSERT_TRUE(isfinite(m.events_per_day) && m.events_per_day > 0);
    end();
}

TEST(rows_of_different_moments_start_the_profile_anew_and_rows_of_one_do_not) {
    tw_config_init(&config);
    config.profile_enabled = true;
    begin();
    tw_buf head = {0}, layers[TW_NETWORK_LAYERS] = {{0}};
    tw_err err;
    for (uint32_t i = 0; i < 40; i++)
        meet(i % 3, i % 6, i % 2 ? "a" : "b");
    tw_profile_encode(&model->profile, TW_PROFILE_HEAD, &head);
    for (uint32_t l = 0; l < TW_NETWORK_LAYERS; l++)
        tw_profile_encode(&model->profile, TW_PROFILE_LAYERS + l, &layers[l]);
    tw_profile fresh;
    tw_profile_init(&fresh, &config);
    ASSERT_OK(tw_profile_load(&fresh, TW_PROFILE_HEAD, tw_buf_slice(&head), &err));
    for (uint32_t l = 0; l < TW_NETWORK_LAYERS; l++)
        ASSERT_OK(tw_profile_load(&fresh, TW_PROFILE_LAYERS + l, tw_buf_slice(&layers[l]), &err));
    tw_profile_fit(&fresh, &config);
    ASSERT_TRUE(tw_profile_begun(&fresh));
    meet(1, 9, "c");
    tw_buf_clear(&head);
    tw_profile_encode(&model->profile, TW_PROFILE_HEAD, &head);
    ASSERT_OK(tw_profile_load(&fresh, TW_PROFILE_HEAD, tw_buf_slice(&head), &err));
    for (uint32_t l = 0; l < TW_NETWORK_LAYERS; l++)
        ASSERT_OK(tw_profile_load(&fresh, TW_PROFILE_LAYERS + l, tw_buf_slice(&layers[l]), &err));
    ASSERT_EQ(tw_profile_loaded(&fresh, &err), TW_E_STORE);
    tw_profile_fit(&fresh, &config);
    ASSERT_FALSE(tw_profile_begun(&fresh));
    for (size_t size = 0; size < head.size; size += 7)
        ASSERT_EQ(tw_profile_load(&fresh, TW_PROFILE_HEAD, (tw_slice){head.data, size}, &err), TW_E_STORE);
    ASSERT_EQ(tw_profile_load(&fresh, TW_PROFILE_ROWS, tw_buf_slice(&head), &err), TW_E_STORE);
    tw_profile_done(&fresh);
    tw_buf_done(&head);
    for (uint32_t l = 0; l < TW_NETWORK_LAYERS; l++)
        tw_buf_done(&layers[l]);
    end();
}
