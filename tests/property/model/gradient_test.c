/* The step of the context scorer against finite differences of its loss. */
#include "base/alloc.h"
#include "base/rng.h"
#include "model/context.h"
#include "support/test.h"

#include <stdlib.h>

#define ITEMS 40
#define D 8

typedef struct world {
    tw_config config;
    tw_items items;
    tw_users users;
    tw_sampler sampler;
    tw_context context;
    uint32_t user;
} world;

/* The loss as the header defines it, in double and by plain loops: softmax over target and pool with log q taken off. */
static double loss_of(const world *w, const float *embedding, uint32_t target) {
    const tw_user *u = tw_user_at(&w->users, w->user);
    double context[D] = {0}, sums[2] = {0}, sum = 0, target_logit = 0;
    float uniform, each;
    tw_sampler_expectation(&w->sampler, &w->items, &uniform, &each);
    for (uint32_t k = 0; k < u->past_count; k++)
        for (int h = 0; h < 2; h++)
            sums[h] += pow(h ? w->context.slow : w->context.fast, k);
    for (uint32_t k = 0; k < u->past_count; k++)
        for (int d = 0; d < D; d++)
            context[d] += pow(d >= D / 2 ? w->context.slow : w->context.fast, k) / sums[d >= D / 2] *
                          tw_row(&w->items.in, u->items[u->past_count - 1 - k])[d];
    for (uint32_t j = 0; j <= w->sampler.pool_size; j++) {
        uint32_t item = j == w->sampler.pool_size ? target : w->sampler.pool[j];
        if (j < w->sampler.pool_size && (item == TW_SLOT_NONE || item == target))
            continue;
        double logit = w->items.bias[item] - log((double)uniform + (double)each * w->sampler.counts[item]);
        for (int d = 0; d < D; d++)
            logit += tw_row(&w->items.out, item)[d] * (context[d] + embedding[d]);
        if (j == w->sampler.pool_size)
            target_logit = logit;
        sum += exp(logit);
    }
    return log(sum) - target_logit;
}

static double slope(const world *w, float *x, const float *embedding, uint32_t target) {
    const float kept = *x, h = 1e-2f;
    *x = kept + h;
    double above = loss_of(w, embedding, target);
    *x = kept - h;
    double below = loss_of(w, embedding, target);
    *x = kept;
    return (above - below) / (2.0 * h);
}

TEST(a_step_goes_down_the_slope_of_the_loss_in_every_row_it_touches) {
    world w = {0};
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 9);
    tw_config_init(&w.config);
    w.config.learn_dim = D;
    w.config.learn_negatives = 16;
    tw_items_init(&w.items, D);
    tw_users_init(&w.users, D);
    tw_sampler_init(&w.sampler, 16);
    tw_context_init(&w.context, &w.config);
    for (int i = 0; i < ITEMS; i++) {
        char id[16];
        snprintf(id, sizeof id, "i%d", i);
        uint32_t item = tw_items_add(&w.items, tw_slice_of(id), 0);
        for (int d = 0; d < D; d++) {
            tw_row(&w.items.in, item)[d] = (float)tw_rng_normal(&rng);
            tw_row(&w.items.out, item)[d] = 0.5f * (float)tw_rng_normal(&rng);
        }
        w.items.bias[item] = 0.3f * (float)tw_rng_normal(&rng);
        /* a great Adagrad sum: every step is the gradient times one small rate */
        w.items.in_sum[item] = w.items.out_sum[item] = 1e8f;
    }
    tw_sampler_reach(&w.sampler, ITEMS);
    for (int i = 0; i < 100; i++)
        tw_sampler_note(&w.sampler, tw_rng_below(&rng, ITEMS));
    for (int i = 0; i < 8;
         i++) /* a pool without doubles: a doubled negative takes two steps, and the slope counts it twice too */
        tw_sampler_refresh(&w.sampler, &w.items, &rng);
    for (uint32_t j = 0; j < 16; j++)
        w.sampler.pool[j] = (j * 2 + 1) % ITEMS;
    w.user = tw_users_add(&w.users, 0, TW_SLICE_LITERAL("u"));
    tw_user *u = tw_user_at(&w.users, w.user);
    for (uint32_t i = 0; i < 5; i++)
        tw_past_meet(&w.users, u, 32 + i, 1000);
    float embedding[D], before_embedding[D];
    for (int d = 0; d < D; d++)
        embedding[d] = before_embedding[d] = 0.2f * (float)tw_rng_normal(&rng);
    const uint32_t target = 2;
    static double expected_out[ITEMS][D], expected_in[ITEMS][D], expected_bias[ITEMS], expected_user[D];
    static float out[ITEMS][D], in[ITEMS][D], bias[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (int d = 0; d < D; d++) {
            expected_out[i][d] = slope(&w, &tw_row(&w.items.out, i)[d], embedding, target);
            expected_in[i][d] = slope(&w, &tw_row(&w.items.in, i)[d], embedding, target);
            out[i][d] = tw_row(&w.items.out, i)[d];
            in[i][d] = tw_row(&w.items.in, i)[d];
        }
        expected_bias[i] = slope(&w, &w.items.bias[i], embedding, target);
        bias[i] = w.items.bias[i];
    }
    for (int d = 0; d < D; d++)
        expected_user[d] = slope(&w, &embedding[d], embedding, target);

    ASSERT_TRUE(tw_context_make(&w.context, &w.items, u, embedding));
    double expected_loss = loss_of(&w, embedding, target);
    float loss = tw_context_train(&w.context, &w.items, &w.sampler, embedding, target, 1.0f);
    ASSERT_NEAR(loss, expected_loss, 1e-3);
    const double step = w.context.rate / sqrt(1e8);
    for (uint32_t i = 0; i < ITEMS; i++)
        for (int d = 0; d < D; d++) {
            ASSERT_NEAR((tw_row(&w.items.out, i)[d] - out[i][d]) / step, -expected_out[i][d], 0.05);
            ASSERT_NEAR((tw_row(&w.items.in, i)[d] - in[i][d]) / step, -expected_in[i][d], 0.05);
            ASSERT_NEAR((w.items.bias[i] - bias[i]) / step, -expected_bias[i], 0.05);
        }
    for (int d = 0; d < D; d++)
        ASSERT_NEAR((embedding[d] - before_embedding[d]) / w.context.user_rate, -expected_user[d], 0.01);
    tw_context_done(&w.context);
    tw_sampler_done(&w.sampler);
    tw_users_done(&w.users);
    tw_items_done(&w.items);
    tw_config_done(&w.config);
}
