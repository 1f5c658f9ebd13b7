/* The profile network against a plain oracle in double: answers, slopes by finite differences, and the steps of both optimizers. */
#include "base/rng.h"
#include "model/profile_network.h"
#include "support/test.h"

#include <stdlib.h>

#define B 5
#define N 7
#define C 6
#define K 3
#define H1 10
#define H2 4
#define STRIDE 16 /* of answers and targets */

typedef struct world {
    tw_network network;
    float x[B * N], logs[B * C * K], targets[B * STRIDE];
} world;

static const float *weight(const world *w, int layer, int input, int output) { /* input -1: the bias */
    const tw_layer *l = &w->network.layers[layer];
    return &l->weights[(input + 1) * l->stride + output];
}

static uint64_t sides; /* on which side of its kink each unit was, of all examples since it was put to zero */

/* One dense layer of one example, by the definition. */
static void dense(const world *w, int layer, const double *x, double *y, bool rectified) {
    const tw_layer *l = &w->network.layers[layer];
    for (int o = 0; o < l->outputs; o++) {
        y[o] = *weight(w, layer, -1, o);
        for (int i = 0; i < l->inputs; i++)
            y[o] += x[i] * *weight(w, layer, i, o);
        if (rectified)
            sides = sides * 31 + (y[o] < 0);
        if (rectified && y[o] < 0)
            y[o] *= 0.1;
    }
}

static void answer(const world *w, int b, double *p) {
    double x[N], h1[H1], h2[H2], sum = 0;
    for (int i = 0; i < N; i++)
        x[i] = w->x[b * N + i];
    dense(w, 0, x, h1, true);
    dense(w, 1, h1, h2, true);
    dense(w, 2, h2, p, false);
    for (int c = 0; c < C; c++) {
        for (int k = 0; k < K; k++)
            p[c] += (double)w->network.mix[k] * (double)w->logs[(b * C + c) * K + k];
        sum += exp(p[c]);
    }
    for (int c = 0; c < C; c++)
        p[c] = exp(p[c]) / sum;
}

static double loss_of(const world *w) {
    double loss = 0, p[C];
    for (int b = 0; b < B; b++) {
        answer(w, b, p);
        for (int c = 0; c < C; c++)
            loss -= (double)w->targets[b * STRIDE + c] * log(p[c]);
    }
    return loss / B;
}

static void begin(world *w, bool adam) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 2, 4);
    const tw_network_shape shape = {
        .hidden = {H1, H2}, .mixed = K, .batch_max = B, .descent = {adam, 0.01f}, .seed = 5};
    tw_network_init(&w->network, &shape);
    tw_network_reach(&w->network, N - 2, C - 1);
    tw_network_reach(&w->network, N, C);
    for (int l = 0; l < TW_NETWORK_LAYERS; l++) /* the last begins at zero, where nothing would go back through it */
        for (int i = -1; i < w->network.layers[l].inputs; i++)
            for (int o = 0; o < w->network.layers[l].outputs; o++)
                *(float *)weight(w, l, i, o) = 0.4f * (float)tw_rng_normal(&rng);
    for (int i = 0; i < B * N; i++)
        w->x[i] = (float)tw_rng_normal(&rng);
    for (int i = 0; i < B * C * K; i++)
        w->logs[i] = -3 * (float)tw_rng_unit(&rng);
    memset(w->targets, 0, sizeof w->targets);
    for (int b = 0; b < B; b++) {
        w->targets[b * STRIDE + b] = 0.75f;
        w->targets[b * STRIDE + (b + 2) % C] = 0.25f;
    }
}

static float learn(world *w) {
    tw_network_forward(&w->network, w->x, N, w->logs, C * K, B);
    return tw_network_backward(&w->network, w->x, N, w->logs, C * K, w->targets, STRIDE, B);
}

/* NAN where a unit goes through its kink on the way: there is no slope to compare with. */
static double slope(const world *w, float *x) {
    const float kept = *x, high = kept + 1e-3f, low = kept - 1e-3f;
    sides = 0;
    *x = high;
    double above = loss_of(w);
    uint64_t sides_above = sides;
    sides = 0;
    *x = low;
    double below = loss_of(w);
    *x = kept;
    return sides == sides_above ? (above - below) / ((double)high - (double)low) : NAN;
}

TEST(answers_are_those_of_the_definition) {
    world w;
    double p[C];
    begin(&w, false);
    const float *answers = tw_network_forward(&w.network, w.x, N, w.logs, C * K, B);
    for (int b = 0; b < B; b++) {
        answer(&w, b, p);
        for (int c = 0; c < C; c++)
            ASSERT_NEAR(answers[b * STRIDE + c], p[c], 1e-5);
    }
    ASSERT_NEAR(learn(&w), loss_of(&w), 1e-5);
    tw_network_done(&w.network);
}

TEST(an_example_is_answered_alike_alone_and_among_others) {
    world w;
    begin(&w, false);
    float together[B * STRIDE];
    memcpy(together, tw_network_forward(&w.network, w.x, N, w.logs, C * K, B), sizeof together);
    for (int b = 0; b < B; b++) {
        const float *alone = tw_network_forward(&w.network, w.x + b * N, N, w.logs + b * C * K, C * K, 1);
        for (int c = 0; c < C; c++)
            ASSERT_NEAR(alone[c], together[b * STRIDE + c], 1e-6);
    }
    tw_network_done(&w.network);
}

