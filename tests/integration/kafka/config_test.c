/* What a cluster has, and what the settings may say of it. */
#include "support/kafka.h"

TEST(topics_are_counted_and_one_that_is_missing_is_none) {
    cluster c;
    tw_kafka_topics *topics;
    tw_err err;
    cluster_open(&c);
    cluster_topic(&c, "one", 1);
    cluster_topic(&c, "four", 4);
    ASSERT_OK(tw_kafka_topics_open(&c.config, &topics, &err));
    ASSERT_EQ(tw_kafka_topics_partitions(topics, "one"), 0); /* nothing was asked yet */
    tw_code code = TW_E_BUSY;
    AWAIT(code != TW_E_BUSY, code = tw_kafka_topics_ask(topics, 1000, &err));
    ASSERT_OK(code);
    ASSERT_EQ(tw_kafka_topics_partitions(topics, "one"), 1);
    ASSERT_EQ(tw_kafka_topics_partitions(topics, "four"), 4);
    ASSERT_EQ(tw_kafka_topics_partitions(topics, "fou"), 0);
    ASSERT_OK(tw_kafka_topics_ask(topics, 60000, &err)); /* asking for a missing one has not made it */
    ASSERT_EQ(tw_kafka_topics_partitions(topics, "fou"), 0);

    ASSERT_OK(tw_kafka_broker_set_up(c.broker, false, &err));
    ASSERT_EQ(tw_kafka_topics_ask(topics, 300, &err), TW_E_BUSY);
    ASSERT_TRUE(strstr(err.text, "no broker answers"));
    ASSERT_EQ(tw_kafka_topics_partitions(topics, "four"), 4); /* the last answer stands */
    ASSERT_OK(tw_kafka_broker_set_up(c.broker, true, &err));
    code = TW_E_BUSY;
    AWAIT(code != TW_E_BUSY, code = tw_kafka_topics_ask(topics, 1000, &err));
    ASSERT_OK(code);
    tw_kafka_topics_close(topics);
    cluster_close(&c);
}

/* What opening each kind of client says to these settings. */
static void assert_refused(const char *const *assignments, const char *text) {
    static const tw_kafka_topic topic = {"t", 0, 1};
    static const tw_kafka_group group = {0};
    const int64_t offset = 0;
    tw_config config;
    tw_kafka_topics *topics;
    tw_kafka_producer *producer;
    tw_kafka_consumer *consumer;
    tw_err err[4] = {0};
    tw_config_init(&config);
    for (; *assignments; assignments++)
        ASSERT_EQ(tw_config_set(&config, *assignments, &err[0]), TW_OK);
    ASSERT_EQ(tw_kafka_topics_open(&config, &topics, &err[0]), TW_E_CONFIG);
    ASSERT_EQ(tw_kafka_producer_open(&config, &producer, &err[1]), TW_E_CONFIG);
    ASSERT_EQ(tw_kafka_consumer_join(&config, &topic, 1, &group, &consumer, &err[2]), TW_E_CONFIG);
    ASSERT_EQ(tw_kafka_consumer_read(&config, &topic, &offset, &consumer, &err[3]), TW_E_CONFIG);
    for (int i = 0; i < 4; i++)
        if (!strstr(err[i].text, text))
            tw_test_fail(__FILE__, __LINE__, "client %d says \"%s\", not \"%s\"", i, err[i].text, text);
    tw_config_done(&config);
}

TEST(settings_that_cannot_be_are_refused_with_the_reason) {
    assert_refused((const char *const[]){NULL}, "kafka.bootstrap.servers is wanted: HOST:PORT of a broker");
    assert_refused((const char *const[]){"kafka.bootstrap.servers=", NULL}, "kafka.bootstrap.servers");
    assert_refused((const char *const[]){"kafka.bootstrap.servers=h:1", "kafka.no.such.pair=1", NULL},
                   "kafka.no.such.pair: No such configuration property");
    assert_refused((const char *const[]){"kafka.bootstrap.servers=h:1", "kafka.socket.timeout.ms=soon", NULL},
                   "kafka.socket.timeout.ms: ");
    assert_refused((const char *const[]){"kafka.bootstrap.servers=h:1", "kafka.group.id=mine", NULL},
                   "kafka.group.id cannot be set: it is application.id");
}

TEST(what_exactness_depends_on_cannot_be_set) {
    static const char *const names[] = {"group.id",
                                        "enable.auto.commit",
                                        "enable.auto.offset.store",
                                        "auto.offset.reset",
                                        "enable.partition.eof",
                                        "partition.assignment.strategy",
                                        "allow.auto.create.topics",
                                        "enable.idempotence",
                                        "acks",
                                        "partitioner",
                                        "transactional.id",
                                        "request.required.acks" /* another name of acks */,
                                        "delivery.report.only.error"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char assignment[100], text[100];
        snprintf(assignment, sizeof assignment, "kafka.%s=1", names[i]);
        snprintf(text, sizeof text, "kafka.%s cannot be set: ", names[i]);
        assert_refused((const char *const[]){"kafka.bootstrap.servers=h:1", assignment, NULL}, text);
    }
}
