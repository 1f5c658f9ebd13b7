#include "serve/server.h"

#include "http.h"
#include "pipeline/ingest/memory.h"
#include "pipeline/ingest/shop.h"
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* An engine on its own thread with a small shop's events behind it, and a server in front. */

#define USERS 40
#define EVENTS 2000

typedef struct house {
    tw_config config;
    tw_event *events;
    tw_source *source;
    tw_engine *engine;
    tw_server *server;
    pthread_t thread;
    _Atomic bool stop, asleep;
    tw_code code;
    tw_err err;
} house;

static const char *const item_ids[] = {"kettle", "sencha", "grinder", "skillet", "knife", "mosses", "saw", "twine"};

static void *run_engine(void *self) {
    house *h = self;
    while (!h->stop && h->code == TW_OK) {
        int count = 0;
        if (h->asleep) { /* an engine that does not come round */
            usleep(1000);
            continue;
        }
        if (!tw_engine_source_done(h->engine))
            h->code = tw_engine_step(h->engine, 1, &count, &h->err);
        if (h->code == TW_OK)
            h->code = tw_engine_commit_due(h->engine, &h->err);
        tw_engine_serve(h->engine);
        if (count == 0)
            usleep(500);
    }
    return NULL;
}

/* The engine at work on that source, and a server in front. */
static house *house_start(house *h, tw_source *source) {
    tw_err err;
    tw_config_init(&h->config);
    h->config.serve_port = 0;
    h->config.state_users_max = 1000;
    h->config.state_items_max = 1000;
    h->config.rank_min_interval_ms = 0;
    h->config.commit_interval_ms = 5;
    h->config.profile_enabled = true;
    h->config.drift_enabled = true;
    h->source = source;
    tw_engine_options opening = {.config = &h->config, .lists = TW_LISTS_ALL, .wall_intervals = true};
    ASSERT_OK(tw_engine_open(&opening, &h->engine, &err));
    ASSERT_OK(tw_engine_attach(h->engine, h->source, &err));
    tw_server_options serving = {.config = &h->config, .backend = tw_serve_backend_engine(h->engine), .tick_ms = 20};
    ASSERT_OK(tw_server_start(&serving, &h->server, &err));
    ASSERT_EQ(pthread_create(&h->thread, NULL, run_engine, h), 0);
    return h;
}

static house *house_open(size_t events) {
    static char user_ids[USERS][8];
    static char event_ids[EVENTS][16];
    house *h = calloc(1, sizeof *h);
    h->events = calloc(EVENTS, sizeof *h->events);
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    for (int u = 0; u < USERS; u++)
        snprintf(user_ids[u], sizeof user_ids[u], "u%d", u);
    for (int i = 0; i < EVENTS; i++) {
        int user = i % USERS, item = (i / USERS + user) % 8;
        snprintf(event_ids[i], sizeof event_ids[i], "e%d", i % 9 ? i : 0); /* one in nine repeats the first */
        h->events[i] = (tw_event){.kind = TW_KIND_CLICK,
                                  .has = TW_HAS_KIND | TW_HAS_TIME,
                                  .event_ms = now_ms - EVENTS + i,
                                  .event_id = tw_slice_of(event_ids[i]),
                                  .user_id = tw_slice_of(i == 777 ? "" : user_ids[user]),
                                  .item_id = tw_slice_of(item_ids[item]),
                                  .category = tw_slice_of(item < 3 ? "tea" : "house"),
                                  .title = tw_slice_of(item == 0 ? "Kettle \"Gooseneck\"" : "")};
    }
    return house_start(h, tw_source_memory(h->events, events));
}

static void house_close(house *h) {
    tw_server_stop(h->server);
    h->stop = true;
    pthread_join(h->thread, NULL);
    tw_engine_close(h->engine);
    h->source->ops->close(h->source);
    free(h->events);
    tw_config_done(&h->config);
    free(h);
}

/* Asks until the answer holds the text; the body is shown when it never does. */
static http_answer await(house *h, const char *target, const char *text) {
    for (int i = 0; i < 1000; i++) {
        http_answer answer = http_get(tw_server_port(h->server), target);
        if (answer.body && strstr(answer.body, text))
            return answer;
        if (i == 999)
            tw_test_fail(__FILE__, __LINE__, "no %s in %s", text, answer.body);
        http_done(&answer);
        usleep(10000);
    }
    abort();
}