TEST(slopes_are_those_of_finite_differences_in_every_weight) {
    world w;
    begin(&w, false);
    learn(&w);
    int compared = 0, kinks = 0;
    for (int l = 0; l < TW_NETWORK_LAYERS; l++)
        for (int i = -1; i < w.network.layers[l].inputs; i++)
            for (int o = 0; o < w.network.layers[l].outputs; o++) {
                float *x = (float *)weight(&w, l, i, o);
                float found = w.network.layers[l].slopes[x - w.network.layers[l].weights];
                double expected = slope(&w, x);
                kinks += isnan(expected);
                if (isnan(expected))
                    continue;
                ASSERT_NEAR(found, expected, 1e-4);
                compared++;
            }
    ASSERT_GT(compared, 10 * kinks);
    for (int k = 0; k < K; k++)
        ASSERT_NEAR(w.network.mix_slopes[k], slope(&w, &w.network.mix[k]), 1e-4);
    tw_network_done(&w.network);
}

TEST(a_step_is_the_rate_times_the_slope) {
    world w;
    begin(&w, false);
    learn(&w);
    const tw_layer *l = &w.network.layers[0];
    float before = *weight(&w, 0, 3, 2), mix = w.network.mix[1], found = l->slopes[4 * l->stride + 2];
    tw_network_step(&w.network);
    ASSERT_NEAR(*weight(&w, 0, 3, 2), before - 0.01f * found, 1e-7);
    ASSERT_NEAR(w.network.mix[1], mix - 0.01f * w.network.mix_slopes[1], 1e-7);
    tw_network_done(&w.network);
}

TEST(adam_steps_as_its_paper_says) {
    world w;
    begin(&w, true);
    double m = 0, v = 0, x = *weight(&w, 1, 4, 1), m_mix = 0, v_mix = 0, mix = w.network.mix[0];
    for (int t = 1; t <= 4; t++) {
        learn(&w);
        const tw_layer *l = &w.network.layers[1];
        double g = l->slopes[5 * l->stride + 1], g_mix = w.network.mix_slopes[0];
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        x -= 0.01 * (m / (1 - pow(0.9, t))) / (sqrt(v / (1 - pow(0.999, t))) + 1e-8);
        m_mix = 0.9 * m_mix + 0.1 * g_mix;
        v_mix = 0.999 * v_mix + 0.001 * g_mix * g_mix;
        mix -= 0.01 * (m_mix / (1 - pow(0.9, t))) / (sqrt(v_mix / (1 - pow(0.999, t))) + 1e-8);
        tw_network_step(&w.network);
        ASSERT_NEAR(*weight(&w, 1, 4, 1), x, 1e-5);
        ASSERT_NEAR(w.network.mix[0], mix, 1e-5);
    }
    tw_network_done(&w.network);
}

TEST(steps_go_down_to_the_entropy_of_the_targets) {
    for (int adam = 0; adam < 2; adam++) {
        world w;
        begin(&w, adam);
        w.network.shape.descent.rate = adam ? 0.02f : 0.3f;
        float loss = 0;
        /* so many, because some starts leave the last hundredths to a slow direction */
        for (int i = 0; i < 10000; i++) {
            loss = learn(&w);
            tw_network_step(&w.network);
        }
        ASSERT_NEAR(loss, -(0.75 * log(0.75) + 0.25 * log(0.25)), 0.01);
        tw_network_done(&w.network);
    }
}

TEST(a_wider_network_answers_as_before_where_nothing_new_is_said) {
    world w;
    begin(&w, false);
    float before[C], x[N + 4] = {0}, logs[(C + 2) * K];
    memcpy(before, tw_network_forward(&w.network, w.x, N, w.logs, C * K, 1), sizeof before);
    tw_network_reach(&w.network, N + 4, C + 20);
    memcpy(x, w.x, N * sizeof *x);
    for (int i = 0; i < (C + 2) * K; i++)
        logs[i] = i < C * K ? w.logs[i] : -1e6f; /* the new ones are out of the question */
    static float all[(C + 20) * K];
    for (int i = 0; i < (C + 20) * K; i++)
        all[i] = i < C * K ? logs[i] : -1e6f;
    const float *after = tw_network_forward(&w.network, x, N + 4, all, (C + 20) * K, 1);
    for (int c = 0; c < C; c++)
        ASSERT_NEAR(after[c], before[c], 1e-6);
    for (int c = C; c < C + 20; c++)
        ASSERT_NEAR(after[c], 0, 0);
    tw_network_done(&w.network);
}

TEST(a_layer_that_is_cut_or_of_another_optimizer_is_refused_and_changes_nothing) {
    world w, other;
    tw_err err;
    tw_buf buf = {0}, again = {0};
    begin(&w, false);
    begin(&other, true);
    tw_layer_encode(&w.network.layers[1], &buf);
    ASSERT_OK(tw_layer_load(&w.network.layers[1], tw_buf_slice(&buf), &err));
    tw_layer_encode(&w.network.layers[1], &again);
    ASSERT_TRUE(tw_slice_equal(tw_buf_slice(&buf), tw_buf_slice(&again)));
    ASSERT_EQ(tw_layer_load(&other.network.layers[1], tw_buf_slice(&buf), &err), TW_E_STORE);
    for (size_t size = 0; size < buf.size; size += 1 + size / 3)
        ASSERT_EQ(tw_layer_load(&w.network.layers[1], (tw_slice){buf.data, size}, &err), TW_E_STORE);
    memset(buf.data, 0xff, 4); /* more inputs than anything has */
    ASSERT_EQ(tw_layer_load(&w.network.layers[1], tw_buf_slice(&buf), &err), TW_E_STORE);
    tw_buf_clear(&buf);
    tw_layer_encode(&w.network.layers[1], &buf);
    ASSERT_TRUE(tw_slice_equal(tw_buf_slice(&buf), tw_buf_slice(&again)));
    tw_buf_done(&buf);
    tw_buf_done(&again);
    tw_network_done(&w.network);
    tw_network_done(&other.network);
}
