/* A user's profile on its way out: filled by the engine, encoded by publish and serve. Slices are borrowed from the model and die with
 * the next step. schemas/profile.avsc says what each field means to a reader. */
#ifndef TW_BASE_USER_PROFILE_H
#define TW_BASE_USER_PROFILE_H

#include "base/slice.h"

#define TW_PROFILE_SHARES_MAX 16     /* of one distribution; the smallest of more are left out */
#define TW_PROFILE_SHARE_LEAST 0.005 /* what is smaller is left out */
#define TW_PROFILE_MOVES_MAX 4

typedef struct tw_profile_share {
    tw_slice category;
    float share; /* 0 to 1 */
} tw_profile_share;

typedef struct tw_profile_shares {
    int count; /* largest first */
    tw_profile_share shares[TW_PROFILE_SHARES_MAX];
} tw_profile_shares;

typedef struct tw_profile_move {
    tw_slice category;
    float from, to;
} tw_profile_move;

typedef enum tw_price_band { TW_PRICE_LOW, TW_PRICE_MIDDLE, TW_PRICE_HIGH } tw_price_band;

/* What a user is by recency and frequency, the first that holds:
 *   sleeping  not seen for 30 days      new  fewer than 5 events
 *   loyal     at least 20 events, over at least 7 days      active  everybody else
 * Limits chosen, not measured. */
typedef enum tw_segment { TW_SEGMENT_SLEEPING, TW_SEGMENT_NEW, TW_SEGMENT_LOYAL, TW_SEGMENT_ACTIVE } tw_segment;

typedef struct tw_user_profile {
    tw_slice user_id;
    uint32_t task;
    uint64_t profile_version;     /* counts as list_version does (base/list.h) */
    int64_t event_ms;             /* event time of the user's newest event that the profile knows */
    tw_profile_shares categories; /* of the next item, as the profile network foresees it; empty: no category yet */
    tw_profile_shares interests_short, interests_long; /* of what was met, decayed over either horizon */
    double price;                                      /* typical price of what was met; not finite: none known */
    tw_price_band price_band;                          /* where that is known */
    uint32_t events;                                   /* applied, all time */
    double events_per_day;
    int64_t first_ms, last_ms;
    tw_segment segment;
    float propensity; /* to buy; not finite: no model tells */
    double distance;  /* Jensen-Shannon distance to the profile published before, 0 to 1; not finite: there was none */
    int moves_count;
    tw_profile_move moves[TW_PROFILE_MOVES_MAX]; /* since then, the largest first */
} tw_user_profile;

tw_segment tw_segment_of(uint32_t events, int64_t first_ms, int64_t last_ms, int64_t now_ms);
const char *tw_segment_name(tw_segment segment);
const char *tw_price_band_name(tw_price_band band);

/* The largest of shares (count), of at least TW_PROFILE_SHARE_LEAST; equal ones in their order. name gives the name of one. */
void tw_profile_shares_pick(const float *shares, uint32_t count, tw_slice (*name)(const void *self, uint32_t i),
                            const void *self, tw_profile_shares *ret_shares);
/* Where to differs most from from, by at least TW_PROFILE_SHARE_LEAST: fills moves. */
void tw_profile_moves_pick(const float *from, const float *to, uint32_t count,
                           tw_slice (*name)(const void *self, uint32_t i), const void *self, tw_user_profile *profile);

#endif
