/* What comes out: lists and their versions, tombstones, what items and files are to them. */
#include "pipeline/ingest/file.h"
#include "support/house.h"

/* A list as it came from the topic. */
typedef struct list {
    char user[32];
    int64_t version, event_ms, partition, offset;
    char topic[32];
    tw_json *json; /* NULL: a tombstone */
} list;

static list list_of(const tw_record *record) {
    list l = {0};
    tw_err err;
    snprintf(l.user, sizeof l.user, TW_SLICE_FMT, TW_SLICE_ARG(record->key));
    if (!record->value.data)
        return l;
    ASSERT_OK(tw_json_parse(record->value, &l.json, &err));
    ASSERT_TRUE(slice_is(tw_json_string(tw_json_get(l.json, "user_id")), l.user));
    l.version = tw_json_integer(tw_json_get(l.json, "list_version"), -1);
    l.event_ms = tw_json_integer(tw_json_get(l.json, "event_ms"), -1);
    l.partition = tw_json_integer(tw_json_get(l.json, "partition"), -1);
    l.offset = tw_json_integer(tw_json_get(l.json, "offset"), -1);
    tw_slice topic = tw_json_string(tw_json_get(l.json, "topic"));
    snprintf(l.topic, sizeof l.topic, TW_SLICE_FMT, TW_SLICE_ARG(topic));
    return l;
}

static const tw_json *item_of(const list *l, const char *item_id) {
    const tw_json *items = tw_json_get(l->json, "items");
    for (size_t i = 0; i < tw_json_count(items); i++)
        if (slice_is(tw_json_string(tw_json_get(tw_json_at(items, i), "item_id")), item_id))
            return tw_json_at(items, i);
    return NULL;
}

/* Every list is out. */
static void settle(house *h) {
    AWAIT(tw_engine_users_owed(h->engine) == 0, house_step(h));
}

#define USERS 8

static void click_round(house *h, int rounds) {
    for (int i = 0; i < rounds * USERS; i++) {
        char user[16], item[16];
        snprintf(user, sizeof user, "u%d", i % USERS);
        snprintf(item, sizeof item, "i%d", i % 11);
        house_click(h, user, item);
    }
    cluster_settle(&h->c);
}

/* Replays a file into the state, with its lists (if any) on the topic. */
static void replay(house *h, const char *path, tw_lists lists) {
    tw_source *source;
    tw_err err;
    tw_code code;
    int count;
    ASSERT_OK(tw_sink_kafka(&h->c.config, &h->sink, &err));
    const tw_engine_options options = {
        .config = &h->c.config, .state_dir = h->state_dir, .lists = lists, .sink = h->sink};
    ASSERT_OK(tw_engine_open(&options, &h->engine, &err));
    ASSERT_OK(tw_source_file(path, &h->c.config, &source, &err));
    ASSERT_OK(tw_engine_attach(h->engine, source, &err));
    AWAIT(tw_engine_source_done(h->engine), ASSERT_OK(tw_engine_step(h->engine, 0, &count, &err));
          code = tw_engine_commit(h->engine, &err); ASSERT_TRUE(code == TW_OK || code == TW_E_BUSY));
    ASSERT_OK(tw_engine_list_owed(h->engine, &err));
    code = TW_E_BUSY;
    AWAIT(code != TW_E_BUSY, code = tw_engine_commit(h->engine, &err));
    ASSERT_OK(code);
    h->source = source;
    close_parts(h);
}

