/* An embedded broker for demos and tests: librdkafka's mock cluster in our own process, on loopback. It keeps about 5 MiB a
 * partition (older records are dropped silently) and loses everything when it stops. Thread: its owner's. */
#ifndef TW_KAFKA_BROKER_H
#define TW_KAFKA_BROKER_H

#include "base/err.h"

#include <stdbool.h>

typedef struct tw_kafka_broker tw_kafka_broker;

/* Errors: TW_E_KAFKA. */
tw_code tw_kafka_broker_start(tw_kafka_broker **ret_broker, tw_err *err);
tw_kafka_broker *tw_kafka_broker_stop(tw_kafka_broker *broker);

const char *tw_kafka_broker_address(const tw_kafka_broker *broker); /* for bootstrap.servers */
tw_code tw_kafka_broker_create_topic(tw_kafka_broker *broker, const char *topic, int partitions, tw_err *err);

/* Makes the broker go away, connections and all, and come back; what it holds stays. For tests of outages. */
tw_code tw_kafka_broker_set_up(tw_kafka_broker *broker, bool up, tw_err *err);

/* Refuses the next count produce requests: each record in them is too large. For tests. */
void tw_kafka_broker_refuse(tw_kafka_broker *broker, int count);

#endif
