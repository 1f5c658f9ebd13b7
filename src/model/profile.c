/* From users to examples, from full batches to steps, from a user to an answer. Called by learning and scoring; rows are in
 * profile_rows.c. */
#include "model/profile.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* A share is smoothed as if so many items had been drawn from what is common (2: 2.016 nats, .5: 2.020, 10: 2.017 on ml1m_pos, in a
 * study of this network outside of the program). */
#define PRIOR 2.0f
/* Means and variances follow the last so many examples, and stay within what float can hold. */
#define SEEN_MAX 65536.0f
#define VARIANCE_LEAST 1e-6f
/* Inputs further from the mean than so many standard deviations count as that far. */
#define NORMAL_MOST 4.0f
#define LN2 0.69314718f

void tw_profile_init(tw_profile *profile, const tw_config *config) {
    *profile =
        (tw_profile){.kernels = tw_kernels_get(), .D = (int)config->learn_dim, .batch = (int)config->profile_batch};
    profile->on = config->profile_enabled;
    profile->decays[TW_HORIZON_SHORT] = (float)config->profile_short;
    profile->decays[TW_HORIZON_LONG] = (float)config->profile_long;
    tw_categories_init(&profile->categories, (uint32_t)config->profile_categories_max);
    const tw_network_shape shape = {
        .hidden = {(int)config->profile_hidden_first, (int)config->profile_hidden_second},
        .mixed = TW_HORIZONS,
        .batch_max = profile->batch,
        .descent = {config->profile_optimizer == TW_OPTIMIZER_ADAM, (float)config->profile_rate},
        .seed = (uint64_t)config->seed};
    tw_network_init(&profile->network, &shape);
}

void tw_profile_done(tw_profile *profile) {
    tw_categories_done(&profile->categories);
    tw_network_done(&profile->network);
    free(profile->frequency);
    free(profile->mean);
    free(profile->variance);
    free(profile->seen);
    free(profile->waiting);
    free(profile->targets);
    free(profile->normal);
    free(profile->inverse);
    free(profile->shares);
    free(profile->asked);
    *profile = (tw_profile){0};
}

static int first_share(const tw_profile *profile) {
    return profile->D + TW_MANNERS;
}

/* The arrays for the categories in use. No example may wait: they are of the old width. */
void tw_profile_widen(tw_profile *profile) {
    int old = profile->inputs, used = (int)tw_categories_used(&profile->categories);
    TW_ASSERT(profile->filled == 0);
    profile->inputs = first_share(profile) + TW_HORIZONS * used;
    float **const columns[] = {&profile->mean,    &profile->variance, &profile->seen,
                               &profile->inverse, &profile->shares,   &profile->asked};
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        *columns[i] = tw_realloc(*columns[i], (size_t)profile->inputs * sizeof(float));
        for (int j = old; j < profile->inputs; j++)
            (*columns[i])[j] = 0;
    }
    profile->frequency = tw_realloc(profile->frequency, (size_t)used * sizeof(double));
    for (int c = old ? (old - first_share(profile)) / TW_HORIZONS : 0; c < used; c++)
        profile->frequency[c] = 0;
    tw_network_reach(&profile->network, profile->inputs, used);
    size_t wide = (size_t)profile->batch * (size_t)profile->inputs;
    free(profile->waiting);
    free(profile->normal);
    free(profile->targets);
    profile->waiting = tw_alloc_lines(wide * sizeof(float));
    profile->normal = tw_alloc_lines(wide * sizeof(float));
    profile->targets =
        tw_alloc_lines((size_t)profile->batch * (size_t)profile->network.layers[2].stride * sizeof(float));
}

/* ---- inputs -------------------------------------------------------------------------------------------------------- */

static float commonness(const tw_profile *profile, uint32_t category) {
    return (float)((profile->frequency[category] + 1) /
                   (profile->frequency_sum + (double)tw_categories_used(&profile->categories)));
}

