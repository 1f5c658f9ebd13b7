/* The shop's stream. Called by the demo's producer, by bench and by tests; the source at the end fills the ingest interface. */
#include "pipeline/ingest/shop.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SESSIONS 64 /* side by side */
#define RECENT 256  /* events that may come again */
#define COMPLEMENTS 3
#define SEEN 8 /* items of a session that may be looked at again */
/* Shares of what a user in the funnel does next, and by how many events a session may be longer there; chosen. */
#define PUT_IN_BASKET 0.1
#define WANDER 0.1
#define LOOK_AGAIN 0.06
#define BUY_ANYWAY 0.003
#define LONGER 12
#define LATE_MAX_MS (6 * 3600000LL)

typedef struct session {
    uint32_t user, category, last_item;
    int left;          /* events still to come; 0: over */
    int64_t basket_ms; /* time of the basket that is being paid; 0: none */
    int basket_left;
    /* Of the funnel alone. */
    bool comparing, decided;
    int seen_count;
    uint32_t seen[SEEN]; /* items of this session, the oldest overwritten */
} session;

typedef struct drawn { /* an event without its texts */
    uint64_t number;
    tw_kind kind;
    uint32_t user, item;
    int64_t event_ms;
    double rating;
} drawn;

struct tw_shop {
    tw_shop_options options;
    tw_rng rng;
    uint64_t number; /* events handed out, repeats included */
    int64_t time_ms;
    double rest_ms; /* of the endless stream: time that is not yet in time_ms */
    session sessions[SESSIONS];
    drawn recent[RECENT];
    uint64_t recent_count;
};

static const char *const category_names[TW_SHOP_CATEGORIES_MAX] = {
    "coffee", "tea",   "books", "music", "garden",  "kitchen", "toys",    "games",
    "shoes",  "coats", "bags",  "lamps", "chairs",  "bicycle", "camping", "winter",
    "paint",  "paper", "tools", "audio", "cameras", "phones",  "pets",    "sport"};
static const char *const title_words[] = {"plain",  "bright", "small", "large", "old",   "new",   "soft",  "round",
                                          "narrow", "quiet",  "green", "blue",  "amber", "white", "heavy", "light"};

void tw_shop_defaults(tw_shop_options *options) {
    *options = (tw_shop_options){.seed = 1,
                                 .users = 1000,
                                 .items = 2000,
                                 .categories = 12,
                                 .events_per_s = 20,
                                 .duplicates = 0.01,
                                 .late = 0.01,
                                 .broken = 0.002,
                                 .shifts = 2,
                                 .shift_share = 0.5};
}

const char *tw_shop_category(uint32_t category) {
    return category_names[category % TW_SHOP_CATEGORIES_MAX];
}

uint64_t tw_shop_shift_at(const tw_shop_options *options, uint32_t shift) {
    return options->events * (shift + 1) / (options->shifts + 1);
}

/* Tastes are not stored but drawn again from the user's number: the newest shift that took the user decides. */
uint32_t tw_shop_favourite(const tw_shop_options *options, uint32_t user, uint32_t shifts_passed) {
    uint64_t epoch = 0;
    for (uint32_t s = 1; s <= shifts_passed; s++) {
        tw_rng taken = tw_rng_at(options->seed, 100 + s, user);
        if (tw_rng_unit(&taken) < options->shift_share)
            epoch = s;
    }
    tw_rng rng = tw_rng_at(options->seed, 10, (uint64_t)user << 16 | epoch);
    return tw_rng_below(&rng, options->categories);
}

tw_shop_plant tw_shop_plant_kind(const tw_shop_options *options, uint64_t plant) {
    return options->plants[plant % options->plants_count];
}

bool tw_shop_plant_takes(const tw_shop_options *options, uint64_t plant, uint32_t user) {
    tw_rng taken = tw_rng_at(options->seed, 1000 + plant, user);
    return tw_rng_unit(&taken) < options->plant_share;
}

