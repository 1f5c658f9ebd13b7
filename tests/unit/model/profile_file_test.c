/* A profile that starts from a trained one's file: the same answers, the same names, room for more, and what does not fit is refused. */
#include "model/profile_file.h"

#include "model/model_file.h"
#include "support/test.h"

static char path[700];
static tw_config config;

/* A network without a context vector, taught that whoever met one category meets the next. */
static void teach(tw_profile *profile) {
    static const char *const names[] = {"tea", "books", "lamps"};
    tw_profile_init(profile, &config);
    profile->D = 0;
    for (int i = 0; i < 3; i++)
        tw_categories_add(&profile->categories, tw_slice_of(names[i]));
    tw_profile_widen(profile);
    profile->frequency[1] = 5;
    profile->frequency_sum = 7;
    profile->price_mean = 2.5;
    int N = profile->inputs, stride = profile->network.layers[2].stride;
    for (int step = 0; step < 200; step++) {
        memset(profile->targets, 0, 4 * (size_t)stride * sizeof(float));
        for (int b = 0; b < 4; b++) {
            for (int j = 0; j < N; j++)
                profile->waiting[b * N + j] = sinf((float)(step * 7 + b * 3 + j));
            for (int k = 0; k < TW_HORIZONS; k++)
                profile->waiting[b * N + TW_MANNERS + (b % 3) * TW_HORIZONS + k] = 2;
            profile->targets[b * stride + (b + 1) % 3] = 1;
        }
        ASSERT_TRUE(isfinite(tw_profile_teach(profile, 4)));
    }
}

static void begin(void) {
    tw_config_init(&config);
    config.learn_dim = 8;
    config.profile_enabled = true;
}

static void write_payload(const tw_buf *payload) {
    tw_buf file = {0};
    snprintf(path, sizeof path, "%s/model", tw_test_dir());
    tw_model_file_write(TW_MODEL_FILE_PROFILE, tw_buf_slice(payload), &file);
    FILE *to = fopen(path, "wb");
    ASSERT_TRUE(to && fwrite(file.data, 1, file.size, to) == file.size && fclose(to) == 0);
    tw_buf_done(&file);
}

static void write_taught(void) {
    tw_profile taught;
    tw_buf payload = {0};
    teach(&taught);
    tw_profile_file_encode(&taught, &payload);
    write_payload(&payload);
    tw_buf_done(&payload);
    tw_profile_done(&taught);
}

/* The same user for both; a context vector says nothing yet. */
static void set_user(tw_profile *profile, float context) {
    for (int j = 0; j < profile->inputs; j++)
        profile->waiting[j] = j < profile->D ? context : cosf((float)(j - profile->D));
}

TEST(a_profile_started_from_a_file_answers_as_the_one_that_was_trained_whatever_the_context) {
    tw_profile taught, started;
    tw_err err;
    float p[3];
    begin();
    write_taught();
    teach(&taught);
    set_user(&taught, 0);
    memcpy(p, tw_profile_ask(&taught, 1), sizeof p);
    tw_profile_init(&started, &config);
    ASSERT_OK(tw_profile_file_start(&started, path, false, &err));
    ASSERT_EQ(started.inputs, 8 + TW_MANNERS + 3 * TW_HORIZONS);
    ASSERT_TRUE(tw_slice_equal(tw_categories_name(&started.categories, 2), tw_slice_of("lamps")));
    for (int context = -1; context <= 1; context++) {
        set_user(&started, (float)context);
        const float *answer = tw_profile_ask(&started, 1);
        for (int c = 0; c < 3; c++)
            ASSERT_NEAR(answer[c], p[c], 1e-5);
    }
    ASSERT_NEAR(started.frequency[1], 5, 0);
    ASSERT_NEAR(started.price_mean, 2.5, 0);
    ASSERT_TRUE(started.changed); /* so that its rows are in the first commit */
    tw_profile_done(&taught);
    tw_profile_done(&started);
    tw_config_done(&config);
}

TEST(a_started_profile_learns_on_and_has_room_for_a_category_that_the_file_does_not_name) {
    tw_profile started;
    tw_category_shares shares;
    tw_err err;
    const tw_taste taste = {0};
    const tw_profile_user user = {.taste = &taste, .events = 3, .last_ms = 5, .now_ms = 9};
    begin();
    write_taught();
    tw_profile_init(&started, &config);
    ASSERT_OK(tw_profile_file_start(&started, path, false, &err));
    tw_profile_read(&started, tw_slice_of("shoes|tea"), &shares);
    ASSERT_EQ(tw_categories_used(&started.categories), 4);
    for (int i = 0; i < 100; i++)
        ASSERT_OK(tw_profile_learn(&started, &user, &shares, &err));
    const float *p = tw_profile_answer(&started, &user);
    ASSERT_NEAR(p[0] + p[1] + p[2] + p[3], 1, 1e-5);
    ASSERT_TRUE(p[3] > p[1] && p[3] > p[2]);
    tw_profile_done(&started);
    tw_config_done(&config);
}

