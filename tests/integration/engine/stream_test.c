/* What goes through: counters, positions, back-pressure, dead letters, the group. */
#include "base/metrics.h"
#include "support/house.h"

#define USERS 20

static const char *user_name(int n) {
    static char names[4][16];
    static int next;
    char *name = names[next++ % 4];
    snprintf(name, 16, "u%d", n % USERS);
    return name;
}
static const char *item_name(int n) {
    static char name[16];
    snprintf(name, sizeof name, "i%d", n % 7);
    return name;
}

static void send_clicks(house *h, int from, int to) {
    for (int i = from; i < to; i++)
        house_click(h, user_name(i), item_name(i));
    cluster_settle(&h->c);
}

TEST(each_record_of_every_topic_is_counted_once_and_the_verdicts_add_up) {
    house h;
    const tw_metric *dead_letters;
    tw_totals t;
    house_open(&h);
    house_topics(&h, 2);
    for (int i = 0; i < 200; i++) {
        house_click(&h, user_name(i), item_name(i));
        house_event(&h, "purchases", user_name(i), item_name(i), i % 10 ? "" : ",\"kind\":\"return\"");
        house_event(&h, "reviews", user_name(i), item_name(i), i % 10 ? ",\"rating\":4" : ",\"rating\":9");
        if (i % 20 == 0) {
            h.event_id -= 3; /* the click's id again */
            house_click(&h, user_name(i), item_name(i));
            h.event_id += 2;
        }
    }
    for (int i = 0; i < 30; i++) {
        char item[16];
        snprintf(item, sizeof item, "i%d", i);
        cluster_send(&h.c, "items", item, i % 3 ? "{\"item_id\":\"i1\",\"event_ms\":1,\"title\":\"One\"}" : "not news");
    }
    h.now_ms -= 7200000; /* two hours behind: late for clicks alone */
    house_click(&h, user_name(0), "i0");
    house_event(&h, "purchases", user_name(0), "i0", "");
    cluster_settle(&h.c);

    house_start(&h);
    dead_letters = tw_metric_find("tailwater_dead_letters_total", "rating_range");
    double counted = tw_metric_get(dead_letters);
    AWAIT(house_consumed(&h) == 642, house_step(&h)); /* 3 x 200 + 10 + 30 + 2 */
    tw_engine_totals(h.engine, &t);
    ASSERT_EQ(t.verdicts[TW_VERDICT_DUPLICATE], 10);
    ASSERT_EQ(t.verdicts[TW_VERDICT_LATE], 1);
    ASSERT_EQ(t.verdicts[TW_VERDICT_DEAD], 30);
    ASSERT_EQ(t.reasons[TW_REASON_RATING_RANGE], 20);
    ASSERT_EQ(t.reasons[TW_REASON_MALFORMED], 10);
    ASSERT_EQ(t.verdicts[TW_VERDICT_APPLIED], 601);
    ASSERT_NEAR(tw_metric_get(dead_letters) - counted, 20, 0);
    house_stop(&h);
    house_close(&h);
}

/* Another program commits positions for our group: at the end of clicks, at the start of purchases. */
static tw_code take_from_beginning(void *self, tw_kafka_partition *partitions, int count, tw_err *err) {
    (void)err;
    *(bool *)self = true;
    for (int i = 0; i < count; i++)
        partitions[i].offset = TW_KAFKA_BEGINNING;
    return TW_OK;
}
static tw_code let_go(void *self, bool lost, tw_err *err) {
    (void)self, (void)lost, (void)err;
    return TW_OK;
}
static void commit_for_the_group(house *h) {
    static const tw_kafka_topic topics[] = {{"clicks", 0, 2}, {"purchases", 1, 2}};
    bool assigned[1] = {false}; /* an array: clang holds a plain one for a loop's condition that nothing changes */
    const tw_kafka_group group = {assigned, take_from_beginning, let_go};
    tw_kafka_consumer *consumer;
    tw_record records[100];
    tw_err err;
    int count;
    ASSERT_OK(tw_kafka_consumer_join(&h->c.config, topics, 2, &group, &consumer, &err));
    AWAIT(assigned[0], ASSERT_OK(tw_kafka_consumer_poll(consumer, records, 1, 20, &count, &err)));
    for (int p = 0; p < 2; p++) {
        tw_kafka_consumer_commit(consumer, 0, p, 1000);
        tw_kafka_consumer_commit(consumer, 1, p, 0);
    }
    tw_kafka_consumer_close(consumer); /* sends them */
}