/* The log of the smoothed share of each category at each horizon. */
static void put_shares(const tw_profile *profile, const tw_taste *taste, float *x) {
    uint32_t used = tw_categories_used(&profile->categories);
    int n = (int)used * TW_HORIZONS;
    float sums[TW_HORIZONS] = {0}, scales[TW_HORIZONS];
    for (uint32_t c = 0; c < taste->categories; c++)
        for (int k = 0; k < TW_HORIZONS; k++)
            sums[k] += taste->counts[c * TW_HORIZONS + (uint32_t)k];
    for (int k = 0; k < TW_HORIZONS; k++)
        scales[k] = 1.0f / (sums[k] + PRIOR);
    float *shares = profile->shares;
    for (uint32_t c = 0; c < used; c++) {
        float prior = PRIOR * commonness(profile, c);
        for (int k = 0; k < TW_HORIZONS; k++)
            shares[c * TW_HORIZONS + (uint32_t)k] = (tw_taste_count(taste, c, k) + prior) * scales[k];
    }
    memset(x, 0, (size_t)n * sizeof(float));
    profile->kernels->add_log(x, LN2, shares, 1e-9f, n);
}

static void put_manners(const tw_profile *profile, const tw_profile_user *user, float *x) {
    const tw_taste *taste = user->taste;
    int64_t since_ms = user->now_ms > user->last_ms && user->events ? user->now_ms - user->last_ms : 0;
    x[0] = log1pf((float)user->events);
    x[1] = log1pf((float)since_ms * 1e-3f);
    x[2] = taste->pace_weight > 0 ? taste->pace / taste->pace_weight : 0;
    x[3] = taste->price_weight > 0 ? taste->price / taste->price_weight : (float)profile->price_mean;
    x[4] = taste->price_weight > 0;
}

static void put_inputs(const tw_profile *profile, const tw_profile_user *user, float *x) {
    if (user->vector)
        memcpy(x, user->vector, (size_t)profile->D * sizeof(float));
    else
        memset(x, 0, (size_t)profile->D * sizeof(float));
    put_manners(profile, user, x + profile->D);
    put_shares(profile, user->taste, x + first_share(profile));
}

/* Means and variances after one more example. */
static void take_moments(tw_profile *profile, const float *x) {
    for (int j = 0; j < profile->inputs; j++) {
        float seen = profile->seen[j] < SEEN_MAX ? profile->seen[j] + 1 : SEEN_MAX;
        float off = x[j] - profile->mean[j];
        profile->mean[j] += off / seen;
        profile->variance[j] += (off * (x[j] - profile->mean[j]) - profile->variance[j]) / seen;
        profile->seen[j] = seen;
    }
}

static void find_inverse(tw_profile *profile) {
    for (int j = 0; j < profile->inputs; j++)
        profile->inverse[j] = 1.0f / sqrtf(profile->variance[j] + VARIANCE_LEAST);
}

static void normalise(const tw_profile *profile, const float *x, float *z) {
    for (int j = 0; j < profile->inputs; j++) {
        float off = (x[j] - profile->mean[j]) * profile->inverse[j];
        off = off < NORMAL_MOST ? off : NORMAL_MOST;
        z[j] = off > -NORMAL_MOST ? off : -NORMAL_MOST;
    }
}

/* ---- learning ------------------------------------------------------------------------------------------------------ */

static void normalise_all(tw_profile *profile, const float *x, int B) {
    find_inverse(profile);
    for (int b = 0; b < B; b++)
        normalise(profile, x + b * profile->inputs, profile->normal + b * profile->inputs);
}

/* One step on the examples that wait. */
static void step(tw_profile *profile) {
    int N = profile->inputs, B = profile->filled, t_stride = profile->network.layers[2].stride;
    if (B == 0)
        return;
    for (int b = 0; b < B; b++)
        take_moments(profile, profile->waiting + b * N);
    normalise_all(profile, profile->waiting, B);
    const float *logs = profile->waiting + first_share(profile);
    tw_network_forward(&profile->network, profile->normal, N, logs, N, B);
    profile->loss = tw_network_backward(&profile->network, profile->normal, N, logs, N, profile->targets, t_stride, B);
    if (isfinite(profile->loss))
        tw_network_step(&profile->network);
    profile->filled = 0;
}

/* After names were read: what waits is still of the width before. */
static void follow_categories(tw_profile *profile, uint32_t used_before) {
    if (tw_categories_used(&profile->categories) == used_before)
        return;
    step(profile);
    tw_profile_widen(profile);
    profile->changed = true;
}

