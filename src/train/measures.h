/* How good probabilities of yes and no are. Thread: any. */
#ifndef TW_TRAIN_MEASURES_H
#define TW_TRAIN_MEASURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TW_MEASURE_BINS 10

/* Answers within a tenth of the scale: what was said, and how often it was so. */
typedef struct tw_reliability {
    uint64_t count;
    double said, was; /* means; 0 where there is none */
} tw_reliability;

typedef struct tw_measures {
    uint64_t count, positives;
    double auc;      /* that a yes is said more likely than a no, ties half (Hanley & McNeil 1982); .5 without both */
    double log_loss; /* mean, nats */
    double calibration_error; /* expected: mean over answers of |said - was| of their bin (Naeini et al. 2015) */
    tw_reliability bins[TW_MEASURE_BINS]; /* of equal width */
} tw_measures;

/* p, labels (n) in; p within [0, 1]. */
void tw_measures_of(const float *p, const bool *labels, size_t n, tw_measures *ret_measures);

#endif
