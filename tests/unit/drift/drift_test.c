/* The detectors as a whole: what is told, once, and that state comes back bit for bit. */
#include "drift/divergence.h"
#include "drift/drift.h"
#include "drift/gamma.h"
#include "support/test.h"

static int heard;
static char subject[32];
static tw_drift_share first;

static void hear(void *self, const tw_drift_record *r) {
    (void)self;
    heard += strcmp(r->scope, "user") == 0;
    snprintf(subject, sizeof subject, "%s", r->subject);
    if (r->evidence_count)
        first = (tw_drift_share){{0}, r->evidence[0].from, r->evidence[0].to};
    ASSERT_TRUE(r->bound >= 0 && r->bound <= 1);
}

static const tw_drift_options options = {8.5, 512, 1e-6, 1e-5};
static const tw_drift_model silent_model = {NAN, NAN, NAN, NAN, NAN};

/* One event a day. */
static void visit(tw_drift *drift, uint32_t user, const char *category, int day) {
    const tw_event e = {.kind = TW_KIND_CLICK, .event_ms = 1000000000000 + day * 86400000LL};
    tw_drift_add(drift, user, TW_SLICE_LITERAL("u"), 0, &e, tw_slice_of(category), e.event_ms, &silent_model);
}

TEST(drift_tells_once_that_a_user_has_changed) {
    tw_drift *drift = tw_drift_create(&options, hear, NULL);
    heard = 0;
    for (int day = 0; day < 60; day++)
        visit(drift, 3, day % 5 ? "tea" : "books", day);
    ASSERT_EQ(heard, 0);
    for (int day = 60; day < 90; day++)
        visit(drift, 3, "shoes", day);
    ASSERT_EQ(heard, 1);
    ASSERT_STR(subject, "categories");
    ASSERT_GT(fabs(first.to - first.from), 0.7);
    tw_drift_share shares[TW_DRIFT_EVIDENCE_MAX];
    ASSERT_GE(tw_drift_user_shares(drift, 3, shares), 1);
    ASSERT_TRUE(tw_slice_equal(shares[0].name, TW_SLICE_LITERAL("shoes")));
    ASSERT_EQ(tw_drift_user_shares(drift, 4, shares), 0);
    drift = tw_drift_free(drift);
}

/* Rows in memory, as a store would hand them back. */
static tw_drift *copied;
static void put(void *self, tw_table table, uint32_t row, tw_slice bytes) {
    tw_err err;
    (void)self;
    ASSERT_OK(tw_drift_load(copied, table, row, bytes, &err));
}
static void del(void *self, tw_table table, uint32_t row) {
    (void)self;
    tw_drift_load_delete(copied, table, row);
}

static tw_hash128 digest(const tw_drift *drift) {
    tw_hasher *hasher = tw_hasher_create();
    tw_drift_digest(drift, hasher);
    tw_hash128 value = tw_hasher_value(hasher);
    tw_hasher_free(hasher);
    return value;
}

TEST(drift_comes_back_bit_for_bit_from_its_rows) {
    tw_drift *drift = tw_drift_create(&options, hear, NULL);
    copied = tw_drift_create(&options, hear, NULL);
    for (int i = 0; i < 3000; i++) {
        visit(drift, (uint32_t)(i * 7 % 11), i % 3 ? "tea" : i % 7 ? "books" : "", i / 11);
        if (i == 1000)
            tw_drift_user_gone(drift, 5);
        if (i % 500 == 499)
            tw_drift_changes(drift, &(tw_row_sink){NULL, put, NULL, del});
    }
    ASSERT_EQ(digest(drift).lo, digest(copied).lo);
    for (int i = 0; i < 500; i++) {
        visit(drift, 1, "shoes", 400 + i);
        visit(copied, 1, "shoes", 400 + i);
    }
    ASSERT_EQ(digest(drift).lo, digest(copied).lo);
    tw_drift_free(drift);
    tw_drift_free(copied);
}

