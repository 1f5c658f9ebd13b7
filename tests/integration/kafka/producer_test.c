/* The producer: brokers that go away, records that are too large. */
#include "support/kafka.h"

#define RECORDS 2000

static void send_numbered(cluster *c, int from, int to) {
    char text[16];
    for (int i = from; i < to; i++) {
        snprintf(text, sizeof text, "%d", i);
        cluster_send(c, "t", "k", text);
    }
}

TEST(a_broker_that_goes_away_is_waited_for_and_each_record_is_there_once) {
    cluster c;
    reader r;
    tw_err err;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    send_numbered(&c, 0, RECORDS);
    reader_open(&r, &c, "t", 1, TW_KAFKA_BEGINNING);
    ASSERT_EQ(reader_next(&r)->offset, 0); /* connected; the rest of the first half may be on its way */
    send_numbered(&c, RECORDS, 2 * RECORDS);
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, false, &err));
    send_numbered(&c, 2 * RECORDS, 3 * RECORDS);
    for (int i = 0; i < 5; i++)
        ASSERT_EQ(tw_kafka_producer_flush(c.producer, 100, &err), TW_E_BUSY);
    ASSERT_GE(tw_kafka_producer_waiting(c.producer), RECORDS);
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, true, &err));
    cluster_settle(&c);
    ASSERT_EQ(tw_kafka_producer_waiting(c.producer), 0);
    for (int i = 1; i < 3 * RECORDS; i++) { /* the reader, too, goes on by itself */
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        const tw_record *record = reader_next(&r);
        ASSERT_EQ(record->offset, i);
        ASSERT_TRUE(slice_is(record->value, text));
    }
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    reader_close(&r);
    cluster_close(&c);
}

TEST(a_broker_that_is_away_at_the_start_is_waited_for) {
    cluster c;
    reader r;
    tw_err err;
    int count;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, false, &err));
    send_numbered(&c, 0, 10);
    reader_open(&r, &c, "t", 1, TW_KAFKA_BEGINNING);
    for (int i = 0; i < 5; i++) {
        ASSERT_OK(tw_kafka_consumer_poll(r.consumer, &r.record, 1, 50, &count, &err));
        ASSERT_EQ(count, 0);
    }
    ASSERT_EQ(tw_kafka_producer_flush(c.producer, 0, &err), TW_E_BUSY);
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, true, &err));
    cluster_settle(&c);
    for (int i = 0; i < 10; i++)
        ASSERT_EQ(reader_next(&r)->offset, i);
    reader_close(&r);
    cluster_close(&c);
}

/* A record of `size` bytes with a header; cut: as a dead letter goes. */
static tw_code send_large(cluster *c, size_t size, bool cut, tw_err *err) {
    char *value = malloc(size);
    const tw_kafka_header header = {"trace", tw_slice_of("abc")};
    memset(value, 'x', size);
    tw_code code = tw_kafka_producer_send(c->producer,
                                          &(tw_kafka_message){.topic = "t",
                                                              .key = tw_slice_of("k"),
                                                              .value = {value, size},
                                                              .timestamp_ms = 1700000000000,
                                                              .headers = &header,
                                                              .headers_count = 1,
                                                              .cut = cut},
                                          err);
    free(value);
    return code;
}

/* Key, headers and timestamp, and in place of the value its size. */
static void assert_cut(const tw_record *record, const char *size) {
    tw_slice header;
    ASSERT_TRUE(record->value.data == NULL);
    ASSERT_TRUE(slice_is(record->key, "k"));
    ASSERT_EQ(record->timestamp_ms, 1700000000000);
    ASSERT_TRUE(tw_kafka_record_header(record, "trace", &header) && slice_is(header, "abc"));
    ASSERT_TRUE(tw_kafka_record_header(record, "tailwater.error.value.bytes", &header) && slice_is(header, size));
}