/* Planted changes so far; and of one kind. */
static uint64_t planted(const tw_shop *shop) {
    const tw_shop_options *o = &shop->options;
    return o->plant_every && o->plants_count ? shop->number / o->plant_every : 0;
}
static uint32_t planted_of(const tw_shop *shop, tw_shop_plant kind) {
    uint32_t count = 0;
    for (uint64_t n = 0; n < planted(shop); n++)
        count += tw_shop_plant_kind(&shop->options, n) == kind;
    return count;
}

/* Each planted change of taste moves the favourite to another category. */
static uint32_t planted_favourite(const tw_shop *shop, uint32_t user, uint32_t favourite) {
    const tw_shop_options *o = &shop->options;
    for (uint64_t n = 0; n < planted(shop) && o->categories > 1; n++)
        if (tw_shop_plant_kind(o, n) == TW_SHOP_TASTE && tw_shop_plant_takes(o, n, user)) {
            tw_rng step = tw_rng_at(o->seed, 2000 + n, user);
            favourite = (favourite + 1 + tw_rng_below(&step, o->categories - 1)) % o->categories;
        }
    return favourite;
}

/* The category that a season draws sessions to: each season another than the one before. */
static uint32_t season_of(const tw_shop *shop) {
    uint32_t categories = shop->options.categories, season = 0;
    for (uint32_t n = planted_of(shop, TW_SHOP_SEASON); n > 0 && categories > 1; n--) {
        tw_rng rng = tw_rng_at(shop->options.seed, 50, n);
        season = (season + 1 + tw_rng_below(&rng, categories - 1)) % categories;
    }
    return season;
}

static uint32_t shifts_passed(const tw_shop *shop) {
    uint32_t passed = 0;
    while (shop->options.events && passed < shop->options.shifts &&
           shop->number >= tw_shop_shift_at(&shop->options, passed))
        passed++;
    return passed;
}

tw_shop *tw_shop_create(const tw_shop_options *options) {
    tw_shop *shop = tw_zalloc(sizeof *shop);
    shop->options = *options;
    if (shop->options.categories > TW_SHOP_CATEGORIES_MAX)
        shop->options.categories = TW_SHOP_CATEGORIES_MAX;
    if (shop->options.categories > shop->options.items)
        shop->options.categories = shop->options.items;
    shop->rng = tw_rng_at(options->seed, 1, 0);
    shop->time_ms = options->end_ms - (int64_t)((double)options->events * 1000.0 / options->events_per_s);
    return shop;
}

tw_shop *tw_shop_free(tw_shop *shop) {
    free(shop);
    return NULL;
}

/* Rank from a Zipf law with exponent 1 over n, by inversion of the integral: n^u for uniform u. */
static uint32_t zipf(tw_rng *rng, uint32_t n) {
    uint32_t rank = (uint32_t)(exp(tw_rng_unit(rng) * log((double)n + 1)) - 1);
    return rank < n ? rank : n - 1;
}

static uint32_t item_of(const tw_shop_options *o, uint32_t category, uint32_t rank) {
    uint32_t item = rank * o->categories + category;
    return item < o->items ? item : category;
}

static uint32_t complement_of(const tw_shop *shop, uint32_t item, uint32_t which) {
    const tw_shop_options *o = &shop->options;
    tw_rng rng = tw_rng_at(o->seed, 20 + which + ((uint64_t)planted_of(shop, TW_SHOP_RELATIONS) << 8), item);
    uint32_t ranks = o->items / o->categories;
    return item_of(o, item % o->categories, tw_rng_below(&rng, ranks ? ranks : 1));
}

static void start_session(tw_shop *shop, session *s) {
    const tw_shop_options *o = &shop->options;
    double u = tw_rng_unit(&shop->rng);
    *s = (session){.user = (uint32_t)(u * u * o->users), .left = 1 + (int)tw_rng_below(&shop->rng, 8)};
    s->category = tw_rng_below(&shop->rng, 10) < 8
                      ? planted_favourite(shop, s->user, tw_shop_favourite(o, s->user, shifts_passed(shop)))
                      : tw_rng_below(&shop->rng, o->categories);
    if (planted_of(shop, TW_SHOP_SEASON) > 0 && tw_rng_unit(&shop->rng) < o->plant_share)
        s->category = season_of(shop);
    s->last_item = item_of(o, s->category, zipf(&shop->rng, o->items / o->categories));
    if (o->funnel)
        s->left += (int)tw_rng_below(&shop->rng, LONGER);
}

