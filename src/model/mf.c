/* The factor model (learn.model: mf): score = user . item + bias, trained at each event by logistic SGD on the item and a few
 * sampled negatives (Mikolov et al. 2013, negative sampling; Vinagre et al. 2014 for the incremental setting). The cheapest
 * model, and the baseline of every table. Engine thread. */
#include "model/internal.h"

#include <math.h>

/* A new user starts at a small vector of its own: at zero neither side would ever move. */
static void first_vector(const tw_model *model, uint32_t user, float *embedding) {
    const tw_user *u = tw_user_at(&model->users, user);
    tw_rng rng = tw_rng_at((uint64_t)model->config->seed, 2 + u->task, tw_hash64((tw_slice){u->id, u->id_size}));
    float scale = 0.1f / sqrtf((float)model->context.D);
    for (int d = 0; d < model->context.D; d++)
        embedding[d] = scale * 1.7320508f * (float)(2.0 * tw_rng_unit(&rng) - 1.0); /* uniform with deviation `scale` */
}

/* One row: label 1 for what happened, 0 for a negative. The user's gradient is collected and applied once at the end. */
static void step(tw_model *model, const float *embedding, float *gradient, uint32_t item, float label, float rate,
                 float decay) {
    float *row = tw_row(&model->items.out, item);
    float logit = model->kernels->dot(row, embedding, model->context.D) + model->items.bias[item];
    float error = label - 1.0f / (1.0f + expf(-logit));
    model->kernels->axpy(gradient, error, row, model->context.D);
    model->kernels->mix(row, 1.0f - rate * decay, rate * error, embedding, model->context.D);
    model->items.bias[item] += rate * error;
    tw_dirty_add(&model->items.dirty_out, item);
}

void tw_mf_score(tw_model *model, uint32_t user, float *scores) {
    const tw_rows *out = &model->items.out;
    for (uint32_t i = 0; i < model->items.slots.end; i++)
        scores[i] =
            model->kernels->dot(tw_row(out, i), tw_row(&model->users.embeddings, user), out->D) + model->items.bias[i];
}

void tw_mf_train(tw_model *model, uint32_t user, uint32_t target, float strength, tw_rng *rng) {
    float *embedding = tw_row(&model->users.embeddings, user), *gradient = model->context.gradient;
    float rate = (float)model->config->learn_mf_rate * strength, decay = (float)model->config->learn_mf_decay;
    int negatives = (int)model->config->learn_mf_negatives;
    uint32_t drawn[64];
    if (tw_user_at(&model->users, user)->events == 0)
        first_vector(model, user, embedding);
    for (int j = 0; j < negatives; j++) { /* drawn first, so that their rows are on the way */
        drawn[j] = tw_sampler_draw(&model->sampler, &model->items, rng);
        if (drawn[j] != TW_SLOT_NONE) {
            const char *row = (const char *)tw_row(&model->items.out, drawn[j]);
            for (size_t line = 0; line < (size_t)model->context.D * sizeof(float); line += 64)
                __builtin_prefetch(row + line, 1);
        }
    }
    memset(gradient, 0, (size_t)model->context.D * sizeof(float));
    step(model, embedding, gradient, target, 1.0f, rate, decay);
    for (int j = 0; j < negatives; j++)
        if (drawn[j] != TW_SLOT_NONE && drawn[j] != target)
            step(model, embedding, gradient, drawn[j], 0.0f, rate, decay);
    model->kernels->mix(embedding, 1.0f - rate * decay, rate, gradient, model->context.D);
}
