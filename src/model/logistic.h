/* Logistic regression by mini-batches and Adam: p = 1 / (1 + e^-(b + w . x)), binary cross-entropy. What the propensity network is held
 * against. Thread: its owner's. */
#ifndef TW_MODEL_LOGISTIC_H
#define TW_MODEL_LOGISTIC_H

#include "math/kernels.h"
#include "model/adam.h"

typedef struct tw_logistic {
    const tw_kernels *kernels;
    int N;
    float *weights, *slopes, *first, *second; /* (N + 1), b last */
    uint64_t steps;
} tw_logistic;

/* All weights zero. */
void tw_logistic_init(tw_logistic *logistic, int N);
void tw_logistic_done(tw_logistic *logistic);
/* Lets every first answer be this share, strictly between 0 and 1. */
void tw_logistic_expect(tw_logistic *logistic, float share);

/* x (B, N) in, p (B) out */
void tw_logistic_ask(const tw_logistic *logistic, const float *x, float *p, int B);
/* One step; labels (B), 0 or 1. Returns the mean loss before it, in nats. */
float tw_logistic_learn(tw_logistic *logistic, const float *x, const float *labels, int B, tw_adam adam);

#endif
