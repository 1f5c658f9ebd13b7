/* The settings that a tuner may move: what their marks promise, and that a file of them says what was tried. */
#include "config/tune.h"
#include "support/test.h"

static tw_err err;

/* Every mark at both ends and in the middle: in range, through a file and back unchanged. */
TEST(every_marked_setting_can_be_put_anywhere_in_its_range_and_written_down) {
    ASSERT_GT(tw_tune_count(), 10);
    for (int t = 0; t < tw_tune_count(); t++)
        for (int step = 0; step <= 16; step++) {
            tw_config config, again;
            tw_buf line = {0}, value = {0}, back = {0};
            tw_config_init(&config);
            tw_config_init(&again);
            tw_tune_put(t, step / 16.0, &config);
            ASSERT_OK(tw_config_check(&config, &err));
            tw_tune_show(t, &config, &value);
            tw_buf_printf(&line, "%s=" TW_SLICE_FMT, tw_tune_name(t), TW_SLICE_ARG(tw_buf_slice(&value)));
            tw_buf_u8(&line, '\0');
            ASSERT_OK(tw_config_set(&again, line.data, &err)); /* the table's own range holds too */
            tw_tune_show(t, &again, &back);
            ASSERT_TRUE(tw_slice_equal(tw_buf_slice(&value), tw_buf_slice(&back)));
            tw_buf_done(&line);
            tw_buf_done(&value);
            tw_buf_done(&back);
            tw_config_done(&config);
            tw_config_done(&again);
        }
}

TEST(a_logarithmic_setting_moves_by_factors_and_keeps_to_its_steps) {
    tw_config config;
    tw_config_init(&config);
    int dim = tw_tune_find("learn.dim");
    tw_tune_put(dim, 0, &config);
    int64_t least = config.learn_dim;
    tw_tune_put(dim, 1, &config);
    int64_t most = config.learn_dim;
    tw_tune_put(dim, 0.5, &config);
    ASSERT_NEAR((double)config.learn_dim, sqrt((double)least * (double)most), 8); /* half a step of 16 */
    ASSERT_EQ(config.learn_dim % 16, 0);
    tw_config_done(&config);
}

TEST(what_carries_no_mark_or_is_no_key_is_not_found) {
    ASSERT_EQ(tw_tune_find("rank.list.size"), -1);
    ASSERT_EQ(tw_tune_find("learn.dimension"), -1);
    ASSERT_EQ(tw_tune_find(""), -1);
}

TEST(a_setting_of_the_other_model_does_not_apply) {
    tw_config config;
    tw_config_init(&config);
    int blend = tw_tune_find("learn.blend.rate"), mf = tw_tune_find("learn.mf.rate"), dim = tw_tune_find("learn.dim");
    ASSERT_TRUE(tw_tune_applies(blend, &config) && tw_tune_applies(dim, &config) && !tw_tune_applies(mf, &config));
    config.learn_model = TW_LEARN_MF;
    ASSERT_TRUE(!tw_tune_applies(blend, &config) && tw_tune_applies(dim, &config) && tw_tune_applies(mf, &config));
    tw_config_done(&config);
}

TEST(a_copy_has_every_value_and_a_life_of_its_own) {
    tw_config config, copy;
    tw_config_init(&config);
    ASSERT_OK(tw_config_set_all(&config, "learn.dim=32,rank.deny=/some/where,rank.exclude=consumed", &err));
    tw_config_copy(&copy, &config);
    tw_config_done(&config);
    ASSERT_EQ(copy.learn_dim, 32);
    ASSERT_EQ(copy.rank_exclude, TW_EXCLUDE_CONSUMED);
    ASSERT_STR(copy.rank_deny, "/some/where");
    tw_config_done(&copy);
}

TEST(several_assignments_stop_at_the_first_that_is_wrong) {
    tw_config config;
    tw_config_init(&config);
    ASSERT_EQ(tw_config_set_all(&config, "learn.dim=32,learn.dims=5,seed=9", &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "\"learn.dims\"; the nearest is \"learn.dim\"") != NULL);
    ASSERT_EQ(config.seed, 1);
    ASSERT_EQ(tw_config_set_all(&config, "learn.dim=32,", &err), TW_E_CONFIG);
    ASSERT_EQ(tw_config_set_all(&config, "learn.dim", &err), TW_E_CONFIG);
    ASSERT_OK(tw_config_set_all(&config, "", &err));
    tw_config_done(&config);
}

TEST(what_was_tuned_is_written_and_nothing_secret_with_it) {
    tw_config config;
    tw_buf out = {0};
    tw_config_init(&config);
    ASSERT_OK(tw_config_set_all(&config, "learn.past.max=100,schema.registry.basic.auth=a:b,seed=7", &err));
    tw_config_write_tuned(&config, &out);
    tw_buf_u8(&out, '\0');
    ASSERT_TRUE(strstr(out.data, "\nlearn.past.max: 100\n") != NULL);
    ASSERT_TRUE(strstr(out.data, "\nlearn.context.fast: ") != NULL);
    ASSERT_TRUE(strstr(out.data, "rank.list.size") == NULL);
    ASSERT_TRUE(strstr(out.data, "seed") == NULL && strstr(out.data, "registry") == NULL);
    tw_buf_done(&out);
    tw_config_done(&config);
}
