/* Records in: as a member of the group application.id, whose partitions come and go, or as a reader of all partitions of one
 * topic. Where to go on is the caller's word, never the broker's: the positions stand in the state.
 *
 * Records are polled one by one (librdkafka's consume_batch skips offsets around a rebalance before 2.1) and live until the next
 * poll. Hooks are called within poll and close. Thread: its owner's. */
#ifndef TW_KAFKA_CONSUMER_H
#define TW_KAFKA_CONSUMER_H

#include "base/err.h"
#include "base/event.h"
#include "config/config.h"

typedef struct tw_kafka_consumer tw_kafka_consumer;

typedef struct tw_kafka_topic {
    const char *name; /* borrowed while the consumer lives */
    uint16_t input;   /* tw_record.input of its records */
    int partitions;
} tw_kafka_topic;

typedef struct tw_kafka_partition {
    uint16_t input;
    int32_t partition;
    int64_t offset; /* where to go on; -1: at the beginning */
} tw_kafka_partition;

typedef struct tw_kafka_group {
    void *self;
    /* These partitions are ours now: fill in their offsets. */
    tw_code (*assigned)(void *self, tw_kafka_partition *partitions, int count, tw_err *err);
    /* All partitions are about to be given up; what was polled but not returned yet is dropped. lost: another member may own them
     * already. */
    tw_code (*revoked)(void *self, bool lost, tw_err *err);
} tw_kafka_group;

/* Joins the group. Errors: TW_E_CONFIG, TW_E_KAFKA. */
tw_code tw_kafka_consumer_join(const tw_config *config, const tw_kafka_topic *topics, int topics_count,
                               const tw_kafka_group *group, tw_kafka_consumer **ret_consumer, tw_err *err);

#define TW_KAFKA_BEGINNING (-1)
#define TW_KAFKA_END (-2)

/* Reads all partitions of one topic, outside of the group, from offsets (partitions), which may be one of the two above. */
tw_code tw_kafka_consumer_read(const tw_config *config, const tw_kafka_topic *topic, const int64_t *offsets,
                               tw_kafka_consumer **ret_consumer, tw_err *err);

/* Leaves the group. */
tw_kafka_consumer *tw_kafka_consumer_close(tw_kafka_consumer *consumer);

/* At most max records; waits at most wait_ms for the first. A broker that is away is not an error: nothing comes. Errors:
 * TW_E_KAFKA (a topic vanished, not allowed), TW_E_MISMATCH (the position that was asked for is gone), and those of the hooks. */
tw_code tw_kafka_consumer_poll(tw_kafka_consumer *consumer, tw_record *records, int max, int wait_ms, int *ret_count,
                               tw_err *err);

/* The newest header of that name of a polled record; its bytes live as long as the record. false: it has none. */
bool tw_kafka_record_header(const tw_record *record, const char *name, tw_slice *ret_value);

/* Instead of poll, while the consumer is paused and the records of the last poll are still wanted: serves the group for at most wait_ms.
 * *ret_count: how many of those records are left, all or, after a rebalance, none. Errors: those of poll. */
tw_code tw_kafka_consumer_serve(tw_kafka_consumer *consumer, int wait_ms, int *ret_count, tw_err *err);

/* Paused, poll serves the group and hands out nothing. */
void tw_kafka_consumer_pause(tw_kafka_consumer *consumer, bool pause);

/* Tells the group of a position, for tools that show its lag; sent with the next poll or at close. */
void tw_kafka_consumer_commit(tw_kafka_consumer *consumer, uint16_t input, int32_t partition, int64_t offset);

/* Every assigned partition was read once up to the end that it had when its first records came. false: none is assigned. */
bool tw_kafka_consumer_caught_up(const tw_kafka_consumer *consumer);

/* Records in the assigned partitions of an input that were not polled yet, as far as is known. */
int64_t tw_kafka_consumer_lag(const tw_kafka_consumer *consumer, uint16_t input);

#endif
