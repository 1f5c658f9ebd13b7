/* The distribution of one property over all events (categories, kinds, prices, ratings), and whether it has changed.
 *
 * Outcomes gather in blocks of TW_MIX_BLOCK. When a block is full, the newest 1, 2, 4, 8 and 16 blocks are held against what came before, by the
 * Jensen-Shannon divergence calibrated by n (divergence.h). Events of one visit are not independent draws, so its law is learned rather than taken
 * from the chi-squared table: mean and variance of the ratio per degree of freedom, for each length apart, give a gamma distribution, whose
 * tail is the p-value (Satterthwaite 1946). No alarm before TW_MIX_FIRST comparisons of that length. After an alarm the past is what
 * came since, so that a change is told once. Thread: engine. */
#ifndef TW_DRIFT_MIX_H
#define TW_DRIFT_MIX_H

#include "base/buf.h"

#include <stdbool.h>

#define TW_MIX_BLOCK 64
#define TW_MIX_LENGTHS 5
#define TW_MIX_BLOCKS 16 /* of the longest */
#define TW_MIX_OUTCOMES 64
#define TW_MIX_FIRST 24

typedef struct tw_mix {
    int outcomes;
    double p_max; /* alarm below it */
    /* State. */
    uint32_t in_block;                                 /* of the newest block */
    uint32_t blocks;                                   /* full ones since the start of the past, at most 2^31 */
    uint64_t seen;                                     /* outcomes, all time */
    uint16_t ring[TW_MIX_BLOCKS + 1][TW_MIX_OUTCOMES]; /* counts of the newest blocks; the one that fills is at head */
    int64_t ring_ms[TW_MIX_BLOCKS + 1];                /* event time where each begins */
    uint32_t head;
    double past[TW_MIX_OUTCOMES];                                           /* decayed counts of what left the ring */
    double n[TW_MIX_LENGTHS], mean[TW_MIX_LENGTHS], square[TW_MIX_LENGTHS]; /* of ratio / degrees, by length */
} tw_mix;

typedef struct tw_mix_change {
    double from[TW_MIX_OUTCOMES], to[TW_MIX_OUTCOMES]; /* counts */
    int64_t since_ms;
    double p, size;
} tw_mix_change;

void tw_mix_init(tw_mix *mix, int outcomes, double p_max);
bool tw_mix_add(tw_mix *mix, int outcome, int64_t event_ms, tw_mix_change *ret_change);
/* Shares of all that is remembered, none of them 0.   shares (outcomes) out */
void tw_mix_shares(const tw_mix *mix, double *shares);

void tw_mix_encode(const tw_mix *mix, tw_buf *out);
bool tw_mix_load(tw_mix *mix, tw_cursor *c); /* false: damaged */

#endif
