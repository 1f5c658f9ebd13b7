/* The factor model (learn.model: mf): score = user . item + bias, trained at each event by logistic SGD on the item and a few
 * sampled negatives (Mikolov et al. 2013, negative sampling; Vinagre et al. 2014 for the incremental setting). The cheapest
 * model, and the baseline of every table. Engine thread. */
#include "model/internal.h"

#include <math.h>

/* The positive and the most negatives (learn.mf.negatives). */
#define ROWS_MAX 66

/* A new user starts at a small vector of its own: at zero neither side would ever move. */
static void first_vector(const tw_model *model, uint32_t user, float *embedding) {
    const tw_user *u = tw_user_here(&model->users, user);
    tw_rng rng = tw_rng_at((uint64_t)model->config->seed, 2 + u->task, tw_hash64((tw_slice){u->id, u->id_size}));
    float scale = 0.1f / sqrtf((float)model->context.D);
    for (int d = 0; d < model->context.D; d++)
        embedding[d] = scale * 1.7320508f * (float)(2.0 * tw_rng_unit(&rng) - 1.0); /* uniform with deviation `scale` */
}

void tw_mf_score(tw_model *model, uint32_t user, float *scores) {
    const tw_rows *out = &model->items.out;
    for (uint32_t i = 0; i < model->items.slots.end; i++)
        scores[i] =
            model->kernels->dot(tw_row(out, i), tw_user_vector(&model->users, user), out->D) + model->items.bias[i];
}

/* The draws of an event depend on it and the state alone, so that they can be made ahead: a few events change next to nothing. */
static tw_rng draws_of(const tw_model *model, int32_t partition, int64_t offset) {
    return tw_rng_at((uint64_t)model->config->seed, (uint64_t)(uint32_t)partition << 8, (uint64_t)offset);
}

TW_PREFETCHES void prefetch_item(const tw_model *model, uint32_t item) {
    tw_row_prefetch(&model->items.out, item);
    TW_PREFETCH(&model->items.bias[item]);
    tw_dirty_prefetch(&model->items.dirty_out, item);
}

void tw_model_prefetch_factors(const tw_model *model, uint32_t user, uint32_t item, int32_t partition, int64_t offset) {
    tw_rng rng = draws_of(model, partition, offset);
    if (user != TW_SLOT_NONE) {
        tw_row_prefetch(&model->users.embeddings, tw_user_seat(&model->users, user));
        tw_user_prefetch(&model->users, user);
    }
    if (item != TW_SLOT_NONE)
        prefetch_item(model, item);
    for (int64_t j = 0; j < model->config->learn_mf_negatives; j++) {
        uint32_t drawn = tw_sampler_draw(&model->sampler, &model->items, &rng);
        if (drawn != TW_SLOT_NONE)
            prefetch_item(model, drawn);
    }
}

/* z in place becomes the logistic function of it, by e^-|z|, which cannot overflow. */
static void logistic(const tw_kernels *kernels, float *z, int n) {
    float size[ROWS_MAX], e[ROWS_MAX];
    for (int j = 0; j < n; j++)
        size[j] = -fabsf(z[j]);
    kernels->exp_sum(size, 0, e, n);
    for (int j = 0; j < n; j++)
        z[j] = (z[j] >= 0 ? 1.0f : e[j]) / (1.0f + e[j]);
}

/* The scores are those before the event, for all its rows: label 1 for what happened, 0 for a negative. */
void tw_model_train_factors(tw_model *model, uint32_t user, uint32_t item, float strength, int32_t partition,
                            int64_t offset) {
    tw_rng rng = draws_of(model, partition, offset);
    float *embedding = tw_user_vector(&model->users, user), *gradient = model->context.gradient;
    float rate = (float)model->config->learn_mf_rate * strength, decay = (float)model->config->learn_mf_decay;
    float *rows[ROWS_MAX], errors[ROWS_MAX], steps[ROWS_MAX];
    uint32_t drawn[ROWS_MAX];
    int n = 1;
    if (tw_user_here(&model->users, user)->events == 0)
        first_vector(model, user, embedding);
    drawn[0] = item;
    for (int64_t j = 0; j < model->config->learn_mf_negatives; j++) {
        drawn[n] = tw_sampler_draw(&model->sampler, &model->items, &rng);
        n += drawn[n] != TW_SLOT_NONE && drawn[n] != item;
    }
    for (int j = 0; j < n; j++)
        rows[j] = tw_row(&model->items.out, drawn[j]);
    model->kernels->dot_each((const float *const *)rows, embedding, errors, n, model->context.D);
    for (int j = 0; j < n; j++)
        errors[j] += model->items.bias[drawn[j]];
    logistic(model->kernels, errors, n);
    for (int j = 0; j < n; j++) {
        errors[j] = (j == 0 ? 1.0f : 0.0f) - errors[j];
        steps[j] = rate * errors[j];
        model->items.bias[drawn[j]] += steps[j];
        tw_dirty_add(&model->items.dirty_out, drawn[j]);
    }
    memset(gradient, 0, (size_t)model->context.D * sizeof(float));
    model->kernels->step_each(rows, errors, steps, 1.0f - rate * decay, embedding, gradient, n, model->context.D);
    model->kernels->mix(embedding, 1.0f - rate * decay, rate, gradient, model->context.D);
}
