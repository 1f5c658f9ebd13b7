/* Transactions: what a producer sends between two commits, and the positions of a group up to which it was made, come out together or
 * not at all (KIP-98, KIP-447). A transaction begins with the first record after the last commit.
 *
 * Whoever gets TW_E_ABORTED has lost what the transaction held: discard what was computed, close the producer, open another, go on
 * from the last commit. It comes of an error of the broker, of a time-out, and of a group that has moved on. Thread: the
 * producer's. */
#ifndef TW_KAFKA_TRANSACTION_H
#define TW_KAFKA_TRANSACTION_H

#include "kafka/consumer.h"
#include "kafka/producer.h"

typedef struct tw_kafka_position {
    const char *topic;
    int32_t partition;
    int64_t offset; /* of the next record to consume */
} tw_kafka_position;

/* A producer with transactions; an older one of the same id is fenced by the start. Errors: TW_E_CONFIG. */
tw_code tw_kafka_producer_open_transactional(const tw_config *config, const char *id, tw_kafka_producer **ret_producer,
                                             tw_err *err);

/* Makes it known to the broker; once, before the first record. Waits at most wait_ms. Errors: TW_E_BUSY (ask again), TW_E_KAFKA. */
tw_code tw_kafka_transaction_start(tw_kafka_producer *producer, int wait_ms, tw_err *err);

/* Commits, with positions (count) of the group that consumer is a member of. Waits at most wait_ms. Errors: TW_E_BUSY (not through yet:
 * call again with the same, and send nothing before), TW_E_ABORTED. */
tw_code tw_kafka_transaction_commit(tw_kafka_producer *producer, tw_kafka_consumer *consumer,
                                    const tw_kafka_position *positions, int count, int wait_ms, tw_err *err);

#endif
