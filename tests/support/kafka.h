/* A cluster for one test: the embedded broker, a producer for what a shop would send, and readers for what comes out. Nothing
 * here goes by durations: what must come is waited for up to a limit that no healthy machine reaches. */
#ifndef TW_TEST_KAFKA_H
#define TW_TEST_KAFKA_H

#include "base/clock.h"
#include "base/log.h"
#include "kafka/broker.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "kafka/topics.h"
#include "support/test.h"

#include <stdarg.h>
#include <stdlib.h>

#define AWAIT_LIMIT_MS 60000

/* Does `step` until the fact holds. */
#define AWAIT(fact, step)                                                                                \
    for (int64_t until_ = tw_clock_steady_ns(&tw_clock_system) + AWAIT_LIMIT_MS * 1000000LL; !(fact);) { \
        if (tw_clock_steady_ns(&tw_clock_system) > until_)                                               \
            tw_test_fail(__FILE__, __LINE__, "never came true: %s", #fact);                              \
        step;                                                                                            \
    }

typedef struct cluster {
    tw_kafka_broker *broker;
    tw_config config; /* of every client of the test */
    tw_kafka_producer *producer;
} cluster;

static inline void cluster_set(cluster *c, const char *assignment) {
    tw_err err;
    ASSERT_OK(tw_config_set(&c->config, assignment, &err));
}

/* The mock broker loses records when produce requests come too quickly, and a rebalance takes it the session's time-out less a
 * second; a group's first member it keeps waiting for 3 s. */
static inline void cluster_open(cluster *c) {
    char servers[128];
    tw_err err;
    *c = (cluster){0};
    /* Brokers that go away are told of at length: with TW_TEST_LOG one may read it. */
    tw_log_set(getenv("TW_TEST_LOG") ? TW_LOG_DEBUG : TW_LOG_OFF, TW_LOG_LOGFMT);
    tw_config_init(&c->config);
    ASSERT_OK(tw_kafka_broker_start(&c->broker, &err));
    snprintf(servers, sizeof servers, "kafka.bootstrap.servers=%s", tw_kafka_broker_address(c->broker));
    cluster_set(c, servers);
    cluster_set(c, "kafka.linger.ms=50");
    cluster_set(c, "kafka.fetch.wait.max.ms=10");
    cluster_set(c, "kafka.session.timeout.ms=3000");
    cluster_set(c, "kafka.heartbeat.interval.ms=300");
    ASSERT_OK(tw_kafka_producer_open(&c->config, &c->producer, &err));
}

static inline void cluster_close(cluster *c) {
    tw_kafka_producer_close(c->producer);
    tw_kafka_broker_stop(c->broker);
    tw_config_done(&c->config);
}

static inline void cluster_topic(cluster *c, const char *topic, int partitions) {
    tw_err err;
    ASSERT_OK(tw_kafka_broker_create_topic(c->broker, topic, partitions, &err));
}

static inline void cluster_send_message(cluster *c, const tw_kafka_message *message) {
    tw_err err;
    ASSERT_OK(tw_kafka_producer_send(c->producer, message, &err));
}

/* key and value are text; NULL: none. */
static inline void cluster_send(cluster *c, const char *topic, const char *key, const char *value) {
    cluster_send_message(c, &(tw_kafka_message){.topic = topic,
                                                .key = key ? tw_slice_of(key) : (tw_slice){0},
                                                .value = value ? tw_slice_of(value) : (tw_slice){0},
                                                .timestamp_ms = -1});
}

/* Until everything sent is acknowledged. */
static inline void cluster_settle(cluster *c) {
    tw_err err;
    tw_code code = TW_E_BUSY;
    AWAIT(code != TW_E_BUSY, code = tw_kafka_producer_flush(c->producer, 100, &err));
    ASSERT_OK(code);
}

/* A topic read record by record from its beginning. */
typedef struct reader {
    tw_kafka_consumer *consumer;
    tw_record record;
} reader;

static inline void reader_open(reader *r, cluster *c, const char *topic, int partitions, int64_t offset) {
    const tw_kafka_topic of = {topic, 7, partitions};
    int64_t offsets[8];
    tw_err err;
    for (int p = 0; p < partitions; p++)
        offsets[p] = offset;
    ASSERT_OK(tw_kafka_consumer_read(&c->config, &of, offsets, &r->consumer, &err));
}

static inline void reader_close(reader *r) {
    r->consumer = tw_kafka_consumer_close(r->consumer);
}

/* The next record, which must come; it lives until the next call. */
static inline const tw_record *reader_next(reader *r) {
    tw_err err;
    int count = 0;
    AWAIT(count == 1, ASSERT_OK(tw_kafka_consumer_poll(r->consumer, &r->record, 1, 100, &count, &err)));
    return &r->record;
}

/* The next record, or NULL once the topic was read to the end that it had. */
static inline const tw_record *reader_next_or_end(reader *r) {
    tw_err err;
    int count = 0;
    AWAIT(count == 1 || tw_kafka_consumer_caught_up(r->consumer),
          ASSERT_OK(tw_kafka_consumer_poll(r->consumer, &r->record, 1, 10, &count, &err)));
    if (count == 0)
        ASSERT_OK(tw_kafka_consumer_poll(r->consumer, &r->record, 1, 100, &count, &err));
    return count ? &r->record : NULL;
}

static inline bool slice_is(tw_slice slice, const char *text) {
    return slice.data && tw_slice_equal(slice, tw_slice_of(text));
}

#endif
