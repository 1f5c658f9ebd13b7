/* Blocks, comparisons and their calibration. Called by drift.c for each event that has the property. */
#include "drift/mix.h"

#include "drift/divergence.h"
#include "drift/gamma.h"

#include <math.h>
#include <string.h>

/* The past forgets by half in so many blocks, the calibration in so many comparisons (chosen, not measured). */
#define PAST_HALF 1024.0
#define LAW_N_MAX 512.0
/* Of one comparison no more than this many times the mean is learned: an outlier must not widen the law that should show it. (At 2.5 the law of kinds, of
 * which baskets make runs, is too narrow: 16 false alarms in 10 million events of the synthetic shop, 3 at 4.) */
#define LAW_OUTLIER 4

void tw_mix_init(tw_mix *mix, int outcomes, double p_max) {
    *mix = (tw_mix){.outcomes = outcomes, .p_max = p_max};
}

static uint32_t place(const tw_mix *mix, uint32_t back) {
    return (mix->head + TW_MIX_BLOCKS + 1 - back) % (TW_MIX_BLOCKS + 1);
}

static void add_block(const tw_mix *mix, uint32_t back, double *to) {
    for (int k = 0; k < mix->outcomes; k++)
        to[k] += mix->ring[place(mix, back)][k];
}

/* The newest full blocks (1 to length back from head) against all before. */
static double compare(const tw_mix *mix, uint32_t length, tw_mix_change *c, int *ret_freedom) {
    memset(c->to, 0, sizeof c->to);
    memcpy(c->from, mix->past, sizeof c->from);
    for (uint32_t back = 1; back <= TW_MIX_BLOCKS && back <= mix->blocks; back++)
        add_block(mix, back, back <= length ? c->to : c->from);
    return tw_js_ratio(c->from, c->to, mix->outcomes, ret_freedom);
}

static double p_of(const tw_mix *mix, int length, double ratio) {
    double mean = mix->mean[length], variance = mix->square[length] - mean * mean;
    if (mix->n[length] < TW_MIX_FIRST || !(mean > 0))
        return 1;
    if (!(variance > 1e-3 * mean * mean)) /* fewer comparisons than would show it */
        variance = 1e-3 * mean * mean;
    return tw_gamma_above(mean * mean / variance, ratio * mean / variance);
}

static void learn_law(tw_mix *mix, int length, double ratio) {
    double most = mix->n[length] >= TW_MIX_FIRST / 2 ? LAW_OUTLIER * mix->mean[length] : INFINITY;
    ratio = ratio < most ? ratio : most;
    mix->n[length] = mix->n[length] < LAW_N_MAX ? mix->n[length] + 1 : LAW_N_MAX;
    mix->mean[length] += (ratio - mix->mean[length]) / mix->n[length];
    mix->square[length] += (ratio * ratio - mix->square[length]) / mix->n[length];
}

/* What came since the change is all the past there is. */
static void settle(tw_mix *mix, const tw_mix_change *change) {
    memcpy(mix->past, change->to, sizeof mix->past);
    mix->blocks = 0;
}

static bool block_full(tw_mix *mix, tw_mix_change *ret_change) {
    uint32_t number = (uint32_t)(mix->seen / TW_MIX_BLOCK);
    for (int i = 0; i < TW_MIX_LENGTHS; i++) {
        uint32_t length = 1u << i;
        tw_mix_change change;
        int freedom;
        if (number % (length > 1 ? length / 2 : 1) != 0 || mix->blocks < 2 * length)
            continue;
        double ratio = compare(mix, length, &change, &freedom);
        if (freedom == 0)
            continue;
        change.p = p_of(mix, i, ratio / freedom);
        learn_law(mix, i, ratio / freedom);
        if (change.p >= mix->p_max)
            continue;
        change.since_ms = mix->ring_ms[place(mix, length)];
        change.size = tw_js_bits(change.from, change.to, mix->outcomes);
        settle(mix, &change);
        *ret_change = change;
        return true;
    }
    return false;
}

/* The oldest block leaves the ring for the past. */
static void turn(tw_mix *mix, int64_t event_ms) {
    mix->head = (mix->head + 1) % (TW_MIX_BLOCKS + 1);
    if (mix->blocks > TW_MIX_BLOCKS) {
        double keep = exp2(-1 / PAST_HALF);
        for (int k = 0; k < mix->outcomes; k++)
            mix->past[k] = mix->past[k] * keep + mix->ring[mix->head][k];
    }
    memset(mix->ring[mix->head], 0, sizeof mix->ring[mix->head]);
    mix->ring_ms[mix->head] = event_ms;
    mix->in_block = 0;
}

bool tw_mix_add(tw_mix *mix, int outcome, int64_t event_ms, tw_mix_change *ret_change) {
    if (mix->in_block == 0 && mix->seen == 0)
        mix->ring_ms[mix->head] = event_ms;
    if (mix->in_block == TW_MIX_BLOCK)
        turn(mix, event_ms);
    mix->ring[mix->head][outcome]++;
    mix->seen++;
    if (++mix->in_block < TW_MIX_BLOCK)
        return false;
    mix->blocks += mix->blocks < UINT32_MAX / 2;
    /* The full block is one back from where the next begins. */
    uint32_t head = mix->head;
    mix->head = (mix->head + 1) % (TW_MIX_BLOCKS + 1);
    bool changed = block_full(mix, ret_change);
    mix->head = head;
    return changed;
}

void tw_mix_shares(const tw_mix *mix, double *shares) {
    double sum = 0;
    memcpy(shares, mix->past, (size_t)mix->outcomes * sizeof *shares);
    for (uint32_t back = 0; back < TW_MIX_BLOCKS && back <= mix->blocks; back++)
        add_block(mix, back, shares);
    for (int k = 0; k < mix->outcomes; k++)
        sum += shares[k] += 0.5;
    for (int k = 0; k < mix->outcomes; k++)
        shares[k] /= sum;
}

void tw_mix_encode(const tw_mix *mix, tw_buf *out) {
    tw_buf_u32(out, mix->in_block);
    tw_buf_u32(out, mix->blocks);
    tw_buf_u64(out, mix->seen);
    tw_buf_u32(out, mix->head);
    tw_buf_put(out, mix->ring, sizeof mix->ring);
    tw_buf_put(out, mix->ring_ms, sizeof mix->ring_ms);
    tw_buf_put(out, mix->past, sizeof mix->past);
    tw_buf_put(out, mix->n, sizeof mix->n);
    tw_buf_put(out, mix->mean, sizeof mix->mean);
    tw_buf_put(out, mix->square, sizeof mix->square);
}

bool tw_mix_load(tw_mix *mix, tw_cursor *c) {
    mix->in_block = tw_cursor_u32(c);
    mix->blocks = tw_cursor_u32(c);
    mix->seen = tw_cursor_u64(c);
    mix->head = tw_cursor_u32(c);
    tw_cursor_copy(c, mix->ring, sizeof mix->ring);
    tw_cursor_copy(c, mix->ring_ms, sizeof mix->ring_ms);
    tw_cursor_copy(c, mix->past, sizeof mix->past);
    tw_cursor_copy(c, mix->n, sizeof mix->n);
    tw_cursor_copy(c, mix->mean, sizeof mix->mean);
    tw_cursor_copy(c, mix->square, sizeof mix->square);
    return !c->bad && mix->head <= TW_MIX_BLOCKS && mix->in_block <= TW_MIX_BLOCK;
}
