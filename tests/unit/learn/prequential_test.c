#include "pipeline/learn/prequential.h"
#include "support/test.h"

TEST(places_count_towards_the_measures_they_reach) {
    tw_prequential p = {0};
    tw_prequential_add(&p, 1);
    tw_prequential_add(&p, 10);
    tw_prequential_add(&p, 11);
    tw_prequential_add(&p, 20);
    tw_prequential_add(&p, 21);
    tw_prequential_add(&p, 0);
    ASSERT_EQ(p.asked, 6);
    ASSERT_NEAR(tw_prequential_hr10(&p), 2.0 / 6, 1e-12);
    ASSERT_NEAR(tw_prequential_hr20(&p), 4.0 / 6, 1e-12);
    ASSERT_NEAR(tw_prequential_ndcg10(&p), (1.0 + 1.0 / log2(11.0)) / 6, 1e-12);
    ASSERT_NEAR(tw_prequential_mrr20(&p), (1.0 + 1.0 / 10 + 1.0 / 11 + 1.0 / 20) / 6, 1e-12);
}

TEST(nothing_asked_is_zero_and_not_nan) {
    tw_prequential p = {0};
    ASSERT_NEAR(tw_prequential_hr10(&p), 0, 0);
    ASSERT_NEAR(tw_prequential_ndcg10(&p), 0, 0);
}

TEST(merged_halves_are_the_whole) {
    static const uint32_t places[] = {1, 3, 10, 15, 0, 21, 2, 20};
    tw_prequential whole = {0}, half[2] = {{0}, {0}};
    for (int i = 0; i < 8; i++) {
        tw_prequential_add(&whole, places[i]);
        tw_prequential_add(&half[i % 2], places[i]);
    }
    tw_prequential_merge(&half[0], &half[1]);
    ASSERT_EQ(half[0].asked, whole.asked);
    ASSERT_EQ(half[0].hits10, whole.hits10);
    ASSERT_EQ(half[0].hits20, whole.hits20);
    ASSERT_NEAR(half[0].gain10, whole.gain10, 1e-12);
    ASSERT_NEAR(half[0].reciprocal20, whole.reciprocal20, 1e-12);
}
