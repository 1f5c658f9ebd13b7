/* Readers of whole topics: what a record carries, where reading goes on, pauses, ends. */
#include "support/kafka.h"

static void send_numbers(cluster *c, const char *topic, int from, int to) {
    char text[16];
    for (int i = from; i < to; i++) {
        snprintf(text, sizeof text, "%d", i);
        cluster_send(c, topic, text, text);
    }
    cluster_settle(c);
}

TEST(records_come_in_order_with_key_value_headers_and_timestamp) {
    cluster c;
    reader r;
    tw_slice header;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    const tw_kafka_header headers[] = {{"trace", tw_slice_of("old")}, {"trace", tw_slice_of("abc")}};
    for (int i = 0; i < 500; i++) {
        char key[16], value[16];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(value, sizeof value, "v%d", i);
        cluster_send_message(&c, &(tw_kafka_message){.topic = "t",
                                                     .key = tw_slice_of(key),
                                                     .value = tw_slice_of(value),
                                                     .timestamp_ms = 1700000000000 + i,
                                                     .headers = headers,
                                                     .headers_count = i % 2 ? 2 : 0});
    }
    cluster_settle(&c);
    reader_open(&r, &c, "t", 1, TW_KAFKA_BEGINNING);
    for (int i = 0; i < 500; i++) {
        char key[16], value[16];
        snprintf(key, sizeof key, "k%d", i);
        snprintf(value, sizeof value, "v%d", i);
        const tw_record *record = reader_next(&r);
        ASSERT_EQ(record->input, 7);
        ASSERT_EQ(record->partition, 0);
        ASSERT_EQ(record->offset, i);
        ASSERT_EQ(record->timestamp_ms, 1700000000000 + i);
        ASSERT_FALSE(record->appended);
        ASSERT_TRUE(slice_is(record->key, key));
        ASSERT_TRUE(slice_is(record->value, value));
        ASSERT_EQ(tw_kafka_record_header(record, "trace", &header), i % 2);
        if (i % 2)
            ASSERT_TRUE(slice_is(header, "abc"));
        ASSERT_FALSE(tw_kafka_record_header(record, "other", &header));
    }
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    reader_close(&r);
    cluster_close(&c);
}

TEST(an_empty_key_or_value_is_not_a_missing_one) {
    cluster c;
    reader r;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    cluster_send(&c, "t", "", "");
    cluster_send(&c, "t", NULL, "v");
    cluster_send(&c, "t", "k", NULL);
    cluster_settle(&c);
    reader_open(&r, &c, "t", 1, TW_KAFKA_BEGINNING);
    const tw_record *record = reader_next(&r);
    ASSERT_TRUE(record->key.data && record->key.size == 0);
    ASSERT_TRUE(record->value.data && record->value.size == 0);
    record = reader_next(&r);
    ASSERT_TRUE(!record->key.data && slice_is(record->value, "v"));
    record = reader_next(&r);
    ASSERT_TRUE(slice_is(record->key, "k") && !record->value.data);
    reader_close(&r);
    cluster_close(&c);
}

TEST(a_reader_goes_on_where_it_is_told_to) {
    cluster c;
    reader r;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    send_numbers(&c, "t", 0, 100);
    reader_open(&r, &c, "t", 1, 60);
    for (int i = 60; i < 100; i++)
        ASSERT_EQ(reader_next(&r)->offset, i);
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    reader_close(&r);

    reader_open(&r, &c, "t", 1, 100); /* all read: the end is a position like another */
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    reader_close(&r);

    reader_open(&r, &c, "t", 1, TW_KAFKA_END);
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    send_numbers(&c, "t", 100, 110);
    for (int i = 100; i < 110; i++)
        ASSERT_EQ(reader_next(&r)->offset, i);
    reader_close(&r);
    cluster_close(&c);
}

