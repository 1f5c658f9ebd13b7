/* Places of lists in flight, given out again when they are through. Called by the Kafka sink. */
#include "pipeline/publish/latency.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/metrics.h"

#include <stdlib.h>

typedef struct place {
    int64_t event_ms, produced_ms; /* of the newest event that the list knows; <= 0: unknown */
    uint32_t next_free;            /* tag; 0: the last */
} place;

struct tw_latency {
    place *places; /* (count), tag - 1 */
    size_t count, capacity;
    uint32_t first_free;
};

static tw_metric from_event = {"tailwater_event_to_ack_seconds",
                               "From the event time of a user's newest event to the acknowledged list that knows it",
                               TW_HISTOGRAM};
static tw_metric from_produce = {"tailwater_produce_to_ack_seconds",
                                 "From the record of that event (its timestamp) to the acknowledged list",
                                 TW_HISTOGRAM};

tw_latency *tw_latency_create(void) {
    static bool registered;
    if (!registered) {
        tw_metric_register(&from_event);
        tw_metric_register(&from_produce);
    }
    registered = true;
    return tw_zalloc(sizeof(tw_latency));
}

tw_latency *tw_latency_free(tw_latency *latency) {
    if (latency) {
        free(latency->places);
        free(latency);
    }
    return NULL;
}

uint32_t tw_latency_begin(tw_latency *latency, const tw_list *list) {
    uint32_t tag = latency->first_free;
    if (tag) {
        latency->first_free = latency->places[tag - 1].next_free;
    } else {
        latency->places = tw_grow(latency->places, &latency->capacity, latency->count + 1, sizeof *latency->places);
        tag = (uint32_t)++latency->count;
    }
    latency->places[tag - 1] = (place){.event_ms = list->event_ms, .produced_ms = list->produced_ms};
    return tag;
}

static void observe(tw_metric *metric, int64_t from_ms, int64_t now_ms) {
    if (from_ms > 0) /* a clock ahead of ours counts as no time */
        tw_metric_observe(metric, now_ms > from_ms ? (double)(now_ms - from_ms) / 1000.0 : 0);
}

void tw_latency_end(tw_latency *latency, uint32_t tag, bool acknowledged) {
    TW_ASSERT(tag > 0 && tag <= latency->count);
    place *p = &latency->places[tag - 1];
    if (acknowledged) {
        int64_t now_ms = tw_clock_wall_ms(&tw_clock_system);
        observe(&from_event, p->event_ms, now_ms);
        observe(&from_produce, p->produced_ms, now_ms);
    }
    p->next_free = latency->first_free;
    latency->first_free = tag;
}
