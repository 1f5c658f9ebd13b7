/* Training of the propensity to buy, beside a logistic regression on the same windows: what `tailwater train propensity` does.
 *
 * Both learn from the same examples in the same batches with the same step and stop by the same rule; the regression sees the window laid
 * out flat, newest moment first, with the mean over it. Only the test part is judged in the end. Thread: its owner's. */
#ifndef TW_TRAIN_PROPENSITY_H
#define TW_TRAIN_PROPENSITY_H

#include "model/propensity.h"
#include "train/examples.h"
#include "train/measures.h"
#include "train/trainer.h"

typedef struct tw_propensity_options {
    tw_training training; /* batch and seed too */
    int steps, hidden;    /* of the network */
    tw_adam adam;         /* of both */
    uint64_t every;       /* one example in so many */
} tw_propensity_options;

/* One of the two after training. */
typedef struct tw_propensity_run {
    tw_curve curve;
    tw_measures test;
    double seconds;
} tw_propensity_run;

typedef struct tw_propensity_result {
    size_t counts[TW_PARTS], positives[TW_PARTS];
    int64_t from_ms[TW_PARTS];
    tw_propensity_run network, regression;
} tw_propensity_result;

/* ret_propensity is what was trained, to be done in any case. Errors: those of the split and of training; TW_E_BAD_FILE where nobody or
 * everybody buys in the training part. */
tw_code tw_propensity_train(const tw_examples *examples, const tw_propensity_options *options, tw_train_beat beat,
                            tw_propensity *ret_propensity, tw_propensity_result *ret_result, tw_err *err);

/* The result as text for a terminal, and as one JSON object. */
void tw_propensity_text(const tw_propensity_result *result, const tw_propensity *propensity, tw_buf *out);
void tw_propensity_json(const tw_propensity_result *result, const tw_propensity *propensity, tw_buf *out);

#endif