static void assert_gone(cluster *c, const char *topic, int64_t offset, const char *position) {
    reader r;
    tw_err err = {0};
    tw_code code = TW_OK;
    int count = 0;
    reader_open(&r, c, topic, 1, offset);
    AWAIT(code != TW_OK, code = tw_kafka_consumer_poll(r.consumer, &r.record, 1, 100, &count, &err);
          ASSERT_EQ(count, 0));
    ASSERT_EQ(code, TW_E_MISMATCH);
    ASSERT_TRUE(strstr(err.text, position));
    ASSERT_TRUE(strstr(err.text, "no longer there"));
    ASSERT_TRUE(strstr(err.text, "`run --reset-to earliest` or `latest`"));
    reader_close(&r);
}

TEST(a_position_that_is_gone_stops_and_says_so) {
    cluster c;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    send_numbers(&c, "t", 0, 10);
    assert_gone(&c, "t", 11, "t[0]: the position 11 ");
    cluster_close(&c);

    cluster_open(&c); /* the topic made anew, with fewer records than were read of the old one */
    cluster_topic(&c, "t", 1);
    send_numbers(&c, "t", 0, 3);
    assert_gone(&c, "t", 10, "t[0]: the position 10 ");
    cluster_close(&c);
}

/* Polls for a while; nothing may come. */
static void assert_silent(reader *r) {
    tw_err err;
    int count;
    for (int i = 0; i < 30; i++) {
        ASSERT_OK(tw_kafka_consumer_poll(r->consumer, &r->record, 1, 10, &count, &err));
        ASSERT_EQ(count, 0);
    }
}

TEST(paused_nothing_comes_and_afterwards_nothing_is_missing) {
    cluster c;
    reader r;
    cluster_open(&c);
    cluster_topic(&c, "t", 1);
    send_numbers(&c, "t", 0, 1000);
    reader_open(&r, &c, "t", 1, 5);
    tw_kafka_consumer_pause(r.consumer, true); /* before the first record */
    assert_silent(&r);
    tw_kafka_consumer_pause(r.consumer, false);
    for (int i = 5; i < 1000; i++) {
        ASSERT_EQ(reader_next(&r)->offset, i);
        if (i % 250 == 0) { /* with records fetched ahead */
            tw_kafka_consumer_pause(r.consumer, true);
            tw_kafka_consumer_pause(r.consumer, true);
            assert_silent(&r);
            tw_kafka_consumer_pause(r.consumer, false);
        }
    }
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    reader_close(&r);
    cluster_close(&c);
}

TEST(lag_and_caught_up_tell_how_far_reading_is) {
    cluster c;
    reader r;
    tw_err err;
    int count;
    cluster_open(&c);
    cluster_topic(&c, "t", 4); /* one key: three partitions stay empty */
    for (int i = 0; i < 50; i++)
        cluster_send(&c, "t", "one", "v");
    cluster_settle(&c);
    reader_open(&r, &c, "t", 4, TW_KAFKA_BEGINNING);
    ASSERT_FALSE(tw_kafka_consumer_caught_up(r.consumer));
    for (int i = 0; i < 50; i++) {
        ASSERT_FALSE(tw_kafka_consumer_caught_up(r.consumer));
        reader_next(&r);
        ASSERT_EQ(tw_kafka_consumer_lag(r.consumer, 7), 49 - i);
    }
    AWAIT(tw_kafka_consumer_caught_up(r.consumer),
          ASSERT_OK(tw_kafka_consumer_poll(r.consumer, &r.record, 1, 100, &count, &err)));
    cluster_send(&c, "t", "one", "later");
    cluster_settle(&c);
    ASSERT_TRUE(slice_is(reader_next(&r)->value, "later"));
    ASSERT_TRUE(tw_kafka_consumer_caught_up(r.consumer)); /* once is enough */
    ASSERT_EQ(tw_kafka_consumer_lag(r.consumer, 7), 0);
    reader_close(&r);
    cluster_close(&c);
}
