/* What drift.c, evidence.c and rows.c share. */
#ifndef TW_DRIFT_INTERNAL_H
#define TW_DRIFT_INTERNAL_H

#include "drift/adwin.h"
#include "drift/drift.h"
#include "drift/mix.h"
#include "drift/persistence.h"
#include "drift/user.h"

enum { TW_MIX_CATEGORIES, TW_MIX_KINDS, TW_MIX_PRICES, TW_MIX_RATINGS, TW_MIXES };
enum { TW_WINDOW_LOSS, TW_WINDOW_HITS, TW_WINDOW_BLEND, TW_WINDOW_SCORE, TW_WINDOW_NORM, TW_WINDOWS };

/* Rows of TW_TABLE_DRIFT. */
enum {
    TW_DRIFT_COMMON,
    TW_DRIFT_MIX_FIRST,
    TW_DRIFT_WINDOW_FIRST = TW_DRIFT_MIX_FIRST + TW_MIXES,
    TW_DRIFT_ROWS = TW_DRIFT_WINDOW_FIRST + TW_WINDOWS
};

#define TW_DRIFT_PRICES 64 /* half octaves */

/* Names are cut to this. */
#define TW_DRIFT_NAME_MAX 63

struct tw_drift {
    tw_drift_options options;
    tw_drift_fn raise;
    void *self;

    /* State. */
    char names[TW_DRIFT_CATEGORIES - 1]
              [TW_DRIFT_NAME_MAX + 1]; /* given out by first appearance; the last place is for all others */
    uint32_t names_count;
    tw_persistence persistence;
    tw_mix mixes[TW_MIXES];
    tw_adwin windows[TW_WINDOWS];
    double loss_sum; /* of the batch that fills */
    uint32_t loss_count;
    uint64_t events, raised;
    tw_drift_taste **tastes; /* (tastes_count) by user, NULL: nothing known */
    size_t tastes_count;

    /* Derived. */
    double mix[TW_DRIFT_CATEGORIES]; /* shares of all users, made anew with each block of categories */
    uint32_t *dirty;                 /* users whose rows changed */
    size_t dirty_count, dirty_capacity;
    uint8_t *marked; /* (marked_count) */
    size_t marked_count;
    bool changed;
};

void tw_drift_mark(tw_drift *drift, uint32_t user);
void tw_drift_reach(tw_drift *drift, uint32_t user);
uint8_t tw_drift_category(tw_drift *drift, tw_slice name); /* made when there is room */
tw_slice tw_drift_category_name(const tw_drift *drift, int category);

/* evidence.c: the half octave of a price (> 0); the outcomes whose shares moved most, from and to as counts   (K) in; texts: (TW_DRIFT_EVIDENCE_MAX)
 * scratch that the names in *r may point into. */
typedef char tw_drift_outcome[48];
int tw_drift_price_outcome(double price);
void tw_drift_put_evidence(const tw_drift *drift, int mix, const double *from, const double *to, int K,
                           tw_drift_outcome *texts, tw_drift_record *r);

#endif