void tw_profile_read(tw_profile *profile, tw_slice category, tw_category_shares *ret_shares) {
    ret_shares->count = 0;
    if (!profile->on || category.size == 0)
        return;
    uint32_t used = tw_categories_used(&profile->categories);
    tw_categories_read(&profile->categories, category, true, ret_shares);
    follow_categories(profile, used);
}

static uint32_t add_name(void *self, tw_slice name) {
    return tw_categories_add(self, name);
}

void tw_profile_import(tw_profile *profile, tw_taste *taste, tw_cursor *of_taste, tw_shown *shown,
                       tw_cursor *of_shown) {
    uint32_t used = tw_categories_used(&profile->categories);
    tw_taste_import(taste, of_taste, add_name, &profile->categories);
    tw_shown_import(shown, of_shown, add_name, &profile->categories);
    if (profile->on) {
        follow_categories(profile, used);
    } else {
        tw_taste_done(taste);
        tw_shown_done(shown);
    }
}

tw_code tw_profile_learn(tw_profile *profile, const tw_profile_user *user, const tw_category_shares *shares,
                         tw_err *err) {
    if (shares->count == 0)
        return TW_OK;
    int t_stride = profile->network.layers[2].stride;
    float *targets = profile->targets + profile->filled * t_stride;
    put_inputs(profile, user, profile->waiting + profile->filled * profile->inputs);
    memset(targets, 0, (size_t)t_stride * sizeof(float));
    for (int i = 0; i < shares->count; i++) {
        targets[shares->numbers[i]] = shares->shares[i];
        profile->frequency[shares->numbers[i]] += (double)shares->shares[i];
    }
    profile->frequency_sum += 1;
    profile->changed = true;
    if (++profile->filled == profile->batch)
        step(profile);
    if (!isfinite(profile->loss))
        return tw_fail(err, TW_E_DIVERGED, "the profile's loss is not finite after %" PRIu64 " steps",
                       profile->network.steps);
    return TW_OK;
}

float tw_profile_teach(tw_profile *profile, int B) {
    TW_ASSERT(profile->filled == 0 && B <= profile->batch);
    profile->filled = B;
    step(profile);
    return profile->loss;
}

const float *tw_profile_ask(tw_profile *profile, int B) {
    TW_ASSERT(profile->filled == 0 && B <= profile->batch);
    normalise_all(profile, profile->waiting, B);
    return tw_network_forward(&profile->network, profile->normal, profile->inputs,
                              profile->waiting + first_share(profile), profile->inputs, B);
}

void tw_profile_inputs(const tw_profile *profile, const tw_profile_user *user, float *x) {
    put_inputs(profile, user, x);
}

void tw_profile_meet_price(tw_profile *profile, double price) {
    if (!tw_profile_begun(profile) || !isfinite(price)) /* there is no row to keep it in before */
        return;
    double value = log1p(price > 0 ? price : 0), off = value - profile->price_mean;
    profile->prices += 1;
    profile->price_mean += off / profile->prices;
    profile->price_square += off * (value - profile->price_mean);
    profile->changed = true;
}

const float *tw_profile_answer(tw_profile *profile, const tw_profile_user *user) {
    if (!tw_profile_begun(profile))
        return NULL;
    float *x = profile->asked;
    put_inputs(profile, user, x);
    memcpy(profile->shares, x + first_share(profile), (size_t)(profile->inputs - first_share(profile)) * sizeof(float));
    find_inverse(profile);
    normalise(profile, x, x);
    return tw_network_forward(&profile->network, x, profile->inputs, profile->shares, profile->inputs, 1);
}

size_t tw_profile_bytes(const tw_profile *profile) {
    size_t floats = (size_t)profile->inputs * (6 + 2 * (size_t)profile->batch);
    for (int l = 0; l < TW_NETWORK_LAYERS; l++) {
        const tw_layer *layer = &profile->network.layers[l];
        floats += (size_t)(layer->inputs + 1) * (size_t)layer->stride * (layer->first ? 4 : 2);
    }
    return floats * sizeof(float);
}
