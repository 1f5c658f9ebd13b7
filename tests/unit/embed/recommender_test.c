/* The embeddable library: each outcome of an event, going on after a crash, refusals, and several recommenders at once. */
#include "tailwater/tailwater.h"

#include "base/failpoint.h"
#include "engine/engine.h"
#include "support/test.h"

#include <pthread.h>

static tw_err err;
static tw_outcome outcome;

static tw_recommender *open_in(const char *dir, bool read_only) {
    static const char *const settings[] = {"learn.dim=8", "learn.negatives=8", "commit.interval.ms=600000",
                                           "state.map.max.bytes=16m"};
    const tw_recommender_options options = {
        .state_dir = dir, .read_only = read_only, .settings = settings, .settings_count = 4};
    tw_recommender *r = NULL;
    ASSERT_OK(tw_recommender_open(&options, &r, &err));
    return r;
}

/* The n-th event of a small shop: reviews, purchases and clicks of 20 users, now and then one that came before. */
static tw_code add_nth(tw_recommender *r, uint64_t n, tw_err *ret_err) {
    uint64_t of = n % 31 == 30 ? n - 7 : n;
    char user[16], item[16], id[24];
    snprintf(user, sizeof user, "u%d", (int)(of * 7 % 20));
    snprintf(item, sizeof item, "i%d", (int)(of * of % 13));
    snprintf(id, sizeof id, "e%d", (int)of);
    tw_outcome became;
    const tw_recommender_event event = {.kind = of % 5 == 4   ? "review"
                                                : of % 3 == 0 ? "purchase"
                                                              : "click",
                                        .user_id = user,
                                        .item_id = item,
                                        .event_id = id,
                                        .category = of % 2 ? "a" : "b",
                                        .title = item,
                                        .gives = TW_GIVES_PRICE | (of % 5 == 4 ? TW_GIVES_RATING : 0),
                                        .rating = 5,
                                        .price = 2.5,
                                        .event_ms = 1700000000000 + (int64_t)of * 1000};
    return tw_recommender_add(r, &event, &became, ret_err);
}

static tw_hash128 digest_of(const char *dir) {
    tw_config config;
    tw_engine *engine;
    tw_config_init(&config);
    config.state_map_max_bytes = 1 << 24;
    const tw_engine_options options = {.config = &config, .state_dir = dir, .read_only = true};
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    tw_hash128 digest = tw_engine_digest(engine);
    tw_engine_close(engine);
    tw_config_done(&config);
    return digest;
}

static void add_until(tw_recommender *r, uint64_t end) {
    for (uint64_t n = tw_recommender_added(r); n < end; n++)
        ASSERT_OK(add_nth(r, n, &err));
    ASSERT_EQ(tw_recommender_added(r), end);
}

static void expect_json(tw_recommender *r, const char *json, tw_outcome want, const char *reason) {
    ASSERT_OK(tw_recommender_add_json(r, json, strlen(json), &outcome, &err));
    ASSERT_EQ(outcome, want);
    ASSERT_STR(tw_recommender_reason(r), reason);
}

static void expect_event(tw_recommender *r, tw_recommender_event event, tw_outcome want, const char *reason) {
    ASSERT_OK(tw_recommender_add(r, &event, &outcome, &err));
    ASSERT_EQ(outcome, want);
    ASSERT_STR(tw_recommender_reason(r), reason);
}

