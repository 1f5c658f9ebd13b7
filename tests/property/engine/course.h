/* An engine on a seeded shop from its first event to its last, with what came out of it: what the tests run in different ways and compare. */
#ifndef TW_TEST_COURSE_H
#define TW_TEST_COURSE_H

#include "base/rng.h"
#include "engine/engine.h"
#include "pipeline/ingest/shop.h"

#define COURSE_EVENTS 8000

extern tw_config course_config;
extern tw_shop_options course_shop;

void course_begin(void); /* settings and shop of the courses that follow; course_end when they are done */
void course_end(void);

/* A sink that hashes what it is given, up to the last flush. */
typedef struct hashing_sink {
    tw_sink sink;
    tw_hasher *lists, *gone;
    uint64_t lists_count, dead_count;
} hashing_sink;
hashing_sink hashing_sink_make(void);
void hashing_sink_done(hashing_sink *sink);

typedef struct outcome {
    tw_hash128 state, lists, gone, asked; /* asked: lists of users that were asked for at the end */
    tw_totals totals;
    uint64_t lists_count, dead_count;
    uint64_t marks; /* first and each N-th applied event of all users, where rank.every.events is N */
    tw_model_stats stats;
} outcome;

/* How it runs: in batches, how often on the mean the engine is closed after a commit and opened again (0: never), and from the second time
 * on, with which state.memory.max in turn (0: none). */
typedef struct course {
    int batch;
    uint32_t restart_every;
    uint64_t seed;
    tw_lists lists;
    int64_t memory_max[2];
} course;

outcome course_run(const char *dir, const course *how);
void course_same(const outcome *a, const outcome *b);

#endif
