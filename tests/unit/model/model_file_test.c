/* The envelope of trained models, and the propensity's payload in it: what is not whole and ours is refused by name. */
#include "model/model_file.h"

#include "base/hash.h"
#include "model/propensity.h"
#include "support/test.h"

#include <stdlib.h>

static char path[700];

static void put(const tw_buf *bytes, size_t size) {
    snprintf(path, sizeof path, "%s/model", tw_test_dir());
    FILE *file = fopen(path, "wb");
    ASSERT_TRUE(file != NULL);
    ASSERT_EQ(fwrite(bytes->data, 1, size, file), size);
    ASSERT_EQ(fclose(file), 0);
}

static void write_small(tw_buf *out) {
    tw_model_file_write(TW_MODEL_FILE_PROPENSITY, tw_slice_of("the weights"), out);
}

static tw_code read_back(tw_buf *bytes, tw_slice *ret_payload, tw_err *err) {
    return tw_model_file_read(path, TW_MODEL_FILE_PROPENSITY, bytes, ret_payload, err);
}

/* A file whose checksum is right, so that what is wrong with it is what was changed. */
static void seal(tw_buf *file) {
    uint64_t sum = tw_hash64((tw_slice){file->data, file->size - 8});
    memcpy(file->data + file->size - 8, &sum, 8);
}

TEST(a_model_comes_back_as_it_was_written) {
    tw_buf file = {0}, bytes = {0};
    tw_slice payload;
    tw_err err;
    write_small(&file);
    put(&file, file.size);
    ASSERT_OK(read_back(&bytes, &payload, &err));
    ASSERT_TRUE(tw_slice_equal(payload, tw_slice_of("the weights")));
    tw_buf_done(&file);
    tw_buf_done(&bytes);
}

TEST(a_model_cut_anywhere_or_longer_than_it_says_is_refused) {
    tw_buf file = {0}, bytes = {0};
    tw_slice payload;
    tw_err err;
    write_small(&file);
    size_t whole = file.size;
    tw_buf_put(&file, "x", 1);
    for (size_t size = 0; size <= file.size; size++) {
        if (size == whole)
            continue;
        put(&file, size);
        ASSERT_EQ(read_back(&bytes, &payload, &err), TW_E_BAD_FILE);
        ASSERT_TRUE(strstr(err.text, path) != NULL);
    }
    tw_buf_done(&file);
    tw_buf_done(&bytes);
}

TEST(a_model_with_any_byte_changed_is_refused) {
    tw_buf file = {0}, bytes = {0};
    tw_slice payload;
    tw_err err;
    write_small(&file);
    for (size_t at = 0; at < file.size; at++) {
        file.data[at] ^= 4;
        put(&file, file.size);
        ASSERT_NE(read_back(&bytes, &payload, &err), TW_OK);
        file.data[at] ^= 4;
    }
    tw_buf_done(&file);
    tw_buf_done(&bytes);
}

TEST(a_model_of_another_version_is_refused_with_both_versions) {
    tw_buf file = {0}, bytes = {0};
    tw_slice payload;
    tw_err err;
    write_small(&file);
    file.data[12] = 99;
    seal(&file);
    put(&file, file.size);
    ASSERT_EQ(read_back(&bytes, &payload, &err), TW_E_VERSION);
    ASSERT_TRUE(strstr(err.text, "version 99; this program reads version 1") != NULL);
    tw_buf_done(&file);
    tw_buf_done(&bytes);
}

TEST(a_model_of_an_unknown_kind_or_no_model_at_all_is_refused) {
    tw_buf file = {0}, bytes = {0};
    tw_slice payload;
    tw_err err;
    write_small(&file);
    file.data[8] = 77;
    seal(&file);
    put(&file, file.size);
    ASSERT_EQ(read_back(&bytes, &payload, &err), TW_E_BAD_FILE);
    ASSERT_TRUE(strstr(err.text, "something unknown, where one of propensity") != NULL);
    tw_buf_clear(&file);
    tw_buf_printf(&file, "user_id,item_id,event_ms\n1,2,3\n");
    put(&file, file.size);
    ASSERT_EQ(read_back(&bytes, &payload, &err), TW_E_BAD_FILE);
    ASSERT_TRUE(strstr(err.text, "not a model") != NULL);
    tw_buf_done(&file);
    tw_buf_done(&bytes);
}

TEST(a_model_that_is_not_there_is_an_error_of_the_file) {
    tw_buf bytes = {0};
    tw_slice payload;
    tw_err err;
    snprintf(path, sizeof path, "%s/none", tw_test_dir());
    ASSERT_EQ(read_back(&bytes, &payload, &err), TW_E_IO);
    tw_buf_done(&bytes);
}

