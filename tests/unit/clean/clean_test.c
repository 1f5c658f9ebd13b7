#include "pipeline/clean/clean.h"
#include "support/test.h"

#define HOUR_MS 3600000LL
#define NOW_MS (400 * 24 * HOUR_MS)

static tw_config config;

static tw_clean *start(void) {
    tw_config_init(&config);
    return tw_clean_create(&config);
}

static tw_clean *stop(tw_clean *clean) {
    tw_clean_free(clean);
    tw_config_done(&config);
    return NULL;
}

static tw_event click(const char *user, const char *item, int64_t event_ms) {
    return (tw_event){.kind = TW_KIND_CLICK,
                      .has = TW_HAS_KIND | TW_HAS_TIME,
                      .event_ms = event_ms,
                      .user_id = tw_slice_of(user),
                      .item_id = tw_slice_of(item)};
}

static tw_verdict judge(tw_clean *clean, tw_event e) {
    tw_reason reason;
    return tw_clean_judge(clean, &e, TW_REASON_NONE, NOW_MS, &reason);
}

static tw_reason reason_of(tw_clean *clean, tw_event e) {
    tw_reason reason;
    ASSERT_EQ(tw_clean_judge(clean, &e, TW_REASON_NONE, NOW_MS, &reason), TW_VERDICT_DEAD);
    return reason;
}

TEST(each_rule_answers_by_its_name) {
    tw_clean *c = start();
    char long_id[TW_ID_SIZE_MAX + 2];
    memset(long_id, 'x', sizeof long_id);
    long_id[TW_ID_SIZE_MAX + 1] = '\0';
    tw_event e = click("u", "i", 1000);
    e.kind = TW_KIND_COUNT;
    ASSERT_EQ(reason_of(c, e), TW_REASON_UNKNOWN_TYPE);
    e = click("u", "i", 1000);
    e.has = TW_HAS_TIME;
    ASSERT_EQ(reason_of(c, e), TW_REASON_MISSING_FIELD);
    e.has = TW_HAS_KIND;
    ASSERT_EQ(reason_of(c, e), TW_REASON_MISSING_FIELD);
    ASSERT_EQ(reason_of(c, click("", "i", 1000)), TW_REASON_EMPTY_ID);
    ASSERT_EQ(reason_of(c, click("u", "", 1000)), TW_REASON_EMPTY_ID);
    ASSERT_EQ(reason_of(c, click(long_id, "i", 1000)), TW_REASON_ID_TOO_LONG);
    ASSERT_EQ(reason_of(c, click("u\xff", "i", 1000)), TW_REASON_BAD_UTF8);
    ASSERT_EQ(reason_of(c, click("u", "i", -1)), TW_REASON_NEGATIVE_TIME);
    ASSERT_EQ(reason_of(c, click("u", "i", NOW_MS + 24 * HOUR_MS + 1)), TW_REASON_FUTURE_TIME);
    ASSERT_EQ(reason_of(c, click("u", "i", INT64_MAX)), TW_REASON_FUTURE_TIME);
    e = click("u", "i", 1000);
    e.has |= TW_HAS_PRICE;
    e.price = NAN;
    ASSERT_EQ(reason_of(c, e), TW_REASON_NOT_FINITE);
    e.price = -0.01;
    ASSERT_EQ(reason_of(c, e), TW_REASON_NEGATIVE_PRICE);
    e = click("u", "i", 1000);
    e.has |= TW_HAS_QUANTITY;
    e.quantity = -1;
    ASSERT_EQ(reason_of(c, e), TW_REASON_BAD_QUANTITY);
    e = click("u", "i", 1000);
    e.kind = TW_KIND_REVIEW;
    ASSERT_EQ(reason_of(c, e), TW_REASON_MISSING_FIELD);
    e.has |= TW_HAS_RATING;
    e.rating = 5.5;
    ASSERT_EQ(reason_of(c, e), TW_REASON_RATING_RANGE);
    e.rating = 0.5;
    ASSERT_EQ(reason_of(c, e), TW_REASON_RATING_RANGE);
    e.rating = INFINITY;
    ASSERT_EQ(reason_of(c, e), TW_REASON_NOT_FINITE);
    ASSERT_EQ(tw_clean_watermark_ms(c), INT64_MIN);
    stop(c);
}

TEST(ids_of_1024_bytes_are_good) {
    tw_clean *c = start();
    char id[TW_ID_SIZE_MAX + 1];
    memset(id, 'x', TW_ID_SIZE_MAX);
    id[TW_ID_SIZE_MAX] = '\0';
    tw_event e = click(id, id, 1000);
    ASSERT_EQ(judge(c, e), TW_VERDICT_APPLIED);
    e.event_id = tw_slice_of(id);
    ASSERT_EQ(judge(c, e), TW_VERDICT_APPLIED); /* with an event id it is another event */
    stop(c);
}

TEST(lateness_is_allowed_up_to_its_edge) {
    tw_clean *c = start();
    ASSERT_EQ(judge(c, click("u", "a", 10 * HOUR_MS)), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, click("u", "b", 9 * HOUR_MS)), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, click("u", "c", 9 * HOUR_MS - 1)), TW_VERDICT_LATE);
    ASSERT_EQ(tw_clean_watermark_ms(c), 10 * HOUR_MS);
    stop(c);
}

