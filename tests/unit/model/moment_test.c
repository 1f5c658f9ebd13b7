/* What a moment says of a user. */
#include "model/moment.h"

#include "support/test.h"

/* Places in the features, by the order that moment.h tells. */
enum { KINDS, SIZE = 5, PRICE, PRICED, RATING, GAP, FIRST, AGAIN, SAME, PAST, DAY, WEEK = 16, BUCKETS = 18 };

static tw_event event_of(tw_kind kind, const char *item, const char *category) {
    return (tw_event){.kind = kind, .item_id = tw_slice_of(item), .category = tw_slice_of(category)};
}

static float bucket_sum(const float *x) {
    float sum = 0;
    for (int b = 0; b < TW_MOMENT_BUCKETS; b++)
        sum += x[BUCKETS + b];
    return sum;
}

TEST(a_basket_is_one_moment_with_shares_of_what_is_in_it) {
    float x[TW_MOMENT_FEATURES];
    tw_moment_items items = {0};
    tw_moment moment = tw_moment_begin(NULL, 6 * 3600000);
    tw_event bought = event_of(TW_KIND_PURCHASE, "a", "tea"), seen = event_of(TW_KIND_CLICK, "b", "tea|books");
    bought.has = TW_HAS_PRICE;
    bought.price = 9;
    tw_moment_add(&moment, NULL, &items, &bought);
    tw_moment_add(&moment, NULL, &items, &bought);
    tw_moment_add(&moment, NULL, &items, &seen);
    tw_event rated = event_of(TW_KIND_REVIEW, "c", "");
    rated.has = TW_HAS_RATING;
    rated.rating = 1;
    tw_moment_add(&moment, NULL, &items, &rated);
    tw_moment_features(&moment, x);
    ASSERT_NEAR(x[KINDS + TW_KIND_CLICK], 0.25, 1e-6);
    ASSERT_NEAR(x[KINDS + TW_KIND_CART], 0, 0);
    ASSERT_NEAR(x[KINDS + TW_KIND_PURCHASE], 0.5, 1e-6);
    ASSERT_NEAR(x[KINDS + TW_KIND_REVIEW], 0.25, 1e-6);
    ASSERT_NEAR(x[SIZE], log(5), 1e-6);
    ASSERT_NEAR(x[PRICE], log(10), 1e-5);
    ASSERT_NEAR(x[PRICED], 0.5, 1e-6);
    ASSERT_NEAR(x[RATING], -1, 1e-6);
    ASSERT_NEAR(x[AGAIN], 0.25, 1e-6); /* the second of the two */
    ASSERT_NEAR(x[DAY], 1, 1e-6);      /* a quarter of the day */
    ASSERT_NEAR(x[DAY + 1], 0, 1e-6);
    ASSERT_NEAR(bucket_sum(x), 1, 1e-6);
}

TEST(the_first_moment_has_no_gap_and_says_so) {
    float x[TW_MOMENT_FEATURES];
    tw_moment_items items = {0};
    tw_event event = event_of(TW_KIND_CLICK, "a", "tea");
    tw_moment first = tw_moment_begin(NULL, 1000);
    tw_moment_add(&first, NULL, &items, &event);
    tw_moment_features(&first, x);
    ASSERT_NEAR(x[GAP], 0, 0);
    ASSERT_NEAR(x[FIRST], 1, 0);
    ASSERT_NEAR(x[PAST], 0, 0);
    ASSERT_NEAR(x[AGAIN], 0, 0);
    ASSERT_NEAR(x[SAME], 0, 0);
    tw_moment second = tw_moment_begin(&first, 101000);
    tw_moment_add(&second, &first, &items, &event);
    tw_moment_features(&second, x);
    ASSERT_NEAR(x[GAP], log(101), 1e-5);
    ASSERT_NEAR(x[FIRST], 0, 0);
    ASSERT_NEAR(x[PAST], log(2), 1e-6);
    ASSERT_NEAR(x[AGAIN], 1, 0);
    ASSERT_NEAR(x[SAME], 1, 0);
}

TEST(a_category_never_named_is_not_the_same_as_the_one_before) {
    tw_moment_items items = {0};
    tw_event event = event_of(TW_KIND_CLICK, "a", "");
    tw_moment first = tw_moment_begin(NULL, 1000), second = tw_moment_begin(&first, 2000);
    float x[TW_MOMENT_FEATURES];
    tw_moment_add(&first, NULL, &items, &event);
    tw_moment_add(&second, &first, &items, &event);
    tw_moment_features(&second, x);
    ASSERT_NEAR(x[SAME], 0, 0);
    ASSERT_NEAR(bucket_sum(x), 0, 0);
}

TEST(an_item_is_forgotten_after_as_many_others_as_are_held) {
    tw_moment_items items = {0};
    tw_moment moment = tw_moment_begin(NULL, 1000);
    char id[16];
    for (int i = 0; i <= TW_MOMENT_ITEMS; i++) {
        snprintf(id, sizeof id, "item-%d", i);
        tw_event event = event_of(TW_KIND_CLICK, id, "tea");
        tw_moment_add(&moment, NULL, &items, &event);
    }
    ASSERT_EQ(moment.again, 0);
    tw_event oldest = event_of(TW_KIND_CLICK, "item-0", "tea"), newer = event_of(TW_KIND_CLICK, "item-2", "tea");
    tw_moment_add(&moment, NULL, &items, &newer);
    ASSERT_EQ(moment.again, 1);
    tw_moment_add(&moment, NULL, &items, &oldest);
    ASSERT_EQ(moment.again, 1);
}

TEST(the_largest_numbers_that_clean_lets_through_are_finite_features) {
    float x[TW_MOMENT_FEATURES];
    tw_moment_items items = {0};
    tw_event event = event_of(TW_KIND_PURCHASE, "a", "|||");
    event.has = TW_HAS_PRICE | TW_HAS_RATING;
    event.price = 1.7e308;
    event.rating = 5;
    tw_moment first = tw_moment_begin(NULL, 0), moment = tw_moment_begin(&first, INT64_MAX);
    for (int i = 0; i < 1000; i++)
        tw_moment_add(&moment, &first, &items, &event);
    tw_moment_features(&moment, x);
    for (int f = 0; f < TW_MOMENT_FEATURES; f++)
        ASSERT_TRUE(isfinite(x[f]));
}
