/* The file of a profile network. Called by the training and once when an engine opens. */
#include "model/profile_file.h"

#include "model/model_file.h"

#include <inttypes.h>
#include <math.h>

static void put_layer(const tw_layer *layer, tw_buf *out) {
    for (int row = 0; row <= layer->inputs; row++)
        tw_buf_put(out, layer->weights + row * layer->stride, (size_t)layer->outputs * sizeof(float));
}

void tw_profile_file_encode(const tw_profile *profile, tw_buf *out) {
    const tw_network *network = &profile->network;
    size_t columns = (size_t)profile->inputs * sizeof(float), used = tw_categories_used(&profile->categories);
    TW_ASSERT(profile->D == 0 && profile->filled == 0 && tw_profile_begun(profile));
    tw_buf_u32(out, (uint32_t)network->shape.hidden[0]);
    tw_buf_u32(out, (uint32_t)network->shape.hidden[1]);
    tw_buf_put(out, profile->decays, sizeof profile->decays);
    tw_categories_encode(&profile->categories, out);
    tw_buf_put(out, network->mix, TW_HORIZONS * sizeof(float));
    for (int l = 0; l < TW_NETWORK_LAYERS; l++)
        put_layer(&network->layers[l], out);
    tw_buf_put(out, profile->mean, columns);
    tw_buf_put(out, profile->variance, columns);
    tw_buf_put(out, profile->seen, columns);
    tw_buf_put(out, profile->frequency, used * sizeof(double));
    tw_buf_f64(out, profile->frequency_sum);
    tw_buf_f64(out, profile->prices);
    tw_buf_f64(out, profile->price_mean);
    tw_buf_f64(out, profile->price_square);
}

/* n floats; sets bad where they end early or are no numbers. */
static void take(tw_cursor *c, float *to, int n) {
    tw_cursor_copy(c, to, (size_t)n * sizeof(float));
    for (int i = 0; !c->bad && i < n; i++)
        c->bad |= !isfinite(to[i]);
}

static double take_number(tw_cursor *c) {
    double value = tw_cursor_f64(c);
    c->bad |= !isfinite(value);
    return value;
}

/* Rows [from, to) of a layer, of which the stored ones begin at row as_row; without: read and left out. */
static void take_rows(tw_cursor *c, tw_layer *layer, int from, int to, bool without) {
    for (int row = from; row < to; row++) {
        if (without)
            (void)tw_cursor_take(c, (size_t)layer->outputs * sizeof(float));
        else
            take(c, layer->weights + row * layer->stride, layer->outputs);
    }
}

static tw_code agree(const tw_profile *profile, tw_cursor *c, tw_err *err) {
    static const char *const names[] = {"profile.hidden.first", "profile.hidden.second"};
    const tw_network *network = &profile->network;
    float decays[TW_HORIZONS] = {0};
    for (int h = 0; h < 2; h++) {
        uint32_t width = tw_cursor_u32(c);
        if (width != (uint32_t)network->shape.hidden[h])
            return tw_fail(err, TW_E_MISMATCH, "trained with %s %" PRIu32 ", the configuration says %d", names[h],
                           width, network->shape.hidden[h]);
    }
    take(c, decays, TW_HORIZONS);
    for (int k = TW_HORIZON_SHORT; k < TW_HORIZONS; k++)
        if (!c->bad && decays[k] != profile->decays[k])
            return tw_fail(err, TW_E_MISMATCH, "trained with profile.%s %g, the configuration says %g",
                           k == TW_HORIZON_SHORT ? "short" : "long", (double)decays[k], (double)profile->decays[k]);
    return TW_OK;
}

static tw_code take_names(tw_profile *profile, tw_cursor *c, bool transfer, tw_categories *names, tw_err *err) {
    tw_cursor count = *c;
    uint32_t named = tw_cursor_u32(&count);
    bool rest = tw_cursor_u8(&count) != 0;
    if (!transfer && (named > profile->categories.max || (rest && named != profile->categories.max)))
        return tw_fail(err, TW_E_MISMATCH, "trained with %" PRIu32 " categories, profile.categories.max says %" PRIu32,
                       named, profile->categories.max);
    names->max = transfer ? named : names->max; /* any number of them is left behind */
    if (named == 0 || named > UINT16_MAX || tw_categories_load(names, c, err) != TW_OK)
        return tw_fail(err, TW_E_BAD_FILE, "its table of categories is damaged");
    for (uint32_t i = 0; i < named && !transfer; i++)
        tw_categories_add(&profile->categories, tw_categories_name(names, i));
    profile->categories.rest = rest && !transfer;
    return TW_OK;
}

static void take_moments(tw_profile *profile, tw_cursor *c) {
    float *const columns[] = {profile->mean, profile->variance, profile->seen};
    for (int i = 0; i < 3; i++)
        take(c, columns[i] + profile->D, profile->inputs - profile->D);
    for (int j = profile->D; j < profile->inputs; j++)
        c->bad |= profile->variance[j] < 0 || profile->seen[j] < 0;
    for (uint32_t i = 0; i < tw_categories_used(&profile->categories); i++)
        profile->frequency[i] = take_number(c);
    profile->frequency_sum = take_number(c);
    profile->prices = take_number(c);
    profile->price_mean = take_number(c);
    profile->price_square = take_number(c);
}

/* Everything, or without what names a category. */
static void take_network(tw_profile *profile, tw_cursor *c, int used, bool transfer) {
    tw_network *network = &profile->network;
    tw_layer *first = &network->layers[0], *last = &network->layers[2];
    int shares = profile->D + TW_MANNERS + 1;
    take(c, network->mix, TW_HORIZONS);
    take_rows(c, first, 0, 1, false);
    for (int row = 1; row <= profile->D; row++)
        memset(first->weights + row * first->stride, 0, (size_t)first->stride * sizeof(float));
    take_rows(c, first, profile->D + 1, shares, false);
    take_rows(c, first, shares, shares + TW_HORIZONS * used, transfer);
    take_rows(c, &network->layers[1], 0, network->layers[1].inputs + 1, false);
    if (!transfer)
        take_rows(c, last, 0, last->inputs + 1, false);
}

static tw_code start(tw_profile *profile, tw_slice payload, bool transfer, tw_categories *names, tw_err *err) {
    tw_cursor c = tw_cursor_of(payload);
    TW_TRY(agree(profile, &c, err));
    TW_TRY(take_names(profile, &c, transfer, names, err));
    int used = (int)tw_categories_used(names);
    if (transfer)
        tw_layer_reach(&profile->network.layers[0], profile->D + TW_MANNERS, profile->network.shape.hidden[0]);
    else
        tw_profile_widen(profile);
    take_network(profile, &c, used, transfer);
    if (!transfer)
        take_moments(profile, &c);
    if (c.bad || (!transfer && c.at != c.end))
        return tw_fail(err, TW_E_BAD_FILE, "its numbers do not fit its shape, or are not finite");
    profile->changed = !transfer;
    return TW_OK;
}

tw_code tw_profile_file_start(tw_profile *profile, const char *path, bool transfer, tw_err *err) {
    tw_buf bytes = {0};
    tw_slice payload;
    tw_categories names;
    TW_ASSERT(!tw_profile_begun(profile));
    tw_categories_init(&names, profile->categories.max);
    tw_code code = tw_model_file_read(path, TW_MODEL_FILE_PROFILE, &bytes, &payload, err);
    if (code == TW_OK) {
        code = start(profile, payload, transfer, &names, err);
        if (code != TW_OK)
            code = tw_wrap(err, "%s", path);
    }
    tw_categories_done(&names);
    tw_buf_done(&bytes);
    return code;
}
