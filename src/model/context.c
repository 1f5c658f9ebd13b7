/* Context embeddings: forward (make), and the step that trains them. Called by learning and scoring. */
#include "model/context.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>

/* Keeps the first Adagrad steps finite. */
#define SUM_LEAST 1e-8f
/* Below this share of the softmax a negative's step would change nothing that float can hold for long (chosen). */
#define SHARE_LEAST 1e-4f
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
    size_t targets_max = (size_t)config->learn_negatives + 1;
    context->targets = tw_alloc(targets_max * sizeof *context->targets);
    context->rows = tw_alloc(targets_max * sizeof *context->rows);
    context->shares = tw_alloc_lines(targets_max * sizeof(float));
    context->steps = tw_alloc_lines(targets_max * sizeof(float));
    context->expected = tw_alloc_lines(targets_max * sizeof(float));
}

void tw_context_done(tw_context *context) {
    free(context->vector);
    free(context->gradient);
    free(context->targets);
    free(context->rows);
    free(context->shares);
    free(context->steps);
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

/* The target and what stands in the pool, each with its logit, log q taken off. Returns how many. */
static int gather(tw_context *context, const tw_items *items, const tw_sampler *sampler, uint32_t target) {
    int n = 0;
    float uniform, popular; /* expected count = uniform + popular * times in the ring */
    tw_sampler_expectation(sampler, items, &uniform, &popular);
    for (uint32_t j = 0; j <= sampler->pool_size; j++) {
        uint32_t item = j == 0 ? target : sampler->pool[j - 1];
        if (item == TW_SLOT_NONE || (j > 0 && item == target))
            continue;
        context->targets[n] = item;
        context->rows[n] = tw_row(&items->out, item);
        context->expected[n++] = uniform + popular * (float)sampler->counts[item];
    }
    context->kernels->dot_each((const float *const *)context->rows, context->vector, context->shares, n, context->D);
    for (int j = 0; j < n; j++)
        context->shares[j] += items->bias[context->targets[j]];
    context->kernels->add_log(context->shares, -LN2, context->expected, EXPECTED_LEAST, n);
    return n;
}

/* Logits to slopes of the loss in them: shares of the softmax, less one for the target. Small ones are dropped with their rows.
 * Returns how many stay. */
static int slopes(tw_context *context, int n, float *ret_loss) {
    float target_logit = context->shares[0], most = target_logit;
    for (int j = 1; j < n; j++)
        most = context->shares[j] > most ? context->shares[j] : most;
    float sum = context->kernels->exp_sum(context->shares, most, context->shares, n);
    *ret_loss = most + logf(sum) - target_logit;
    int kept = 1;
    for (int j = 1; j < n; j++)
        if (context->shares[j] > SHARE_LEAST * sum) {
            context->targets[kept] = context->targets[j];
            context->rows[kept] = context->rows[j];
            context->shares[kept++] = context->shares[j] / sum;
        }
    context->shares[0] = context->shares[0] / sum - 1.0f;
    return kept;
}

/* Row-wise Adagrad: adds the mean squared gradient of a row to its sum and returns the step size. */
static float adagrad(float *sum, float mean_square, float rate) {
    *sum += mean_square;
    return rate / sqrtf(*sum + SUM_LEAST);
}

/* One step for the target and each negative; the gradient for the context is collected on the way. A negative that stands twice in
 * the pool takes two steps, but its Adagrad sum grows by one. */
static void step_out(tw_context *context, tw_items *items, int n, float strength) {
    float square = (context->kernels->dot(context->vector, context->vector, context->D) + 1.0f) /
                   (float)(context->D + 1); /* bias counts as a dimension */
    float *sums = context->expected;        /* in three passes, of which the middle one has no memory to wait for */
    for (int j = 0; j < n; j++)
        sums[j] = items->out_sum[context->targets[j]];
    for (int j = 0; j < n; j++) {
        float slope = context->shares[j];
        sums[j] += slope * slope * square;
        context->steps[j] = -strength * context->rate * slope / sqrtf(sums[j] + SUM_LEAST);
        context->shares[j] = -slope;
    }
    for (int j = 0; j < n; j++) {
        uint32_t item = context->targets[j];
        items->out_sum[item] = sums[j];
        items->bias[item] += context->steps[j];
        tw_dirty_add(&items->dirty_out, item);
    }
    memset(context->gradient, 0, (size_t)context->D * sizeof(float));
    context->kernels->pull_each(context->rows, context->shares, context->steps, context->vector, context->gradient, n,
                                context->D);
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
    float loss;
    int n = slopes(context, gather(context, items, sampler, target), &loss);
    step_out(context, items, n, strength);
    step_in(context, items, strength);
    if (embedding)
        context->kernels->axpy(embedding, strength * context->user_rate, context->gradient, context->D);
    return loss;
}
