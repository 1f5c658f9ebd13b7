/* The context scorer: what a user met last points to what comes next.
 *
 * Items have two embeddings. A user's context is the decayed mean of the *in* vectors of the newest past items, the first half
 * of the dimensions with a fast decay, the second with a slow one, plus the user's own embedding. The score of an item is the
 * dot product of its *out* vector with the context plus its bias, which softmax over all items would make a probability; each
 * event trains it against the sampled pool with the log-q correction (Bengio & Senecal 2008) by row-wise Adagrad (Duchi et al.
 * 2011, one sum a row). Engine thread. */
#ifndef TW_MODEL_CONTEXT_H
#define TW_MODEL_CONTEXT_H

#include "math/kernels.h"
#include "model/items.h"
#include "model/sampler.h"
#include "model/users.h"

#define TW_CONTEXT_ITEMS_MAX 256

typedef struct tw_context {
    const tw_kernels *kernels;
    int D;
    uint32_t items_max; /* newest past items used */
    float fast, slow;   /* decays */
    float rate, user_rate;
    float *vector;                       /* (D) the context of the last make */
    float *gradient;                     /* (D) */
    uint32_t *targets;                   /* (pool + 1) items that take a step: the target, then its negatives */
    float **rows;                        /* (pool + 1) their out vectors */
    float *shares;                       /* (pool + 1) logits, then shares of the softmax, then slopes */
    float *steps;                        /* (pool + 1) */
    float *expected;                     /* (pool + 1) expected count of each among the draws of the pool */
    uint32_t used[TW_CONTEXT_ITEMS_MAX]; /* items of the last make, newest first */
    float weight_fast[TW_CONTEXT_ITEMS_MAX], weight_slow[TW_CONTEXT_ITEMS_MAX];
    uint32_t used_count;
} tw_context;

void tw_context_init(tw_context *context, const tw_config *config);
void tw_context_done(tw_context *context);

/* Small random *in* vector for a new item, from the seed and the item's id alone. */
void tw_context_new_item(const tw_context *context, tw_items *items, uint32_t item, uint64_t seed);

/* Makes the context of a user (NULL embedding: leave it out); false when there is no past to make it from. */
bool tw_context_make(tw_context *context, const tw_items *items, const tw_user *u, const float *embedding);

/* One step for target after the context was made: the target's out row up, the pool's down, the gradient back into the items
 * of the context and into the user's embedding. strength scales the step. Marks rows as changed. Returns the loss (nats). */
float tw_context_train(tw_context *context, tw_items *items, const tw_sampler *sampler, float *embedding,
                       uint32_t target, float strength);

#endif
