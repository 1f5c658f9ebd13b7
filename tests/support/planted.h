/* A synthetic shop with planted changes through the whole engine, and what the detectors made of it: shared by the benchmark, which runs
 * 10 million events, and by the test, which runs fewer. */
#ifndef TW_TEST_PLANTED_H
#define TW_TEST_PLANTED_H

#include "base/alloc.h"
#include "engine/engine.h"
#include "pipeline/ingest/shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLANTED_WITHIN 2000    /* events after a change of population or model in which it counts as found */
#define PLANTED_USER_EVENTS 30 /* the same of a user, in the user's own events */
#define PLANTED_DELAYS 65536
#define PLANTED_DETECTORS 9

typedef struct planted_user {
    uint32_t since; /* the user's events since the change */
    bool open;      /* planted and not yet noticed */
} planted_user;

typedef struct planted {
    tw_shop_options shop;
    uint64_t events;              /* applied, of users */
    uint64_t at, last;            /* offset of the event at hand; changes planted so far */
    bool answered;                /* the newest change has been noticed within reach */
    bool told[PLANTED_DETECTORS]; /* by detector: since the newest change */
    uint64_t plants[TW_SHOP_PLANTS], found[TW_SHOP_PLANTS], delays[TW_SHOP_PLANTS]; /* delays: sums */
    uint64_t again, unprovoked; /* alarms of population and model, see planted_heard */
    uint64_t user_plants, user_found, user_false, user_delays_count;
    uint32_t user_delays[PLANTED_DELAYS];
    planted_user *users;
    bool talk; /* prints each alarm that is not a user's */
} planted;

static inline uint32_t planted_number(tw_slice user_id) {
    uint32_t n = 0;
    for (size_t i = 5; i < user_id.size; i++) /* "user-N" */
        n = n * 10 + (uint32_t)(user_id.data[i] - '0');
    return n;
}

static inline void planted_before(void *self, tw_engine *engine, uint32_t task, const tw_event *event, int64_t offset) {
    planted *p = self;
    (void)engine, (void)task;
    for (p->at = (uint64_t)offset; p->shop.plant_every && p->last < p->at / p->shop.plant_every; p->last++) {
        tw_shop_plant kind = tw_shop_plant_kind(&p->shop, p->last);
        p->plants[kind]++;
        p->answered = false;
        memset(p->told, 0, sizeof p->told);
        for (uint32_t u = 0; kind == TW_SHOP_TASTE && u < p->shop.users; u++)
            if (tw_shop_plant_takes(&p->shop, p->last, u))
                p->users[u] = (planted_user){.open = true};
    }
    p->events++;
    planted_user *user = &p->users[planted_number(event->user_id)];
    if (user->open && event->kind != TW_KIND_RETURN && ++user->since == PLANTED_USER_EVENTS + 1)
        p->user_plants++;
}

static inline void planted_user_heard(planted *p, const tw_drift_record *r) {
    planted_user *user = &p->users[planted_number(r->user_id)];
    if (!user->open) {
        p->user_false++;
        return;
    }
    user->open = false;
    if (p->user_delays_count < PLANTED_DELAYS)
        p->user_delays[p->user_delays_count++] = user->since;
    p->user_plants += user->since <= PLANTED_USER_EVENTS; /* the others were counted when they passed it */
    p->user_found += user->since <= PLANTED_USER_EVENTS;
}

static inline int planted_detector(const char *subject) {
    static const char *const names[PLANTED_DETECTORS] = {"categories", "kinds",      "prices", "ratings", "loss",
                                                         "hits",       "blend_loss", "score",  "norm"};
    for (int i = 0; i < PLANTED_DETECTORS; i++)
        if (strcmp(subject, names[i]) == 0)
            return i;
    return 0;
}

/* A change answers once in each detector, however late (hits sink slowly), and the first within reach finds it; what a detector says of it after that
 * is said again. Before the first change, and where only tastes of single users change, every alarm is unprovoked: a stream without changes
 * measures false alarms. */
static inline void planted_heard(void *self, const tw_drift_record *r) {
    static const char *const names[TW_SHOP_PLANTS] = {"taste", "season", "prices", "relations"};
    planted *p = self;
    if (strcmp(r->scope, "user") == 0) {
        planted_user_heard(p, r);
        return;
    }
    uint64_t delay = p->at - p->last * p->shop.plant_every;
    tw_shop_plant kind = p->last ? tw_shop_plant_kind(&p->shop, p->last - 1) : TW_SHOP_TASTE;
    bool *told = &p->told[planted_detector(r->subject)];
    if (p->talk)
        printf("  event %9llu, %6llu after %s: %s %s, %.3g to %.3g, size %.3g, bound %.2g\n", (unsigned long long)p->at,
               (unsigned long long)delay, p->last ? names[kind] : "the start", r->scope, r->subject, r->from.mean,
               r->to.mean, r->size, r->bound);
    p->unprovoked += kind == TW_SHOP_TASTE;
    p->again += *told;
    *told = true;
    if (kind == TW_SHOP_TASTE || p->answered || delay > PLANTED_WITHIN)
        return;
    p->answered = true;
    p->found[kind]++;
    p->delays[kind] += delay;
}

static inline int planted_by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Of the users' delays in their own events; 0 where nothing was noticed. */
static inline uint32_t planted_median(planted *p) {
    qsort(p->user_delays, p->user_delays_count, sizeof *p->user_delays, planted_by_size);
    return p->user_delays_count ? p->user_delays[p->user_delays_count / 2] : 0;
}

/* Runs events through an engine without a state directory; p->shop says what is planted. */
static inline tw_code planted_run(planted *p, const tw_config *config, tw_err *err) {
    tw_source *source = tw_source_shop(&p->shop);
    tw_engine *engine = NULL;
    int count = 0;
    const tw_engine_options options = {.config = config,
                                       .lists = TW_LISTS_NONE,
                                       .before_learn = planted_before,
                                       .before_learn_self = p,
                                       .drift = planted_heard,
                                       .drift_self = p};
    p->users = tw_zalloc(p->shop.users * sizeof *p->users);
    tw_code code = tw_engine_open(&options, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    while (code == TW_OK) {
        code = tw_engine_step(engine, 0, &count, err);
        if (count == 0)
            break;
    }
    tw_engine_close(engine);
    source->ops->close(source);
    free(p->users);
    return code;
}

#endif
