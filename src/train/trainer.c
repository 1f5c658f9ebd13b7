/* The loop over epochs. Called by the commands that train. */
#include "train/trainer.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Fisher & Yates, by the seed and the epoch. */
static void shuffle(uint32_t *rows, size_t count, uint64_t seed, int epoch) {
    tw_rng rng = tw_rng_at(seed, 52, (uint64_t)epoch);
    for (size_t i = count; i > 1; i--) {
        uint32_t j = tw_rng_below(&rng, (uint32_t)i), kept = rows[i - 1];
        rows[i - 1] = rows[j];
        rows[j] = kept;
    }
}

static tw_code learn_epoch(const tw_learner *learner, const tw_training *training, const uint32_t *rows, size_t count,
                           int epoch, tw_train_beat beat, double *ret_loss, tw_err *err) {
    double sum = 0, loss;
    for (size_t at = 0; at < count; at += (size_t)training->batch) {
        int n = (int)(count - at < (size_t)training->batch ? count - at : (size_t)training->batch);
        TW_TRY(learner->learn(learner->self, rows + at, n, &loss, err));
        sum += loss * n;
        int64_t done = (int64_t)((size_t)epoch * count + at) + n;
        if (!beat.go_on(beat.self, done, training->epochs * (int64_t)count, (uint64_t)done))
            return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal");
    }
    *ret_loss = sum / (double)count;
    return isfinite(sum) ? TW_OK
                         : tw_fail(err, TW_E_DIVERGED, "the loss is not finite: a lower learning rate may help");
}

static size_t size_of(const tw_learner *learner) {
    size_t size = 0;
    for (int i = 0; i < TW_LEARNER_PARTS_MAX; i++)
        size += learner->parts[i].size;
    return size;
}

static void keep(const tw_learner *learner, float *best) {
    for (int i = 0; i < TW_LEARNER_PARTS_MAX && learner->parts[i].size; best += learner->parts[i++].size)
        memcpy(best, learner->parts[i].weights, learner->parts[i].size * sizeof(float));
}

static void give_back(const tw_learner *learner, const float *best) {
    for (int i = 0; i < TW_LEARNER_PARTS_MAX && learner->parts[i].size; best += learner->parts[i++].size)
        memcpy(learner->parts[i].weights, best, learner->parts[i].size * sizeof(float));
}

tw_code tw_train(const tw_learner *learner, const tw_training *training, const tw_split *split, tw_train_beat beat,
                 tw_curve *ret_curve, tw_err *err) {
    size_t count = split->counts[TW_PART_TRAIN];
    uint32_t *rows = tw_alloc(count * sizeof *rows);
    float *best = tw_alloc(size_of(learner) * sizeof(float));
    tw_code code = TW_OK;
    TW_ASSERT(training->epochs >= 1 && training->epochs <= TW_EPOCHS_MAX && training->batch >= 1);
    memcpy(rows, split->rows[TW_PART_TRAIN], count * sizeof *rows);
    keep(learner, best);
    ret_curve->count = ret_curve->best = 0;
    for (int e = 0; e < training->epochs && e <= ret_curve->best + training->patience; e++) {
        tw_epoch *epoch = &ret_curve->epochs[e];
        shuffle(rows, count, training->seed, e);
        code = learn_epoch(learner, training, rows, count, e, beat, &epoch->train_loss, err);
        if (code != TW_OK)
            break;
        learner->judge(learner->self, split->rows[TW_PART_VALIDATION], split->counts[TW_PART_VALIDATION],
                       &epoch->validation_loss, &epoch->validation_score);
        ret_curve->count++;
        if (e == 0 || epoch->validation_loss < ret_curve->epochs[ret_curve->best].validation_loss) {
            ret_curve->best = e;
            keep(learner, best);
        }
    }
    give_back(learner, best);
    free(best);
    free(rows);
    return code;
}
