#include "pipeline/clean/dedup.h"
#include "support/test.h"

#define WINDOW_MS 25600
#define BUCKET_MS (WINDOW_MS / TW_DEDUP_BUCKETS)

static tw_hash128 id(uint64_t n) {
    return tw_hash128_of((tw_slice){(const char *)&n, sizeof n});
}

#define EACH_KIND(d)                           \
    for (int exact_ = 0; exact_ < 2; exact_++) \
        for (tw_dedup *d = tw_dedup_create(WINDOW_MS, exact_); d; d = tw_dedup_free(d))

TEST(dedup_admits_an_id_again_after_the_window) {
    EACH_KIND(d) {
        ASSERT_FALSE(tw_dedup_seen(d, id(1), 0, 0));
        ASSERT_TRUE(tw_dedup_seen(d, id(1), WINDOW_MS, WINDOW_MS)); /* edge: still inside */
        ASSERT_FALSE(tw_dedup_seen(d, id(1), WINDOW_MS + BUCKET_MS, WINDOW_MS + BUCKET_MS));
    }
}

TEST(a_duplicate_does_not_prolong_what_it_repeats) {
    EACH_KIND(d) {
        ASSERT_FALSE(tw_dedup_seen(d, id(1), 0, 0));
        for (int64_t t = 0; t <= WINDOW_MS; t += BUCKET_MS)
            ASSERT_TRUE(tw_dedup_seen(d, id(1), t, t));
        ASSERT_FALSE(tw_dedup_seen(d, id(1), WINDOW_MS + BUCKET_MS, WINDOW_MS + BUCKET_MS));
    }
}

TEST(dedup_remembers_through_growth) {
    EACH_KIND(d) {
        for (uint64_t n = 0; n < 300000; n++)
            ASSERT_FALSE(tw_dedup_seen(d, id(n), (int64_t)(n / 20), (int64_t)(n / 20)));
        ASSERT_EQ(tw_dedup_live(d), 300000);
        for (uint64_t n = 0; n < 300000; n++)
            ASSERT_TRUE(tw_dedup_seen(d, id(n), 15000, 15000));
    }
}

TEST(a_jump_of_years_forgets_everything_and_the_table_goes_on) {
    EACH_KIND(d) {
        for (int round = 0; round < 5; round++) {
            int64_t t = (int64_t)round * 365 * 86400000LL;
            for (uint64_t n = 0; n < 1000; n++)
                ASSERT_FALSE(tw_dedup_seen(d, id(n), t, t));
            ASSERT_EQ(tw_dedup_live(d), 1000);
        }
    }
}

TEST(forgetting_the_oldest_bucket_gives_up_just_that) {
    EACH_KIND(d) {
        for (uint64_t n = 0; n < 10; n++)
            tw_dedup_seen(d, id(n), 0, 0);
        for (uint64_t n = 10; n < 30; n++)
            tw_dedup_seen(d, id(n), 5 * BUCKET_MS, 5 * BUCKET_MS);
        ASSERT_EQ(tw_dedup_forget_oldest(d), 10);
        ASSERT_EQ(tw_dedup_live(d), 20);
        ASSERT_FALSE(tw_dedup_seen(d, id(0), 5 * BUCKET_MS, 5 * BUCKET_MS));
        ASSERT_TRUE(tw_dedup_seen(d, id(10), 5 * BUCKET_MS, 5 * BUCKET_MS));
        ASSERT_EQ(tw_dedup_forget_oldest(d), 21);
        ASSERT_EQ(tw_dedup_forget_oldest(d), 0);
    }
}

TEST(ids_whose_low_48_bits_agree_stay_different) {
    tw_dedup *d = tw_dedup_create(WINDOW_MS, false);
    for (uint64_t high = 0; high < 4000; high++)
        ASSERT_FALSE(tw_dedup_seen(d, (tw_hash128){high << 48 | 77, 0}, 0, 0));
    ASSERT_TRUE(tw_dedup_seen(d, (tw_hash128){(uint64_t)3999 << 48 | 77, 0}, 0, 0));
    tw_dedup_free(d);
}

TEST(exact_windows_tell_apart_what_64_bits_cannot) {
    tw_dedup *d = tw_dedup_create(WINDOW_MS, true);
    ASSERT_FALSE(tw_dedup_seen(d, (tw_hash128){5, 1}, 0, 0));
    ASSERT_FALSE(tw_dedup_seen(d, (tw_hash128){5, 2}, 0, 0));
    ASSERT_TRUE(tw_dedup_seen(d, (tw_hash128){5, 1}, 0, 0));
    tw_dedup_free(d);
}

TEST(damaged_logs_and_metas_are_refused) {
    tw_err err;
    tw_dedup *d = tw_dedup_create(WINDOW_MS, false);
    tw_dedup_seen(d, id(1), 0, 0);
    ASSERT_EQ(tw_dedup_load(d, 0, (tw_slice){"1234567", 7}, &err), TW_E_STORE);
    ASSERT_EQ(tw_dedup_load(d, 1, (tw_slice){"12345678", 8}, &err), TW_E_STORE); /* a bucket that is still to come */
    tw_buf meta = {0};
    tw_dedup_encode(d, &meta);
    for (size_t size = 0; size < meta.size; size++) {
        tw_cursor c = tw_cursor_of((tw_slice){meta.data, size});
        ASSERT_NE(tw_dedup_load_meta(d, &c, &err), TW_OK);
    }
    tw_dedup *other = tw_dedup_create(2 * WINDOW_MS, false);
    tw_cursor c = tw_cursor_of(tw_buf_slice(&meta));
    ASSERT_EQ(tw_dedup_load_meta(other, &c, &err), TW_E_MISMATCH);
    tw_buf_done(&meta);
    tw_dedup_free(other);
    tw_dedup_free(d);
}