TEST(a_transfer_takes_what_names_no_category_and_nothing_else) {
    tw_profile taught, started;
    tw_category_shares shares;
    tw_err err;
    begin();
    write_taught();
    teach(&taught);
    tw_profile_init(&started, &config);
    ASSERT_OK(tw_profile_file_start(&started, path, true, &err));
    ASSERT_FALSE(tw_profile_begun(&started));
    tw_profile_read(&started, tw_slice_of("shoes"), &shares);
    ASSERT_EQ(tw_categories_used(&started.categories), 1);
    const tw_layer *from = taught.network.layers, *to = started.network.layers;
    for (int h = 0; h < from[0].outputs; h++) {
        ASSERT_NEAR(to[0].weights[h], from[0].weights[h], 0);
        for (int m = 1; m <= TW_MANNERS; m++)
            ASSERT_NEAR(to[0].weights[(8 + m) * to[0].stride + h], from[0].weights[m * from[0].stride + h], 0);
    }
    for (int i = 0; i < (from[1].inputs + 1) * from[1].stride; i++)
        ASSERT_NEAR(to[1].weights[i], from[1].weights[i], 0);
    for (int k = 0; k < TW_HORIZONS; k++)
        ASSERT_NEAR(started.network.mix[k], taught.network.mix[k], 0);
    for (int i = 0; i < (to[2].inputs + 1) * to[2].stride; i++)
        ASSERT_NEAR(to[2].weights[i], 0, 0);
    tw_profile_done(&taught);
    tw_profile_done(&started);
    tw_config_done(&config);
}

static void refuse(tw_code expected, bool transfer, const char *why) {
    tw_profile started;
    tw_err err;
    tw_profile_init(&started, &config);
    ASSERT_EQ(tw_profile_file_start(&started, path, transfer, &err), expected);
    if (!strstr(err.text, why) || !strstr(err.text, path))
        tw_test_fail(__FILE__, __LINE__, "\"%s\" says nothing of \"%s\"", err.text, why);
    tw_profile_done(&started);
}

TEST(a_file_that_was_trained_with_other_settings_is_refused_with_both) {
    begin();
    write_taught();
    config.profile_hidden_second = 16;
    refuse(TW_E_MISMATCH, false, "profile.hidden.second 32, the configuration says 16");
    config.profile_hidden_second = 32;
    config.profile_long = 0.5;
    refuse(TW_E_MISMATCH, true, "profile.long 0.98, the configuration says 0.5");
    config.profile_long = 0.98;
    config.profile_categories_max = 2;
    refuse(TW_E_MISMATCH, false, "3 categories, profile.categories.max says 2");
    tw_config_done(&config);
}

TEST(a_payload_that_ends_early_goes_on_or_holds_no_numbers_is_refused) {
    tw_profile taught;
    tw_buf whole = {0}, cut = {0};
    begin();
    teach(&taught);
    tw_profile_file_encode(&taught, &whole);
    for (size_t size = 8; size < whole.size; size += 61) {
        tw_buf_clear(&cut);
        tw_buf_put(&cut, whole.data, size);
        write_payload(&cut);
        refuse(TW_E_BAD_FILE, false, "");
    }
    tw_buf_clear(&cut);
    tw_buf_put(&cut, whole.data, whole.size);
    tw_buf_u8(&cut, 0);
    write_payload(&cut);
    refuse(TW_E_BAD_FILE, false, "do not fit");
    taught.network.layers[1].weights[3] = INFINITY;
    tw_buf_clear(&cut);
    tw_profile_file_encode(&taught, &cut);
    write_payload(&cut);
    refuse(TW_E_BAD_FILE, false, "not finite");
    refuse(TW_E_BAD_FILE, true, "not finite");
    tw_buf_done(&whole);
    tw_buf_done(&cut);
    tw_profile_done(&taught);
    tw_config_done(&config);
}

TEST(a_model_of_the_propensity_is_no_profile) {
    tw_buf payload = {0}, file = {0};
    begin();
    tw_buf_u32(&payload, 1);
    write_payload(&payload);
    tw_model_file_write(TW_MODEL_FILE_PROPENSITY, tw_buf_slice(&payload), &file);
    FILE *to = fopen(path, "wb");
    ASSERT_TRUE(to && fwrite(file.data, 1, file.size, to) == file.size && fclose(to) == 0);
    refuse(TW_E_BAD_FILE, false, "a model of propensity, where one of profiles is wanted");
    tw_buf_done(&payload);
    tw_buf_done(&file);
    tw_config_done(&config);
}
