/* AUC, log loss and calibration, by hand and by the definition over all pairs. */
#include "train/measures.h"

#include "base/rng.h"
#include "support/test.h"

#define N 300

TEST(measures_of_four_answers_are_those_worked_out_by_hand) {
    const float p[] = {0.1f, 0.4f, 0.35f, 0.8f};
    const bool labels[] = {false, false, true, true};
    tw_measures m;
    tw_measures_of(p, labels, 4, &m);
    ASSERT_EQ(m.count, 4);
    ASSERT_EQ(m.positives, 2);
    ASSERT_NEAR(m.auc, 0.75, 1e-9);
    ASSERT_NEAR(m.log_loss, -(log(0.9) + log(0.6) + log(0.35) + log(0.8)) / 4, 1e-6);
    ASSERT_NEAR(m.calibration_error, (0.1 + 0.4 + 0.65 + 0.2) / 4, 1e-6);
    ASSERT_EQ(m.bins[3].count, 1);
    ASSERT_NEAR(m.bins[3].said, 0.35, 1e-6);
    ASSERT_NEAR(m.bins[3].was, 1, 0);
}

TEST(auc_is_the_share_of_pairs_in_order_with_ties_half) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 6, 1);
    static float p[N];
    static bool labels[N];
    double pairs = 0, right = 0;
    tw_measures m;
    for (int i = 0; i < N; i++) {
        labels[i] = i == 0 || (i > 1 && tw_rng_below(&rng, 3) == 0);
        p[i] = (float)(tw_rng_below(&rng, 10) + 2 * labels[i]) / 12.0f; /* many ties */
    }
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            if (labels[i] && !labels[j]) {
                pairs++;
                right += p[i] > p[j] ? 1 : p[i] == p[j] ? 0.5 : 0;
            }
    tw_measures_of(p, labels, N, &m);
    ASSERT_NEAR(m.auc, right / pairs, 1e-9);
}

TEST(answers_that_are_sure_and_wrong_cost_much_and_stay_finite) {
    const float p[] = {0, 1};
    const bool labels[] = {true, false};
    tw_measures m;
    tw_measures_of(p, labels, 2, &m);
    ASSERT_NEAR(m.log_loss, -log(1e-7), 1e-6);
    ASSERT_NEAR(m.auc, 0, 0);
    ASSERT_NEAR(m.calibration_error, 1, 1e-9);
    ASSERT_EQ(m.bins[TW_MEASURE_BINS - 1].count, 1);
}

TEST(one_side_alone_or_nothing_has_an_auc_of_half) {
    const float p[] = {0.2f, 0.9f};
    const bool labels[] = {true, true};
    tw_measures m;
    tw_measures_of(p, labels, 2, &m);
    ASSERT_NEAR(m.auc, 0.5, 0);
    tw_measures_of(p, labels, 0, &m);
    ASSERT_NEAR(m.auc, 0.5, 0);
    ASSERT_NEAR(m.log_loss, 0, 0);
}
