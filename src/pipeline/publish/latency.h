/* How long it takes from an event to the acknowledged list that knows it: two histograms, and what must be remembered of a list
 * between its hand-over and its acknowledgement. Thread: engine. */
#ifndef TW_PUBLISH_LATENCY_H
#define TW_PUBLISH_LATENCY_H

#include "base/list.h"

#include <stdbool.h>

typedef struct tw_latency tw_latency;

tw_latency *tw_latency_create(void);
tw_latency *tw_latency_free(tw_latency *latency);

/* A list is handed over: the tag that its acknowledgement brings back, never 0. Bounded by the records in flight. */
uint32_t tw_latency_begin(tw_latency *latency, const tw_list *list);
/* What became of it; dropped lists are not measured. */
void tw_latency_end(tw_latency *latency, uint32_t tag, bool acknowledged);

#endif
