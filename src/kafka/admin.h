/* Topics made and looked at by the admin protocol. Nothing here changes or deletes what is there. Thread: its owner's. */
#ifndef TW_KAFKA_ADMIN_H
#define TW_KAFKA_ADMIN_H

#include "kafka/topics.h"

#include <stdbool.h>

#define TW_KAFKA_POLICY_SIZE 32

/* The cleanup.policy of a topic; an empty text where the broker does not tell (no right to, or it does not speak that). Errors:
 * TW_E_BUSY (no answer in wait_ms). */
tw_code tw_kafka_policy(const tw_kafka_topics *topics, const char *topic, int wait_ms, char *ret_policy, tw_err *err);

/* Makes a topic; one that has come into being meanwhile is good too. replication -1: the broker's default. Errors: TW_E_BUSY (no answer
 * in wait_ms), TW_E_KAFKA (refused, with the broker's reason). */
tw_code tw_kafka_create(const tw_kafka_topics *topics, const char *topic, int partitions, int replication,
                        bool compacted, int wait_ms, tw_err *err);

#endif
