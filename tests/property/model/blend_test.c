/* The blend's forward against plain loops, and its step against finite differences of the loss that blend.h states. */
#include "base/rng.h"
#include "model/blend.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

#define N 37
#define BUCKET 3
#define TARGET 5

static float x[TW_X_COUNT * TW_BLEND_CANDIDATES];

static double score_of(const tw_blend_weights *w, int candidate) {
    double score = 0;
    for (int f = 0; f < TW_X_COUNT; f++)
        score += ((double)w->shared[f] + w->by_length[BUCKET][f]) * x[f * TW_BLEND_CANDIDATES + candidate];
    for (int h = 0; h < TW_BLEND_HIDDEN; h++) {
        double z = 0;
        for (int f = 0; f < TW_X_COUNT; f++)
            z += (double)w->in[h][f] * x[f * TW_BLEND_CANDIDATES + candidate];
        score += w->out[h] * (z > 0 ? z : z / 10);
    }
    return score;
}

static double loss_of(const tw_blend_weights *w) {
    double sum = 0;
    for (int c = 0; c < N; c++)
        sum += exp(score_of(w, c));
    return log(sum) - score_of(w, TARGET);
}

static void draw(tw_blend *blend) {
    tw_config config;
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 21);
    tw_config_init(&config);
    tw_blend_init(blend, &config);
    float *weights = (float *)&blend->weights, *sums = (float *)&blend->sums;
    for (size_t i = 0; i < sizeof blend->weights / sizeof *weights; i++) {
        weights[i] = 0.3f * (float)tw_rng_normal(&rng);
        sums[i] = 1e8f; /* every step is the slope times one small rate */
    }
    for (int i = 0; i < TW_X_COUNT * TW_BLEND_CANDIDATES; i++)
        x[i] = (float)tw_rng_normal(&rng);
    tw_config_done(&config);
}

TEST(forward_agrees_with_plain_loops) {
    static tw_blend blend;
    float scores[N];
    draw(&blend);
    tw_blend_forward(&blend, BUCKET, x, N, scores);
    for (int c = 0; c < N; c++)
        ASSERT_NEAR(scores[c], score_of(&blend.weights, c), 1e-4);
}

TEST(a_step_goes_down_the_slope_of_the_loss_in_every_weight) {
    static tw_blend blend, after;
    float scores[N];
    draw(&blend);
    after = blend;
    after.rate = 1e4f; /* over the root of the sums: one */
    tw_blend_forward(&after, BUCKET, x, N, scores);
    tw_blend_step(&after, BUCKET, x, N, TARGET, scores);
    float *before = (float *)&blend.weights;
    const float *stepped = (const float *)&after.weights;
    const float h = 1e-3f;
    int bent = 0;
    for (size_t i = 0; i < sizeof blend.weights / sizeof *before; i++) {
        float kept = before[i];
        before[i] = kept + h;
        double above = loss_of(&blend.weights);
        before[i] = kept - h;
        double below = loss_of(&blend.weights);
        before[i] = kept;
        double slope = (above - below) / (2.0 * (double)h);
        bent += fabs((double)(kept - stepped[i]) - slope) > 0.01 + 0.02 * fabs(slope); /* r has a corner at 0 */
    }
    ASSERT_LT(bent, 20);
}

TEST(weights_come_back_as_they_went) {
    static tw_blend blend, again;
    tw_buf buf = {0};
    tw_err err;
    draw(&blend);
    tw_blend_encode(&blend, &buf);
    ASSERT_OK(tw_blend_load(&again, tw_buf_slice(&buf), &err));
    ASSERT_EQ(memcmp(&blend.weights, &again.weights, sizeof blend.weights), 0);
    ASSERT_EQ(memcmp(&blend.sums, &again.sums, sizeof blend.sums), 0);
    buf.size--;
    ASSERT_EQ(tw_blend_load(&again, tw_buf_slice(&buf), &err), TW_E_STORE);
    tw_buf_done(&buf);
}
