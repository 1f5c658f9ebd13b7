/* Profiles on their topic: with the lists, of their versions, over a restart, with tombstones; and the settings that do not fit. */
#include "support/house.h"

#define USERS 6

static void open_house(house *h) {
    house_open(h);
    house_topics(h, 2);
    cluster_topic(&h->c, "profiles", 1);
    cluster_set(&h->c, "profile.enabled=true");
    cluster_set(&h->c, "output.profiles.topic=profiles");
}

static void click_round(house *h, int rounds) {
    for (int i = 0; i < rounds * USERS; i++) {
        char user[16], item[16], more[32];
        snprintf(user, sizeof user, "u%d", i % USERS);
        snprintf(item, sizeof item, "i%d", i % 11);
        snprintf(more, sizeof more, ",\"category\":\"c%d\"", i % 11 % 3);
        house_event(h, "clicks", user, item, more);
    }
    cluster_settle(&h->c);
}

static void settle(house *h, uint64_t consumed) {
    AWAIT(house_consumed(h) == consumed && tw_engine_users_owed(h->engine) == 0, house_step(h));
}

/* Versions of a topic's records by user, in order; a tombstone is -1. */
typedef struct seen {
    int64_t versions[USERS][400];
    int count[USERS], all;
} seen;

static void read_topic(house *h, const char *topic, const char *version, seen *s) {
    reader r;
    tw_err err;
    memset(s, 0, sizeof *s);
    reader_open(&r, &h->c, topic, 1, TW_KAFKA_BEGINNING);
    for (const tw_record *record; (record = reader_next_or_end(&r));) {
        int u = atoi(record->key.data + 1);
        tw_json *json = NULL;
        if (record->value.data)
            ASSERT_OK(tw_json_parse(record->value, &json, &err));
        s->versions[u][s->count[u]++] = json ? tw_json_integer(tw_json_get(json, version), -2) : -1;
        s->all++;
        if (json)
            ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(json, "user_id")), record->key));
        tw_json_free(json);
    }
    reader_close(&r);
}

TEST(each_list_has_a_profile_of_its_version_and_versions_grow) {
    house h;
    static seen lists, profiles;
    open_house(&h);
    house_start(&h);
    for (unsigned round = 1; round <= 3; round++) {
        click_round(&h, 5);
        settle(&h, 5 * USERS * round);
    }
    house_stop(&h);
    read_topic(&h, "recommendations", "list_version", &lists);
    read_topic(&h, "profiles", "profile_version", &profiles);
    ASSERT_GE(profiles.all, 3 * USERS);
    ASSERT_EQ(profiles.all, lists.all);
    for (int u = 0; u < USERS; u++) {
        ASSERT_EQ(profiles.count[u], lists.count[u]);
        for (int i = 0; i < profiles.count[u]; i++) {
            ASSERT_EQ(profiles.versions[u][i], lists.versions[u][i]);
            ASSERT_TRUE(i == 0 || profiles.versions[u][i] > profiles.versions[u][i - 1]);
        }
    }
    house_close(&h);
}

TEST(a_user_who_is_evicted_leaves_a_tombstone_on_both_topics) {
    house h;
    static seen lists, profiles;
    open_house(&h);
    cluster_set(&h.c, "state.users.max=5");
    click_round(&h, 1); /* six users: u0 goes */
    house_start(&h);
    settle(&h, USERS);
    click_round(&h, 1);
    settle(&h, 2 * USERS);
    house_stop(&h);
    read_topic(&h, "recommendations", "list_version", &lists);
    read_topic(&h, "profiles", "profile_version", &profiles);
    int tombstones = 0;
    for (int u = 0; u < USERS; u++)
        for (int i = 0; i < profiles.count[u]; i++) {
            tombstones += profiles.versions[u][i] == -1;
            ASSERT_EQ(profiles.versions[u][i], lists.versions[u][i]);
        }
    ASSERT_GE(tombstones, 1);
    ASSERT_EQ(profiles.all, lists.all);
    house_close(&h);
}

TEST(what_was_not_committed_is_published_again_after_a_restart_and_never_of_a_lower_version) {
    house h;
    tw_err err;
    static seen profiles;
    open_house(&h);
    h.c.config.commit_interval_ms = 600000;
    click_round(&h, 4);
    house_start(&h);
    settle(&h, 4 * USERS);
    AWAIT(h.sink->ops->flush(h.sink, &err) == TW_OK, );
    house_kill(&h);
    house_start(&h);
    settle(&h, 4 * USERS);
    house_stop(&h);
    read_topic(&h, "profiles", "profile_version", &profiles);
    for (int u = 0; u < USERS; u++) {
        ASSERT_GE(profiles.count[u], 2);
        for (int i = 1; i < profiles.count[u]; i++)
            ASSERT_GE(profiles.versions[u][i], profiles.versions[u][i - 1]);
    }
    house_close(&h);
}

TEST(profiles_are_refused_where_they_are_not_kept_or_have_no_schemas_id) {
    tw_config config;
    tw_sink *sink;
    tw_err err = {0};
    tw_config_init(&config);
    ASSERT_OK(tw_config_set(&config, "output.profiles.topic=profiles", &err));
    ASSERT_EQ(tw_config_check(&config, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "profile.enabled"));
    ASSERT_OK(tw_config_set(&config, "profile.enabled=true", &err));
    ASSERT_OK(tw_config_check(&config, &err));
    ASSERT_OK(tw_config_set(&config, "output.format=confluent", &err));
    ASSERT_OK(tw_config_set(&config, "output.schema.id=7", &err));
    ASSERT_EQ(tw_sink_kafka(&config, &sink, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "output.profiles.schema.id"));
    tw_config_done(&config);
}