TEST(the_stats_are_the_engines_and_its_verdicts_add_up) {
    house *h = house_open(EVENTS);
    http_answer answer = await(h, "/api/v1/stats", "\"totals\":{\"consumed\":2000,");
    unsigned long long applied, duplicate, late, dead;
    const char *verdicts = strstr(answer.body, "\"verdicts\":");
    ASSERT_TRUE(verdicts);
    ASSERT_EQ(sscanf(verdicts,
                     "\"verdicts\":{\"applied\":%llu,\"duplicate\":%llu,\"late\":%llu,\"dead_lettered\":%llu}",
                     &applied, &duplicate, &late, &dead),
              4);
    ASSERT_EQ(applied + duplicate + late + dead, EVENTS);
    ASSERT_EQ(dead, 1);
    ASSERT_EQ(duplicate, EVENTS / 9);
    ASSERT_TRUE(strstr(answer.body, "\"empty_id\":1,"));
    ASSERT_TRUE(strstr(answer.body, "\"users\":40,\"items\":8,"));
    ASSERT_TRUE(strstr(answer.body, "\"store\":null"));
    http_done(&answer);
    answer = await(h, "/api/v1/stats", "\"newest\":[{\"made_ms\":");
    ASSERT_TRUE(strstr(answer.body, "\"title\":\"Kettle \\\"Gooseneck\\\"\""));
    http_done(&answer);
    answer = await(h, "/readyz", "\"ready\":true");
    http_done(&answer);
    answer = await(h, "/metrics", "tailwater_records_total{verdict=\"applied\"} ");
    ASSERT_TRUE(strstr(answer.body, "tailwater_list_freshness_seconds_count "));
    http_done(&answer);
    house_close(h);
}

TEST(lists_come_from_the_engine_while_it_works) {
    house *h = house_open(EVENTS);
    http_answer answer = await(h, "/api/v1/users/u7/recommendations?top=3", "\"known\":true");
    ASSERT_TRUE(strstr(answer.body, "\"reasons\":[{\"source\":\""));
    http_done(&answer);
    answer = await(h, "/api/v1/users/u7/recommendations?category=tea", "\"item_id\":\"sencha\"");
    ASSERT_FALSE(strstr(answer.body, "\"category\":\"house\""));
    http_done(&answer);
    answer = await(h, "/api/v1/users/stranger/recommendations?top=1", "\"known\":false");
    http_done(&answer);
    answer = await(h, "/api/v1/items/kettle/similar?top=2",
                   "{\"item_id\":\"kettle\",\"title\":\"Kettle \\\"Gooseneck\\\"\"");
    ASSERT_TRUE(strstr(answer.body, "\"category\":\"tea\""));
    http_done(&answer);
    answer = await(h, "/api/v1/items/anvil/similar", "no such item");
    ASSERT_EQ(answer.status, 404);
    http_done(&answer);
    house_close(h);
}

TEST(profiles_come_from_the_engine_while_it_works) {
    house *h = house_open(EVENTS);
    http_answer answer = await(h, "/api/v1/users/u7/profile", "\"activity\":{\"events\":");
    ASSERT_EQ(answer.status, 200);
    http_done(&answer);
    answer = await(h, "/api/v1/users/u7/profile", "\"segment\":\"active\"}");
    ASSERT_TRUE(strstr(answer.body, "{\"user_id\":\"u7\",\"task\":"));
    ASSERT_TRUE(strstr(answer.body, "\"interests_long\":[{\"category\":\""));
    http_done(&answer);
    answer = await(h, "/api/v1/users/stranger/profile", "no such user");
    ASSERT_EQ(answer.status, 404);
    http_done(&answer);
    answer = await(h, "/api/v1/users/u7/profile?top=1", "top");
    ASSERT_EQ(answer.status, 400);
    http_done(&answer);
    house_close(h);
}

TEST(a_past_and_trends_come_from_the_engine_while_it_works) {
    house *h = house_open(EVENTS);
    http_answer answer = await(h, "/api/v1/users/u7/events?top=1", "\"met_ms\":");
    ASSERT_TRUE(strstr(answer.body, "{\"user_id\":\"u7\",\"events\":[{\"item_id\":\""));
    ASSERT_TRUE(!strstr(strstr(answer.body, "item_id") + 1, "item_id"));
    http_done(&answer);
    answer = await(h, "/api/v1/users/stranger/events", "no such user");
    ASSERT_EQ(answer.status, 404);
    http_done(&answer);
    answer = await(h, "/api/v1/trends", "\"points\":[{");
    ASSERT_TRUE(strstr(answer.body, "{\"scorers\":[\"context\",\"transitions\",\"trending\",\"popular\",\"repeat\"]"));
    ASSERT_TRUE(!strstr(answer.body, "\"categories\":[]"));
    http_done(&answer);
    house_close(h);
}

