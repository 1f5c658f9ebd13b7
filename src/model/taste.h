/* What is kept with a user for the profile: decayed counts of the categories met, at three horizons, what was paid, the pace, and how
 * active the user is.
 *
 * One count a met item, shared by its categories, whatever the kind of event. Part of the user's row. Engine thread. */
#ifndef TW_MODEL_TASTE_H
#define TW_MODEL_TASTE_H

#include "model/categories.h"

/* The last item alone; profile.short; profile.long. */
enum { TW_HORIZON_LAST, TW_HORIZON_SHORT, TW_HORIZON_LONG, TW_HORIZONS };

typedef struct tw_taste {
    float *counts;             /* owned: (categories, TW_HORIZONS); NULL: none yet */
    uint32_t categories;       /* those numbered later count zero */
    float price, price_weight; /* decayed sums of log(1 + price) and of one, over events with a price */
    float pace, pace_weight;   /* the same of log(1 + seconds) since the event before */
    float activity;            /* events, decayed by TW_ACTIVITY_DAYS of event time; 0: none yet */
    int64_t first_ms;          /* event time of the first of them */
} tw_taste;

/* An event counts 1/e after so many days (chosen: a week). */
#define TW_ACTIVITY_DAYS 7.0

void tw_taste_done(tw_taste *taste); /* becomes empty */

/* Takes in one met item. decays (TW_HORIZONS): what is left of the older counts; price NaN: unknown; since_ms: since the user's
 * event before, negative: there was none. */
void tw_taste_meet(tw_taste *taste, const tw_category_shares *shares, const float *decays, double price,
                   int64_t since_ms);
/* Takes in that the user was here, whatever for. */
void tw_taste_come(tw_taste *taste, int64_t event_ms, int64_t since_ms);
/* Events a day now, with last_ms the user's newest: what the decayed count would be for a user who keeps a pace is divided out; one who is
 * here for less than a day counts as here for a day. */
double tw_taste_per_day(const tw_taste *taste, int64_t last_ms, int64_t now_ms);

static inline float tw_taste_count(const tw_taste *taste, uint32_t category, int horizon) {
    return category < taste->categories ? taste->counts[category * TW_HORIZONS + (uint32_t)horizon] : 0;
}
static inline size_t tw_taste_bytes(const tw_taste *taste) {
    return (size_t)taste->categories * TW_HORIZONS * sizeof(float);
}

void tw_taste_encode(const tw_taste *taste, tw_buf *out);
void tw_taste_load(tw_taste *taste, tw_cursor *c); /* into an empty one; sets bad where it is damaged */

/* The same for another process, which has numbers of its own: categories by name. */
void tw_taste_export(const tw_taste *taste, const tw_categories *categories, tw_buf *out);
/* Takes that into an empty one; numbers: of each name of the row in turn, as add gives them. Sets bad where it is damaged. */
void tw_taste_import(tw_taste *taste, tw_cursor *c, uint32_t (*add)(void *self, tw_slice name), void *self);

#endif