static bool seen_before(const session *s, uint32_t item) {
    for (int i = 0; i < s->seen_count && i < SEEN; i++)
        if (s->seen[i] == item)
            return true;
    return false;
}

/* One event of a session in the funnel. Who has decided stays until they buy or wander off. */
static void step_funnel(tw_shop *shop, session *s, drawn *d) {
    const tw_shop_options *o = &shop->options;
    double die = tw_rng_unit(&shop->rng);
    if (tw_rng_unit(&shop->rng) < (s->decided ? TW_SHOP_DECIDED : BUY_ANYWAY)) {
        d->kind = TW_KIND_PURCHASE;
        d->item = s->last_item;
        s->basket_ms = d->event_ms;
        s->basket_left = (int)tw_rng_below(&shop->rng, 3);
        s->left = 0;
        return;
    }
    d->kind = TW_KIND_CLICK;
    if (die < PUT_IN_BASKET) {
        d->kind = TW_KIND_CART;
        s->decided = s->comparing;
    } else if (die < PUT_IN_BASKET + WANDER) {
        s->category = (s->category + 1 + tw_rng_below(&shop->rng, o->categories)) % o->categories;
        s->last_item = item_of(o, s->category, zipf(&shop->rng, o->items / o->categories));
        s->comparing = s->decided = false;
    } else {
        bool again = die < PUT_IN_BASKET + WANDER + LOOK_AGAIN && s->seen_count > 0;
        uint32_t held = (uint32_t)(s->seen_count < SEEN ? s->seen_count : SEEN);
        s->last_item = again ? s->seen[tw_rng_below(&shop->rng, held)]
                             : item_of(o, s->category, zipf(&shop->rng, o->items / o->categories));
        s->comparing |= seen_before(s, s->last_item);
    }
    s->seen[s->seen_count++ % SEEN] = s->last_item;
    s->left += s->decided && s->left < 1;
    d->item = s->last_item;
}

static drawn step_session(tw_shop *shop) {
    const tw_shop_options *o = &shop->options;
    session *s = &shop->sessions[tw_rng_below(&shop->rng, SESSIONS)];
    if (s->left <= 0 && s->basket_left <= 0)
        start_session(shop, s);
    drawn d = {.number = shop->number, .user = s->user, .event_ms = shop->time_ms, .rating = 0};
    s->left--;
    if (s->basket_left > 0) { /* the rest of a basket is paid at the same moment */
        s->basket_left--;
        d.kind = TW_KIND_PURCHASE;
        d.event_ms = s->basket_ms;
        s->last_item = complement_of(shop, s->last_item, tw_rng_below(&shop->rng, COMPLEMENTS));
        d.item = s->last_item;
        return d;
    }
    if (o->funnel) {
        step_funnel(shop, s, &d);
        return d;
    }
    if (tw_rng_below(&shop->rng, 10) < 6)
        s->last_item = complement_of(shop, s->last_item, tw_rng_below(&shop->rng, COMPLEMENTS));
    else
        s->last_item = item_of(o, s->category, zipf(&shop->rng, o->items / o->categories));
    d.item = s->last_item;
    uint32_t die = tw_rng_below(&shop->rng, 100);
    if (die < 78) {
        d.kind = TW_KIND_CLICK;
    } else if (die < 86) {
        d.kind = TW_KIND_CART;
    } else if (die < 94) {
        d.kind = TW_KIND_PURCHASE;
        s->basket_ms = d.event_ms;
        s->basket_left = (int)tw_rng_below(&shop->rng, 4);
    } else if (die < 99) {
        d.kind = TW_KIND_REVIEW;
        d.rating = 1 + (double)tw_rng_below(&shop->rng, 5);
        d.rating = d.rating < 3 && tw_rng_below(&shop->rng, 2) ? d.rating + 2 : d.rating;
    } else {
        d.kind = TW_KIND_RETURN;
    }
    return d;
}

