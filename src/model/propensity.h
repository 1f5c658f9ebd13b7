/* The propensity to buy: the network with what turns a user's moments into its input, as it is trained, kept in a file and asked.
 *
 * The input of a step is the moment's features (moment.h), each less its mean and over its standard deviation, at most
 * TW_PROPENSITY_NORMAL_MOST from zero; both are of the training part. Thread: its owner's. */
#ifndef TW_MODEL_PROPENSITY_H
#define TW_MODEL_PROPENSITY_H

#include "base/buf.h"
#include "model/moment.h"
#include "model/propensity_network.h"

#define TW_PROPENSITY_NORMAL_MOST 4.0f
#define TW_PROPENSITY_STEPS_MAX 256
#define TW_PROPENSITY_HIDDEN_MAX 512

typedef struct tw_propensity {
    int64_t horizon_ms;                                          /* it answers whether the user buys within this */
    float mean[TW_MOMENT_FEATURES], inverse[TW_MOMENT_FEATURES]; /* inverse: 1 / standard deviation */
    tw_propensity_network network;
} tw_propensity;

void tw_propensity_init(tw_propensity *propensity, int64_t horizon_ms, int steps, int hidden, int batch_max,
                        uint64_t seed);
void tw_propensity_done(tw_propensity *propensity);

/* Means and deviations of count rows of features, chosen by rows out of features (.., TW_MOMENT_FEATURES). */
void tw_propensity_measure(tw_propensity *propensity, const float *features, const uint32_t *rows, size_t count);
/* x (TW_MOMENT_FEATURES) out, from features as moment.h gives them. */
void tw_propensity_normalise(const tw_propensity *propensity, const float *features, float *x);

/* The payload of a file of kind PROPENSITY (model_file.h). */
void tw_propensity_encode(const tw_propensity *propensity, tw_buf *out);
/* Opens one that holds batches of batch_max. ret_propensity is to be done in any case. Errors: those of tw_model_file_read; TW_E_BAD_FILE
 * (shapes that do not fit, weights that are not finite). */
tw_code tw_propensity_read(const char *path, int batch_max, tw_propensity *ret_propensity, tw_err *err);

#endif
