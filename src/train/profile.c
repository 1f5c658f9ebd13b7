/* The profile network over examples by epochs. Called by the command. */
#include "train/profile.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <stdlib.h>

#define LOG_NEVER -20.723266f /* log 1e-9, as a share of zero is in a profile */

typedef struct work {
    const tw_tastes *tastes;
    tw_profile *profile;
} work;

/* Examples into the places of those that wait. */
static void gather(work *w, const uint32_t *rows, int B) {
    tw_profile *profile = w->profile;
    int N = profile->inputs, t_stride = profile->network.layers[2].stride;
    memset(profile->targets, 0, (size_t)B * (size_t)t_stride * sizeof(float));
    for (int b = 0; b < B; b++) {
        const tw_tastes_example *example = &w->tastes->rows[rows[b]];
        float *x = profile->waiting + b * N;
        memcpy(x, w->tastes->x + example->at, (size_t)example->inputs * sizeof(float));
        for (int j = example->inputs; j < N; j++)
            x[j] = LOG_NEVER;
        for (int i = 0; i < example->shares.count; i++)
            profile->targets[b * t_stride + example->shares.numbers[i]] = example->shares.shares[i];
    }
}

static tw_code learn(void *self, const uint32_t *rows, int count, double *ret_loss, tw_err *err) {
    work *w = self;
    (void)err;
    gather(w, rows, count);
    *ret_loss = (double)tw_profile_teach(w->profile, count);
    return TW_OK;
}

static void measure(work *w, const uint32_t *rows, size_t count, tw_category_loss *ret_loss) {
    tw_profile *profile = w->profile;
    size_t batch = (size_t)profile->batch;
    int stride = profile->network.layers[2].stride, used = (int)tw_categories_used(&profile->categories);
    *ret_loss = (tw_category_loss){0};
    for (size_t at = 0; at < count; at += batch) {
        int n = (int)(count - at < batch ? count - at : batch);
        gather(w, rows + at, n);
        const float *p = tw_profile_ask(profile, n);
        for (int b = 0; b < n; b++)
            tw_category_loss_add(ret_loss, p + b * stride, profile->targets + b * stride, used);
    }
}

static void judge(void *self, const uint32_t *rows, size_t count, double *ret_loss, double *ret_score) {
    tw_category_loss loss;
    measure(self, rows, count, &loss);
    *ret_loss = tw_category_loss_cross_entropy(&loss);
    *ret_score = tw_category_loss_top1(&loss);
}

/* A profile without a context vector, for the categories of the stream; how common they are is of the training part. */
static void begin(tw_profile *profile, const tw_tastes *tastes, const tw_config *config, const tw_split *split) {
    tw_profile_init(profile, config);
    profile->D = 0;
    for (uint32_t i = 0; i < tastes->categories.count; i++)
        tw_categories_add(&profile->categories, tw_categories_name(&tastes->categories, i));
    profile->categories.rest = tastes->categories.rest;
    tw_profile_widen(profile);
    profile->prices = tastes->prices;
    profile->price_mean = tastes->price_mean;
    profile->price_square = tastes->price_square;
    for (size_t i = 0; i < split->counts[TW_PART_TRAIN]; i++) {
        const tw_category_shares *shares = &tastes->rows[split->rows[TW_PART_TRAIN][i]].shares;
        for (int s = 0; s < shares->count; s++)
            profile->frequency[shares->numbers[s]] += (double)shares->shares[s];
        profile->frequency_sum += 1;
    }
}

tw_code tw_profile_train(const tw_tastes *tastes, const tw_config *config, const tw_training *training,
                         tw_train_beat beat, tw_profile *ret_profile, tw_profile_result *ret_result, tw_err *err) {
    tw_split split;
    *ret_profile = (tw_profile){0};
    tw_code code =
        tw_split_by_time(tastes->times_ms, tastes->count, 0, tastes->last_ms, 1, training->seed, &split, err);
    if (code == TW_OK) {
        const uint32_t *test = split.rows[TW_PART_TEST];
        size_t tests = split.counts[TW_PART_TEST];
        work w = {tastes, ret_profile};
        begin(ret_profile, tastes, config, &split);
        tw_layer *layers = ret_profile->network.layers;
        size_t N = (size_t)ret_profile->inputs;
        const tw_learner learner = {&w,
                                    {{layers[0].weights, tw_layer_size(&layers[0])},
                                     {layers[1].weights, tw_layer_size(&layers[1])},
                                     {layers[2].weights, tw_layer_size(&layers[2])},
                                     {ret_profile->network.mix, TW_HORIZONS},
                                     {ret_profile->mean, N},
                                     {ret_profile->variance, N}},
                                    learn,
                                    judge};
        memcpy(ret_result->counts, split.counts, sizeof split.counts);
        memcpy(ret_result->from_ms, split.from_ms, sizeof split.from_ms);
        measure(&w, test, tests, &ret_result->start);
        int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
        code = tw_train(&learner, training, &split, beat, &ret_result->curve, err);
        ret_result->seconds = (double)(tw_clock_steady_ns(&tw_clock_system) - start_ns) * 1e-9;
        measure(&w, test, tests, &ret_result->test);
    }
    tw_split_done(&split);
    return code;
}
