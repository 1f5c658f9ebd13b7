/* The blend: from what every scorer says of a candidate to one score, learned online from which item came next. These are the
 * "model weights" of the state.
 *
 *   score(x) = (w + w_b) . x + sum_h v_h r(u_h . x)        r(z) = z for z > 0, else z / 10
 *
 * x are the inputs of one candidate (features.h makes them), b is the bucket of the user's history length. The first term is a
 * log-linear mixture of the scorers with weights of their own for each history length; the second, one hidden layer, knows
 * what depends on what (a repeat after a purchase, transitions of an item seldom seen). Loss: cross-entropy of the softmax over
 * the candidates; every number has an Adagrad sum of its own (Duchi et al. 2011). Engine thread. */
#ifndef TW_MODEL_BLEND_H
#define TW_MODEL_BLEND_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "math/kernels.h"

/* Inputs of a candidate. Of the scorers: */
enum {
    TW_X_CONTEXT,      /* log-probability by the context */
    TW_X_CONTEXT_FAST, /* the half of it that forgets fast */
    TW_X_BIAS,         /* the part of it that is the item's alone */
    /* Transitions: log-shares of next, after, before over the newest past items, then over the last alone. */
    TW_X_NEXT,
    TW_X_AFTER,
    TW_X_BEFORE,
    TW_X_LAST_NEXT,
    TW_X_LAST_AFTER,
    TW_X_LAST_BEFORE,
    TW_X_PREVIOUS_AFTER, /* the item before the last, alone */
    TW_X_VOTES,          /* log of how many of the newest past items it followed or led to */
    TW_X_MIXED,    /* log of a mixture of the shares by context, next, after and before: one strong voice is enough */
    TW_X_TRENDING, /* log-counts: decayed fast, and slow */
    TW_X_POPULAR,
    TW_X_QUIET,      /* log of events since anybody met it */
    TW_X_YOUNG,      /* log of time since it appeared */
    TW_X_OWN,        /* 1: one of the user's past items, of which the next speak; else all 0 */
    TW_X_REPEAT,     /* log-chance by age and count */
    TW_X_OWN_TIME,   /* log of time since */
    TW_X_OWN_PLACE,  /* log of how many other items since */
    TW_X_OWN_COUNT,  /* log of how often */
    TW_X_OWN_BOUGHT, /* 1: was bought */
    TW_X_RESUME,     /* what the user met next after an item met again: 1 for the next, less for those after */
    TW_X_ONE,        /* 1; and of the user, the same for all candidates: they speak through the hidden layer only */
    TW_X_LENGTH,     /* log of history length */
    TW_X_HABIT,      /* share of the user's events that met an item again */
    TW_X_PAUSE,      /* log of time since the user's last event */
    TW_X_SEEN,       /* log of how much was seen of the last item */
    TW_X_COUNT
};
#define TW_BLEND_HIDDEN 32
#define TW_BLEND_BUCKETS 8 /* histories of 1, 2, 3-4, 5-8, 9-16, 17-32, 33-64, more */
#define TW_BLEND_CANDIDATES 256

typedef struct tw_blend_weights {
    float shared[TW_X_COUNT], by_length[TW_BLEND_BUCKETS][TW_X_COUNT];
    float in[TW_BLEND_HIDDEN][TW_X_COUNT], out[TW_BLEND_HIDDEN];
} tw_blend_weights;

typedef struct tw_blend {
    tw_blend_weights weights, sums; /* sums: Adagrad */
    float rate;
    const tw_kernels *kernels;
    float hidden[TW_BLEND_HIDDEN][TW_BLEND_CANDIDATES]; /* of the last forward, before r */
} tw_blend;

void tw_blend_init(tw_blend *blend, const tw_config *config);
int tw_blend_bucket(uint32_t history);

/* Scores of n candidates.   x (TW_X_COUNT, TW_BLEND_CANDIDATES), n used; scores (n) out */
void tw_blend_forward(tw_blend *blend, int bucket, const float *x, int n, float *scores);
/* One step down the loss after forward.   scores (n) in; destroyed */
void tw_blend_step(tw_blend *blend, int bucket, const float *x, int n, int target, float *scores);

void tw_blend_encode(const tw_blend *blend, tw_buf *out);
tw_code tw_blend_load(tw_blend *blend, tw_slice bytes, tw_err *err);

#endif
