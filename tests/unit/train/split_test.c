/* The split by time. */
#include "train/split.h"

#include "base/rng.h"
#include "support/test.h"

#define N 1000

static int64_t times_ms[N];

static void draw(int64_t most_ms) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 7, 1);
    for (int i = 0; i < N; i++)
        times_ms[i] = (int64_t)(tw_rng_unit(&rng) * (double)most_ms);
}

TEST(no_part_begins_before_every_label_of_the_part_before_is_known) {
    tw_split split;
    tw_err err;
    int64_t latest = INT64_MIN, horizon_ms = 5000;
    draw(1000000);
    ASSERT_OK(tw_split_by_time(times_ms, N, horizon_ms, 1000000, 1, 1, &split, &err));
    for (int p = 0; p < TW_PARTS; p++) {
        int64_t end = INT64_MIN;
        ASSERT_GT(split.counts[p], 0);
        for (size_t i = 0; i < split.counts[p]; i++) {
            int64_t ms = times_ms[split.rows[p][i]];
            if (p)
                ASSERT_GE(ms, latest + horizon_ms);
            ASSERT_GE(ms, split.from_ms[p]);
            ASSERT_LE(ms + horizon_ms, 1000000);
            end = ms > end ? ms : end;
        }
        latest = end;
    }
    tw_split_done(&split);
}

TEST(without_a_horizon_nothing_is_left_out_and_the_shares_are_those_named) {
    tw_split split;
    tw_err err;
    for (int i = 0; i < N; i++)
        times_ms[i] = (i * 7) % N; /* each once, out of order */
    ASSERT_OK(tw_split_by_time(times_ms, N, 0, N, 1, 1, &split, &err));
    ASSERT_EQ(split.counts[TW_PART_TRAIN], 700);
    ASSERT_EQ(split.counts[TW_PART_VALIDATION], 150);
    ASSERT_EQ(split.counts[TW_PART_TEST], 150);
    ASSERT_EQ(split.from_ms[TW_PART_TEST], 850);
    tw_split_done(&split);
}

TEST(a_sample_repeats_by_its_seed_and_is_about_as_large_as_asked) {
    tw_split all, a, b, c;
    tw_err err;
    for (int i = 0; i < N; i++)
        times_ms[i] = i;
    ASSERT_OK(tw_split_by_time(times_ms, N, 0, N, 1, 1, &all, &err));
    ASSERT_OK(tw_split_by_time(times_ms, N, 0, N, 4, 1, &a, &err));
    ASSERT_OK(tw_split_by_time(times_ms, N, 0, N, 4, 1, &b, &err));
    ASSERT_OK(tw_split_by_time(times_ms, N, 0, N, 4, 2, &c, &err));
    size_t n = a.counts[TW_PART_TRAIN];
    ASSERT_GT(n, all.counts[TW_PART_TRAIN] / 8);
    ASSERT_LT(n, all.counts[TW_PART_TRAIN] / 2);
    ASSERT_EQ(b.counts[TW_PART_TRAIN], n);
    ASSERT_EQ(memcmp(a.rows[0], b.rows[0], n * sizeof(uint32_t)), 0);
    ASSERT_TRUE(c.counts[TW_PART_TRAIN] != n || memcmp(a.rows[0], c.rows[0], n * sizeof(uint32_t)) != 0);
    tw_split_done(&all);
    tw_split_done(&a);
    tw_split_done(&b);
    tw_split_done(&c);
}

TEST(examples_that_do_not_reach_over_the_horizon_are_refused) {
    tw_split split;
    tw_err err;
    for (int i = 0; i < N; i++)
        times_ms[i] = i;
    ASSERT_EQ(tw_split_by_time(times_ms, N, 400, N, 1, 1, &split, &err), TW_E_BAD_FILE);
    ASSERT_TRUE(strstr(err.text, "no example is left") != NULL);
    tw_split_done(&split);
    ASSERT_EQ(tw_split_by_time(times_ms, N, 5000, N, 1, 1, &split, &err), TW_E_BAD_FILE);
    tw_split_done(&split);
    ASSERT_EQ(tw_split_by_time(times_ms, 0, 0, 0, 1, 1, &split, &err), TW_E_BAD_FILE);
    tw_split_done(&split);
}

TEST(examples_of_one_time_cannot_be_split) {
    tw_split split;
    tw_err err;
    for (int i = 0; i < N; i++)
        times_ms[i] = 77;
    ASSERT_EQ(tw_split_by_time(times_ms, N, 0, 77, 1, 1, &split, &err), TW_E_BAD_FILE);
    tw_split_done(&split);
}
