/* Sends the synthetic shop into the input topics of a configuration as JSON, as a shop's own services would: keyed by user, each kind to
 * its topic (all to input.events.topic where the others are not set), items keyed by their id. For demos, tests and benchmarks.
 * Thread: its owner's. */
#ifndef TW_CLI_FEEDER_H
#define TW_CLI_FEEDER_H

#include "base/err.h"
#include "config/config.h"
#include "pipeline/ingest/shop.h"

typedef struct tw_feeder tw_feeder;

/* shop->events 0: endless, from shop->end_ms on. Both are borrowed or copied at once. Errors: TW_E_CONFIG (no topic, a form of values
 * other than JSON), those of the producer. */
tw_code tw_feeder_open(const tw_config *config, const tw_shop_options *shop, tw_feeder **ret_feeder, tw_err *err);
tw_feeder *tw_feeder_close(tw_feeder *feeder); /* what is not acknowledged yet is dropped */

/* Sends news of every item, where there is a topic for it. */
tw_code tw_feeder_send_items(tw_feeder *feeder, tw_err *err);

/* Sends at most max events whose time has come (event time up to until_ms). *ret_count fewer than max: no more for now, or none at
 * all. Errors: TW_E_KAFKA. */
tw_code tw_feeder_send(tw_feeder *feeder, int max, int64_t until_ms, int *ret_count, tw_err *err);

/* Waits at most wait_ms for acknowledgements. Errors: TW_E_BUSY (not all yet), TW_E_KAFKA. */
tw_code tw_feeder_flush(tw_feeder *feeder, int wait_ms, tw_err *err);

uint64_t tw_feeder_sent(const tw_feeder *feeder); /* events and items handed over so far */
bool tw_feeder_ended(const tw_feeder *feeder);    /* the last event of a bounded shop was sent */

#endif
