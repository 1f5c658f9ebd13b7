/* A change that was noticed, on its way out: filled by the detectors, encoded by publish and serve. Texts are borrowed until the next event. */
#ifndef TW_BASE_DRIFT_H
#define TW_BASE_DRIFT_H

#include "base/slice.h"

#define TW_DRIFT_EVIDENCE_MAX 8

typedef struct tw_drift_window {
    int64_t since_ms; /* event time where it begins; INT64_MIN: not known */
    double count;     /* observations in it; of a user visits, decayed */
    double mean;      /* of a number; NaN: a distribution is meant */
} tw_drift_window;

typedef struct tw_drift_share {
    tw_slice name; /* of the outcome: a category, "16 to 32" */
    double from, to;
} tw_drift_share;

typedef struct tw_drift_record {
    const char *scope;   /* "user", "population", "model"; static */
    const char *subject; /* "categories", "kinds", "prices", "ratings", "loss", "hits", "score", "norm"; static */
    tw_slice user_id;    /* empty: not of a user */
    uint32_t task;       /* of the event that raised it */
    int64_t event_ms;    /* its event time */
    uint64_t number;     /* counts the records of this state */
    tw_drift_window from, to;
    double size;  /* of distributions the Jensen-Shannon divergence in bits, 0 to 1; of numbers to - from */
    double bound; /* how likely a difference as large is if nothing has changed: at most that, or a p-value */
    bool is_p;    /* the latter */
    int evidence_count;
    tw_drift_share evidence[TW_DRIFT_EVIDENCE_MAX]; /* outcomes that moved most, the largest move first */
} tw_drift_record;

#endif