TEST(offsets_resume_from_the_store_whatever_the_group_committed) {
    house h;
    house_open(&h);
    house_topics(&h, 2);
    send_clicks(&h, 0, 100);
    for (int i = 0; i < 60; i++)
        house_event(&h, "purchases", user_name(i), item_name(i), "");
    cluster_settle(&h.c);
    house_start(&h);
    AWAIT(house_consumed(&h) == 160, house_step(&h));
    house_stop(&h);
    commit_for_the_group(&h);

    send_clicks(&h, 0, 50);
    h.c.config.commit_interval_ms = 600000;
    house_start(&h);
    ASSERT_EQ(house_consumed(&h), 160);
    AWAIT(house_consumed(&h) == 210, house_step(&h));
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_APPLIED), 210); /* nothing twice */
    house_kill(&h);

    house_start(&h); /* what was not committed comes again, and counts once */
    ASSERT_EQ(house_consumed(&h), 160);
    AWAIT(house_consumed(&h) == 210, house_step(&h));
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_APPLIED), 210);
    house_stop(&h);
    house_close(&h);
}

TEST(a_position_that_is_gone_stops_the_stream) {
    house h;
    tw_err err = {0};
    tw_code code = TW_OK;
    int count;
    house_open(&h);
    house_topics(&h, 1);
    send_clicks(&h, 0, 50);
    house_start(&h);
    AWAIT(house_consumed(&h) == 50, house_step(&h));
    house_stop(&h);
    cluster_close(&h.c); /* the same topics, made anew */
    cluster_open(&h.c);
    house_topics(&h, 1);
    send_clicks(&h, 0, 10);
    house_start(&h);
    AWAIT(code != TW_OK, code = tw_engine_step(h.engine, 10, &count, &err));
    ASSERT_EQ(code, TW_E_MISMATCH);
    ASSERT_TRUE(strstr(err.text, "clicks[0]: the position 50 "));
    house_kill(&h);
    house_close(&h);
}

TEST(topics_that_do_not_fit_are_refused_by_name_and_count) {
    house h;
    tw_err err = {0};
    house_open(&h);
    cluster_topic(&h.c, "clicks", 2);
    cluster_topic(&h.c, "purchases", 2);
    cluster_topic(&h.c, "reviews", 3);
    ASSERT_EQ(house_try(&h, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "\"clicks\" has 2 partitions and \"reviews\" has 3"));
    cluster_set(&h.c, "input.reviews.topic=");
    ASSERT_EQ(house_try(&h, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "topic \"items\" does not exist: `tailwater topics --create` makes what is missing"));
    cluster_topic(&h.c, "items", 3); /* of another count: items are not keyed by user */
    house_start(&h);
    house_stop(&h);
    cluster_set(&h.c, "input.purchases.topic=clicks");
    ASSERT_EQ(house_try(&h, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "input.purchases.topic: \"clicks\" is read already"));
    cluster_set(&h.c, "input.purchases.topic=");
    cluster_set(&h.c, "input.clicks.topic=");
    ASSERT_EQ(house_try(&h, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "no topic to read"));
    house_close(&h);
}

TEST(a_changed_count_of_partitions_is_refused_with_both_numbers) {
    house h;
    tw_err err = {0};
    house_open(&h);
    house_topics(&h, 2);
    send_clicks(&h, 0, 10);
    house_start(&h);
    AWAIT(house_consumed(&h) == 10, house_step(&h));
    house_stop(&h);
    cluster_close(&h.c);
    cluster_open(&h.c);
    house_topics(&h, 4);
    ASSERT_EQ(house_try(&h, &err), TW_E_MISMATCH);
    ASSERT_TRUE(strstr(err.text, "4 partitions and had 2"));
    house_close(&h);
}

#define RECORDS 3000

