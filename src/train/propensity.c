/* The two learners over one set of windows. Called by the command. */
#include "train/propensity.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "model/logistic.h"

#include <stdlib.h>

#define F TW_MOMENT_FEATURES

typedef struct work {
    const tw_examples *examples;
    const tw_propensity_options *options;
    tw_propensity *propensity;
    tw_logistic regression;
    float *normal;        /* (examples, F) features, normalised */
    float *x;             /* (R, F) of the network (lstm.h), or (B, (T + 1) F) of the regression */
    int *counts, *begins; /* (T) rows of each step, and where they begin */
    int *lengths, *order; /* (B) of the windows, and their places in the batch, longest first */
    float *labels;        /* (B), in that order or in the batch's */
    /* Of a part that is judged. */
    float *answers;
    bool *truths;
} work;

/* The window's moments, at most as many as the network has steps. */
static int length_of(const work *w, uint32_t row) {
    int n = 0;
    for (; n < w->options->steps && row != TW_EXAMPLE_NONE; n++)
        row = w->examples->rows[row].before;
    return n;
}

/* Places of the batch into order: longest window first, as the network takes them. An insertion sort: a batch is short. */
static void sort_windows(work *w, const uint32_t *rows, int B) {
    for (int b = 0; b < B; b++) {
        int length = length_of(w, rows[b]), at = b;
        for (; at > 0 && w->lengths[at - 1] < length; at--) {
            w->lengths[at] = w->lengths[at - 1];
            w->order[at] = w->order[at - 1];
        }
        w->lengths[at] = length;
        w->order[at] = b;
    }
}

/* Step by step, of each the windows that have begun. */
static void gather_steps(work *w, const uint32_t *rows, int B) {
    int T = w->options->steps, R = 0;
    sort_windows(w, rows, B);
    for (int t = 0; t < T; t++) {
        int begun = 0;
        while (begun < B && w->lengths[begun] >= T - t)
            begun++;
        w->begins[t] = R;
        w->counts[t] = begun;
        R += begun;
    }
    for (int b = 0; b < B; b++) {
        uint32_t row = rows[w->order[b]];
        w->labels[b] = w->examples->rows[row].bought;
        for (int t = T - 1; t >= T - w->lengths[b]; t--, row = w->examples->rows[row].before)
            memcpy(w->x + (size_t)(w->begins[t] + b) * F, w->normal + (size_t)row * F, F * sizeof(float));
    }
}

/* Each window flat, newest first, zero where there is nothing, then the mean over what there is. */
static void gather_flat(work *w, const uint32_t *rows, int B) {
    int T = w->options->steps, N = (T + 1) * F;
    memset(w->x, 0, (size_t)B * (size_t)N * sizeof(float));
    for (int b = 0; b < B; b++) {
        float *flat = w->x + (size_t)b * (size_t)N, *mean = flat + T * F;
        uint32_t row = rows[b];
        int found = 0;
        for (; found < T && row != TW_EXAMPLE_NONE; found++, row = w->examples->rows[row].before)
            for (int f = 0; f < F; f++) {
                flat[found * F + f] = w->normal[(size_t)row * F + (size_t)f];
                mean[f] += flat[found * F + f];
            }
        for (int f = 0; f < F; f++)
            mean[f] /= (float)found;
    }
}

static tw_code learn_network(void *self, const uint32_t *rows, int count, double *ret_loss, tw_err *err) {
    work *w = self;
    tw_propensity_network *network = &w->propensity->network;
    gather_steps(w, rows, count);
    tw_propensity_network_forward(network, w->x, w->counts);
    *ret_loss = (double)tw_propensity_network_backward(network, w->x, w->counts, w->labels);
    return tw_propensity_network_step(network, w->options->adam, err);
}

static tw_code learn_regression(void *self, const uint32_t *rows, int count, double *ret_loss, tw_err *err) {
    work *w = self;
    (void)err;
    gather_flat(w, rows, count);
    for (int b = 0; b < count; b++)
        w->labels[b] = w->examples->rows[rows[b]].bought;
    *ret_loss = (double)tw_logistic_learn(&w->regression, w->x, w->labels, count, w->options->adam);
    return TW_OK;
}

static void ask_network(work *w, const uint32_t *rows, int count, float *p) {
    gather_steps(w, rows, count);
    const float *answers = tw_propensity_network_forward(&w->propensity->network, w->x, w->counts);
    for (int b = 0; b < count; b++)
        p[w->order[b]] = answers[b];
}

static void ask_regression(work *w, const uint32_t *rows, int count, float *p) {
    gather_flat(w, rows, count);
    tw_logistic_ask(&w->regression, w->x, p, count);
}

typedef void (*ask_fn)(work *w, const uint32_t *rows, int count, float *p);

static void measure(work *w, ask_fn ask, const uint32_t *rows, size_t count, tw_measures *ret_measures) {
    size_t batch = (size_t)w->options->training.batch;
    for (size_t at = 0; at < count; at += batch)
        ask(w, rows + at, (int)(count - at < batch ? count - at : batch), w->answers + at);
    for (size_t i = 0; i < count; i++)
        w->truths[i] = w->examples->rows[rows[i]].bought;
    tw_measures_of(w->answers, w->truths, count, ret_measures);
}

