/* How likely an event only goes on with the category that its user was at, by the pause since: learned over all users, since where a
 * visit ends differs from shop to shop. Thread: engine. */
#ifndef TW_DRIFT_PERSISTENCE_H
#define TW_DRIFT_PERSISTENCE_H

#include "base/buf.h"

#define TW_PAUSES 32 /* classes: powers of two, in seconds */

typedef struct tw_persistence {
    double same[TW_PAUSES];   /* how often the next event had the category of the one before */
    double chance[TW_PAUSES]; /* how often it would have had by the user's taste alone */
    double all[TW_PAUSES];
} tw_persistence;

int tw_pause_class(uint32_t from_s, uint32_t to_s); /* backwards is no pause */

/* One pair of neighbours: taste is the probability of the first one's category by the user's own past. */
void tw_persistence_add(tw_persistence *p, int pause, bool same, double taste);

/* rho of a class: same = rho all + (1 - rho) chance, solved for rho; 0 below 0.1, at most 0.98. */
double tw_persistence_rho(const tw_persistence *p, int pause);

void tw_persistence_encode(const tw_persistence *p, tw_buf *out);
void tw_persistence_load(tw_persistence *p, tw_cursor *c);

#endif
