/* What a cluster has: topics and their partition counts. Asked for whole, since asking for one topic by name may create it.
 * Thread: its owner's. */
#ifndef TW_KAFKA_TOPICS_H
#define TW_KAFKA_TOPICS_H

#include "base/err.h"
#include "config/config.h"

#include <stdint.h>

typedef struct tw_kafka_topics tw_kafka_topics;

/* A client for asking; does not wait for a connection. Errors: TW_E_CONFIG. */
tw_code tw_kafka_topics_open(const tw_config *config, tw_kafka_topics **ret_topics, tw_err *err);
tw_kafka_topics *tw_kafka_topics_close(tw_kafka_topics *topics);

/* Asks the cluster, at most for wait_ms. Errors: TW_E_BUSY (no broker answers), TW_E_KAFKA. */
tw_code tw_kafka_topics_ask(tw_kafka_topics *topics, int wait_ms, tw_err *err);

/* How many partitions the topic had in the last answer; 0: no such topic. */
int tw_kafka_topics_partitions(const tw_kafka_topics *topics, const char *topic);

/* A topic that must be there, named by the setting key, for Read or Write. Errors: TW_E_CONFIG (it is not, with what to do),
 * TW_E_KAFKA (we may not know, with who lacks which right). */
tw_code tw_kafka_topics_want(const tw_kafka_topics *topics, const char *topic, const char *key, const char *operation,
                             tw_err *err);

/* The first offset of a partition and the one that its next record will have. Errors: TW_E_NOT_FOUND (no such partition in the last
 * answer), TW_E_BUSY (no answer in wait_ms), TW_E_KAFKA (denied). */
tw_code tw_kafka_topics_bounds(const tw_kafka_topics *topics, const char *topic, int32_t partition, int wait_ms,
                               int64_t *ret_low, int64_t *ret_high, tw_err *err);

#endif
