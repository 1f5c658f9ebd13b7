/* A synthetic shop: a seeded stream of clicks, carts, purchases, reviews and returns of users with tastes, for demos, tests and
 * benchmarks. The same options give the same events, whatever the batches.
 *
 * Items: item n belongs to category n modulo the categories and is the (n / categories)-th most popular there (Zipf). Each has
 * a few complements that are met after it. Users: two favourite categories each, drawn again for a share of the users at each
 * shift; planted changes (plant_every) come beside them. Sessions run side by side, each of one user and mostly one category; baskets share one time; reviews come later.
 *
 * With funnel, purchases have a story: a user who looks again at an item of this session is comparing; who puts something into the basket
 * while comparing has decided, and each event after that is the purchase with probability TW_SHOP_DECIDED, which ends the session; a look
 * at another category makes the user forget either. All other carts are abandoned but for a few. So it is the order of views, carts and
 * categories that tells who buys, not how many there are.
 *
 * On purpose some events come twice, some late, some broken. Engine thread (or its owner's). */
#ifndef TW_INGEST_SHOP_H
#define TW_INGEST_SHOP_H

#include "base/arena.h"
#include "base/buf.h"
#include "pipeline/ingest/source.h"

/* Changes that can be planted. */
typedef enum tw_shop_plant {
    TW_SHOP_TASTE,     /* plant_share of the users get another favourite category */
    TW_SHOP_SEASON,    /* plant_share of all sessions go to one category until the next season */
    TW_SHOP_PRICES,    /* what is sold costs TW_SHOP_PRICE_FACTOR times as much, or as before again */
    TW_SHOP_RELATIONS, /* other complements of all items: what was learned of them is wrong */
    TW_SHOP_PLANTS
} tw_shop_plant;
#define TW_SHOP_PRICE_FACTOR 1.6

typedef struct tw_shop_options {
    uint64_t seed;
    uint32_t users, items, categories;
    uint64_t events;                 /* 0: endless (end_ms is then where time starts) */
    int64_t end_ms;                  /* event time of the last event */
    double events_per_s;             /* of event time, on the mean */
    double duplicates, late, broken; /* shares of events */
    uint32_t shifts;                 /* how many times tastes shift, evenly spread over the events */
    double shift_share;              /* of the users at each shift */
    bool funnel;                     /* purchases follow from what came before, else from nothing */
    uint64_t plant_every;            /* a planted change each so many events; 0: none */
    tw_shop_plant plants[TW_SHOP_PLANTS];
    uint32_t plants_count; /* of them; they come in this order, again and again */
    double plant_share;    /* of the users whose whole taste is replaced; of the sessions that a season draws */
} tw_shop_options;

#define TW_SHOP_DECIDED 0.3 /* at each event after the decision; chosen */

/* 1,000 users, 2,000 items, 12 categories, 1 % duplicates, 1 % late, 0.2 % broken, two shifts of half the users, no funnel. */
void tw_shop_defaults(tw_shop_options *options);

typedef struct tw_shop tw_shop;
tw_shop *tw_shop_create(const tw_shop_options *options);
tw_shop *tw_shop_free(tw_shop *shop);

/* The next event; texts are made in arena. *ret_broken: breaks a rule on purpose. false: the end. */
bool tw_shop_next(tw_shop *shop, tw_arena *arena, tw_event *ret_event, bool *ret_broken);

int64_t tw_shop_time_ms(const tw_shop *shop); /* event time reached; a late or repeated event lies before it */

/* The truth behind the stream, for tests: a user's favourite category after so many shifts, and the number of events before a shift. */
uint32_t tw_shop_favourite(const tw_shop_options *options, uint32_t user, uint32_t shifts_passed);
uint64_t tw_shop_shift_at(const tw_shop_options *options, uint32_t shift);
/* The same for planted changes: number n comes before event (n + 1) plant_every. */
tw_shop_plant tw_shop_plant_kind(const tw_shop_options *options, uint64_t plant);
bool tw_shop_plant_takes(const tw_shop_options *options, uint64_t plant, uint32_t user); /* plant: of kind taste */
const char *tw_shop_category(uint32_t category);
#define TW_SHOP_CATEGORIES_MAX 24

/* News about an item (kind ITEM): title, category and price, for an items topic. */
void tw_shop_item(const tw_shop_options *options, uint32_t item, tw_arena *arena, tw_event *ret_event);

/* An event as one JSON object, as the schemas name its fields. */
void tw_shop_write_json(const tw_event *event, tw_buf *out);

/* The shop as a source of decoded events (TW_FORMAT_EVENT); bounded when events is not 0. */
tw_source *tw_source_shop(const tw_shop_options *options);

#endif