int64_t tw_shop_time_ms(const tw_shop *shop) {
    return shop->time_ms;
}

static tw_slice text(tw_arena *arena, const char *fmt, uint64_t n) {
    char bytes[64];
    int size = snprintf(bytes, sizeof bytes, fmt, (unsigned long long)n);
    return tw_arena_copy(arena, (tw_slice){bytes, (size_t)size});
}

static tw_slice title_of(const tw_shop_options *o, uint32_t item, tw_arena *arena) {
    char bytes[64];
    tw_rng rng = tw_rng_at(o->seed, 30, item);
    uint32_t words = sizeof title_words / sizeof title_words[0];
    int size = snprintf(bytes, sizeof bytes, "%s %s %s %u", title_words[tw_rng_below(&rng, words)],
                        title_words[tw_rng_below(&rng, words)], tw_shop_category(item % o->categories),
                        item / o->categories + 1);
    return tw_arena_copy(arena, (tw_slice){bytes, (size_t)size});
}

static double price_of(const tw_shop_options *o, uint32_t item) {
    tw_rng rng = tw_rng_at(o->seed, 40, item);
    return round(100.0 * exp(2.0 + 0.15 * (item % o->categories) + 0.5 * tw_rng_normal(&rng))) / 100.0;
}

/* What is paid, which planted changes raise and lower in turn; the catalogue keeps its price. */
static double paid_for(const tw_shop *shop, uint32_t item) {
    double price = price_of(&shop->options, item);
    return planted_of(shop, TW_SHOP_PRICES) % 2 ? round(100.0 * TW_SHOP_PRICE_FACTOR * price) / 100.0 : price;
}

static void fill(const tw_shop *shop, const drawn *d, tw_arena *arena, tw_event *e) {
    const tw_shop_options *o = &shop->options;
    *e = (tw_event){.kind = d->kind,
                    .has = TW_HAS_KIND | TW_HAS_TIME,
                    .event_ms = d->event_ms,
                    .event_id = text(arena, "e%llu", d->number),
                    .user_id = text(arena, "user-%llu", d->user),
                    .item_id = text(arena, "item-%llu", d->item),
                    .category = tw_slice_of(tw_shop_category(d->item % o->categories)),
                    .title = title_of(o, d->item, arena)};
    if (d->kind == TW_KIND_PURCHASE || d->kind == TW_KIND_RETURN) {
        e->has |= TW_HAS_PRICE | TW_HAS_QUANTITY;
        e->price = paid_for(shop, d->item);
        e->quantity = 1;
    } else if (d->kind == TW_KIND_REVIEW) {
        e->has |= TW_HAS_RATING;
        e->rating = d->rating;
    }
}

/* One of the ways in which real producers get it wrong. */
static void break_event(tw_shop *shop, tw_event *e) {
    switch (tw_rng_below(&shop->rng, 4)) {
    case 0:
        e->item_id = (tw_slice){0};
        break;
    case 1:
        e->event_ms = -5;
        break;
    case 2:
        e->has |= TW_HAS_PRICE;
        e->price = -1;
        break;
    default:
        e->user_id = (tw_slice){"\xff\xfe", 2};
    }
}