TEST(each_event_is_applied_duplicate_late_or_refused_with_a_reason) {
    const int64_t day_ms = 86400000, now_ms = 1700000000000;
    tw_recommender *r = open_in(NULL, false);
    tw_recommender_event event = {.kind = "click", .user_id = "u", .item_id = "i", .event_id = "1", .event_ms = now_ms};
    expect_event(r, event, TW_OUTCOME_APPLIED, "");
    expect_event(r, event, TW_OUTCOME_DUPLICATE, "");
    event.event_id = NULL;
    event.event_ms = now_ms - 400 * day_ms;
    expect_event(r, event, TW_OUTCOME_LATE, "");
    event.event_ms = now_ms * 2;
    expect_event(r, event, TW_OUTCOME_REFUSED, "future_time");
    event.event_ms = -1;
    expect_event(r, event, TW_OUTCOME_REFUSED, "negative_time");
    event.event_ms = now_ms;
    event.user_id = NULL;
    expect_event(r, event, TW_OUTCOME_REFUSED, "empty_id");
    event.user_id = "\xff";
    expect_event(r, event, TW_OUTCOME_REFUSED, "bad_utf8");
    event.user_id = "u";
    event.kind = "dance";
    expect_event(r, event, TW_OUTCOME_REFUSED, "unknown_type");
    event.kind = NULL;
    expect_event(r, event, TW_OUTCOME_REFUSED, "missing_field");
    event.kind = "review";
    expect_event(r, event, TW_OUTCOME_REFUSED, "missing_field");
    event.gives = TW_GIVES_RATING;
    event.rating = NAN;
    expect_event(r, event, TW_OUTCOME_REFUSED, "not_finite");
    event.rating = 5;
    expect_event(r, event, TW_OUTCOME_APPLIED, "");
    expect_json(r, "{\"event_type\":\"click\",\"user_id\":\"u\",\"item_id\":\"j\",\"event_ms\":1700000000001}",
                TW_OUTCOME_APPLIED, "");
    expect_json(
        r,
        "{\"event_type\":\"click\",\"user_id\":\"u\",\"item_id\":\"i\",\"event_id\":\"1\",\"event_ms\":1700000000002}",
        TW_OUTCOME_DUPLICATE, "");
    expect_json(r, "{\"event_type\":\"click\"", TW_OUTCOME_REFUSED, "truncated");
    expect_json(r, "", TW_OUTCOME_REFUSED, "truncated");
    expect_json(r, "[]", TW_OUTCOME_REFUSED, "malformed");
    ASSERT_EQ(tw_recommender_added(r), 17);
    tw_recommender_close(r);
}

TEST(what_was_not_committed_is_added_again_and_the_state_is_as_if_nothing_had_happened) {
    char whole[700], broken[700];
    snprintf(whole, sizeof whole, "%s/whole", tw_test_dir());
    snprintf(broken, sizeof broken, "%s/broken", tw_test_dir());
    tw_recommender *r = open_in(whole, false);
    add_until(r, 500);
    ASSERT_OK(tw_recommender_commit(r, &err));
    r = tw_recommender_close(r);
    for (uint64_t n = 100; n <= 400; n += 100) { /* as after a kill: closed with 50 events that are not committed */
        r = open_in(broken, false);
        ASSERT_EQ(tw_recommender_added(r), n - 100);
        add_until(r, n);
        ASSERT_OK(tw_recommender_commit(r, &err));
        add_until(r, n + 50);
        r = tw_recommender_close(r);
    }
    r = open_in(broken, false);
    add_until(r, 500);
    ASSERT_OK(tw_recommender_commit(r, &err));
    tw_recommender_close(r);
    tw_hash128 a = digest_of(whole), b = digest_of(broken);
    ASSERT_TRUE(a.lo == b.lo && a.hi == b.hi);
}

TEST(lists_follow_the_rules_and_are_answers_for_unknown_users_too) {
    tw_recommender *r = open_in(NULL, false);
    const tw_recommended *items;
    int count;
    ASSERT_OK(tw_recommender_recommend(r, "u1", NULL, 5, &items, &count, &err));
    ASSERT_EQ(count, 0); /* nothing is known yet */
    add_until(r, 300);
    ASSERT_OK(tw_recommender_recommend(r, "u1", "a", 5, &items, &count, &err));
    ASSERT_GT(count, 0);
    for (int i = 0; i < count; i++) {
        ASSERT_TRUE(strchr(items[i].category, 'a') != NULL);
        ASSERT_STR(items[i].title, items[i].item_id);
        ASSERT_TRUE(i == 0 || items[i].score <= items[i - 1].score);
    }
    ASSERT_OK(tw_recommender_recommend(r, "nobody", NULL, 1000, &items, &count, &err));
    ASSERT_GT(count, 3);
    ASSERT_OK(tw_recommender_recommend(r, NULL, NULL, 1, &items, &count, &err));
    ASSERT_EQ(count, 1);
    ASSERT_OK(tw_recommender_similar(r, "i1", 2, &items, &count, &err));
    ASSERT_EQ(count, 2);
    ASSERT_EQ(tw_recommender_similar(r, "none", 2, &items, &count, &err), TW_E_NOT_FOUND);
    ASSERT_EQ(tw_recommender_recommend(r, "u1", NULL, 0, &items, &count, &err), TW_E_USAGE);
    ASSERT_EQ(tw_recommender_recommend(r, "u1", NULL, 1001, &items, &count, &err), TW_E_USAGE);
    ASSERT_OK(add_nth(r, 300, &err)); /* refusals of questions end nothing */
    tw_recommender_close(r);
}

