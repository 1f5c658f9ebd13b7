/* The network over the scorers: forward for a block of candidates, the step that trains it, its durable form. Read by scoring,
 * stepped by learning on a fixed share of the events. */
#include "model/blend.h"

#include "model/blend_first.h"

#include <math.h>
#include <string.h>

#define LEAK 0.1f
/* Where Adagrad's sums start: the first steps are far shorter than the rate, so that a stream moves what was learned of others only
 * by evidence (chosen on the first 30 % of the three measured streams). */
#define SUM_FIRST 10.0f

void tw_blend_init(tw_blend *blend, const tw_config *config) {
    *blend =
        (tw_blend){.weights = tw_blend_first, .rate = (float)config->learn_blend_rate, .kernels = tw_kernels_get()};
    float *sums = (float *)&blend->sums;
    for (size_t i = 0; i < sizeof blend->sums / sizeof *sums; i++)
        sums[i] = SUM_FIRST;
}

int tw_blend_bucket(uint32_t history) {
    int bucket = history <= 1 ? 0 : 32 - __builtin_clz(history - 1);
    return bucket < TW_BLEND_BUCKETS ? bucket : TW_BLEND_BUCKETS - 1;
}

void tw_blend_forward(tw_blend *blend, int bucket, const float *x, int n, float *scores) {
    const tw_blend_weights *w = &blend->weights;
    memset(scores, 0, (size_t)n * sizeof *scores);
    for (int f = 0; f < TW_X_COUNT; f++)
        blend->kernels->axpy(scores, w->shared[f] + w->by_length[bucket][f], x + f * TW_BLEND_CANDIDATES, n);
    for (int h = 0; h < TW_BLEND_HIDDEN; h++) {
        float *z = blend->hidden[h];
        memset(z, 0, (size_t)n * sizeof *z);
        for (int f = 0; f < TW_X_COUNT; f++)
            blend->kernels->axpy(z, w->in[h][f], x + f * TW_BLEND_CANDIDATES, n);
        for (int i = 0; i < n; i++)
            scores[i] += w->out[h] * (z[i] > 0 ? z[i] : LEAK * z[i]);
    }
}

static void step(float *weight, float *sum, float gradient, float rate) {
    *sum += gradient * gradient;
    *weight -= rate * gradient / sqrtf(*sum);
}

void tw_blend_step(tw_blend *blend, int bucket, const float *x, int n, int target, float *scores) {
    tw_blend_weights *w = &blend->weights, *s = &blend->sums;
    float most = scores[0], back[TW_BLEND_CANDIDATES];
    for (int i = 1; i < n; i++)
        most = scores[i] > most ? scores[i] : most;
    float sum = blend->kernels->exp_sum(scores, most, scores, n); /* from here on scores hold the loss's slope */
    for (int i = 0; i < n; i++)
        scores[i] /= sum;
    scores[target] -= 1;
    float rate = blend->rate;
    for (int f = 0; f < TW_X_COUNT; f++) {
        float g = blend->kernels->dot(scores, x + f * TW_BLEND_CANDIDATES, n);
        step(&w->shared[f], &s->shared[f], g, rate);
        step(&w->by_length[bucket][f], &s->by_length[bucket][f], g, rate);
    }
    for (int h = 0; h < TW_BLEND_HIDDEN; h++) {
        const float *z = blend->hidden[h];
        float g_out = 0;
        for (int i = 0; i < n; i++) {
            g_out += scores[i] * (z[i] > 0 ? z[i] : LEAK * z[i]);
            back[i] = scores[i] * w->out[h] * (z[i] > 0 ? 1 : LEAK);
        }
        for (int f = 0; f < TW_X_COUNT; f++)
            step(&w->in[h][f], &s->in[h][f], blend->kernels->dot(back, x + f * TW_BLEND_CANDIDATES, n), rate);
        step(&w->out[h], &s->out[h], g_out, rate);
    }
}

void tw_blend_encode(const tw_blend *blend, tw_buf *out) {
    tw_buf_put(out, &blend->weights, sizeof blend->weights);
    tw_buf_put(out, &blend->sums, sizeof blend->sums);
}

tw_code tw_blend_load(tw_blend *blend, tw_slice bytes, tw_err *err) {
    if (bytes.size != sizeof blend->weights + sizeof blend->sums)
        return tw_fail(err, TW_E_STORE, "the weights of the blend are damaged");
    memcpy(&blend->weights, bytes.data, sizeof blend->weights);
    memcpy(&blend->sums, bytes.data + sizeof blend->weights, sizeof blend->sums);
    return TW_OK;
}