TEST(drift_refuses_damaged_rows) {
    tw_drift *drift = tw_drift_create(&options, hear, NULL);
    tw_buf buf = {0}, user = {0};
    tw_err err;
    visit(drift, 0, "tea", 0);
    for (uint32_t row = 0; row < 10; row++) {
        tw_buf_clear(&buf);
        tw_drift_encode(drift, TW_TABLE_DRIFT, row, &buf);
        for (size_t size = 0; size < buf.size; size += 1 + buf.size / 50)
            ASSERT_EQ(tw_drift_load(drift, TW_TABLE_DRIFT, row, (tw_slice){buf.data, size}, &err), TW_E_STORE);
    }
    ASSERT_EQ(tw_drift_load(drift, TW_TABLE_DRIFT, 1000, tw_buf_slice(&buf), &err), TW_E_STORE);
    ASSERT_TRUE(tw_drift_user_export(drift, 0, &user));
    for (size_t size = 0; size < user.size; size++)
        ASSERT_EQ(tw_drift_user_import(drift, 7, (tw_slice){user.data, size}, &err), TW_E_CORRUPT);
    tw_buf_done(&buf);
    tw_buf_done(&user);
    tw_drift_free(drift);
}

TEST(drift_of_a_user_moves_by_the_names_of_categories) {
    tw_drift *from = tw_drift_create(&options, hear, NULL), *to = tw_drift_create(&options, hear, NULL);
    tw_drift_share shares[TW_DRIFT_EVIDENCE_MAX], moved[TW_DRIFT_EVIDENCE_MAX];
    tw_buf row = {0};
    tw_err err;
    visit(to, 9, "shoes", 0); /* other numbers for the same names */
    for (int day = 0; day < 40; day++)
        visit(from, 2, day % 4 ? "tea" : "shoes", day);
    ASSERT_TRUE(tw_drift_user_export(from, 2, &row));
    ASSERT_FALSE(tw_drift_user_export(from, 3, &row));
    ASSERT_OK(tw_drift_user_import(to, 2, tw_buf_slice(&row), &err));
    int count = tw_drift_user_shares(from, 2, shares);
    ASSERT_EQ(tw_drift_user_shares(to, 2, moved), count);
    for (int i = 0; i < count; i++) {
        ASSERT_TRUE(tw_slice_equal(shares[i].name, moved[i].name));
        ASSERT_NEAR(shares[i].to, moved[i].to, 0);
    }
    tw_buf_done(&row);
    tw_drift_free(from);
    tw_drift_free(to);
}

/* Chi-squared with k degrees is 2 gamma(k / 2): table values of the 95 % and 99.9 % points. */
TEST(gamma_above_agrees_with_the_tables) {
    ASSERT_NEAR(tw_gamma_above(0.5, 3.841459 / 2), 0.05, 1e-7);
    ASSERT_NEAR(tw_gamma_above(5, 18.307038 / 2), 0.05, 1e-7);
    ASSERT_NEAR(tw_gamma_above(50, 149.449253 / 2), 0.001, 1e-7);
    ASSERT_NEAR(tw_gamma_above(1, 30), exp(-30), 1e-20);
    ASSERT_NEAR(tw_gamma_above(3, 0), 1, 0);
}

TEST(divergence_is_none_for_equal_shares_and_one_for_nothing_in_common) {
    const double a[] = {10, 30, 0}, b[] = {1, 3, 0}, c[] = {0, 0, 5}, none[] = {0, 0, 0};
    int freedom;
    ASSERT_NEAR(tw_js_bits(a, b, 3), 0, 1e-12);
    ASSERT_NEAR(tw_js_bits(a, c, 3), 1, 1e-12);
    ASSERT_NEAR(tw_js_bits(a, none, 3), 0, 0);
    ASSERT_NEAR(tw_js_ratio(a, b, 3, &freedom), 0, 1e-9);
    ASSERT_EQ(freedom, 1);
    ASSERT_NEAR(tw_js_ratio(a, none, 3, &freedom), 0, 0);
}