/* ---- the propensity's payload -------------------------------------------------------------------------------------- */

static void write_propensity(const tw_propensity *propensity, tw_buf *payload) {
    tw_buf file = {0};
    tw_propensity_encode(propensity, payload);
    tw_model_file_write(TW_MODEL_FILE_PROPENSITY, tw_buf_slice(payload), &file);
    put(&file, file.size);
    tw_buf_done(&file);
}

TEST(a_propensity_read_back_answers_as_the_one_that_was_written) {
    tw_propensity written, read = {0};
    tw_buf payload = {0};
    tw_err err;
    float x[3 * TW_MOMENT_FEATURES];
    const int counts[3] = {0, 1, 1};
    for (int i = 0; i < 3 * TW_MOMENT_FEATURES; i++)
        x[i] = sinf((float)i);
    tw_propensity_init(&written, 1234567, 3, 7, 2, 11);
    written.mean[2] = 5;
    written.inverse[3] = 0.5f;
    write_propensity(&written, &payload);
    ASSERT_OK(tw_propensity_read(path, 1, &read, &err));
    ASSERT_EQ(read.horizon_ms, 1234567);
    ASSERT_EQ(read.network.shape.steps, 3);
    ASSERT_EQ(read.network.shape.hidden, 7);
    ASSERT_NEAR(read.mean[2], 5, 0);
    ASSERT_NEAR(read.inverse[3], 0.5, 0);
    float p = tw_propensity_network_forward(&written.network, x, counts)[0];
    ASSERT_NEAR(tw_propensity_network_forward(&read.network, x, counts)[0], p, 0);
    tw_propensity_done(&written);
    tw_propensity_done(&read);
    tw_buf_done(&payload);
}

static void refuse(tw_propensity *propensity, size_t at, uint32_t value, const char *why) {
    tw_propensity read = {0};
    tw_buf payload = {0}, file = {0};
    tw_err err;
    tw_propensity_encode(propensity, &payload);
    memcpy(payload.data + at, &value, sizeof value);
    tw_model_file_write(TW_MODEL_FILE_PROPENSITY, tw_buf_slice(&payload), &file);
    put(&file, file.size);
    ASSERT_EQ(tw_propensity_read(path, 1, &read, &err), TW_E_BAD_FILE);
    if (!strstr(err.text, why))
        tw_test_fail(__FILE__, __LINE__, "\"%s\" says nothing of \"%s\"", err.text, why);
    tw_propensity_done(&read);
    tw_buf_done(&payload);
    tw_buf_done(&file);
}

TEST(a_propensity_of_other_features_other_shapes_or_weights_that_are_no_numbers_is_refused) {
    tw_propensity propensity;
    uint32_t infinite = 0x7f800000;
    tw_propensity_init(&propensity, 1000, 3, 4, 1, 1);
    refuse(&propensity, 0, TW_MOMENT_FEATURES + 1, "features");
    refuse(&propensity, 4, 0, "0 steps");
    refuse(&propensity, 4, 1000000, "1000000 steps");
    refuse(&propensity, 8, 5, "5 hidden units");
    refuse(&propensity, 8, UINT32_MAX, "hidden units");
    refuse(&propensity, 20, infinite, "not finite");
    refuse(&propensity, 20 + 4 * TW_MOMENT_FEATURES, infinite, "not finite");
    refuse(&propensity, 20 + 8 * TW_MOMENT_FEATURES + 40, infinite, "not finite");
    tw_propensity_done(&propensity);
}

TEST(features_are_normalised_by_what_was_measured_and_bounded) {
    tw_propensity propensity;
    float features[4 * TW_MOMENT_FEATURES] = {0}, x[TW_MOMENT_FEATURES];
    const uint32_t rows[] = {0, 1, 3};
    tw_propensity_init(&propensity, 1000, 1, 1, 1, 1);
    for (int r = 0; r < 4; r++)
        features[r * TW_MOMENT_FEATURES] = r == 2 ? 1e9f : (float)r; /* 0 1 3 are measured */
    tw_propensity_measure(&propensity, features, rows, 3);
    tw_propensity_normalise(&propensity, features + TW_MOMENT_FEATURES, x);
    ASSERT_NEAR(x[0], (1 - 4.0 / 3) / sqrt(14.0 / 9), 1e-5);
    ASSERT_NEAR(x[1], 0, 0); /* never anything else: no division by nothing */
    tw_propensity_normalise(&propensity, features + 2 * TW_MOMENT_FEATURES, x);
    ASSERT_NEAR(x[0], TW_PROPENSITY_NORMAL_MOST, 0);
    tw_propensity_done(&propensity);
}
