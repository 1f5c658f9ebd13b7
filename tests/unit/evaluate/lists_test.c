#include "config/keys.h"
#include "evaluate/lists.h"
#include "support/test.h"

#define HOUR_MS 3600000LL

TEST(coverage_counts_each_item_once_and_another_one_in_its_slot_again) {
    tw_lists_sums sums = {0};
    tw_listed listed = {0};
    const tw_listed_item first[] = {{3, 30, 2 * TW_DAY_MS}, {900, 31, 4 * TW_DAY_MS}};
    const tw_listed_item second[] = {{3, 30, 2 * TW_DAY_MS}, {0, 0, 4 * TW_DAY_MS}};
    const tw_listed_item third[] = {{3, 77, 2 * TW_DAY_MS}}; /* the slot was given to another item */
    tw_lists_add(&sums, &listed, first, 2, 0);
    tw_lists_add(&sums, &listed, second, 2, 0);
    ASSERT_EQ(sums.different, 3);
    tw_lists_add(&sums, &listed, third, 1, 0);
    ASSERT_EQ(sums.different, 4);
    ASSERT_NEAR(tw_lists_coverage(&sums, 8), 0.5, 1e-12);
    ASSERT_NEAR(tw_lists_age_days(&sums), (2 + 4 + 2 + 4 + 2) / 5.0, 1e-12);
    tw_listed_done(&listed);
}

TEST(a_list_with_a_new_item_counts_and_so_does_a_hit_by_one) {
    tw_lists_sums sums = {0};
    tw_listed listed = {0};
    const tw_listed_item old[] = {{0, 0, TW_DAY_MS}, {1, 1, 5 * TW_DAY_MS}}; /* a day old: not new any more */
    const tw_listed_item mixed[] = {{0, 0, TW_DAY_MS}, {2, 2, TW_DAY_MS - 1}};
    tw_lists_add(&sums, &listed, old, 2, 1);
    ASSERT_EQ(sums.with_new.asked, 0);
    tw_lists_add(&sums, &listed, mixed, 2, 1); /* a hit, by the item that is not new */
    tw_lists_add(&sums, &listed, mixed, 2, 2);
    tw_lists_add(&sums, &listed, mixed, 2, 0);
    ASSERT_EQ(sums.with_new.asked, 3);
    ASSERT_EQ(sums.with_new.hits10, 2);
    ASSERT_EQ(sums.new_hits, 1);
    ASSERT_NEAR(tw_lists_new_share(&sums), 0.75, 1e-12);
    tw_listed_done(&listed);
}

TEST(an_item_from_the_future_is_new_and_no_list_is_nothing) {
    tw_lists_sums sums = {0};
    tw_listed listed = {0};
    const tw_listed_item ahead[] = {{0, 0, -HOUR_MS}};
    ASSERT_NEAR(tw_lists_coverage(&sums, 0), 0, 0);
    ASSERT_NEAR(tw_lists_age_days(&sums), 0, 0);
    tw_lists_add(&sums, &listed, NULL, 0, 0); /* everything is excluded */
    tw_lists_add(&sums, &listed, ahead, 1, 0);
    ASSERT_NEAR(tw_lists_new_share(&sums), 0.5, 1e-12);
    ASSERT_NEAR(tw_lists_age_days(&sums), 0, 0);
    tw_listed_done(&listed);
}