TEST(a_dead_letter_beyond_the_producers_bound_goes_without_its_value) {
    cluster c;
    reader r;
    tw_slice header;
    tw_err err;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    ASSERT_OK(send_large(&c, 10000001, true, &err)); /* message.max.bytes is 10,000,000 */
    ASSERT_OK(send_large(&c, 1000, true, &err));
    cluster_settle(&c);
    reader_open(&r, &c, "t", 1, TW_KAFKA_BEGINNING);
    assert_cut(reader_next(&r), "10000001");
    const tw_record *record = reader_next(&r);
    ASSERT_EQ(record->value.size, 1000);
    ASSERT_FALSE(tw_kafka_record_header(record, "tailwater.error.value.bytes", &header));
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    reader_close(&r);
    cluster_close(&c);
}

TEST(a_dead_letter_beyond_the_topics_bound_goes_without_its_value) {
    cluster c;
    reader r;
    tw_err err;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    tw_kafka_broker_refuse(c.broker, 1);
    ASSERT_OK(send_large(&c, 5000, true, &err));
    cluster_settle(&c);
    ASSERT_OK(send_large(&c, 1000, true, &err)); /* the producer works on */
    cluster_settle(&c);
    reader_open(&r, &c, "t", 1, TW_KAFKA_BEGINNING);
    assert_cut(reader_next(&r), "5000");
    ASSERT_EQ(reader_next(&r)->value.size, 1000);
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    reader_close(&r);
    cluster_close(&c);
}

TEST(another_record_that_is_too_large_is_an_error) {
    cluster c;
    tw_err err;
    tw_code code = TW_E_BUSY;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    ASSERT_EQ(send_large(&c, 10000001, false, &err), TW_E_KAFKA);
    ASSERT_TRUE(strstr(err.text, "topic \"t\": a record of 10000001 bytes: "));
    tw_kafka_broker_refuse(c.broker, 1);
    ASSERT_OK(send_large(&c, 5000, false, &err));
    AWAIT(code != TW_E_BUSY, code = tw_kafka_producer_flush(c.producer, 100, &err));
    ASSERT_EQ(code, TW_E_KAFKA);
    ASSERT_TRUE(strstr(err.text, "topic \"t\" refused a record of 5000 bytes"));
    ASSERT_EQ(tw_kafka_producer_flush(c.producer, 0, &err), TW_E_KAFKA); /* it stays so */
    cluster_close(&c);
}

TEST(a_queue_more_than_half_full_says_so_by_records_and_by_bytes) {
    cluster c;
    tw_kafka_producer *producer;
    tw_err err;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    cluster_set(&c, "kafka.queue.buffering.max.messages=100");
    cluster_set(&c, "kafka.queue.buffering.max.kbytes=64");
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, false, &err));
    /* 50 of 100 records, give or take the client's own messages to us; 32 of 64 KiB. */
    static const struct {
        size_t size;
        int fitting, crowding;
    } cases[] = {{1, 40, 60}, {8192, 4, 5}};
    for (size_t i = 0; i < 2; i++) {
        static char bytes[8192];
        const tw_kafka_message message = {.topic = "t", .value = {bytes, cases[i].size}, .timestamp_ms = -1};
        ASSERT_OK(tw_kafka_producer_open(&c.config, &producer, &err));
        for (int n = 0; n < cases[i].crowding; n++) {
            ASSERT_TRUE(n > cases[i].fitting || !tw_kafka_producer_crowded(producer));
            ASSERT_OK(tw_kafka_producer_send(producer, &message, &err));
        }
        ASSERT_TRUE(tw_kafka_producer_crowded(producer));
        if (i == 1) { /* acknowledged, it is empty again */
            tw_code code = TW_E_BUSY;
            ASSERT_OK(tw_kafka_broker_set_up(c.broker, true, &err));
            AWAIT(code != TW_E_BUSY, code = tw_kafka_producer_flush(producer, 100, &err));
            ASSERT_OK(code);
            ASSERT_FALSE(tw_kafka_producer_crowded(producer));
        }
        tw_kafka_producer_close(producer);
    }
    cluster_close(&c);
}
