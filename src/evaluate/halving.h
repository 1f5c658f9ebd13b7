/* Successive halving (Jamieson & Talwalkar 2016): many settings on a short part of the stream, the better of them on a longer one, and so on.
 * This is the arithmetic; tuning.c runs it. Thread: any. */
#ifndef TW_EVALUATE_HALVING_H
#define TW_EVALUATE_HALVING_H

#include "pipeline/learn/prequential.h"

#define TW_ROUNDS_MAX 16

typedef struct tw_halving_round {
    int settings;      /* that take part */
    double rows_share; /* of the rows of the last round */
} tw_halving_round;

/* Each round keeps one of keep settings (rounded up, at least one), on keep times the rows; the last round has at most keep of them and all the
 * rows. settings >= 1, keep >= 2.   rounds (TW_ROUNDS_MAX) out; returns how many */
int tw_halving_rounds(int settings, int keep, tw_halving_round *rounds);

/* How much better a setting does than the default: the mean over files of the relative gains in HR@10 and NDCG@10, half each.
 *   theirs, defaults (files), what each was asked on each file
 * From nothing to something is a gain of 1; from nothing to nothing, 0. */
double tw_halving_gain(const tw_prequential *theirs, const tw_prequential *defaults, int files);

/* Orders numbers of settings by gain, best first; of equal ones the lower number first.   order (count), gains by number */
void tw_halving_order(int *order, int count, const double *gains);

#endif
