#include "avro/schemas.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "kafka/broker.h"
#include "kafka/producer.h"
#include "pipeline/ingest/kafka.h"
#include "support/fake_registry.h"
#include "support/test.h"

#include <stdio.h>

#define CLICK                                                                                \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Click\\\",\\\"fields\\\":[" \
    "{\\\"name\\\":\\\"user_id\\\",\\\"type\\\":\\\"string\\\"},"                            \
    "{\\\"name\\\":\\\"item_id\\\",\\\"type\\\":\\\"string\\\"}]}\"}"
#define PARTITIONS 2
#define PER_ID 600
#define BATCH 256
#define PATIENCE_NS 60000000000

static tw_err err;
static tw_config config;
static tw_kafka_broker *broker;
static fake_registry *fake;
static tw_source *source;
static tw_record records[BATCH];
static int64_t next[PARTITIONS]; /* offset that must come next */

static int64_t from_the_beginning(void *self, uint16_t input, int32_t partition) {
    (void)self, (void)input, (void)partition;
    return -1;
}
static tw_code given_up(void *self, bool lost, tw_err *ret_err) {
    (void)self, (void)lost, (void)ret_err;
    return TW_OK;
}

static void set(const char *fmt, const char *value) {
    char line[300];
    snprintf(line, sizeof line, fmt, value);
    ASSERT_OK(tw_config_set(&config, line, &err));
}

/* PER_ID clicks for each id from 1 to ids, in that order in each partition. */
static void send_clicks(int ids) {
    tw_kafka_producer *producer;
    char value[9] = {0, 0, 0, 0, 0, 2, 'u', 2, 'i'}, key[16];
    ASSERT_OK(tw_kafka_producer_open(&config, &producer, &err));
    for (int n = 0; n < ids * PER_ID; n++) {
        value[4] = (char)(1 + n / PER_ID);
        snprintf(key, sizeof key, "u%d", n % 50);
        ASSERT_OK(tw_kafka_producer_send(
            producer,
            &(tw_kafka_message){
                .topic = "clicks", .key = tw_slice_of(key), .value = {value, sizeof value}, .timestamp_ms = -1},
            &err));
    }
    tw_code code;
    while ((code = tw_kafka_producer_flush(producer, 200, &err)) == TW_E_BUSY) {
    }
    ASSERT_OK(code);
    tw_kafka_producer_close(producer);
}

static void begin(const fake_reply *replies, int count, int ids) {
    char url[100];
    tw_kafka_topics *topics;
    memset(next, 0, sizeof next);
    fake = fake_registry_start(0, replies, count);
    ASSERT_OK(tw_kafka_broker_start(&broker, &err));
    ASSERT_OK(tw_kafka_broker_create_topic(broker, "clicks", PARTITIONS, &err));
    tw_config_init(&config);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", fake_registry_port(fake));
    set("schema.registry.url=%s", url);
    set("kafka.bootstrap.servers=%s", tw_kafka_broker_address(broker));
    set("input.%s.format=confluent", "clicks");
    set("input.%s.topic=", "purchases");
    set("input.%s.topic=", "reviews");
    set("input.%s.topic=", "items");
    set("kafka.linger.ms=%s", "50");
    set("kafka.fetch.wait.max.ms=%s", "10");
    send_clicks(ids);
    ASSERT_OK(tw_kafka_topics_open(&config, &topics, &err));
    ASSERT_OK(tw_kafka_topics_ask(topics, 10000, &err));
    ASSERT_OK(tw_source_kafka(&config, topics, &source, &err));
    tw_kafka_topics_close(topics);
    source->hooks = (tw_source_hooks){.assigned = from_the_beginning, .revoked = given_up};
}

static void end(void) {
    source->ops->close(source);
    tw_kafka_broker_stop(broker);
    fake_registry_stop(fake);
    tw_config_done(&config);
}

/* One poll; what comes is next in its partition and its schema is known. */
static int poll_once(void) {
    int count;
    ASSERT_OK(source->ops->poll(source, records, BATCH, 20, &count, &err));
    for (int i = 0; i < count; i++) {
        ASSERT_EQ(records[i].offset, next[records[i].partition]);
        next[records[i].partition]++;
        ASSERT_TRUE(tw_avro_schemas_by_id(source->inputs[0].schemas, (uint32_t)records[i].value.data[4]) != NULL);
    }
    return count;
}

static void poll_all(int wanted) {
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + PATIENCE_NS;
    int count = (int)(next[0] + next[1]);
    while (count < wanted && tw_clock_steady_ns(&tw_clock_system) < until_ns) {
        ASSERT_FALSE(source->caught_up && count < wanted); /* before all was handed out */
        count += poll_once();
    }
    ASSERT_EQ(count, wanted);
    ASSERT_EQ(poll_once(), 0);
}

static bool is_waiting(void) {
    return tw_metric_get(tw_metric_find("tailwater_registry_waiting", NULL)) > 0;
}

/* Polls until the registry is waited for, and for so long that partitions are paused. */
static void poll_into_the_outage(void) {
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + PATIENCE_NS;
    while (!is_waiting() && tw_clock_steady_ns(&tw_clock_system) < until_ns)
        poll_once();
    ASSERT_TRUE(is_waiting());
    for (int i = 0; i < 20; i++)
        ASSERT_EQ(poll_once(), 0);
}

TEST(records_come_in_order_and_once_whatever_the_registry_does_and_none_before_its_schema) {
    const fake_reply replies[] = {{200, CLICK}, {500, "{}"},
                                  {500, "{}"},  {.status = 200, .body = CLICK, .cut = true},
                                  {500, "{}"},  {.status = 200, .body = CLICK, .wait_ms = 300}};
    begin(replies, 6, 3);
    poll_all(3 * PER_ID);
    ASSERT_EQ(fake_registry_asked(fake), 7);
    end();
}

TEST(a_batch_that_is_held_waits_for_the_engine_too) {
    const fake_reply good = {200, CLICK}, bad = {503, "{}"};
    begin(&bad, 1, 1);
    poll_into_the_outage();
    source->ops->pause(source, true);
    int port = fake_registry_port(fake);
    fake_registry_stop(fake);
    fake = fake_registry_start(port, &good, 1);
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + PATIENCE_NS;
    while (is_waiting() && tw_clock_steady_ns(&tw_clock_system) < until_ns)
        ASSERT_EQ(poll_once(), 0);
    for (int i = 0; i < 10; i++)
        ASSERT_EQ(poll_once(), 0);
    source->ops->pause(source, false);
    poll_all(PER_ID);
    end();
}

TEST(a_source_may_be_closed_while_it_holds_a_batch) {
    const fake_reply bad = {503, "{}"};
    begin(&bad, 1, 1);
    poll_into_the_outage();
    ASSERT_FALSE(source->caught_up);
    end();
    ASSERT_FALSE(is_waiting());
}