bool tw_shop_next(tw_shop *shop, tw_arena *arena, tw_event *ret_event, bool *ret_broken) {
    const tw_shop_options *o = &shop->options;
    if (o->events && shop->number >= o->events)
        return false;
    double gap_ms = -log(1.0 - tw_rng_unit(&shop->rng)) * 1000.0 / o->events_per_s; /* a Poisson stream */
    int64_t left_ms = o->end_ms - shop->time_ms;
    if (o->events && (int64_t)gap_ms > left_ms)
        gap_ms = (double)(left_ms > 0 ? left_ms : 0);
    if (!o->events) { /* in real time the parts of milliseconds add up; a bounded stream ends where it is told */
        gap_ms += shop->rest_ms;
        shop->rest_ms = gap_ms - floor(gap_ms);
    }
    shop->time_ms += (int64_t)gap_ms;
    double die = tw_rng_unit(&shop->rng);
    drawn d;
    if (die < o->duplicates && shop->recent_count > 0) {
        uint64_t kept = shop->recent_count < RECENT ? shop->recent_count : RECENT;
        d = shop->recent[tw_rng_below(&shop->rng, (uint32_t)kept)];
    } else {
        d = step_session(shop);
        if (tw_rng_unit(&shop->rng) < o->late)
            d.event_ms -= 1 + (int64_t)(tw_rng_unit(&shop->rng) * LATE_MAX_MS);
        shop->recent[shop->recent_count++ % RECENT] = d;
    }
    shop->number++;
    fill(shop, &d, arena, ret_event);
    *ret_broken = tw_rng_unit(&shop->rng) < o->broken;
    if (*ret_broken)
        break_event(shop, ret_event);
    return true;
}

void tw_shop_item(const tw_shop_options *options, uint32_t item, tw_arena *arena, tw_event *ret_event) {
    *ret_event = (tw_event){.kind = TW_KIND_ITEM,
                            .has = TW_HAS_KIND | TW_HAS_TIME | TW_HAS_PRICE | TW_HAS_IN_STOCK,
                            .event_ms = options->end_ms,
                            .item_id = text(arena, "item-%llu", item),
                            .category = tw_slice_of(tw_shop_category(item % options->categories)),
                            .title = title_of(options, item, arena),
                            .price = price_of(options, item),
                            .in_stock = true};
}

/* ---- as a source --------------------------------------------------------------------------------------------------- */

typedef struct shop_source {
    tw_source source; /* first */
    tw_input input;
    tw_shop *shop;
    tw_arena *arena;
    int64_t next;
} shop_source;

static tw_code shop_poll(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *err) {
    shop_source *self = (shop_source *)source;
    bool broken;
    int n = 0;
    (void)wait_ms, (void)err;
    tw_arena_reset(self->arena);
    for (; n < max; n++, self->next++) {
        tw_event *e = tw_arena_alloc(self->arena, sizeof *e);
        if (!tw_shop_next(self->shop, self->arena, e, &broken))
            break;
        records[n] = (tw_record){.offset = self->next, .timestamp_ms = -1, .value = {(const char *)e, sizeof *e}};
    }
    source->read_bytes = self->next;
    *ret_count = n;
    return TW_OK;
}

static tw_code shop_seek(tw_source *source, uint16_t input, int32_t partition, int64_t offset, tw_err *err) {
    shop_source *self = (shop_source *)source;
    tw_event e;
    bool broken;
    (void)input, (void)partition, (void)err;
    for (; self->next < offset && tw_shop_next(self->shop, self->arena, &e, &broken); self->next++)
        tw_arena_reset(self->arena);
    return TW_OK;
}

static void shop_ack(tw_source *source, uint16_t input, int32_t partition, int64_t offset) {
    (void)source, (void)input, (void)partition, (void)offset;
}

static tw_source *shop_close(tw_source *source) {
    shop_source *self = (shop_source *)source;
    if (self) {
        tw_shop_free(self->shop);
        tw_arena_free(self->arena);
        free(self);
    }
    return NULL;
}

tw_source *tw_source_shop(const tw_shop_options *options) {
    static const tw_source_ops ops = {.poll = shop_poll, .seek = shop_seek, .ack = shop_ack, .close = shop_close};
    shop_source *self = tw_zalloc(sizeof *self);
    self->input = (tw_input){.name = "shop", .format = TW_FORMAT_EVENT, .kind = TW_KIND_COUNT};
    snprintf(self->input.identity, sizeof self->input.identity, "shop-%llu", (unsigned long long)options->seed);
    self->source = (tw_source){.ops = &ops,
                               .inputs = &self->input,
                               .inputs_count = 1,
                               .bounded = options->events != 0,
                               .size_bytes = (int64_t)options->events};
    self->shop = tw_shop_create(options);
    self->arena = tw_arena_create(1 << 16);
    return &self->source;
}