/* The file holds clicks e0 to e79; the topic those from e40 on and 40 more. */
TEST(history_from_a_file_goes_on_in_the_topic_and_each_event_counts_once) {
    house h;
    reader r;
    char path[700], user[16], item[16];
    tw_list known;
    tw_err err;
    int64_t versions[USERS] = {0}, from_topic = 0;
    house_open(&h);
    house_topics(&h, 2);
    cluster_set(&h.c, "rank.exclude=consumed");
    snprintf(path, sizeof path, "%s/history.csv", tw_test_dir());
    FILE *file = fopen(path, "w");
    ASSERT_TRUE(file);
    fprintf(file, "ts_ms,event_type,user_id,item_id,event_id\n");
    for (int i = 0; i < 80; i++)
        fprintf(file, "%" PRId64 ",click,u%d,old%d,e%d\n", h.now_ms + i, i % USERS, i % 3, i);
    fclose(file);
    replay(&h, path, TW_LISTS_ALL);

    h.event_id = 40;
    h.now_ms += 40;
    for (int i = 40; i < 120; i++) {
        snprintf(user, sizeof user, "u%d", i % USERS);
        snprintf(item, sizeof item, i < 80 ? "old%d" : "new%d", i % 3);
        house_click(&h, user, item);
    }
    for (int i = 0; i < 5; i++) { /* of a user whom no file knew */
        snprintf(item, sizeof item, "extra%d", i);
        house_click(&h, "late", item);
    }
    cluster_settle(&h.c);
    house_start(&h);
    ASSERT_EQ(house_consumed(&h), 80);
    AWAIT(house_consumed(&h) == 165, house_step(&h));
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_APPLIED), 125);
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_DUPLICATE) + house_verdict(&h, TW_VERDICT_LATE), 40);
    settle(&h);
    ASSERT_EQ(tw_model_user_count(tw_engine_model(h.engine)), USERS + 1);
    ASSERT_OK(tw_engine_recommend(h.engine, tw_slice_of("u3"), 10, (tw_slice){0}, &known, &err));
    ASSERT_TRUE(known.known);
    house_stop(&h);

    reader_open(&r, &h.c, "recommendations", 1, TW_KAFKA_BEGINNING);
    for (const tw_record *record; (record = reader_next_or_end(&r));) {
        list l = list_of(record);
        if (l.user[0] == 'u') {
            int u = atoi(l.user + 1);
            ASSERT_GE(l.version, versions[u]);
            versions[u] = l.version;
            if (l.topic[0]) { /* who comes from the file has met its items: they are excluded */
                from_topic++;
                ASSERT_STR(l.topic, "clicks");
                ASSERT_GT(l.version, 80);
                for (int i = 0; i < 3; i++) {
                    snprintf(item, sizeof item, "old%d", i);
                    ASSERT_TRUE(item_of(&l, item) == NULL);
                }
            }
        } else {
            ASSERT_TRUE(item_of(&l, "old1") != NULL);
        }
        tw_json_free(l.json);
    }
    ASSERT_GE(from_topic, USERS);
    reader_close(&r);
    house_close(&h);
}

/* Local time taken for UTC is an hour ahead, and the replay's clock with it. */
TEST(history_that_is_ahead_of_the_clock_does_not_hold_lists_back) {
    static const tw_lists made[] = {TW_LISTS_ALL, TW_LISTS_NONE}; /* listed ahead of the clock; owed ahead of it */
    for (int i = 0; i < 2; i++) {
        house h;
        char path[700];
        house_open(&h);
        house_topics(&h, 1);
        snprintf(path, sizeof path, "%s/history.csv", tw_test_dir());
        FILE *file = fopen(path, "w");
        ASSERT_TRUE(file);
        fprintf(file, "ts_ms,event_type,user_id,item_id\n%" PRId64 ",click,u0,i0\n%" PRId64 ",click,u1,i1\n",
                h.now_ms + 3600000, h.now_ms + 3600001);
        fclose(file);
        replay(&h, path, made[i]);
        h.now_ms += 3600002;
        house_click(&h, "u0", "i1");
        cluster_settle(&h.c);
        house_start(&h);
        AWAIT(house_consumed(&h) == 3, house_step(&h));
        settle(&h);
        house_stop(&h);
        house_close(&h);
    }
}

