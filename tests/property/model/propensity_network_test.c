/* The recurrent network against a plain oracle in double, slopes by finite differences, and numbers that another framework gave. */
#include "base/rng.h"
#include "model/propensity_network.h"
#include "property/model/propensity_reference.h"
#include "support/test.h"

#define T 6
#define B 4
#define N 3
#define H 5

static const tw_propensity_shape shape = {.inputs = N, .steps = T, .hidden = H};
static const int begin_at[B] = {0, 0, 2, T - 1}; /* the first step of each sequence */

typedef struct world {
    tw_propensity_network network;
    float x[T * B * N], labels[B]; /* x: rows of those that have begun, step by step */
    int counts[T];
} world;

static void begin(world *w) {
    tw_propensity_network_init(&w->network, &shape, B, 3);
    for (int b = 0; b < B; b++) {
        w->labels[b] = b == 0 || b == 3;
        for (int t = 0; t < T; t++)
            w->counts[t] = b ? w->counts[t] + (t >= begin_at[b]) : t >= begin_at[b];
    }
}

static float *x_of(world *w, int b, int t) {
    int row = b;
    for (int before = 0; before < t; before++)
        row += w->counts[before];
    return w->x + row * N;
}

static void begin_at_random(world *w) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 3, 1);
    begin(w);
    for (size_t i = 0; i < w->network.size; i++)
        w->network.weights[i] = 0.5f * (float)tw_rng_normal(&rng);
    for (int i = 0; i < T * B * N; i++)
        w->x[i] = (float)tw_rng_normal(&rng);
}

/* Weights and inputs by the formulas of the script. */
static void begin_as_reference(world *w) {
    begin(w);
    for (size_t i = 0; i < w->network.size; i++)
        w->network.weights[i] = (float)(0.4 * sin(1.1 + 0.7 * (double)i));
    for (int b = 0; b < B; b++)
        for (int t = begin_at[b]; t < T; t++)
            for (int n = 0; n < N; n++)
                x_of(w, b, t)[n] = (float)sin(0.3 + 0.7 * ((b * T + t) * N + n));
}

static double squash(double z) {
    return 1 / (1 + exp(-z));
}

/* One layer over one sequence, by the definition: x (T, inputs), h (T, H). Returns where its weights end. */
static const float *layer(const float *weights, int inputs, const double *x, int from, double *h) {
    const float *Wh = weights + inputs * 4 * H, *bias = Wh + H * 4 * H;
    double c[H] = {0}, z[4 * H];
    for (int t = 0; t < T * H; t++)
        h[t] = 0;
    for (int t = from; t < T; t++) {
        for (int o = 0; o < 4 * H; o++) {
            z[o] = bias[o];
            for (int i = 0; i < inputs; i++)
                z[o] += x[t * inputs + i] * weights[i * 4 * H + o];
            for (int i = 0; i < H && t > from; i++)
                z[o] += h[(t - 1) * H + i] * Wh[i * 4 * H + o];
        }
        for (int j = 0; j < H; j++) {
            c[j] = squash(z[H + j]) * c[j] + squash(z[j]) * tanh(z[2 * H + j]);
            h[t * H + j] = squash(z[3 * H + j]) * tanh(c[j]);
        }
    }
    return bias + 4 * H;
}

static double answer(world *w, int b) {
    double x[T * N], h1[T * H], h2[T * H];
    for (int t = begin_at[b]; t < T; t++)
        for (int n = 0; n < N; n++)
            x[t * N + n] = x_of(w, b, t)[n];
    const float *second = layer(w->network.weights, N, x, begin_at[b], h1);
    const float *last = layer(second, H, h1, begin_at[b], h2);
    double z = last[H];
    for (int j = 0; j < H; j++)
        z += (double)last[j] * h2[(T - 1) * H + j];
    return squash(z);
}

static double loss_of(world *w) {
    double loss = 0;
    for (int b = 0; b < B; b++)
        loss -= log(w->labels[b] > 0 ? answer(w, b) : 1 - answer(w, b));
    return loss / B;
}

static float learn(world *w) {
    tw_propensity_network_forward(&w->network, w->x, w->counts);
    return tw_propensity_network_backward(&w->network, w->x, w->counts, w->labels);
}

