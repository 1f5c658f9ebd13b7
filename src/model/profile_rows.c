/* The durable form of the profile. Called by the model's rows at commits and at the start; engine thread. */
#include "model/profile.h"

#include <stdlib.h>

static void encode_head(const tw_profile *profile, tw_buf *out) {
    size_t columns = (size_t)profile->inputs * sizeof(float), used = tw_categories_used(&profile->categories);
    size_t answers = (size_t)profile->network.layers[2].stride * sizeof(float), filled = (size_t)profile->filled;
    tw_categories_encode(&profile->categories, out);
    tw_network_encode(&profile->network, out);
    tw_buf_put(out, profile->frequency, used * sizeof(double));
    tw_buf_f64(out, profile->frequency_sum);
    tw_buf_f64(out, profile->prices);
    tw_buf_f64(out, profile->price_mean);
    tw_buf_f64(out, profile->price_square);
    tw_buf_put(out, profile->mean, columns);
    tw_buf_put(out, profile->variance, columns);
    tw_buf_put(out, profile->seen, columns);
    tw_buf_u32(out, (uint32_t)profile->filled);
    tw_buf_put(out, profile->waiting, filled * columns);
    tw_buf_put(out, profile->targets, filled * answers);
}

void tw_profile_encode(const tw_profile *profile, uint32_t row, tw_buf *out) {
    if (!tw_profile_begun(profile))
        return;
    if (row == TW_PROFILE_HEAD)
        encode_head(profile, out);
    else
        tw_layer_encode(&profile->network.layers[row - TW_PROFILE_LAYERS], out);
}

static tw_code load_head(tw_profile *profile, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    profile->filled = 0;
    TW_TRY(tw_categories_load(&profile->categories, &c, err));
    tw_profile_widen(profile);
    size_t columns = (size_t)profile->inputs * sizeof(float), used = tw_categories_used(&profile->categories);
    size_t answers = (size_t)profile->network.layers[2].stride * sizeof(float);
    tw_network_load(&profile->network, &c);
    tw_cursor_copy(&c, profile->frequency, used * sizeof(double));
    profile->frequency_sum = tw_cursor_f64(&c);
    profile->prices = tw_cursor_f64(&c);
    profile->price_mean = tw_cursor_f64(&c);
    profile->price_square = tw_cursor_f64(&c);
    tw_cursor_copy(&c, profile->mean, columns);
    tw_cursor_copy(&c, profile->variance, columns);
    tw_cursor_copy(&c, profile->seen, columns);
    uint32_t filled = tw_cursor_u32(&c);
    if (c.bad || filled >= (uint32_t)profile->batch)
        return tw_fail(err, TW_E_STORE, "the row of the profile is damaged");
    tw_cursor_copy(&c, profile->waiting, filled * columns);
    tw_cursor_copy(&c, profile->targets, filled * answers);
    if (c.bad || c.at != c.end)
        return tw_fail(err, TW_E_STORE, "the row of the profile is damaged");
    profile->filled = (int)filled;
    return TW_OK;
}

tw_code tw_profile_load(tw_profile *profile, uint32_t row, tw_slice bytes, tw_err *err) {
    if (row == TW_PROFILE_HEAD)
        return load_head(profile, bytes, err);
    if (row >= TW_PROFILE_ROWS)
        return tw_fail(err, TW_E_STORE, "the profile has no row %u", row);
    return tw_layer_load(&profile->network.layers[row - TW_PROFILE_LAYERS], bytes, err);
}

tw_code tw_profile_loaded(tw_profile *profile, tw_err *err) {
    return tw_network_loaded(&profile->network, profile->inputs, (int)tw_categories_used(&profile->categories), err);
}

void tw_profile_fit(tw_profile *profile, const tw_config *config) {
    if (tw_profile_loaded(profile, NULL) == TW_OK)
        return;
    tw_profile_done(profile);
    tw_profile_init(profile, config);
}