TEST(versions_only_grow_over_restarts_and_name_the_newest_event) {
    house h;
    reader r;
    int64_t versions[USERS] = {0}, offsets[USERS], partitions[USERS];
    int lists = 0;
    tw_err err;
    house_open(&h);
    house_topics(&h, 2);
    cluster_set(&h.c, "ingest.batch.max=4");
    for (int u = 0; u < USERS; u++)
        offsets[u] = -1;
    for (int run = 0; run < 3; run++) {
        click_round(&h, 5);
        h.c.config.commit_interval_ms = run < 2 ? 600000 : 20;
        house_start(&h);
        AWAIT(house_consumed(&h) == 5u * USERS * (unsigned)(run + 1), house_step(&h));
        settle(&h);
        if (run < 2) { /* lists are out, but no commit knows of them: all is done again */
            AWAIT(h.sink->ops->flush(h.sink, &err) == TW_OK, );
            house_kill(&h);
        } else {
            house_stop(&h);
        }
    }
    reader_open(&r, &h.c, "recommendations", 1, TW_KAFKA_BEGINNING);
    for (const tw_record *record; (record = reader_next_or_end(&r)); lists++) {
        list l = list_of(record);
        int u = atoi(l.user + 1);
        ASSERT_GE(l.version, versions[u]);
        ASSERT_GE(l.offset, offsets[u]);
        ASSERT_STR(l.topic, "clicks");
        ASSERT_LE(l.version, 3 * 5 * USERS);
        ASSERT_GT(l.version, l.offset); /* its own partition's records up to that event are among those it counts */
        versions[u] = l.version;
        offsets[u] = l.offset;
        partitions[u] = l.partition;
        if (l.event_ms == h.now_ms - USERS + u)
            ASSERT_EQ(tw_json_count(tw_json_get(l.json, "items")), 10);
        tw_json_free(l.json);
    }
    ASSERT_GE(lists, USERS * 3);
    reader_close(&r);

    /* The last event of each user is where its last list says. */
    reader_open(&r, &h.c, "clicks", 2, TW_KAFKA_BEGINNING);
    for (const tw_record *record; (record = reader_next_or_end(&r));) {
        int u = atoi(record->key.data + 1);
        ASSERT_EQ(record->partition, partitions[u]);
        ASSERT_LE(record->offset, offsets[u]);
        if (record->offset == offsets[u])
            offsets[u] = INT64_MAX;
    }
    for (int u = 0; u < USERS; u++)
        ASSERT_EQ(offsets[u], INT64_MAX);
    reader_close(&r);
    house_close(&h);
}

TEST(a_user_who_is_evicted_leaves_a_tombstone) {
    house h;
    reader r;
    int tombstones = 0;
    int64_t version = 0;
    house_open(&h);
    house_topics(&h, 1);
    cluster_set(&h.c, "state.users.max=5");
    for (int u = 0; u < 5; u++)
        house_click(&h, (const char *[]){"a", "b", "c", "d", "e"}[u], "i1");
    cluster_settle(&h.c);
    house_start(&h);
    AWAIT(house_consumed(&h) == 5, house_step(&h));
    settle(&h);
    house_click(&h, "f", "i2"); /* a has been idle for longest */
    cluster_settle(&h.c);
    AWAIT(house_consumed(&h) == 6, house_step(&h));
    settle(&h);
    house_click(&h, "a", "i2"); /* comes back, and b goes */
    cluster_settle(&h.c);
    AWAIT(house_consumed(&h) == 7, house_step(&h));
    settle(&h);
    house_stop(&h);
    reader_open(&r, &h.c, "recommendations", 1, TW_KAFKA_BEGINNING);
    bool a_gone = false, a_back = false, b_gone = false;
    for (const tw_record *record; (record = reader_next_or_end(&r));) {
        list l = list_of(record);
        if (!l.json) {
            tombstones++;
            a_gone |= strcmp(l.user, "a") == 0;
            b_gone |= strcmp(l.user, "b") == 0;
        } else if (strcmp(l.user, "a") == 0) {
            a_back = a_gone;
            ASSERT_GT(l.version, version);
            version = l.version;
        }
        tw_json_free(l.json);
    }
    ASSERT_TRUE(a_gone && a_back && b_gone);
    ASSERT_EQ(tombstones, 2);
    reader_close(&r);
    house_close(&h);
}

