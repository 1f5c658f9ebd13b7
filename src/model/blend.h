/* The blend: final score = sum over scorers of weight x log-score, with weights of their own for each bucket of a user's history
 * length, learned online by softmax over the whole catalogue from which item came next. These are the "model weights" of
 * the state. A weight has a row-less Adagrad sum of its own. Engine thread. */
#ifndef TW_MODEL_BLEND_H
#define TW_MODEL_BLEND_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

/* The scorers of the default model; REPEAT and OWN speak only of the user's own past items, OWN is the constant for being one. */
enum { TW_BY_CONTEXT, TW_BY_TRANSITIONS, TW_BY_TRENDING, TW_BY_POPULAR, TW_BY_REPEAT, TW_BY_OWN, TW_BLEND_SCORERS };
#define TW_BLEND_BUCKETS 8 /* histories of 1, 2, 3-4, 5-8, 9-16, 17-32, 33-64, more */

typedef struct tw_blend {
    float weights[TW_BLEND_BUCKETS][TW_BLEND_SCORERS];
    float sums[TW_BLEND_BUCKETS][TW_BLEND_SCORERS]; /* Adagrad */
    float rate;
} tw_blend;

void tw_blend_init(tw_blend *blend, const tw_config *config);
int tw_blend_bucket(uint32_t history);
/* One step up the log-likelihood: gradient (TW_BLEND_SCORERS) = features of what came - their mean under the softmax. */
void tw_blend_step(tw_blend *blend, int bucket, const double *gradient);

void tw_blend_encode(const tw_blend *blend, tw_buf *out);
tw_code tw_blend_load(tw_blend *blend, tw_slice bytes, tw_err *err);

#endif
