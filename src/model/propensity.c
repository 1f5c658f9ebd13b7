/* Normalisation and file of the propensity. Called by its training and by who starts from what was trained. */
#include "model/propensity.h"

#include "base/alloc.h"
#include "model/model_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define F TW_MOMENT_FEATURES
#define VARIANCE_LEAST 1e-6

void tw_propensity_init(tw_propensity *propensity, int64_t horizon_ms, int steps, int hidden, int batch_max,
                        uint64_t seed) {
    *propensity = (tw_propensity){.horizon_ms = horizon_ms};
    const tw_propensity_shape shape = {.inputs = F, .steps = steps, .hidden = hidden};
    tw_propensity_network_init(&propensity->network, &shape, batch_max, seed);
    for (int f = 0; f < F; f++)
        propensity->inverse[f] = 1;
}

void tw_propensity_done(tw_propensity *propensity) {
    tw_propensity_network_done(&propensity->network);
}

void tw_propensity_measure(tw_propensity *propensity, const float *features, const uint32_t *rows, size_t count) {
    for (int f = 0; f < F; f++) {
        double mean = 0, square = 0; /* Welford 1962 */
        for (size_t i = 0; i < count; i++) {
            double x = (double)features[(size_t)rows[i] * F + (size_t)f], off = x - mean;
            mean += off / (double)(i + 1);
            square += off * (x - mean);
        }
        propensity->mean[f] = (float)mean;
        propensity->inverse[f] = (float)(1.0 / sqrt(square / (double)(count ? count : 1) + VARIANCE_LEAST));
    }
}

void tw_propensity_normalise(const tw_propensity *propensity, const float *features, float *x) {
    for (int f = 0; f < F; f++) {
        float z = (features[f] - propensity->mean[f]) * propensity->inverse[f];
        z = z < TW_PROPENSITY_NORMAL_MOST ? z : TW_PROPENSITY_NORMAL_MOST;
        x[f] = z > -TW_PROPENSITY_NORMAL_MOST ? z : -TW_PROPENSITY_NORMAL_MOST;
    }
}

void tw_propensity_encode(const tw_propensity *propensity, tw_buf *out) {
    const tw_propensity_network *network = &propensity->network;
    tw_buf_u32(out, F);
    tw_buf_u32(out, (uint32_t)network->shape.steps);
    tw_buf_u32(out, (uint32_t)network->shape.hidden);
    tw_buf_u64(out, (uint64_t)propensity->horizon_ms);
    tw_buf_put(out, propensity->mean, sizeof propensity->mean);
    tw_buf_put(out, propensity->inverse, sizeof propensity->inverse);
    tw_buf_put(out, network->weights, network->size * sizeof(float));
}

static bool all_finite(const float *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

static bool take(tw_cursor *c, float *to, size_t n) {
    tw_cursor_copy(c, to, n * sizeof(float));
    return !c->bad && all_finite(to, n);
}

static tw_code load(tw_propensity *propensity, tw_slice payload, int batch_max, tw_err *err) {
    tw_cursor c = tw_cursor_of(payload);
    uint32_t features = tw_cursor_u32(&c), steps = tw_cursor_u32(&c), hidden = tw_cursor_u32(&c);
    int64_t horizon_ms = (int64_t)tw_cursor_u64(&c);
    if (features != F)
        return tw_fail(err, TW_E_BAD_FILE, "made for steps of %" PRIu32 " features; here they have %d", features, F);
    tw_propensity_shape shape = {F, (int)steps, (int)hidden};
    if (c.bad || steps < 1 || steps > TW_PROPENSITY_STEPS_MAX || hidden < 1 || hidden > TW_PROPENSITY_HIDDEN_MAX ||
        horizon_ms < 1 ||
        (size_t)(c.end - c.at) != (2 * (size_t)F + tw_propensity_network_size(&shape)) * sizeof(float))
        return tw_fail(err, TW_E_BAD_FILE, "%" PRIu32 " steps and %" PRIu32 " hidden units do not fit its %zu bytes",
                       steps, hidden, payload.size);
    tw_propensity_init(propensity, horizon_ms, (int)steps, (int)hidden, batch_max, 0);
    bool finite = take(&c, propensity->mean, F);
    finite = take(&c, propensity->inverse, F) && finite;
    finite = take(&c, propensity->network.weights, propensity->network.size) && finite;
    return finite ? TW_OK : tw_fail(err, TW_E_BAD_FILE, "some of its weights are not finite");
}

tw_code tw_propensity_read(const char *path, int batch_max, tw_propensity *ret_propensity, tw_err *err) {
    tw_buf bytes = {0};
    tw_slice payload;
    *ret_propensity = (tw_propensity){0};
    tw_code code = tw_model_file_read(path, TW_MODEL_FILE_PROPENSITY, &bytes, &payload, err);
    if (code == TW_OK && load(ret_propensity, payload, batch_max, err) != TW_OK)
        code = tw_wrap(err, "%s", path);
    tw_buf_done(&bytes);
    return code;
}