TEST(outputs_that_are_not_acknowledged_stop_the_inputs_and_nothing_is_lost) {
    house h;
    tw_err err;
    house_open(&h);
    house_topics(&h, 2);
    cluster_set(&h.c, "ingest.batch.max=1");
    send_clicks(&h, 0, RECORDS);
    house_start(&h);
    const tw_metric *stalled = tw_metric_find("tailwater_stalled", NULL);
    AWAIT(house_consumed(&h) > 0, house_step(&h));
    ASSERT_NEAR(tw_metric_get(stalled), 0, 0);
    ASSERT_OK(tw_kafka_broker_set_up(h.c.broker, false, &err));
    AWAIT(tw_metric_get(stalled) == 1, house_step(&h));
    uint64_t consumed = house_consumed(&h);
    ASSERT_LT(consumed, RECORDS);
    for (int i = 0; i < 5; i++) {
        house_step(&h);
        ASSERT_EQ(tw_engine_commit(h.engine, &err), TW_E_BUSY);
    }
    ASSERT_EQ(house_consumed(&h), consumed);
    ASSERT_OK(tw_kafka_broker_set_up(h.c.broker, true, &err));
    AWAIT(house_consumed(&h) == RECORDS, house_step(&h));
    AWAIT(tw_metric_get(stalled) == 0 && tw_engine_users_owed(h.engine) == 0, house_step(&h));
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_APPLIED), RECORDS);
    house_stop(&h);

    reader r; /* the last list of each user knows the newest event */
    int64_t newest[USERS] = {0};
    reader_open(&r, &h.c, "recommendations", 1, TW_KAFKA_BEGINNING);
    for (const tw_record *record; (record = reader_next_or_end(&r));) {
        tw_json *list;
        ASSERT_OK(tw_json_parse(record->value, &list, &err));
        newest[atoi(record->key.data + 1)] = tw_json_integer(tw_json_get(list, "event_ms"), 0);
        tw_json_free(list);
    }
    for (int u = 0; u < USERS; u++)
        ASSERT_EQ(newest[u], h.now_ms - USERS + u);
    reader_close(&r);
    house_close(&h);
}

TEST(a_queue_of_outputs_that_fills_up_stops_the_inputs_before_it_is_full) {
    house h;
    tw_err err;
    house_open(&h);
    house_topics(&h, 1);
    cluster_set(&h.c, "ingest.batch.max=1");
    cluster_set(&h.c, "commit.interval.ms=600000");
    cluster_set(&h.c, "kafka.queue.buffering.max.messages=200");
    send_clicks(&h, 0, RECORDS);
    house_start(&h);
    const tw_metric *stalled = tw_metric_find("tailwater_stalled", NULL);
    AWAIT(house_consumed(&h) > 0, house_step(&h));
    ASSERT_OK(tw_kafka_broker_set_up(h.c.broker, false, &err));
    AWAIT(tw_metric_get(stalled) == 1, house_step(&h)); /* a step that waited for room would never end */
    uint64_t consumed = house_consumed(&h);
    ASSERT_LT(consumed, RECORDS);
    house_step(&h);
    ASSERT_EQ(house_consumed(&h), consumed);
    ASSERT_OK(tw_kafka_broker_set_up(h.c.broker, true, &err));
    AWAIT(house_consumed(&h) == RECORDS && tw_engine_users_owed(h.engine) == 0, house_step(&h));
    house_stop(&h);
    house_close(&h);
}

static void assert_dead(const tw_record *record, tw_slice key, const char *reason, int offset) {
    tw_slice header;
    char text[16];
    ASSERT_EQ(record->key.data == NULL, key.data == NULL);
    ASSERT_TRUE(tw_slice_equal(record->key, key));
    ASSERT_TRUE(tw_kafka_record_header(record, "tailwater.error.reason", &header) && slice_is(header, reason));
    ASSERT_TRUE(tw_kafka_record_header(record, "tailwater.error.topic", &header) && slice_is(header, "clicks"));
    ASSERT_TRUE(tw_kafka_record_header(record, "tailwater.error.partition", &header) && slice_is(header, "0"));
    snprintf(text, sizeof text, "%d", offset);
    ASSERT_TRUE(tw_kafka_record_header(record, "tailwater.error.offset", &header) && slice_is(header, text));
}

