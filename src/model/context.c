/* Context embeddings: forward (make), and the step that trains them. Called by learning and scoring. */
#include "model/context.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>

/* Keeps the first Adagrad steps finite. */
#define SUM_LEAST 1e-8f
/* Below this share of the softmax a negative's step would change nothing that float can hold for long (chosen). */
#define SHARE_LEAST 1e-5f
#define LN2 0.69314718f
/* Keeps the logarithm of an expected count finite; no live item is expected this seldom. */
#define EXPECTED_LEAST 1e-30f

void tw_context_init(tw_context *context, const tw_config *config) {
    *context = (tw_context){.kernels = tw_kernels_get(), .D = (int)config->learn_dim};
    context->items_max = (uint32_t)config->learn_context_items;
    context->fast = (float)config->learn_context_fast;
    context->slow = (float)config->learn_context_slow;
    context->rate = (float)config->learn_context_rate;
    context->user_rate = (float)config->learn_user_rate;
    context->vector = tw_alloc_lines((size_t)context->D * sizeof(float));
    context->gradient = tw_alloc_lines((size_t)context->D * sizeof(float));
    context->scores = tw_alloc_lines((size_t)config->learn_negatives * sizeof(float));
    context->expected = tw_alloc_lines((size_t)config->learn_negatives * sizeof(float));
}

void tw_context_done(tw_context *context) {
    free(context->vector);
    free(context->gradient);
    free(context->scores);
    free(context->expected);
    *context = (tw_context){0};
}

void tw_context_new_item(const tw_context *context, tw_items *items, uint32_t item, uint64_t seed) {
    const tw_item *it = &items->items[item];
    tw_rng rng = tw_rng_at(seed, 1, tw_hash64((tw_slice){it->id, it->id_size}));
    float *in = tw_row(&items->in, item), scale = 1.0f / sqrtf((float)context->D);
    for (int d = 0; d < context->D; d++)
        in[d] = scale * (float)tw_rng_normal(&rng);
}

bool tw_context_make(tw_context *context, const tw_items *items, const tw_user *u, const float *embedding) {
    int half = context->D / 2;
    uint32_t n = u->past_count < context->items_max ? u->past_count : context->items_max;
    float fast = 1, slow = 1, sum_fast = 0, sum_slow = 0;
    context->used_count = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t place = u->past_count - 1 - k;
        if (u->flags[place] & TW_PAST_DISLIKED)
            continue;
        uint32_t c = context->used_count++;
        context->used[c] = u->items[place];
        context->weight_fast[c] = fast;
        context->weight_slow[c] = slow;
        sum_fast += fast;
        sum_slow += slow;
        fast *= context->fast;
        slow *= context->slow;
    }
    if (context->used_count == 0)
        return false;
    if (embedding)
        memcpy(context->vector, embedding, (size_t)context->D * sizeof(float));
    else
        memset(context->vector, 0, (size_t)context->D * sizeof(float));
    for (uint32_t c = 0; c < context->used_count; c++) {
        const float *in = tw_row(&items->in, context->used[c]);
        context->weight_fast[c] /= sum_fast;
        context->weight_slow[c] /= sum_slow;
        context->kernels->axpy(context->vector, context->weight_fast[c], in, half);
        context->kernels->axpy(context->vector + half, context->weight_slow[c], in + half, half);
    }
    return true;
}

/* Shares of the softmax over pool and target, each logit with log q taken off, into scores; 0 where the pool is empty or holds the
 * target. Returns the target's own share. */
static float pool_shares(tw_context *context, const tw_items *items, const tw_sampler *sampler, uint32_t target,
                         float target_logit, float *ret_loss) {
    int n = (int)sampler->pool_size;
    for (int j = 0; j < n; j++) {
        uint32_t item = sampler->pool[j];
        bool counts = item != TW_SLOT_NONE && item != target;
        context->scores[j] =
            counts ? context->kernels->dot(tw_row(&items->out, item), context->vector, context->D) + items->bias[item]
                   : -INFINITY;
        context->expected[j] = counts ? (float)n * tw_sampler_probability(sampler, items, item) : 1.0f;
    }
    context->kernels->add_log(context->scores, -LN2, context->expected, EXPECTED_LEAST, n);
    float most = target_logit;
    for (int j = 0; j < n; j++)
        most = context->scores[j] > most ? context->scores[j] : most;
    float sum = context->kernels->exp_sum(context->scores, most, context->scores, n) + expf(target_logit - most);
    for (int j = 0; j < n; j++)
        context->scores[j] /= sum;
    *ret_loss = most + logf(sum) - target_logit;
    return expf(target_logit - most) / sum;
}

/* Row-wise Adagrad: adds the mean squared gradient of a row to its sum and returns the step size. */
static float adagrad(float *sum, float mean_square, float rate) {
    *sum += mean_square;
    return rate / sqrtf(*sum + SUM_LEAST);
}

static void step_out(tw_context *context, tw_items *items, uint32_t item, float gradient, float context_square,
                     float strength) {
    float square =
        gradient * gradient * (context_square + 1.0f) / (float)(context->D + 1); /* bias counts as a dimension */
    float step = strength * adagrad(&items->out_sum[item], square, context->rate) * gradient;
    context->kernels->pull(context->gradient, gradient, tw_row(&items->out, item), step, context->vector, context->D);
    items->bias[item] += step;
    tw_dirty_add(&items->dirty_out, item);
}

static void step_in(tw_context *context, tw_items *items, float strength) {
    int half = context->D / 2;
    const float *g = context->gradient;
    float square_fast = context->kernels->dot(g, g, half),
          square_slow = context->kernels->dot(g + half, g + half, half);
    for (uint32_t c = 0; c < context->used_count; c++) {
        uint32_t item = context->used[c];
        float wf = context->weight_fast[c], ws = context->weight_slow[c];
        float square = (wf * wf * square_fast + ws * ws * square_slow) / (float)context->D;
        float step = strength * adagrad(&items->in_sum[item], square, context->rate);
        float *in = tw_row(&items->in, item);
        context->kernels->axpy(in, step * wf, g, half);
        context->kernels->axpy(in + half, step * ws, g + half, half);
        tw_dirty_add(&items->dirty_in, item);
    }
}

float tw_context_train(tw_context *context, tw_items *items, const tw_sampler *sampler, float *embedding,
                       uint32_t target, float strength) {
    float target_logit =
        context->kernels->dot(tw_row(&items->out, target), context->vector, context->D) + items->bias[target];
    target_logit -= logf((float)sampler->pool_size * tw_sampler_probability(sampler, items, target));
    float loss, own = pool_shares(context, items, sampler, target, target_logit, &loss);
    float square = context->kernels->dot(context->vector, context->vector, context->D);
    memset(context->gradient, 0, (size_t)context->D * sizeof(float));
    step_out(context, items, target, 1.0f - own, square, strength);
    for (uint32_t j = 0; j < sampler->pool_size; j++) {
        float share = context->scores[j];
        if (share > SHARE_LEAST)
            step_out(context, items, sampler->pool[j], -share, square, strength);
    }
    step_in(context, items, strength);
    if (embedding)
        context->kernels->axpy(embedding, strength * context->user_rate, context->gradient, context->D);
    return loss;
}