TEST(purchases_are_allowed_to_be_later_than_clicks) {
    tw_clean *c = start();
    ASSERT_EQ(judge(c, click("u", "a", 100 * HOUR_MS)), TW_VERDICT_APPLIED);
    tw_event e = click("u", "b", 90 * HOUR_MS);
    ASSERT_EQ(judge(c, e), TW_VERDICT_LATE);
    e.kind = TW_KIND_PURCHASE;
    ASSERT_EQ(judge(c, e), TW_VERDICT_APPLIED);
    stop(c);
}

TEST(the_year_1970_is_late_unless_it_comes_first) {
    tw_clean *c = start();
    ASSERT_EQ(judge(c, click("u", "a", 0)), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, click("u", "a", NOW_MS)), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, click("u", "b", 0)), TW_VERDICT_LATE);
    stop(c);
}

TEST(the_far_future_is_dead_and_does_not_move_the_watermark) {
    tw_clean *c = start();
    ASSERT_EQ(judge(c, click("u", "a", NOW_MS)), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, click("u", "b", 4102444800000LL)), TW_VERDICT_DEAD); /* 2100 */
    ASSERT_EQ(tw_clean_watermark_ms(c), NOW_MS);
    ASSERT_EQ(judge(c, click("u", "b", NOW_MS + 24 * HOUR_MS)), TW_VERDICT_APPLIED); /* edge of the skew */
    stop(c);
}

TEST(late_comes_before_duplicate_and_both_before_applied) {
    tw_clean *c = start();
    ASSERT_EQ(judge(c, click("u", "a", 10 * HOUR_MS)), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, click("u", "a", 10 * HOUR_MS)), TW_VERDICT_DUPLICATE);
    ASSERT_EQ(judge(c, click("u", "z", 12 * HOUR_MS)), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, click("u", "a", 10 * HOUR_MS)), TW_VERDICT_LATE);
    stop(c);
}

TEST(the_same_user_item_and_time_of_another_kind_is_another_event) {
    tw_clean *c = start();
    tw_event e = click("u", "a", 1000);
    ASSERT_EQ(judge(c, e), TW_VERDICT_APPLIED);
    e.kind = TW_KIND_CART;
    ASSERT_EQ(judge(c, e), TW_VERDICT_APPLIED);
    e.kind = TW_KIND_PURCHASE;
    ASSERT_EQ(judge(c, e), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, e), TW_VERDICT_DUPLICATE);
    ASSERT_EQ(judge(c, click("ua", "", 1000)), TW_VERDICT_DEAD);
    ASSERT_EQ(judge(c, click("ua", "b", 1000)), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, click("u", "ab", 1000)), TW_VERDICT_APPLIED); /* fields do not run together */
    stop(c);
}

TEST(news_of_items_needs_no_user_and_moves_nothing) {
    tw_clean *c = start();
    tw_event e = click("", "a", NOW_MS);
    e.kind = TW_KIND_ITEM;
    ASSERT_EQ(judge(c, e), TW_VERDICT_APPLIED);
    ASSERT_EQ(judge(c, e), TW_VERDICT_APPLIED);
    ASSERT_EQ(tw_clean_watermark_ms(c), INT64_MIN);
    ASSERT_EQ(tw_clean_ids_live(c), 0);
    stop(c);
}

TEST(live_ids_stay_below_their_bound_and_what_goes_is_counted) {
    tw_clean *c = start();
    config.dedup_ids_max = 1024;
    for (int i = 0; i < 5000; i++) {
        char item[16];
        snprintf(item, sizeof item, "i%d", i);
        ASSERT_EQ(judge(c, click("u", item, (int64_t)i * 60000)), TW_VERDICT_APPLIED);
        ASSERT_LE(tw_clean_ids_live(c), 1024);
    }
    ASSERT_GT(tw_clean_counters_get(c)->forgotten_early, 0);
    stop(c);
}

TEST(mean_and_variance_run_with_the_stream) {
    tw_clean *c = start();
    const double prices[] = {2, 4, 4, 4, 5, 5, 7, 9};
    for (int i = 0; i < 8; i++) {
        tw_event e = click("u", "i", 1000 + i);
        e.has |= TW_HAS_PRICE;
        e.price = prices[i];
        judge(c, e);
    }
    const tw_clean_feature *f = &tw_clean_features(c)[TW_FEATURE_PRICE];
    ASSERT_EQ(f->count, 8);
    ASSERT_NEAR(f->mean, 5, 1e-12);
    ASSERT_NEAR(f->m2 / 8, 4, 1e-12);
    ASSERT_NEAR(tw_clean_normalise(f, 5), 0, 1e-12);
    ASSERT_NEAR(tw_clean_normalise(&tw_clean_features(c)[TW_FEATURE_RATING], 5), 0, 0);
    stop(c);
}

TEST(damaged_metas_are_refused) {
    tw_clean *c = start();
    tw_err err;
    tw_buf meta = {0};
    judge(c, click("u", "i", 1000));
    tw_clean_encode_meta(c, &meta);
    for (size_t size = 0; size < meta.size; size++) {
        tw_clean *other = tw_clean_create(&config);
        ASSERT_NE(tw_clean_load_meta(other, (tw_slice){meta.data, size}, &err), TW_OK);
        tw_clean_free(other);
    }
    tw_buf_done(&meta);
    stop(c);
}