static void send_item(house *h, const char *item, const char *more) {
    char value[200];
    snprintf(value, sizeof value, "{\"item_id\":\"%s\",\"event_ms\":%" PRId64 "%s}", item, h->now_ms, more);
    cluster_send(&h->c, "items", item, value);
}

TEST(items_give_titles_and_those_retired_or_out_of_stock_never_come_again) {
    house h;
    reader r;
    int64_t before_ms;
    bool seen[3] = {0};
    house_open(&h);
    house_topics(&h, 2);
    send_item(&h, "i0", ",\"title\":\"Kettle\",\"category\":\"tea\"");
    for (int i = 1; i < 11; i++) {
        char item[16];
        snprintf(item, sizeof item, "i%d", i);
        send_item(&h, item, "");
    }
    cluster_settle(&h.c);
    click_round(&h, 4);
    house_start(&h);
    AWAIT(tw_engine_ready(h.engine) && house_consumed(&h) == 11 + 4 * USERS, house_step(&h));
    settle(&h);
    cluster_send(&h.c, "items", "i1", NULL);
    cluster_send(&h.c, "items", "\"i2\"", NULL); /* a key written as JSON */
    send_item(&h, "i3", ",\"in_stock\":false");
    cluster_settle(&h.c);
    AWAIT(house_consumed(&h) == 14 + 4 * USERS, house_step(&h));
    before_ms = h.now_ms;
    click_round(&h, 4); /* also on those */
    AWAIT(house_consumed(&h) == 14 + 8 * USERS, house_step(&h));
    settle(&h);
    ASSERT_EQ(house_verdict(&h, TW_VERDICT_APPLIED), 14 + 8 * USERS);
    ASSERT_EQ(tw_model_item_count(tw_engine_model(h.engine)), 11);
    house_stop(&h);
    reader_open(&r, &h.c, "recommendations", 1, TW_KAFKA_BEGINNING);
    for (const tw_record *record; (record = reader_next_or_end(&r));) {
        list l = list_of(record);
        const tw_json *kettle = item_of(&l, "i0");
        if (kettle) {
            ASSERT_TRUE(slice_is(tw_json_string(tw_json_get(kettle, "title")), "Kettle"));
            ASSERT_TRUE(slice_is(tw_json_string(tw_json_get(kettle, "category")), "tea"));
        }
        for (int i = 0; i < 3; i++) {
            const tw_json *gone = item_of(&l, (const char *[]){"i1", "i2", "i3"}[i]);
            seen[i] |= gone != NULL;
            ASSERT_TRUE(l.event_ms < before_ms || !gone);
        }
        tw_json_free(l.json);
    }
    ASSERT_TRUE(seen[0] && seen[1] && seen[2]); /* they were in lists before */
    reader_close(&r);
    house_close(&h);
}

static uint64_t lists_made(const house *h) {
    tw_totals totals;
    tw_engine_totals(h->engine, &totals);
    return totals.lists;
}

TEST(a_stream_is_ready_when_the_items_and_events_that_were_there_are_read) {
    house h;
    house_open(&h);
    house_topics(&h, 2);
    cluster_set(&h.c, "ingest.batch.max=8");
    for (int run = 0; run < 2; run++) { /* with an empty state, and going on */
        for (int i = 0; i < 500; i++)
            send_item(&h, "i1", "");
        click_round(&h, 5);
        house_start(&h);
        uint64_t all = (500u + 5 * USERS) * (unsigned)(run + 1);
        uint64_t lists = lists_made(&h);
        ASSERT_FALSE(tw_engine_ready(h.engine));
        /* Before that no list goes out, but for an empty state's, which contradict none. */
        AWAIT(house_consumed(&h) == all, ASSERT_FALSE(tw_engine_ready(h.engine));
              ASSERT_TRUE(run == 0 || lists_made(&h) == lists); house_step(&h));
        AWAIT(tw_engine_ready(h.engine), house_step(&h));
        settle(&h);
        ASSERT_GE(lists_made(&h), lists + USERS);
        house_stop(&h);
    }
    house_close(&h);
}
