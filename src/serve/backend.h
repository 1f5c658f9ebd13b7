/* What the server asks of the engine: a narrow struct of functions, so that the server is tested without one.
 *
 * Each function may be called from any HTTP thread, several at a time. Those that take wait_ms return TW_E_BUSY when no
 * answer came in that time; nothing of the caller's is touched after they return. */
#ifndef TW_SERVE_BACKEND_H
#define TW_SERVE_BACKEND_H

#include "base/metrics.h"
#include "engine/engine.h"

/* Counters whose differences are worth a picture. */
typedef struct tw_serve_trend {
    tw_best_ten hits;
    uint32_t categories; /* 0: no profiles are kept */
    double counts[TW_MODEL_CATEGORIES_MAX];
} tw_serve_trend;

/* One look at the counters, all taken between the same two steps. */
typedef struct tw_serve_stats {
    tw_totals totals;
    uint64_t users, items;                 /* in the state */
    uint64_t users_owed;                   /* waiting for a list */
    int64_t watermark_ms;                  /* event time reached; INT64_MIN: none yet */
    tw_store_stats store;                  /* zeros: nothing durable */
    uint64_t freshness[TW_METRIC_BUCKETS]; /* lists by age of the newest event they know, since the start */
    double lag;                            /* records of the inputs not polled yet; NaN: the input does not know */
    tw_serve_trend trend;
} tw_serve_stats;

typedef struct tw_serve_backend {
    void *self;
    tw_code (*stats)(void *self, int wait_ms, tw_serve_stats *ret_stats);
    /* Appends a list as JSON. Errors: TW_E_BUSY, TW_E_NOT_FOUND (no such item). category empty: any. */
    tw_code (*recommend)(void *self, tw_slice user_id, int top, tw_slice category, int wait_ms, tw_buf *out,
                         tw_err *err);
    tw_code (*similar)(void *self, tw_slice item_id, int top, int wait_ms, tw_buf *out, tw_err *err);
    /* Appends a profile as JSON. Errors: TW_E_BUSY, TW_E_NOT_FOUND (no such user; profiles are not kept). */
    tw_code (*profile)(void *self, tw_slice user_id, int wait_ms, tw_buf *out, tw_err *err);
    /* Appends what the user met newest as JSON. Errors: TW_E_BUSY, TW_E_NOT_FOUND. */
    tw_code (*past)(void *self, tw_slice user_id, int max, int wait_ms, tw_buf *out, tw_err *err);
    /* Appends "scorers": [names], "categories": [names]; *ret_scorers is how many. Errors: TW_E_BUSY. */
    tw_code (*names)(void *self, int wait_ms, int *ret_scorers, tw_buf *out, tw_err *err);
    /* Appends a JSON array of changes, newest first. scope: "user", "population", "model"; NULL: all. Errors: TW_E_BUSY. */
    tw_code (*drifts)(void *self, const char *scope, int max, int wait_ms, tw_buf *out, tw_err *err);
    void (*newest)(void *self, int max, tw_buf *out); /* appends a JSON array, newest first; never waits */
    bool (*ready)(void *self);                        /* what the source held at the start is consumed; never waits */
} tw_serve_backend;

/* The engine behind the struct; borrowed, and its thread must come round to tw_engine_serve. Stop the server before the
 * engine is closed. */
tw_serve_backend tw_serve_backend_engine(tw_engine *engine);

#endif
