/* What the propensity reads of a user: a sequence of moments. A moment is what the user did at one event time (a basket is one), so that a
 * purchase of forty items does not push everything before it out of the window. It turns into TW_MOMENT_FEATURES numbers:
 *
 *   kinds        (5) shares of clicks, carts, purchases, reviews, returns among its events
 *   size         log(1 + events)
 *   price        mean of log(1 + price) over the events that have one, else 0; and their share
 *   rating       mean of (rating - 3) / 2 over the events that have one, else 0
 *   gap          log(1 + seconds since the moment before), 0 at the user's first; and whether it is the first
 *   again        share of events with an item among the user's newest TW_MOMENT_ITEMS
 *   same         whether the category is that of the moment before
 *   past         log(1 + moments before)
 *   day, week    sine and cosine of the time in the day and in the week, UTC
 *   category     (TW_MOMENT_BUCKETS) shares of the categories, each in the bucket of its name's hash (Weinberger et al. 2009), so that a name
 *                never seen needs nothing new
 *
 * A user's time never goes back: a late event belongs to the newest moment. Thread: its owner's. */
#ifndef TW_MODEL_MOMENT_H
#define TW_MODEL_MOMENT_H

#include "base/event.h"

#define TW_MOMENT_KINDS 5 /* the first of tw_kind, which are what users do */
#define TW_MOMENT_BUCKETS 8
#define TW_MOMENT_ITEMS 32
#define TW_MOMENT_FEATURES (TW_MOMENT_KINDS + 13 + TW_MOMENT_BUCKETS)

typedef struct tw_moment {
    int64_t ms, gap_ms; /* event time; since the moment before, -1: there is none */
    uint64_t category;  /* hash of the newest event's categories as text; 0: it named none */
    uint32_t before;    /* the user's moments before this one */
    uint32_t kinds[TW_MOMENT_KINDS];
    uint32_t count, again, priced, rated; /* events; of those with a known item, a price, a rating */
    uint32_t named;                       /* events that named a category */
    bool same;
    float price, rating;              /* sums of log(1 + price), of (rating - 3) / 2 */
    float buckets[TW_MOMENT_BUCKETS]; /* each event that named categories adds 1 in all */
} tw_moment;

/* The user's newest items, for `again`: hashes in a ring. Zeroed: none. */
typedef struct tw_moment_items {
    uint64_t hashes[TW_MOMENT_ITEMS];
    uint32_t count; /* ever */
} tw_moment_items;

/* A moment that begins at ms; before: the one before, NULL: none. */
tw_moment tw_moment_begin(const tw_moment *before, int64_t ms);
/* Takes an event of the user in; items as they were before. before as in begin. The event's numbers are finite and its kind is one of the
 * first TW_MOMENT_KINDS: clean sees to it. */
void tw_moment_add(tw_moment *moment, const tw_moment *before, tw_moment_items *items, const tw_event *event);

/* x (TW_MOMENT_FEATURES) out, not normalised; always finite. */
void tw_moment_features(const tw_moment *moment, float *x);

#endif