TEST(a_reader_sees_the_last_commit_and_adds_nothing) {
    const char *dir = tw_test_dir();
    tw_recommender *r = open_in(dir, false), *other = NULL;
    add_until(r, 100);
    ASSERT_OK(tw_recommender_commit(r, &err));
    static const char *const small[] = {"state.map.max.bytes=16m"};
    const tw_recommender_options again = {.state_dir = dir, .settings = small, .settings_count = 1};
    ASSERT_EQ(tw_recommender_open(&again, &other, &err), TW_E_LOCKED);
    r = tw_recommender_close(r);
    r = open_in(dir, true);
    const tw_recommended *items;
    int count;
    ASSERT_OK(tw_recommender_recommend(r, "u1", NULL, 5, &items, &count, &err));
    ASSERT_EQ(count, 5);
    ASSERT_EQ(add_nth(r, 100, &err), TW_E_USAGE);
    ASSERT_EQ(tw_recommender_commit(r, &err), TW_E_USAGE);
    tw_recommender_close(r);
}

TEST(bad_options_are_sentences) {
    static const char *const unknown[] = {"learn.dimm=8"}, *const odd[] = {"learn.dim=7"};
    char none[700];
    snprintf(none, sizeof none, "%s/none", tw_test_dir());
    tw_recommender *r = NULL;
    tw_recommender_options options = {.settings = unknown, .settings_count = 1};
    ASSERT_EQ(tw_recommender_open(&options, &r, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "learn.dim") != NULL);
    options.settings = odd;
    ASSERT_EQ(tw_recommender_open(&options, &r, &err), TW_E_CONFIG);
    ASSERT_EQ(tw_recommender_open(&options, &r, NULL), TW_E_CONFIG);
    options = (tw_recommender_options){.config_file = none};
    ASSERT_EQ(tw_recommender_open(&options, &r, &err), TW_E_IO);
    options = (tw_recommender_options){.state_dir = none, .read_only = 1};
    ASSERT_EQ(tw_recommender_open(&options, &r, &err), TW_E_NOT_FOUND);
    options = (tw_recommender_options){.read_only = 1};
    ASSERT_EQ(tw_recommender_open(&options, &r, &err), TW_E_USAGE);
    ASSERT_TRUE(r == NULL);
}

TEST(after_a_failed_commit_everything_is_refused_until_it_is_opened_again) {
    const char *dir = tw_test_dir();
    tw_recommender *r = open_in(dir, false);
    const tw_recommended *items;
    int count;
    add_until(r, 50);
    ASSERT_OK(tw_recommender_commit(r, &err));
    add_until(r, 80);
    tw_failpoint_arm(TW_FAILPOINT_STORE_COMMIT, 1);
    ASSERT_EQ(tw_recommender_commit(r, &err), TW_E_FULL);
    tw_failpoint_arm(TW_FAILPOINT_STORE_COMMIT, 0);
    ASSERT_EQ(add_nth(r, 80, &err), TW_E_STORE);
    ASSERT_EQ(tw_recommender_commit(r, &err), TW_E_STORE);
    ASSERT_EQ(tw_recommender_recommend(r, "u1", NULL, 5, &items, &count, &err), TW_E_STORE);
    ASSERT_EQ(tw_recommender_similar(r, "i1", 5, &items, &count, &err), TW_E_STORE);
    r = tw_recommender_close(r);
    r = open_in(dir, false);
    ASSERT_EQ(tw_recommender_added(r), 50);
    tw_recommender_close(r);
}

static void *whole_life(void *self) {
    tw_err own;
    tw_recommender_options options = {.state_dir = self};
    static const char *const settings[] = {"learn.dim=8", "learn.negatives=8", "state.map.max.bytes=16m"};
    options.settings = settings;
    options.settings_count = 3;
    tw_recommender *r;
    if (tw_recommender_open(&options, &r, &own) != TW_OK)
        return NULL;
    bool good = true;
    for (uint64_t n = 0; n < 400 && good; n++)
        good = add_nth(r, n, &own) == TW_OK;
    good = good && tw_recommender_commit(r, &own) == TW_OK;
    tw_recommender_close(r);
    return good ? self : NULL;
}

TEST(recommenders_on_several_threads_do_not_meet) {
    enum { THREADS = 3 };
    char dirs[THREADS][700];
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) {
        snprintf(dirs[t], sizeof dirs[t], "%s/%d", tw_test_dir(), t);
        ASSERT_EQ(pthread_create(&threads[t], NULL, whole_life, dirs[t]), 0);
    }
    for (int t = 0; t < THREADS; t++) {
        void *good;
        pthread_join(threads[t], &good);
        ASSERT_TRUE(good == dirs[t]);
    }
    tw_hash128 first = digest_of(dirs[0]);
    for (int t = 1; t < THREADS; t++)
        ASSERT_EQ(digest_of(dirs[t]).lo, first.lo);
}