static void judge_network(void *self, const uint32_t *rows, size_t count, double *ret_loss, double *ret_auc) {
    tw_measures m;
    measure(self, ask_network, rows, count, &m);
    *ret_loss = m.log_loss;
    *ret_auc = m.auc;
}

static void judge_regression(void *self, const uint32_t *rows, size_t count, double *ret_loss, double *ret_auc) {
    tw_measures m;
    measure(self, ask_regression, rows, count, &m);
    *ret_loss = m.log_loss;
    *ret_auc = m.auc;
}

static tw_code run(work *w, const tw_learner *learner, ask_fn ask, const tw_split *split, tw_train_beat beat,
                   tw_propensity_run *ret_run, tw_err *err) {
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    TW_TRY(tw_train(learner, &w->options->training, split, beat, &ret_run->curve, err));
    ret_run->seconds = (double)(tw_clock_steady_ns(&tw_clock_system) - start_ns) * 1e-9;
    measure(w, ask, split->rows[TW_PART_TEST], split->counts[TW_PART_TEST], &ret_run->test);
    return TW_OK;
}

static tw_code count_parts(const tw_examples *examples, const tw_split *split, tw_propensity_result *result,
                           tw_err *err) {
    for (int p = 0; p < TW_PARTS; p++) {
        result->counts[p] = split->counts[p];
        result->from_ms[p] = split->from_ms[p];
        result->positives[p] = 0;
        for (size_t i = 0; i < split->counts[p]; i++)
            result->positives[p] += examples->rows[split->rows[p][i]].bought;
    }
    size_t yes = result->positives[TW_PART_TRAIN], all = result->counts[TW_PART_TRAIN];
    if (yes == 0 || yes == all)
        return tw_fail(err, TW_E_BAD_FILE,
                       "%s of the %zu examples to train on buys within the horizon: there is nothing to learn",
                       yes ? "every one" : "none", all);
    return TW_OK;
}

static tw_code train_both(work *w, const tw_split *split, tw_train_beat beat, tw_propensity_result *result,
                          tw_err *err) {
    const tw_examples *examples = w->examples;
    tw_propensity_network *network = &w->propensity->network;
    float share = (float)((double)result->positives[TW_PART_TRAIN] / (double)result->counts[TW_PART_TRAIN]);
    tw_propensity_measure(w->propensity, examples->features, split->rows[TW_PART_TRAIN], split->counts[TW_PART_TRAIN]);
    for (size_t i = 0; i < examples->count; i++)
        tw_propensity_normalise(w->propensity, examples->features + i * F, w->normal + i * F);
    tw_propensity_network_expect(network, share);
    tw_logistic_expect(&w->regression, share);
    const tw_learner regression = {w,
                                   {{w->regression.weights, (size_t)w->regression.N + 1}},
                                   learn_regression,
                                   judge_regression},
                     recurrent = {w, {{network->weights, network->size}}, learn_network, judge_network};
    TW_TRY(run(w, &regression, ask_regression, split, beat, &result->regression, err));
    return run(w, &recurrent, ask_network, split, beat, &result->network, err);
}

tw_code tw_propensity_train(const tw_examples *examples, const tw_propensity_options *options, tw_train_beat beat,
                            tw_propensity *ret_propensity, tw_propensity_result *ret_result, tw_err *err) {
    size_t T = (size_t)options->steps, B = (size_t)options->training.batch, n = examples->count;
    tw_split split;
    int64_t *times_ms = tw_alloc((n + 1) * sizeof *times_ms);
    *ret_propensity = (tw_propensity){0};
    for (size_t i = 0; i < n; i++)
        times_ms[i] = examples->rows[i].ms;
    tw_code code = tw_split_by_time(times_ms, n, examples->horizon_ms, examples->last_ms, options->every,
                                    options->training.seed, &split, err);
    free(times_ms);
    if (code == TW_OK)
        code = count_parts(examples, &split, ret_result, err);
    if (code == TW_OK) {
        work w = {.examples = examples,
                  .options = options,
                  .propensity = ret_propensity,
                  .normal = tw_alloc_lines(n * F * sizeof(float)),
                  .x = tw_alloc_lines((T + 1) * B * F * sizeof(float)),
                  .counts = tw_zalloc(T * sizeof(int)),
                  .begins = tw_zalloc(T * sizeof(int)),
                  .lengths = tw_zalloc(B * sizeof(int)),
                  .order = tw_zalloc(B * sizeof(int)),
                  .labels = tw_zalloc(B * sizeof(float)),
                  .answers = tw_alloc(n * sizeof(float)),
                  .truths = tw_alloc(n * sizeof(bool))};
        tw_propensity_init(ret_propensity, examples->horizon_ms, options->steps, options->hidden,
                           options->training.batch, options->training.seed);
        tw_logistic_init(&w.regression, (options->steps + 1) * F);
        code = train_both(&w, &split, beat, ret_result, err);
        tw_logistic_done(&w.regression);
        free(w.normal);
        free(w.x);
        free(w.counts);
        free(w.begins);
        free(w.lengths);
        free(w.order);
        free(w.labels);
        free(w.answers);
        free(w.truths);
    }
    tw_split_done(&split);
    return code;
}
