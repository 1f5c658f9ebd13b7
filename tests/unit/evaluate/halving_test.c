#include "evaluate/halving.h"
#include "support/test.h"

TEST(each_round_keeps_one_of_three_on_three_times_the_rows) {
    tw_halving_round rounds[TW_ROUNDS_MAX];
    ASSERT_EQ(tw_halving_rounds(27, 3, rounds), 3);
    static const int settings[] = {27, 9, 3};
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(rounds[i].settings, settings[i]);
        ASSERT_NEAR(rounds[i].rows_share, pow(3, i - 2), 1e-12);
    }
}

TEST(what_cannot_be_divided_is_rounded_up_and_the_last_round_has_all_rows) {
    tw_halving_round rounds[TW_ROUNDS_MAX];
    ASSERT_EQ(tw_halving_rounds(11, 2, rounds), 4); /* 11, 6, 3, 2 */
    ASSERT_EQ(rounds[1].settings, 6);
    ASSERT_EQ(rounds[3].settings, 2);
    ASSERT_NEAR(rounds[3].rows_share, 1, 0);
    ASSERT_EQ(tw_halving_rounds(1, 3, rounds), 1);
    ASSERT_EQ(rounds[0].settings, 1);
    ASSERT_NEAR(rounds[0].rows_share, 1, 0);
    for (int settings = 1; settings <= 10000; settings += 37)
        for (int keep = 2; keep <= 100; keep += 7) {
            int count = tw_halving_rounds(settings, keep, rounds);
            ASSERT_LE(count, TW_ROUNDS_MAX);
            ASSERT_LE(rounds[count - 1].settings, keep);
            ASSERT_NEAR(rounds[count - 1].rows_share, 1, 0);
        }
}

static tw_prequential asked(uint64_t hits, double gain) {
    return (tw_prequential){.asked = 100, .hits10 = hits, .gain10 = gain};
}

TEST(gains_are_relative_and_every_file_counts_the_same) {
    const tw_prequential defaults[] = {asked(10, 5), asked(50, 20)}, theirs[] = {asked(12, 5.5), asked(45, 20)};
    double small = (0.2 + 0.1) / 2, large = (-0.1 + 0) / 2;
    ASSERT_NEAR(tw_halving_gain(theirs, defaults, 1), small, 1e-12);
    ASSERT_NEAR(tw_halving_gain(theirs, defaults, 2), (small + large) / 2, 1e-12);
    ASSERT_NEAR(tw_halving_gain(defaults, defaults, 2), 0, 1e-12);
}

TEST(a_default_without_a_hit_divides_nothing) {
    const tw_prequential none = asked(0, 0), some = asked(3, 1);
    ASSERT_NEAR(tw_halving_gain(&some, &none, 1), 1, 1e-12);
    ASSERT_NEAR(tw_halving_gain(&none, &none, 1), 0, 0);
    ASSERT_NEAR(tw_halving_gain(&none, &some, 1), -1, 1e-12);
}

TEST(the_best_come_first_and_the_lower_number_of_equal_ones) {
    const double gains[] = {0, .1, .3, .1, -.2, .3};
    int order[] = {5, 4, 3, 2, 1};
    tw_halving_order(order, 5, gains);
    static const int wanted[] = {2, 5, 1, 3, 4};
    for (int i = 0; i < 5; i++)
        ASSERT_EQ(order[i], wanted[i]);
}
