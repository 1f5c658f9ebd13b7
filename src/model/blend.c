/* The weights of the scorers. Read by scoring, stepped by learning on a fixed share of the events. */
#include "model/blend.h"

#include <math.h>
#include <string.h>

/* Where learning starts: near where it ends on the three measured streams. */
static const float weights_first[TW_BLEND_SCORERS] = {
    [TW_BY_CONTEXT] = 0.6f,  [TW_BY_TRANSITIONS] = 0.5f, [TW_BY_TRENDING] = 0.05f,
    [TW_BY_POPULAR] = 0.05f, [TW_BY_REPEAT] = 0.5f,      [TW_BY_OWN] = 1.0f,
};

void tw_blend_init(tw_blend *blend, const tw_config *config) {
    *blend = (tw_blend){.rate = (float)config->learn_blend_rate};
    for (int b = 0; b < TW_BLEND_BUCKETS; b++)
        for (int s = 0; s < TW_BLEND_SCORERS; s++) {
            blend->weights[b][s] = weights_first[s];
            blend->sums[b][s] = 1.0f;
        }
}

int tw_blend_bucket(uint32_t history) {
    int bucket = history <= 1 ? 0 : 32 - __builtin_clz(history - 1);
    return bucket < TW_BLEND_BUCKETS ? bucket : TW_BLEND_BUCKETS - 1;
}

void tw_blend_step(tw_blend *blend, int bucket, const double *gradient) {
    for (int s = 0; s < TW_BLEND_SCORERS; s++) {
        float g = (float)gradient[s];
        blend->sums[bucket][s] += g * g;
        blend->weights[bucket][s] += blend->rate * g / sqrtf(blend->sums[bucket][s]);
    }
}

void tw_blend_encode(const tw_blend *blend, tw_buf *out) {
    tw_buf_put(out, blend->weights, sizeof blend->weights);
    tw_buf_put(out, blend->sums, sizeof blend->sums);
}

tw_code tw_blend_load(tw_blend *blend, tw_slice bytes, tw_err *err) {
    if (bytes.size != sizeof blend->weights + sizeof blend->sums)
        return tw_fail(err, TW_E_STORE, "the weights of the blend are damaged");
    memcpy(blend->weights, bytes.data, sizeof blend->weights);
    memcpy(blend->sums, bytes.data + sizeof blend->weights, sizeof blend->sums);
    return TW_OK;
}
