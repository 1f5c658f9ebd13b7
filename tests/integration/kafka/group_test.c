/* The group: who has which partitions, where reading goes on, and who is told. */
#include "support/kafka.h"

/* A member that remembers what its hooks were told, and how far it has read: 3 inputs of at most 4 partitions. */
typedef struct member {
    tw_kafka_consumer *consumer;
    int assigned, revoked, partitions; /* calls, calls, partitions of the last assignment */
    int64_t next[3][4];
    uint64_t records;
    tw_record batch[16];
    tw_code refuse;
} member;

static tw_code on_assigned(void *self, tw_kafka_partition *partitions, int count, tw_err *err) {
    member *m = self;
    m->assigned++;
    m->partitions = count;
    for (int i = 0; i < count; i++)
        partitions[i].offset = m->next[partitions[i].input][partitions[i].partition];
    return m->refuse ? tw_fail(err, m->refuse, "not these") : TW_OK;
}

static tw_code on_revoked(void *self, bool lost, tw_err *err) {
    member *m = self;
    (void)lost, (void)err;
    m->revoked++;
    return TW_OK;
}

static void member_join(member *m, cluster *c) {
    static const tw_kafka_topic topics[] = {{"a", 0, 4}, {"b", 2, 4}};
    const tw_kafka_group group = {m, on_assigned, on_revoked};
    tw_err err;
    ASSERT_OK(tw_kafka_consumer_join(&c->config, topics, 2, &group, &m->consumer, &err));
}

/* Takes what comes; each record is the next of its partition. */
static void member_poll(member *m) {
    tw_err err;
    int count;
    ASSERT_OK(tw_kafka_consumer_poll(m->consumer, m->batch, 16, 20, &count, &err));
    for (int i = 0; i < count; i++) {
        int64_t *next = &m->next[m->batch[i].input][m->batch[i].partition];
        ASSERT_EQ(m->batch[i].offset, *next < 0 ? 0 : *next);
        *next = m->batch[i].offset + 1;
        tw_kafka_consumer_commit(m->consumer, m->batch[i].input, m->batch[i].partition, *next);
        m->records++;
    }
}

static void forget_positions(member *m) {
    for (int i = 0; i < 3; i++)
        for (int p = 0; p < 4; p++)
            m->next[i][p] = -1;
}

static void send_both(cluster *c, int from, int to) {
    char text[16];
    for (int i = from; i < to; i++) {
        snprintf(text, sizeof text, "%d", i);
        cluster_send(c, i % 3 ? "a" : "b", text, text);
    }
    cluster_settle(c);
}

/* Open, with topics a and b, and so many records in them. */
static void cluster_with_both(cluster *c, int count) {
    cluster_open(c);
    cluster_topic(c, "a", 4);
    cluster_topic(c, "b", 4);
    send_both(c, 0, count);
}

TEST(a_member_has_all_partitions_and_goes_on_where_it_says) {
    cluster c;
    member m = {0};
    cluster_with_both(&c, 300);
    forget_positions(&m);
    member_join(&m, &c);
    AWAIT(m.records == 300, member_poll(&m));
    ASSERT_EQ(m.partitions, 8);
    ASSERT_EQ(m.revoked, 0);
    AWAIT(tw_kafka_consumer_caught_up(m.consumer), member_poll(&m));
    ASSERT_EQ(tw_kafka_consumer_lag(m.consumer, 0) + tw_kafka_consumer_lag(m.consumer, 2), 0);
    m.consumer = tw_kafka_consumer_close(m.consumer);
    ASSERT_EQ(m.revoked, m.assigned);

    send_both(&c, 300, 400); /* it joins again: nothing twice, nothing left out (member_poll looks) */
    member_join(&m, &c);
    AWAIT(m.records == 400, member_poll(&m));
    m.consumer = tw_kafka_consumer_close(m.consumer);

    forget_positions(&m); /* what the group committed counts for nothing */
    m.records = 0;
    member_join(&m, &c);
    AWAIT(m.records == 400, member_poll(&m));
    m.consumer = tw_kafka_consumer_close(m.consumer);
    cluster_close(&c);
}

