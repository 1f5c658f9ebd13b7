/* A user's taste by category, and whether it has changed: decayed counts of the time before a candidate change and of the time since.
 *
 * The evidence S is the log-likelihood ratio of "since some event the user draws from another distribution" against "nothing has
 * changed", as a CUSUM (Page 1954) whose alternative is what was met since that event, without this event (Lorden & Pollak 2005). Both
 * sides are predictive distributions of Dirichlet priors around the mix of all users, so that a short history predicts little and can
 * be contradicted little: S starts at any event as a martingale under "nothing has changed", so the chance that it ever reaches b from
 * there is at most e^-b (Ville), at every length of the history. How concentrated tastes are is not known: S is the least over several
 * priors of the past.
 *
 * Events of one visit are one decision. With the probability rho, which is learned over all users for each class of pause
 * (drift/persistence.h), an event only goes on with its category: it then says nothing, and counts as 1 - rho. Thread: engine. */
#ifndef TW_DRIFT_USER_H
#define TW_DRIFT_USER_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

/* Categories that are told apart; the last one stands for all further ones, and for "unknown". */
#define TW_DRIFT_CATEGORIES 64

/* Priors of the past: how many visits the mix of all users is worth. */
#define TW_DRIFT_PRIORS 2

typedef struct tw_drift_taste_entry {
    float before, since; /* counts in units of tw_drift_taste.unit, and plain */
    uint32_t last_s;     /* event time of the newest event of that category, seconds since 1970 */
    uint8_t category;
} tw_drift_taste_entry;

typedef struct tw_drift_taste {
    uint16_t count, capacity;
    uint8_t last_category;
    uint32_t last_s, since_s;        /* of the newest event; of the first since the candidate change */
    uint32_t events;                 /* since the candidate change */
    float unit;                      /* weight of one visit now: grows, so that old counts need not be touched */
    float before_sum, since_sum;     /* of the entries */
    float evidence[TW_DRIFT_PRIORS]; /* nats, by prior */
    tw_drift_taste_entry entries[];
} tw_drift_taste;

/* What all users have in common. */
typedef struct tw_drift_taste_common {
    const double *mix; /* (TW_DRIFT_CATEGORIES) shares, > 0, of all users */
    double rho;        /* of this event's pause since the category was met last; 0 when it never was */
    double half_life;  /* of the past, in visits */
    double threshold;  /* nats */
} tw_drift_taste_common;

/* A user of whom nothing is known. */
tw_drift_taste *tw_drift_taste_create(void);
tw_drift_taste *tw_drift_taste_free(tw_drift_taste *taste);

/* The entry of a category; NULL: never met. */
const tw_drift_taste_entry *tw_drift_taste_find(const tw_drift_taste *taste, uint8_t category);
/* How likely the user's next visit is to that category if nothing has changed (rho is not read). */
double tw_drift_taste_share(const tw_drift_taste *taste, const tw_drift_taste_common *common, uint8_t category);

/* Takes one event in. True: the evidence has reached the threshold; read what it is, then call tw_drift_taste_settle. *taste moves when it
 * grows. */
bool tw_drift_taste_add(tw_drift_taste **taste, const tw_drift_taste_common *common, uint8_t category, uint32_t time_s);
double tw_drift_taste_evidence(const tw_drift_taste *taste); /* the least over the priors */
/* The change is told: what came since is the past from now on, so that it is told once. */
void tw_drift_taste_settle(tw_drift_taste *taste);

/* Decayed counts of the past and since, together and each alone.   (TW_DRIFT_CATEGORIES) out; NULL: not wanted */
void tw_drift_taste_counts(const tw_drift_taste *taste, double *before, double *since);

void tw_drift_taste_encode(const tw_drift_taste *taste, tw_buf *out);
tw_code tw_drift_taste_decode(tw_cursor *c, tw_drift_taste **ret_taste, tw_err *err);

#endif
