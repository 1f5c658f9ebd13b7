/* Which part of a run an event counts for, and what is drawn. */
#include "base/hash.h"
#include "config/tune.h"
#include "evaluate/chart.h"
#include "evaluate/tuning.h"
#include "support/test.h"

TEST(slices_are_equal_parts_and_tenths_are_made_of_them) {
    const tw_evaluation_ask ask = {.asked_from = 1000, .rows_to = 10000};
    tw_evaluation e = {0};
    for (int64_t row = 1000; row < 10000; row++)
        tw_prequential_add(&e.by_slice[tw_evaluation_slice(&ask, row)], 1);
    for (int i = 0; i < TW_SLICES; i++)
        ASSERT_EQ(e.by_slice[i].asked, 200);
    for (int i = 0; i < TW_TENTHS; i++)
        ASSERT_EQ(tw_evaluation_tenth(&e, i).asked, 1000);
    const tw_evaluation_ask one = {.asked_from = 0, .rows_to = 1};
    ASSERT_EQ(tw_evaluation_slice(&one, 0), 0);
}

TEST(histories_fall_where_their_names_say) {
    static const struct {
        uint32_t history;
        const char *name;
    } cases[] = {{0, "1"},     {1, "1"},      {2, "2"},      {3, "3-4"},  {4, "3-4"},     {5, "5-8"},
                 {16, "9-16"}, {17, "17-32"}, {64, "33-64"}, {65, "65-"}, {100000, "65-"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ASSERT_STR(tw_length_names[tw_evaluation_length(cases[i].history)], cases[i].name);
}

static tw_hash128 drawn(const tw_tuning_ask *ask, int number, bool *ret_moved) {
    tw_config config;
    tw_hasher *hasher = tw_hasher_create();
    tw_tuning_config(ask, number, ask->config, &config);
    for (int t = 0; t < tw_tune_count(); t++) {
        tw_buf now = {0}, before = {0};
        tw_tune_show(t, &config, &now);
        tw_tune_show(t, ask->config, &before);
        ret_moved[t] |= !tw_slice_equal(tw_buf_slice(&now), tw_buf_slice(&before));
        tw_hasher_add(hasher, now.data, now.size);
        tw_buf_done(&now);
        tw_buf_done(&before);
    }
    tw_config_done(&config);
    tw_hash128 hash = tw_hasher_value(hasher);
    tw_hasher_free(hasher);
    return hash;
}

TEST(a_number_always_draws_the_same_and_only_what_may_move) {
    tw_config config;
    bool moves[64] = {false}, moved[64] = {false}, unused[64] = {false};
    tw_config_init(&config);
    ASSERT_LE(tw_tune_count(), 64);
    int dim = tw_tune_find("learn.dim"), fast = tw_tune_find("learn.context.fast"), mf = tw_tune_find("learn.mf.rate");
    moves[dim] = moves[fast] = moves[mf] = true; /* the last does not act under the default model */
    const tw_tuning_ask ask = {.config = &config, .moves = moves, .seed = 3};
    tw_hash128 plain = drawn(&ask, 0, moved);
    for (int t = 0; t < tw_tune_count(); t++)
        ASSERT_FALSE(moved[t]);
    int others = 0;
    for (int number = 1; number <= 40; number++) {
        tw_hash128 once = drawn(&ask, number, moved), again = drawn(&ask, number, unused);
        ASSERT_TRUE(memcmp(&once, &again, sizeof once) == 0);
        others += memcmp(&once, &plain, sizeof once) != 0;
    }
    ASSERT_GT(others, 30); /* a draw may meet the default */
    for (int t = 0; t < tw_tune_count(); t++)
        ASSERT_EQ(moved[t], t == dim || t == fast);
    tw_config_done(&config);
}

TEST(a_chart_has_two_to_five_lines_and_says_text_as_html) {
    tw_buf out = {0};
    for (double most = 1e-4; most < 2; most *= 1.07) {
        ASSERT_GE(most / tw_chart_step(most), 1.99);
        ASSERT_LE(most / tw_chart_step(most), 5.01);
    }
    tw_chart_text("<a href=\"x\">&", &out);
    tw_buf_u8(&out, '\0');
    ASSERT_STR(out.data, "&lt;a href=&quot;x&quot;&gt;&amp;");
    tw_buf_done(&out);
}
