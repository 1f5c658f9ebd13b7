/* What changes over minutes: which categories the events are of, and how often what came next was among the best ten, by scorer. A ring of
 * differences between looks at the counters, one a step. Owned by the sampler, under its lock. */
#ifndef TW_SERVE_TREND_H
#define TW_SERVE_TREND_H

#include "serve/backend.h"

#define TW_TREND_TICKS 5   /* make a step */
#define TW_TREND_STEPS 120 /* kept: ten minutes of steps of five seconds */

typedef struct tw_trend_point {
    int64_t at_ms; /* wall, end of the step */
    tw_best_ten hits;
    uint32_t categories;
    float counts[TW_MODEL_CATEGORIES_MAX];
} tw_trend_point;

typedef struct tw_trend {
    tw_serve_trend last; /* counters at the end of the step before */
    bool any;            /* there was one */
    uint32_t ticks;      /* since then */
    tw_trend_point points[TW_TREND_STEPS];
    uint64_t count; /* ever put */
} tw_trend;

/* One tick at which the engine answered. */
void tw_trend_tick(tw_trend *trend, const tw_serve_trend *now, int64_t at_ms);

/* Appends "points": [{"at_ms", "asked", "blend", "by": [of each of scorers], "counts": [of each category]}, ...], oldest first. A point may know fewer
 * categories than there are now. */
void tw_trend_write(const tw_trend *trend, int scorers, tw_buf *out);

#endif
