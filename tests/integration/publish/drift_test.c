/* Changes on their topic: told once, in both forms, over a restart; and the settings that do not fit. */
#include "avro/schema_files.h"
#include "support/house.h"

#include <avro.h>

#define USERS 4
#define BEFORE 60 /* visits of each user to one category, a day apart; then to another */
#define AFTER 20

static void open_house(house *h) {
    house_open(h);
    house_topics(h, 2);
    cluster_topic(&h->c, "drift", 1);
    cluster_set(&h->c, "drift.enabled=true");
    cluster_set(&h->c, "output.drift.topic=drift");
    h->now_ms -= 200LL * 86400000;
}

static void visit(house *h, int rounds, const char *item, const char *category) {
    for (int i = 0; i < rounds * USERS; i++) {
        char user[16], more[64];
        snprintf(user, sizeof user, "u%d", i % USERS);
        snprintf(more, sizeof more, ",\"category\":\"%s\"", category);
        house_event(h, "clicks", user, item, more);
        h->now_ms += i % USERS == USERS - 1 ? 86400000 : 0;
    }
    cluster_settle(&h->c);
}

static void settle(house *h, uint64_t consumed) {
    AWAIT(house_consumed(h) == consumed, house_step(h));
}

static void run_over_a_change(house *h) {
    visit(h, BEFORE, "i1", "tea");
    visit(h, AFTER, "i2", "garden");
    house_start(h);
    settle(h, (BEFORE + AFTER) * USERS);
    house_stop(h);
}

/* The users' changes on the topic, by user; JSON. */
static void count_changes(house *h, int *by_user) {
    reader r;
    tw_err err;
    memset(by_user, 0, USERS * sizeof *by_user);
    reader_open(&r, &h->c, "drift", 1, TW_KAFKA_BEGINNING);
    for (const tw_record *record; (record = reader_next_or_end(&r));) {
        tw_json *json;
        ASSERT_OK(tw_json_parse(record->value, &json, &err));
        if (slice_is(tw_json_string(tw_json_get(json, "scope")), "user")) {
            ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(json, "user_id")), record->key));
            ASSERT_TRUE(slice_is(tw_json_string(tw_json_get(json, "subject")), "categories"));
            const tw_json *evidence = tw_json_get(json, "evidence");
            ASSERT_EQ(tw_json_count(evidence), 2);
            by_user[atoi(record->key.data + 1)]++;
        }
        tw_json_free(json);
    }
    reader_close(&r);
}

TEST(a_users_change_is_told_once_on_the_topic_over_a_restart) {
    house h;
    int by_user[USERS];
    open_house(&h);
    visit(&h, BEFORE, "i1", "tea");
    house_start(&h);
    settle(&h, BEFORE * USERS);
    house_stop(&h); /* the past is that of the state */
    visit(&h, AFTER, "i2", "garden");
    house_start(&h);
    settle(&h, (BEFORE + AFTER) * USERS);
    house_stop(&h);
    count_changes(&h, by_user);
    for (int u = 0; u < USERS; u++)
        ASSERT_EQ(by_user[u], 1);
    house_close(&h);
}

TEST(a_change_is_one_datum_of_the_schema_that_is_published) {
    house h;
    reader r;
    int users = 0;
    open_house(&h);
    cluster_set(&h.c, "output.format=confluent");
    cluster_set(&h.c, "output.schema.id=7");
    cluster_set(&h.c, "output.drift.schema.id=9");
    run_over_a_change(&h);
    tw_slice text = tw_schema_file("drift.avsc");
    avro_schema_t schema;
    ASSERT_EQ(avro_schema_from_json_length(text.data, text.size, &schema), 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    reader_open(&r, &h.c, "drift", 1, TW_KAFKA_BEGINNING);
    for (const tw_record *record; (record = reader_next_or_end(&r));) {
        avro_value_t value, scope;
        const char *name;
        ASSERT_GT(record->value.size, 5);
        ASSERT_EQ(memcmp(record->value.data, "\0\0\0\0\x09", 5), 0);
        ASSERT_EQ(avro_generic_value_new(iface, &value), 0);
        avro_reader_t in = avro_reader_memory(record->value.data + 5, (int64_t)record->value.size - 5);
        ASSERT_EQ(avro_value_read(in, &value), 0);
        ASSERT_EQ(avro_value_get_by_name(&value, "scope", &scope, NULL), 0);
        ASSERT_EQ(avro_value_get_string(&scope, &name, NULL), 0);
        users += strcmp(name, "user") == 0;
        avro_reader_free(in);
        avro_value_decref(&value);
    }
    ASSERT_EQ(users, USERS);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
    reader_close(&r);
    house_close(&h);
}

TEST(nothing_is_told_where_drift_is_off) {
    house h;
    int by_user[USERS];
    open_house(&h);
    cluster_set(&h.c, "drift.enabled=false");
    run_over_a_change(&h);
    count_changes(&h, by_user);
    for (int u = 0; u < USERS; u++)
        ASSERT_EQ(by_user[u], 0);
    house_close(&h);
}

TEST(changes_are_refused_where_their_schemas_id_is_not_known) {
    tw_config config;
    tw_sink *sink;
    tw_err err = {0};
    tw_config_init(&config);
    ASSERT_OK(tw_config_set(&config, "output.drift.topic=drift", &err));
    ASSERT_OK(tw_config_set(&config, "output.format=confluent", &err));
    ASSERT_OK(tw_config_set(&config, "output.schema.id=7", &err));
    ASSERT_EQ(tw_sink_kafka(&config, &sink, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "output.drift.schema.id"));
    tw_config_done(&config);
}