TEST(dead_letters_arrive_whole_and_say_why) {
    house h;
    reader r;
    tw_slice header;
    static char large[300001];
    const tw_kafka_header trace = {"trace", {"a\0b", 3}};
    house_open(&h);
    house_topics(&h, 1);
    memset(large, 'x', sizeof large - 1);
    cluster_send_message(&h.c, &(tw_kafka_message){.topic = "clicks",
                                                   .key = {"k\0\xff", 3},
                                                   .value = {"{\"\0\xfe", 4},
                                                   .timestamp_ms = 1234567890123,
                                                   .headers = &trace,
                                                   .headers_count = 1});
    cluster_send(&h.c, "clicks", NULL, ""); /* nothing, and less than nothing */
    cluster_send(&h.c, "clicks", "u1", NULL);
    large[200000] = '\0';
    cluster_send(&h.c, "clicks", "u1", large); /* beyond the bound of a record, not of the dead letters */
    large[200000] = 'x';
    cluster_send_message(&h.c, &(tw_kafka_message){.topic = "clicks",
                                                   .key = tw_slice_of("u2"),
                                                   .value = tw_slice_of(large), /* beyond both */
                                                   .timestamp_ms = 1234567890124,
                                                   .headers = &trace,
                                                   .headers_count = 1});
    house_click(&h, "u1", "i1");
    cluster_settle(&h.c);
    cluster_set(&h.c, "ingest.record.max.bytes=100000");
    cluster_set(&h.c, "kafka.message.max.bytes=250000");
    house_start(&h);
    AWAIT(house_consumed(&h) == 6, house_step(&h));
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_DEAD), 5);
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_APPLIED), 1);
    house_stop(&h);

    reader_open(&r, &h.c, "dead-letters", 1, TW_KAFKA_BEGINNING);
    const tw_record *record = reader_next(&r);
    assert_dead(record, (tw_slice){"k\0\xff", 3}, "malformed", 0);
    ASSERT_TRUE(tw_slice_equal(record->value, (tw_slice){"{\"\0\xfe", 4}));
    ASSERT_EQ(record->timestamp_ms, 1234567890123);
    ASSERT_TRUE(tw_kafka_record_header(record, "trace", &header) && tw_slice_equal(header, trace.value));
    record = reader_next(&r);
    assert_dead(record, (tw_slice){0}, "truncated", 1);
    ASSERT_TRUE(record->value.data && record->value.size == 0);
    record = reader_next(&r);
    assert_dead(record, tw_slice_of("u1"), "truncated", 2);
    ASSERT_FALSE(record->value.data);
    record = reader_next(&r);
    assert_dead(record, tw_slice_of("u1"), "oversized", 3);
    ASSERT_EQ(record->value.size, 200000);
    ASSERT_FALSE(tw_kafka_record_header(record, "tailwater.error.value.bytes", &header));
    record = reader_next(&r);
    assert_dead(record, tw_slice_of("u2"), "oversized", 4);
    ASSERT_FALSE(record->value.data);
    ASSERT_EQ(record->timestamp_ms, 1234567890124);
    ASSERT_TRUE(tw_kafka_record_header(record, "tailwater.error.value.bytes", &header) && slice_is(header, "300000"));
    ASSERT_TRUE(tw_kafka_record_header(record, "trace", &header) && tw_slice_equal(header, trace.value));
    ASSERT_TRUE(reader_next_or_end(&r) == NULL);
    reader_close(&r);
    house_close(&h);
}

TEST(who_joins_while_another_holds_the_partitions_stops_and_the_other_goes_on) {
    house h, second;
    tw_err err = {0};
    tw_code code = TW_OK;
    int count;
    house_open(&h);
    house_topics(&h, 2);
    send_clicks(&h, 0, 100);
    house_start(&h);
    AWAIT(house_consumed(&h) == 100, house_step(&h));

    second = h;
    snprintf(second.state_dir, sizeof second.state_dir, "%s", tw_test_dir());
    house_start(&second);
    AWAIT(code != TW_OK, house_step(&h); code = tw_engine_step(second.engine, 10, &count, &err));
    ASSERT_EQ(code, TW_E_LOCKED);
    ASSERT_TRUE(strstr(err.text, "group \"tailwater\" already has a member: 3 of 6 partitions are left for this one"));
    ASSERT_EQ(house_consumed(&second), 0);
    house_kill(&second);

    send_clicks(&h, 100, 200);
    AWAIT(house_consumed(&h) == 200, house_step(&h));
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_APPLIED), 200);
    house_stop(&h);
    house_close(&h);
}