/* Users who always came for one category and then come for another alone, a visit a day. */
TEST(changes_that_the_engine_notices_are_listed_and_counted) {
    static tw_event events[400];
    static char event_ids[400][16];
    int64_t first_ms = ((int64_t)time(NULL) - 500 * 86400) * 1000;
    for (int i = 0; i < 400; i++) {
        snprintf(event_ids[i], sizeof event_ids[i], "d%d", i);
        events[i] = (tw_event){.kind = TW_KIND_CLICK,
                               .has = TW_HAS_KIND | TW_HAS_TIME,
                               .event_ms = first_ms + i * 86400000LL,
                               .event_id = tw_slice_of(event_ids[i]),
                               .user_id = tw_slice_of(i % 2 ? "odd" : "even"),
                               .item_id = tw_slice_of(i < 300 ? "kettle" : "saw"),
                               .category = tw_slice_of(i < 300 ? "tea" : "garden")};
    }
    house *h = house_start(calloc(1, sizeof *h), tw_source_memory(events, 400));
    http_answer answer = await(h, "/api/v1/drift?scope=user", "\"user_id\":\"even\"");
    http_done(&answer);
    answer = await(h, "/api/v1/drift?n=1&scope=user", "\"number\":");
    ASSERT_TRUE(strstr(answer.body, "[{\"scope\":\"user\",\"subject\":\"categories\"") == answer.body);
    ASSERT_TRUE(strstr(answer.body, "\"name\":\"garden\""));
    ASSERT_TRUE(strstr(answer.body, "\"user_id\":\"odd\"") || strstr(answer.body, "\"user_id\":\"even\""));
    http_done(&answer);
    answer = await(h, "/metrics", "tailwater_drifts_total{scope=\"user\"} ");
    http_done(&answer);
    house_close(h);
}

TEST(an_engine_that_has_learned_nothing_yet_answers_with_nothing) {
    house *h = house_open(0);
    http_answer answer = await(h, "/api/v1/users/u1/recommendations", "\"known\":false");
    ASSERT_TRUE(strstr(answer.body, "\"items\":[]"));
    http_done(&answer);
    answer = await(h, "/api/v1/users/u1/profile", "no such user");
    http_done(&answer);
    answer = await(h, "/api/v1/stats", "\"newest\":[]");
    ASSERT_TRUE(strstr(answer.body, "\"watermark_ms\":null"));
    http_done(&answer);
    house_close(h);
}

TEST(an_engine_that_does_not_come_round_is_answered_for_with_503) {
    house *h = house_open(EVENTS);
    http_answer answer = await(h, "/api/v1/users/u1/recommendations", "\"known\":true");
    http_done(&answer);
    h->asleep = true;
    answer = await(h, "/api/v1/users/u1/recommendations", "did not answer");
    ASSERT_EQ(answer.status, 503);
    http_done(&answer);
    h->asleep = false;
    answer = await(h, "/api/v1/users/u1/recommendations", "\"known\":true");
    http_done(&answer);
    house_close(h);
}

#define CLIENTS 4
#define REQUESTS 60

typedef struct client {
    pthread_t thread;
    int port, number, answered, away; /* away: 503, not ready yet or not in time */
} client;

static void *ask_for_everything(void *self) {
    static const char *const targets[] = {"/api/v1/users/u%d/recommendations?top=5",
                                          "/api/v1/stats",
                                          "/metrics",
                                          "/api/v1/items/i%d/similar",
                                          "/readyz",
                                          "/livez",
                                          "/api/v1/history"};
    client *c = self;
    for (int i = 0; i < REQUESTS; i++) {
        char target[80];
        snprintf(target, sizeof target, targets[(size_t)(i + c->number) % (sizeof targets / sizeof targets[0])], i);
        http_answer answer = http_get(c->port, target);
        c->answered += answer.status == 200 || answer.status == 404;
        c->away += answer.status == 503;
        http_done(&answer);
    }
    return NULL;
}

/* What the thread sanitizer watches: the engine learns, ranks and commits, the sampler and four clients read beside it. */
TEST(clients_are_answered_while_it_learns_ranks_and_commits) {
    tw_shop_options shop;
    client clients[CLIENTS] = {0};
    tw_totals totals;
    tw_shop_defaults(&shop);
    shop.users = 200;
    shop.items = 100;
    shop.events = 0; /* endless */
    shop.end_ms = ((int64_t)time(NULL) - 30 * 86400) * 1000;
    house *h = house_start(calloc(1, sizeof *h), tw_source_shop(&shop));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i].port = tw_server_port(h->server);
        clients[i].number = i;
        ASSERT_EQ(pthread_create(&clients[i].thread, NULL, ask_for_everything, &clients[i]), 0);
    }
    int answered = 0, away = 0;
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i].thread, NULL);
        answered += clients[i].answered;
        away += clients[i].away;
    }
    h->stop = true;
    pthread_join(h->thread, NULL);
    tw_engine_totals(h->engine, &totals);
    ASSERT_EQ(pthread_create(&h->thread, NULL, run_engine, h), 0); /* for house_close to join */
    printf("  %d answers, %d of 503; %llu records, %llu lists meanwhile\n", answered, away,
           (unsigned long long)totals.consumed, (unsigned long long)totals.lists);
    ASSERT_EQ(answered + away, CLIENTS * REQUESTS);
    ASSERT_GT(answered, CLIENTS * REQUESTS / 2);
    ASSERT_EQ(h->code, TW_OK);
    ASSERT_GT(totals.consumed, 100);
    ASSERT_GT(totals.lists, 10);
    house_close(h);
}
