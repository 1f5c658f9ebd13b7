/* Adam and the logistic regression against the definitions in double. */
#include "base/rng.h"
#include "model/logistic.h"
#include "support/test.h"

#define N 6
#define B 5

static const tw_adam adam = {.rate = 0.01f, .decay = 0.5f};

TEST(adam_steps_as_its_definition_says) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 4, 1);
    float weights[N], first[N] = {0}, second[N] = {0}, slopes[N];
    double expected[N], m[N] = {0}, v[N] = {0};
    for (int i = 0; i < N; i++)
        expected[i] = (double)(weights[i] = (float)tw_rng_normal(&rng));
    for (int step = 1; step <= 20; step++) {
        for (int i = 0; i < N; i++) {
            double slope = (double)(slopes[i] = i ? (float)tw_rng_normal(&rng) : 0);
            m[i] = 0.9 * m[i] + 0.1 * slope;
            v[i] = 0.999 * v[i] + 0.001 * slope * slope;
            expected[i] -= 0.01 * 0.5 * expected[i];
            expected[i] -= 0.01 * (m[i] / (1 - pow(0.9, step))) / (sqrt(v[i] / (1 - pow(0.999, step))) + 1e-8);
        }
        tw_adam_step(weights, slopes, first, second, N, adam, (uint64_t)step);
    }
    for (int i = 0; i < N; i++)
        ASSERT_NEAR(weights[i], expected[i], 1e-5);
}

TEST(the_first_step_of_adam_is_the_rate_whatever_the_size_of_the_slope) {
    float weights[2] = {1, 1}, first[2] = {0}, second[2] = {0}, slopes[2] = {1e-3f, -1e6f};
    tw_adam_step(weights, slopes, first, second, 2, (tw_adam){.rate = 0.01f}, 1);
    ASSERT_NEAR(weights[0], 0.99, 1e-5);
    ASSERT_NEAR(weights[1], 1.01, 1e-5);
}

typedef struct world {
    tw_logistic logistic;
    float x[B * N], labels[B];
} world;

static void begin(world *w) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 4, 2);
    tw_logistic_init(&w->logistic, N);
    for (int i = 0; i <= N; i++)
        w->logistic.weights[i] = 0.5f * (float)tw_rng_normal(&rng);
    for (int i = 0; i < B * N; i++)
        w->x[i] = (float)tw_rng_normal(&rng);
    for (int b = 0; b < B; b++)
        w->labels[b] = (float)(b % 2);
}

static double answer(const world *w, int b) {
    double z = w->logistic.weights[N];
    for (int i = 0; i < N; i++)
        z += (double)w->logistic.weights[i] * (double)w->x[b * N + i];
    return 1 / (1 + exp(-z));
}

static double loss_of(const world *w) {
    double loss = 0;
    for (int b = 0; b < B; b++)
        loss -= log(w->labels[b] > 0 ? answer(w, b) : 1 - answer(w, b));
    return loss / B;
}

TEST(regression_answers_are_those_of_the_definition) {
    world w;
    float p[B];
    begin(&w);
    tw_logistic_ask(&w.logistic, w.x, p, B);
    for (int b = 0; b < B; b++)
        ASSERT_NEAR(p[b], answer(&w, b), 1e-5);
    double loss = loss_of(&w);
    ASSERT_NEAR(tw_logistic_learn(&w.logistic, w.x, w.labels, B, adam), loss, 1e-5);
    tw_logistic_done(&w.logistic);
}

TEST(regression_slopes_are_those_of_finite_differences) {
    world w;
    double expected[N + 1];
    begin(&w);
    for (int i = 0; i <= N; i++) {
        float *x = &w.logistic.weights[i], kept = *x, high = kept + 1e-3f, low = kept - 1e-3f;
        *x = high;
        expected[i] = loss_of(&w);
        *x = low;
        expected[i] = (expected[i] - loss_of(&w)) / ((double)high - (double)low);
        *x = kept;
    }
    tw_logistic_learn(&w.logistic, w.x, w.labels, B, adam);
    for (int i = 0; i <= N; i++)
        ASSERT_NEAR(w.logistic.slopes[i], expected[i], 2e-5);
    tw_logistic_done(&w.logistic);
}

TEST(regression_finds_the_weights_that_its_labels_were_drawn_by) {
    static const float truth[] = {1, -2, 0.5f}; /* the last of them the bias */
    tw_logistic logistic;
    float x[64], labels[32];
    tw_logistic_init(&logistic, 2);
    for (int step = 0; step < 4000; step++) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 5, (uint64_t)step);
        for (int b = 0; b < 32; b++) {
            x[2 * b] = (float)tw_rng_normal(&rng);
            x[2 * b + 1] = (float)tw_rng_normal(&rng);
            float z = truth[0] * x[2 * b] + truth[1] * x[2 * b + 1] + truth[2];
            labels[b] = tw_rng_unit(&rng) < 1 / (1 + exp(-(double)z));
        }
        tw_logistic_learn(&logistic, x, labels, 32, (tw_adam){.rate = step < 2000 ? 0.01f : 0.001f});
    }
    for (int i = 0; i < 3; i++)
        ASSERT_NEAR(logistic.weights[i], truth[i], 0.2);
    tw_logistic_done(&logistic);
}