TEST(paused_a_member_keeps_its_partitions_and_misses_nothing) {
    cluster c;
    member m = {0};
    cluster_with_both(&c, 300);
    forget_positions(&m);
    member_join(&m, &c);
    tw_kafka_consumer_pause(m.consumer, true); /* before it has any partition */
    AWAIT(m.assigned, member_poll(&m));
    for (int i = 0; i < 30; i++)
        member_poll(&m);
    ASSERT_EQ(m.records, 0);
    tw_kafka_consumer_pause(m.consumer, false);
    AWAIT(m.records >= 100, member_poll(&m));
    uint64_t records = m.records;
    tw_kafka_consumer_pause(m.consumer, true);
    for (int i = 0; i < 30; i++)
        member_poll(&m);
    ASSERT_EQ(m.records, records);
    tw_kafka_consumer_pause(m.consumer, false);
    AWAIT(m.records == 300, member_poll(&m));
    m.consumer = tw_kafka_consumer_close(m.consumer);
    cluster_close(&c);
}

TEST(a_pause_does_not_stay_with_partitions_that_went_and_came_back) {
    cluster c;
    member m = {0};
    tw_err err;
    cluster_with_both(&c, 100);
    forget_positions(&m);
    member_join(&m, &c);
    AWAIT(m.records == 100, member_poll(&m));
    tw_kafka_consumer_pause(m.consumer, true);
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, false, &err));
    AWAIT(m.revoked, member_poll(&m)); /* the session ends without a broker */
    tw_kafka_consumer_pause(m.consumer, false);
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, true, &err));
    send_both(&c, 100, 200);
    AWAIT(m.records == 200, member_poll(&m));
    m.consumer = tw_kafka_consumer_close(m.consumer);
    cluster_close(&c);
}

TEST(partitions_move_when_a_member_joins_and_leaves) {
    cluster c;
    member first = {0}, second = {0};
    cluster_with_both(&c, 300);
    forget_positions(&first);
    forget_positions(&second);
    member_join(&first, &c);
    AWAIT(first.records == 300, member_poll(&first));
    member_join(&second, &c);
    AWAIT(first.partitions == 4 && second.partitions == 4, member_poll(&first); member_poll(&second));
    for (int p = 0; p < 4; p++) /* partition p of both topics meets in one member */
        AWAIT((second.next[0][p] < 0) == (second.next[2][p] < 0), member_poll(&first); member_poll(&second));
    second.consumer = tw_kafka_consumer_close(second.consumer);
    send_both(&c, 300, 400);
    AWAIT(first.partitions == 8 && first.records == 400, member_poll(&first));
    ASSERT_EQ(first.assigned, first.revoked + 1);
    first.consumer = tw_kafka_consumer_close(first.consumer);
    cluster_close(&c);
}

TEST(a_member_that_refuses_its_partitions_stops_with_its_reason) {
    cluster c;
    member m = {.refuse = TW_E_LOCKED};
    tw_code code = TW_OK;
    tw_err err = {0};
    int count;
    cluster_with_both(&c, 10);
    member_join(&m, &c);
    AWAIT(code != TW_OK, code = tw_kafka_consumer_poll(m.consumer, m.batch, 16, 20, &count, &err));
    ASSERT_EQ(code, TW_E_LOCKED);
    ASSERT_STR(err.text, "not these");
    m.consumer = tw_kafka_consumer_close(m.consumer);
    cluster_close(&c);
}

TEST(a_member_outlives_a_broker_that_is_away) {
    cluster c;
    member m = {0};
    tw_err err;
    cluster_with_both(&c, 100);
    forget_positions(&m);
    member_join(&m, &c);
    AWAIT(m.records == 100, member_poll(&m));
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, false, &err));
    for (int i = 0; i < 20; i++)
        member_poll(&m);
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, true, &err));
    send_both(&c, 100, 200);
    AWAIT(m.records == 200, member_poll(&m));
    m.consumer = tw_kafka_consumer_close(m.consumer);
    cluster_close(&c);
}