TEST(recurrent_answers_are_those_of_the_definition) {
    world w;
    begin_at_random(&w);
    const float *p = tw_propensity_network_forward(&w.network, w.x, w.counts);
    for (int b = 0; b < B; b++)
        ASSERT_NEAR(p[b], answer(&w, b), 1e-5);
    ASSERT_NEAR(learn(&w), loss_of(&w), 1e-5);
    tw_propensity_network_done(&w.network);
}

TEST(recurrent_slopes_are_those_of_finite_differences_in_every_weight) {
    world w;
    begin_at_random(&w);
    learn(&w);
    for (size_t i = 0; i < w.network.size; i++) {
        float *x = &w.network.weights[i], kept = *x, high = kept + 1e-3f, low = kept - 1e-3f;
        *x = high;
        double above = loss_of(&w);
        *x = low;
        double below = loss_of(&w);
        *x = kept;
        ASSERT_NEAR(w.network.slopes[i], (above - below) / ((double)high - (double)low), 2e-5);
    }
    tw_propensity_network_done(&w.network);
}

TEST(recurrent_answers_and_slopes_are_those_of_another_framework) {
    world w;
    begin_as_reference(&w);
    const float *p = tw_propensity_network_forward(&w.network, w.x, w.counts);
    for (int b = 0; b < B; b++)
        ASSERT_NEAR(p[b], reference_p[b], 1e-6);
    ASSERT_NEAR(learn(&w), reference_loss, 1e-6);
    ASSERT_EQ(w.network.size, sizeof reference_slopes / sizeof reference_slopes[0]);
    for (size_t i = 0; i < w.network.size; i++)
        ASSERT_NEAR(w.network.slopes[i], reference_slopes[i], 1e-6);
    tw_propensity_network_done(&w.network);
}

TEST(three_steps_of_adam_end_where_another_framework_ends) {
    world w;
    tw_err err;
    begin_as_reference(&w);
    for (int s = 0; s < 3; s++) {
        learn(&w);
        ASSERT_OK(tw_propensity_network_step(&w.network, (tw_adam){.rate = 0.01f}, &err));
    }
    ASSERT_NEAR(learn(&w), reference_loss_after, 1e-5);
    tw_propensity_network_done(&w.network);
}

TEST(a_sequence_is_answered_alike_alone_and_among_others) {
    world w;
    begin_at_random(&w);
    float together[B], x[T * N];
    memcpy(together, tw_propensity_network_forward(&w.network, w.x, w.counts), sizeof together);
    for (int b = 0; b < B; b++) {
        int counts[T], rows = 0;
        for (int t = 0; t < T; t++) {
            counts[t] = t >= begin_at[b];
            memcpy(x + rows * N, x_of(&w, b, t), (size_t)counts[t] * N * sizeof *x);
            rows += counts[t];
        }
        ASSERT_NEAR(tw_propensity_network_forward(&w.network, x, counts)[0], together[b], 1e-6);
    }
    tw_propensity_network_done(&w.network);
}

TEST(a_first_answer_is_the_share_it_is_told) {
    world w;
    begin_at_random(&w);
    tw_propensity_network_expect(&w.network, 0.2f);
    const float *p = tw_propensity_network_forward(&w.network, w.x, w.counts);
    for (int b = 0; b < B; b++)
        ASSERT_NEAR(p[b], 0.2, 1e-6);
    tw_propensity_network_done(&w.network);
}

TEST(large_numbers_saturate_and_stay_finite) {
    world w;
    begin_at_random(&w);
    for (int i = 0; i < T * B * N; i++)
        w.x[i] *= 1e4f;
    ASSERT_TRUE(isfinite(learn(&w)));
    for (size_t i = 0; i < w.network.size; i++)
        ASSERT_TRUE(isfinite(w.network.slopes[i]));
    tw_propensity_network_done(&w.network);
}

TEST(a_step_of_slopes_that_are_not_finite_is_refused_and_changes_nothing) {
    world w;
    tw_err err;
    begin_at_random(&w);
    w.x[0] = NAN;
    learn(&w);
    float kept = w.network.weights[7];
    ASSERT_EQ(tw_propensity_network_step(&w.network, (tw_adam){.rate = 0.01f}, &err), TW_E_DIVERGED);
    ASSERT_NEAR(w.network.weights[7], kept, 0);
    ASSERT_EQ(w.network.updates, 0);
    tw_propensity_network_done(&w.network);
}
