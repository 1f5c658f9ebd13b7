/* A make-believe shop behind the server: counters that move with the clock, lists with titles and reasons, and switches for
 * the states in which a page must still make sense. Its answers depend on nothing but the question and the time. */
#ifndef TW_TEST_FAKE_SHOP_H
#define TW_TEST_FAKE_SHOP_H

#include "serve/backend.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct fake_shop {
    _Atomic bool silent; /* the engine does not answer */
    _Atomic bool ready;
    _Atomic bool empty;      /* nothing has ever happened */
    _Atomic bool clean;      /* no dead letters */
    _Atomic bool unprofiled; /* no profiles are kept */
    _Atomic double speed;    /* events per second, on average */
    pthread_mutex_t lock;
    int64_t started_ns, counted_ns, listed_ns;
    tw_serve_stats stats;
    double part[TW_VERDICT_COUNT]; /* fractions of events not yet counted */
    uint64_t lists_made;
    tw_buf newest[8];
    char question[2200]; /* the last one */
} fake_shop;

void fake_shop_init(fake_shop *shop, double speed);
void fake_shop_done(fake_shop *shop);
tw_serve_backend fake_shop_backend(fake_shop *shop);

/* The last list that was asked for: "user ID top N category C" or "item ID top N" (static storage). */
const char *fake_shop_question(fake_shop *shop);

#endif
