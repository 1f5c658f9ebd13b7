#include "base/user_profile.h"
#include "support/test.h"

#include <math.h>

#define DAY_MS 86400000LL

TEST(segments_follow_their_rule_at_each_edge) {
    const int64_t now_ms = 1000 * DAY_MS, week_ms = 7 * DAY_MS, month_ms = 30 * DAY_MS;
    ASSERT_EQ(tw_segment_of(1, now_ms, now_ms, now_ms), TW_SEGMENT_NEW);
    ASSERT_EQ(tw_segment_of(4, now_ms - week_ms, now_ms, now_ms), TW_SEGMENT_NEW);
    ASSERT_EQ(tw_segment_of(5, now_ms, now_ms, now_ms), TW_SEGMENT_ACTIVE);
    ASSERT_EQ(tw_segment_of(20, now_ms - week_ms + 1, now_ms, now_ms), TW_SEGMENT_ACTIVE);
    ASSERT_EQ(tw_segment_of(20, now_ms - week_ms, now_ms, now_ms), TW_SEGMENT_LOYAL);
    ASSERT_EQ(tw_segment_of(19, now_ms - week_ms, now_ms, now_ms), TW_SEGMENT_ACTIVE);
    ASSERT_EQ(tw_segment_of(19, 0, now_ms - month_ms + 1, now_ms), TW_SEGMENT_ACTIVE);
    ASSERT_EQ(tw_segment_of(5000, 0, now_ms - month_ms, now_ms), TW_SEGMENT_SLEEPING);
    ASSERT_EQ(tw_segment_of(1, 0, 0, now_ms), TW_SEGMENT_SLEEPING);
}

static tw_slice name_of(const void *self, uint32_t i) {
    return (tw_slice){(const char *)self + i, 1};
}
static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

TEST(the_largest_shares_are_picked_and_equal_ones_keep_their_order) {
    tw_profile_shares picked;
    tw_profile_shares_pick((const float[]){.2f, .004f, .3f, .2f, 0, .3f}, 6, name_of, letters, &picked);
    ASSERT_EQ(picked.count, 4);
    for (int i = 0; i < 4; i++)
        ASSERT_EQ(picked.shares[i].category.data[0], "cfad"[i]);
    float many[26];
    for (int c = 0; c < 26; c++)
        many[c] = (float)(c + 1) / 351;
    tw_profile_shares_pick(many, 26, name_of, letters, &picked);
    ASSERT_EQ(picked.count, TW_PROFILE_SHARES_MAX);
    for (int i = 0; i < picked.count; i++)
        ASSERT_EQ(picked.shares[i].category.data[0], 'z' - i);
}

TEST(nothing_is_picked_of_nothing_and_of_what_is_no_number) {
    tw_profile_shares picked;
    tw_user_profile profile = {0};
    tw_profile_shares_pick(NULL, 0, name_of, letters, &picked);
    ASSERT_EQ(picked.count, 0);
    tw_profile_shares_pick((const float[]){NAN, .5f}, 2, name_of, letters, &picked);
    ASSERT_EQ(picked.count, 1);
    ASSERT_EQ(picked.shares[0].category.data[0], 'b');
    tw_profile_moves_pick((const float[]){NAN, .5f}, (const float[]){.1f, .5f}, 2, name_of, letters, &profile);
    ASSERT_EQ(profile.moves_count, 0);
}

TEST(moves_are_the_largest_in_either_direction) {
    tw_user_profile profile = {0};
    const float from[] = {.1f, .1f, .3f, .1f, .1f, .3f}, to[] = {.15f, .02f, 0, .1f, .7f, .297f};
    tw_profile_moves_pick(from, to, 6, name_of, letters, &profile);
    ASSERT_EQ(profile.moves_count, TW_PROFILE_MOVES_MAX);
    for (int i = 0; i < TW_PROFILE_MOVES_MAX; i++)
        ASSERT_EQ(profile.moves[i].category.data[0], "ecba"[i]);
    ASSERT_NEAR(profile.moves[1].from, .3, 1e-6);
    ASSERT_NEAR(profile.moves[1].to, 0, 0);
}
