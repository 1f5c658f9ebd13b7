/* ADWIN (Bifet & Gavalda 2007): the mean of a stream over the longest window whose parts agree.
 *
 * The window is an exponential histogram: buckets of 1, 2, 4, ... values, at most TW_ADWIN_WIDTH of a size, so that memory is
 * logarithmic. After each value every split at a bucket's edge is tried; where the means of the two parts are further apart than
 *   eps = sqrt(2 v ln(2 / d) / m) + 2 R ln(2 / d) / (3 m),   1 / m = 1 / n_0 + 1 / n_1,   d = delta / ln(n)
 * the older part goes. v is the variance of the whole window, R the range of the values. Thread: engine. */
#ifndef TW_DRIFT_ADWIN_H
#define TW_DRIFT_ADWIN_H

#include "base/buf.h"

#include <stdbool.h>

#define TW_ADWIN_WIDTH 5
#define TW_ADWIN_ROWS 40

typedef struct tw_adwin_bucket {
    double sum, squares; /* squares: sum of squared distances from the bucket's mean */
} tw_adwin_bucket;

typedef struct tw_adwin {
    double delta, range;
    uint32_t least; /* no part is shorter */
    /* State. */
    uint32_t used[TW_ADWIN_ROWS]; /* buckets of 2^row values, newest first */
    tw_adwin_bucket buckets[TW_ADWIN_ROWS][TW_ADWIN_WIDTH + 1];
} tw_adwin;

typedef struct tw_adwin_cut {
    double n_before, n_after, mean_before, mean_after;
    double bound; /* the least delta at which the cut would have been made: how likely it is by chance, at most */
} tw_adwin_cut;

void tw_adwin_init(tw_adwin *adwin, double delta, double range, uint32_t least);
/* Takes a value in. True: the window was cut; *ret_cut (may be NULL) is the first cut, of the whole window. */
bool tw_adwin_add(tw_adwin *adwin, double value, tw_adwin_cut *ret_cut);
/* Forgets what came before the newest n values, as far as buckets tell them apart: a change that is told is the past from now on. */
void tw_adwin_keep(tw_adwin *adwin, double n);
double tw_adwin_count(const tw_adwin *adwin);
double tw_adwin_mean(const tw_adwin *adwin); /* 0 when it is empty */

void tw_adwin_encode(const tw_adwin *adwin, tw_buf *out);
bool tw_adwin_load(tw_adwin *adwin, tw_cursor *c); /* false: damaged */

#endif
