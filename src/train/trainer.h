/* Epochs over shuffled mini-batches with early stopping, for anything that learns from numbered examples: the best epoch on the validation
 * part is the one that is kept. Repeats by the seed. Thread: its owner's. */
#ifndef TW_TRAIN_TRAINER_H
#define TW_TRAIN_TRAINER_H

#include "base/buf.h"
#include "train/read.h"
#include "train/split.h"

#define TW_EPOCHS_MAX 1000

#define TW_LEARNER_PARTS_MAX 8

/* Numbers that are kept from the best epoch. */
typedef struct tw_learner_part {
    float *weights;
    size_t size;
} tw_learner_part;

/* What learns. Rows are numbers of examples. */
typedef struct tw_learner {
    void *self;
    tw_learner_part parts[TW_LEARNER_PARTS_MAX]; /* up to the first of size zero */
    /* One step on a mini-batch. *ret_loss: its mean loss before the step. */
    tw_code (*learn)(void *self, const uint32_t *rows, int count, double *ret_loss, tw_err *err);
    /* Mean loss on a part, and one more measure where more is better (AUC, share of right answers). */
    void (*judge)(void *self, const uint32_t *rows, size_t count, double *ret_loss, double *ret_score);
} tw_learner;

typedef struct tw_training {
    int epochs, batch;
    int patience; /* stops after so many epochs without a better validation loss */
    uint64_t seed;
} tw_training;

typedef struct tw_epoch {
    double train_loss; /* mean over the epoch's batches, as they were met */
    double validation_loss, validation_score;
} tw_epoch;

/* The learning curve. */
typedef struct tw_curve {
    tw_epoch epochs[TW_EPOCHS_MAX];
    int count, best; /* best: whose weights were kept */
} tw_curve;

/* Errors: those of learn; TW_E_DIVERGED (the loss is not finite), TW_E_INTERRUPTED. beat is told of examples learned. */
tw_code tw_train(const tw_learner *learner, const tw_training *training, const tw_split *split, tw_train_beat beat,
                 tw_curve *ret_curve, tw_err *err);

/* curve.c. A curve as lines of text, and as members of a JSON object. score: what the score is called. */
void tw_curve_text(const tw_curve *curve, const char *title, double seconds, const char *score, tw_buf *out);
void tw_curve_json(const tw_curve *curve, double seconds, const char *score, tw_buf *out);

#endif
