#include "serve/server.h"

#include "fake_shop.h"
#include "base/json_tree.h"
#include "http.h"
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server on a free port with the make-believe shop behind it. */
typedef struct bench {
    fake_shop shop;
    tw_config config;
    tw_server_options options;
    tw_server *server;
    int port;
} bench;

static bench *bench_new(void) {
    bench *b = calloc(1, sizeof *b);
    fake_shop_init(&b->shop, 20000);
    tw_config_init(&b->config);
    b->config.serve_port = 0;
    b->options = (tw_server_options){.config = &b->config, .backend = fake_shop_backend(&b->shop), .tick_ms = 20};
    return b;
}

static void bench_start(bench *b) {
    tw_err err;
    ASSERT_OK(tw_server_start(&b->options, &b->server, &err));
    b->port = tw_server_port(b->server);
}

static bench *bench_open(void) {
    bench *b = bench_new();
    bench_start(b);
    return b;
}

static void bench_close(bench *b) {
    tw_server_stop(b->server);
    tw_config_done(&b->config);
    fake_shop_done(&b->shop);
    free(b);
}

static void assert_status(int port, const char *target, int status) {
    http_answer answer = http_get(port, target);
    if (answer.status != status)
        tw_test_fail(__FILE__, __LINE__, "%.200s: status %d, expected %d", target, answer.status, status);
    http_done(&answer);
}

/* A problem document of this status whose sentence holds the text. */
static void assert_problem(http_answer answer, int status, const char *text) {
    char field[20];
    snprintf(field, sizeof field, "\"status\":%d", status);
    ASSERT_EQ(answer.status, status);
    ASSERT_STR(http_field(&answer, "Content-Type"), "application/problem+json");
    if (!strstr(answer.body, field) || !strstr(answer.body, text))
        tw_test_fail(__FILE__, __LINE__, "no %s or \"%s\" in %s", field, text, answer.body);
    http_done(&answer);
}

/* ---- what every answer has ---------------------------------------------------------------------------------------- */

TEST(every_answer_carries_the_protective_headers) {
    static const char *const targets[] = {"/",       "/page.css",     "/metrics",      "/livez",
                                          "/readyz", "/api/v1/stats", "/api/v1/users", "/api/v1/users//recommendations",
                                          "/%zz"};
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        http_answer answer = http_get(b->port, targets[i]);
        ASSERT_TRUE(strstr(http_field(&answer, "Content-Security-Policy"), "default-src 'none'"));
        ASSERT_FALSE(strstr(http_field(&answer, "Content-Security-Policy"), "unsafe"));
        ASSERT_STR(http_field(&answer, "X-Content-Type-Options"), "nosniff");
        ASSERT_STR(http_field(&answer, "Cross-Origin-Resource-Policy"), "same-origin");
        ASSERT_STR(http_field(&answer, "Access-Control-Allow-Origin"), "");
        ASSERT_TRUE(*http_field(&answer, "Cache-Control"));
        http_done(&answer);
    }
    bench_close(b);
}

TEST(head_is_get_without_the_body) {
    static const char *const targets[] = {"/", "/metrics", "/livez", "/api/v1/users/u-1/recommendations", "/nothing"};
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        http_answer get = http_get(b->port, targets[i]), head = http_ask(b->port, "HEAD", targets[i], "");
        ASSERT_EQ(head.status, get.status);
        ASSERT_EQ(head.body_size, 0);
        char type[200];
        snprintf(type, sizeof type, "%s", http_field(&get, "Content-Type"));
        ASSERT_STR(http_field(&head, "Content-Type"), type);
        http_done(&get);
        http_done(&head);
    }
    http_answer stream = http_ask(b->port, "HEAD", "/api/v1/stream", "");
    ASSERT_EQ(stream.status, 200);
    ASSERT_EQ(stream.body_size, 0);
    http_done(&stream);
    bench_close(b);
}

TEST(other_methods_are_refused_and_told_which_are_not) {
    static const char *const methods[] = {"POST",  "PUT",     "DELETE", "PATCH", "OPTIONS",
                                          "TRACE", "CONNECT", "get",    "BREW"};
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        http_answer answer = http_ask(b->port, methods[i], "/api/v1/stats", "");
        ASSERT_STR(http_field(&answer, "Allow"), "GET, HEAD");
        assert_problem(answer, 405, "only GET and HEAD");
    }
    bench_close(b);
}

TEST(a_body_is_refused) {
    bench *b = bench_open();
    assert_problem(http_ask(b->port, "GET", "/livez", "Content-Length: 5\r\n"), 413, "no body");
    assert_problem(http_ask(b->port, "GET", "/livez", "Transfer-Encoding: chunked\r\n"), 413, "no body");
    http_answer answer = http_ask(b->port, "GET", "/livez", "Content-Length: 0\r\n");
    ASSERT_EQ(answer.status, 200);
    http_done(&answer);
    bench_close(b);
}

static http_answer ask_as(int port, const char *host_line) {
    char request[300];
    int fd = http_connect(port);
    int size = snprintf(request, sizeof request, "GET /livez HTTP/1.1\r\n%sConnection: close\r\n\r\n", host_line);
    http_write(fd, request, (size_t)size);
    return http_read_all(fd);
}

TEST(on_loopback_only_names_of_this_machine_are_answered) {
    static const char *const local[] = {"Host: localhost:8080\r\n", "Host: 127.0.0.1\r\n", "Host: [::1]:1\r\n"};
    static const char *const foreign[] = {"Host: evil.example\r\n", "Host: localhost.evil.example:80\r\n",
                                          "Host: 10.0.0.1\r\n", "Host: \r\n"};
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        http_answer answer = ask_as(b->port, local[i]);
        ASSERT_EQ(answer.status, 200);
        http_done(&answer);
    }
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        assert_problem(ask_as(b->port, foreign[i]), 421, "names of this machine");
    bench_close(b);
}

TEST(beyond_loopback_any_name_is_answered) {
    bench *b = bench_new();
    b->config.serve_host = "0.0.0.0";
    bench_start(b);
    http_answer answer = ask_as(b->port, "Host: shop.example\r\n");
    ASSERT_EQ(answer.status, 200);
    ASSERT_TRUE(strncmp(tw_server_url(b->server), "http://localhost:", 17) == 0);
    http_done(&answer);
    b->config.serve_host = "127.0.0.1";
    bench_close(b);
}

/* ---- hostile requests --------------------------------------------------------------------------------------------- */

TEST(hostile_targets_get_their_refusal_and_the_server_lives_on) {
    static const struct {
        const char *target;
        int status;
    } cases[] = {
        {"/..", 404},
        {"/../../etc/passwd", 404},
        {"/%2e%2e/%2e%2e/etc/passwd", 404},
        {"/..%2f..%2fetc%2fpasswd", 404},
        {"/page.css/../page.css", 404},
        {"/page.css%00.html", 404},
        {"//page.css", 404},
        {"/page.css/", 404},
        {"/\\..\\x", 404},
        {"/index.html%20", 404},
        {"/livez/", 404},
        {"/LIVEZ", 404},
        {"/api", 404},
        {"/api/v1", 404},
        {"/api/v2/stats", 404},
        {"/api/v1/users/x", 404},
        {"/api/v1/users/x/recommendations/more", 404},
        {"/api/v1/users/a/b/recommendations", 404},
        {"/api/v1/users/%/recommendations", 400},
        {"/api/v1/users/%2/recommendations", 400},
        {"/api/v1/users/%GG/recommendations", 400},
        {"/api/v1/users//recommendations", 400},
        {"/api/v1/users/%ff%fe/recommendations", 400},
        {"/api/v1/users/%c0%80/recommendations", 400},
        {"/api/v1/users/%ed%a0%80/recommendations", 400},
        {"/api/v1/users/u%00%22%3Cscript%3E/recommendations", 200},
        {"/api/v1/users/u%F0%9F%8D%B5/recommendations", 200},
        {"/api/v1/users/u/recommendations?", 200},
        {"/api/v1/users/u/recommendations?top=0", 400},
        {"/api/v1/users/u/recommendations?top=1001", 400},
        {"/api/v1/users/u/recommendations?top=-5", 400},
        {"/api/v1/users/u/recommendations?top=5&top=5", 400},
        {"/api/v1/users/u/recommendations?top=%00", 400},
        {"/api/v1/users/u/recommendations?top=5;category=x", 400},
        {"/api/v1/users/u/recommendations?category=", 400},
        {"/api/v1/users/u/recommendations?category=%ff", 400},
        {"/api/v1/users/u/recommendations?Top=5", 400},
        {"/api/v1/users/u/recommendations?=5", 400},
        {"/api/v1/users/u/recommendations?a=1&b&c&d&e&f&g&h&i", 400},
        {"/api/v1/items//similar", 400},
        {"/api/v1/items/i-1041/similar?category=x", 400},
        {"/api/v1/items/none/similar", 404},
        {"/api/v1/drift", 200},
        {"/api/v1/drift?n=192&scope=model", 200},
        {"/api/v1/drift?n=0", 400},
        {"/api/v1/drift?n=193", 400},
        {"/api/v1/drift?n=x", 400},
        {"/api/v1/drift?scope=", 400},
        {"/api/v1/drift?scope=users", 400},
        {"/api/v1/drift?top=1", 400},
        {"/api/v1/stats?x=1", 400},
        {"/api/v1/history?x=1", 400},
        {"/api/v1/trends?x=1", 400},
        {"/api/v1/users/u-1/events?top=0", 400},
        {"/api/v1/users/u-1/events?top=201", 400},
        {"/api/v1/users/u-1/events?category=x", 400},
        {"/api/v1/users/stranger/events", 404},
        {"/api/v1/users/stranger/profile", 404},
        {"/api/v1/stream?x=1", 400},
        {"/1/2/3/4/5/6/7/8/9", 400},
        {"http://127.0.0.1/livez", 400},
        {"*", 400},
        {"livez", 400},
    };
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_status(b->port, cases[i].target, cases[i].status);
    assert_status(b->port, "/livez", 200);
    bench_close(b);
}

TEST(an_id_may_have_1024_bytes_and_not_one_more) {
    static char target[4096];
    bench *b = bench_open();
    for (int more = 0; more < 2; more++) {
        char *at = target + sprintf(target, "/api/v1/users/");
        for (int i = 0; i < TW_ID_SIZE_MAX + more; i++)
            at += sprintf(at, "%%75");
        sprintf(at, "/recommendations");
        assert_status(b->port, target, more ? 400 : 200);
    }
    bench_close(b);
}

TEST(addresses_and_headers_beyond_the_limits_are_refused) {
    static char target[60000], header[60000];
    static const size_t sizes[] = {8192, 8193, 20000, 32768, 59000};
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(target, 'a', sizes[i]);
        target[0] = '/';
        target[sizes[i]] = '\0';
        assert_status(b->port, target, i == 0 ? 404 : 414);
    }
    memset(header, 'a', 50000);
    memcpy(header, "X-A: ", 5);
    memcpy(header + 50000, "\r\n", 3);
    http_answer answer = http_ask(b->port, "GET", "/livez", header);
    ASSERT_EQ(answer.status, 431);
    http_done(&answer);
    assert_status(b->port, "/livez", 200);
    bench_close(b);
}

#define LITERAL(text) \
    { (text), sizeof(text) - 1 }

TEST(bytes_that_are_no_request_close_the_connection_only) {
    static const tw_slice cases[] = {LITERAL("\0\0\0\0\r\n\r\n"),
                                     LITERAL("GET\r\n\r\n"),
                                     LITERAL("GET /livez\r\n\r\n"),
                                     LITERAL("GET /livez HTTP/9.9\r\n\r\n"),
                                     LITERAL("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), /* a TLS hello */
                                     LITERAL("GET /live\0z HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                                     LITERAL("GET /livez HTTP/1.1\r\nHost localhost\r\n\r\n"),
                                     LITERAL("GET /livez HTTP/1.1\r\n"),
                                     LITERAL("")};
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int fd = http_connect(b->port);
        http_write(fd, cases[i].data, cases[i].size);
        shutdown(fd, SHUT_WR);
        http_answer answer = http_read_all(fd);
        http_done(&answer);
        assert_status(b->port, "/livez", 200);
    }
    bench_close(b);
}

TEST(a_client_that_stops_in_the_middle_holds_up_nobody) {
    bench *b = bench_open();
    int slow[8];
    for (int i = 0; i < 8; i++) {
        slow[i] = http_connect(b->port);
        http_write(slow[i], "GET /livez HT", 13);
    }
    assert_status(b->port, "/livez", 200);
    for (int i = 0; i < 8; i++)
        close(slow[i]);
    bench_close(b);
}

/* ---- the API ------------------------------------------------------------------------------------------------------ */

TEST(a_user_gets_the_list_that_was_asked_for) {
    bench *b = bench_open();
    http_answer answer = http_get(b->port, "/api/v1/users/u%2F1/recommendations?top=3&category=Tea+%26+coffee");
    ASSERT_EQ(answer.status, 200);
    ASSERT_STR(http_field(&answer, "Content-Type"), "application/json");
    ASSERT_STR(fake_shop_question(&b->shop), "user u/1 top 3 category Tea & coffee");
    ASSERT_TRUE(strncmp(answer.body, "{\"user_id\":\"u/1\",\"known\":true,", 30) == 0);
    ASSERT_TRUE(strstr(answer.body, "\"reasons\":[{\"source\":"));
    http_done(&answer);
    b->config.rank_list_size = 17;
    assert_status(b->port, "/api/v1/users/nobody/recommendations", 200);
    ASSERT_STR(fake_shop_question(&b->shop), "user nobody top 17 category ");
    bench_close(b);
}

TEST(an_item_gets_items_like_it) {
    bench *b = bench_open();
    http_answer answer = http_get(b->port, "/api/v1/items/i-1041/similar?top=2");
    ASSERT_EQ(answer.status, 200);
    ASSERT_STR(fake_shop_question(&b->shop), "item i-1041 top 2");
    ASSERT_TRUE(strstr(answer.body, "\"title\":\"Gooseneck kettle, 0.9 l\""));
    http_done(&answer);
    assert_problem(http_get(b->port, "/api/v1/items/i-0/similar"), 404, "no such item");
    bench_close(b);
}

TEST(a_bad_parameter_is_named) {
    static const char *const cases[][2] = {{"/api/v1/users/u/recommendations?top=x", "top"},
                                           {"/api/v1/users/u/recommendations?category=", "category"},
                                           {"/api/v1/users/u/recommendations?limit=5", "limit"},
                                           {"/api/v1/users//recommendations", "user id"},
                                           {"/api/v1/items/%ff/similar", "item id"},
                                           {"/api/v1/items/i/similar?top=9999", "top"}};
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_problem(http_get(b->port, cases[i][0]), 400, cases[i][1]);
    bench_close(b);
}

TEST(an_engine_that_does_not_answer_is_503_and_worth_another_try) {
    bench *b = bench_open();
    assert_status(b->port, "/api/v1/stats", 200);
    b->shop.silent = true;
    http_answer answer = http_get(b->port, "/api/v1/users/u-1/recommendations");
    ASSERT_STR(http_field(&answer, "Retry-After"), "1");
    assert_problem(answer, 503, "did not answer");
    assert_problem(http_get(b->port, "/api/v1/items/i-1041/similar"), 503, "did not answer");
    for (int i = 0; i < 100; i++) { /* the last sample is good for a little more than a second */
        answer = http_get(b->port, "/api/v1/stats");
        if (answer.status == 503)
            break;
        http_done(&answer);
        usleep(100000);
    }
    assert_problem(answer, 503, "has not answered for");
    b->shop.silent = false;
    for (int i = 0; i < 100; i++) {
        answer = http_get(b->port, "/api/v1/stats");
        if (answer.status == 200)
            break;
        http_done(&answer);
        usleep(20000);
    }
    ASSERT_EQ(answer.status, 200);
    http_done(&answer);
    bench_close(b);
}

TEST(stats_and_history_are_there_from_the_first_second) {
    bench *b = bench_open();
    http_answer answer = http_get(b->port, "/api/v1/stats");
    ASSERT_EQ(answer.status, 200);
    ASSERT_TRUE(strstr(answer.body, "\"verdicts\":{\"applied\":"));
    ASSERT_TRUE(strstr(answer.body, "\"newest\":[{\"made_ms\":"));
    http_done(&answer);
    answer = http_get(b->port, "/api/v1/history");
    ASSERT_EQ(answer.status, 200);
    ASSERT_TRUE(strncmp(answer.body, "{\"tick_ms\":20,\"points\":[", 24) == 0);
    http_done(&answer);
    bench_close(b);
}

TEST(trends_have_a_point_for_each_step_and_what_was_asked_and_hit_in_it) {
    bench *b = bench_open();
    tw_err err;
    tw_json *json = NULL;
    for (int tries = 0; tries < 600; tries++) { /* a tick is 20 ms, a step five of them */
        tw_json_free(json);
        http_answer answer = http_get(b->port, "/api/v1/trends");
        ASSERT_EQ(answer.status, 200);
        ASSERT_OK(tw_json_parse(tw_slice_of(answer.body), &json, &err));
        http_done(&answer);
        if (tw_json_count(tw_json_get(json, "points")) >= 3)
            break;
        usleep(20000);
    }
    ASSERT_EQ(tw_json_integer(tw_json_get(json, "step_ms"), 0), 100);
    const tw_json *points = tw_json_get(json, "points");
    ASSERT_GE(tw_json_count(points), 3);
    int64_t before = 0;
    for (size_t i = 0; i < tw_json_count(points); i++) {
        const tw_json *point = tw_json_at(points, i);
        int64_t asked = tw_json_integer(tw_json_get(point, "asked"), -1);
        ASSERT_GE(asked, tw_json_integer(tw_json_get(point, "blend"), -1));
        ASSERT_GE(tw_json_integer(tw_json_get(point, "blend"), -1), 0);
        ASSERT_EQ(tw_json_count(tw_json_get(point, "by")), tw_json_count(tw_json_get(json, "scorers")));
        ASSERT_EQ(tw_json_count(tw_json_get(point, "counts")), tw_json_count(tw_json_get(json, "categories")));
        ASSERT_GT(tw_json_integer(tw_json_get(point, "at_ms"), 0), before);
        before = tw_json_integer(tw_json_get(point, "at_ms"), 0);
    }
    tw_json_free(json);
    bench_close(b);
}

TEST(changes_come_newest_first_as_many_as_are_asked_for_and_of_the_scope) {
    bench *b = bench_open();
    http_answer answer = http_get(b->port, "/api/v1/drift?n=2");
    ASSERT_EQ(answer.status, 200);
    ASSERT_TRUE(strstr(answer.body, "\"number\":12,") < strstr(answer.body, "\"number\":11,"));
    ASSERT_FALSE(strstr(answer.body, "\"number\":10,"));
    http_done(&answer);
    answer = http_get(b->port, "/api/v1/drift?scope=model");
    ASSERT_TRUE(strstr(answer.body, "[{\"scope\":\"model\"") == answer.body);
    ASSERT_FALSE(strstr(answer.body, "\"population\""));
    http_done(&answer);
    b->shop.silent = true;
    assert_status(b->port, "/api/v1/drift", 503);
    bench_close(b);
}

/* ---- metrics and probes ------------------------------------------------------------------------------------------- */

TEST(metrics_are_prometheus_text_and_count_the_answers) {
    bench *b = bench_open();
    assert_status(b->port, "/nothing", 404);
    http_answer answer = http_get(b->port, "/metrics");
    ASSERT_EQ(answer.status, 200);
    ASSERT_TRUE(strncmp(http_field(&answer, "Content-Type"), "text/plain; version=0.0.4", 25) == 0);
    ASSERT_TRUE(strstr(answer.body, "# TYPE tailwater_http_responses_total counter\n"));
    const char *line = strstr(answer.body, "tailwater_http_responses_total{class=\"4xx\"} ");
    ASSERT_TRUE(line);
    ASSERT_GE(atoi(strchr(line, ' ')), 1);
    http_done(&answer);
    bench_close(b);
}

TEST(not_ready_says_why) {
    bench *b = bench_open();
    http_answer answer = http_get(b->port, "/readyz");
    ASSERT_EQ(answer.status, 200);
    ASSERT_STR(answer.body, "{\"ready\":true,\"reasons\":[]}\n");
    http_done(&answer);
    b->shop.ready = false;
    answer = http_get(b->port, "/readyz");
    ASSERT_EQ(answer.status, 503);
    ASSERT_TRUE(strstr(answer.body, "\"reasons\":[\"catching up"));
    http_done(&answer);
    assert_status(b->port, "/livez", 200);
    bench_close(b);
}

TEST(a_stream_that_waits_for_the_schema_registry_is_not_ready) {
    static tw_metric waiting = {"tailwater_registry_waiting", "as the registry's client has it", TW_GAUGE};
    tw_metric_register(&waiting);
    bench *b = bench_open();
    tw_metric_set(&waiting, 1);
    http_answer answer = http_get(b->port, "/readyz");
    ASSERT_EQ(answer.status, 503);
    ASSERT_TRUE(strstr(answer.body, "\"reasons\":[\"the schema registry does not answer"));
    http_done(&answer);
    assert_status(b->port, "/livez", 200);
    tw_metric_set(&waiting, 0);
    assert_status(b->port, "/readyz", 200);
    bench_close(b);
}

TEST(an_engine_that_hangs_is_not_live) {
    bench *b = bench_new();
    b->config.serve_live_max_ms = 500;
    bench_start(b);
    assert_status(b->port, "/livez", 200);
    b->shop.silent = true;
    http_answer answer = {0};
    for (int i = 0; i < 200 && answer.status != 503; i++) {
        http_done(&answer);
        answer = http_get(b->port, "/livez");
        usleep(20000);
    }
    ASSERT_EQ(answer.status, 503);
    ASSERT_TRUE(strstr(answer.body, "{\"live\":false,\"reasons\":[\"the engine has not answered for "));
    http_done(&answer);
    b->shop.silent = false;
    for (int i = 0; i < 200 && answer.status != 200; i++) {
        http_done(&answer);
        answer = http_get(b->port, "/livez");
        usleep(20000);
    }
    ASSERT_EQ(answer.status, 200);
    http_done(&answer);
    bench_close(b);
}

/* ---- the page's files --------------------------------------------------------------------------------------------- */

TEST(the_page_is_sent_once_and_then_only_confirmed) {
    static const char *const files[][2] = {
        {"/", "text/html"}, {"/page.css", "text/css"}, {"/page.js", "text/javascript"}};
    bench *b = bench_open();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char again[200];
        http_answer answer = http_get(b->port, files[i][0]);
        ASSERT_EQ(answer.status, 200);
        ASSERT_TRUE(strncmp(http_field(&answer, "Content-Type"), files[i][1], strlen(files[i][1])) == 0);
        ASSERT_TRUE(answer.body_size > 100);
        snprintf(again, sizeof again, "If-None-Match: %s\r\n", http_field(&answer, "ETag"));
        http_done(&answer);
        answer = http_ask(b->port, "GET", files[i][0], again);
        ASSERT_EQ(answer.status, 304);
        ASSERT_EQ(answer.body_size, 0);
        http_done(&answer);
        answer = http_ask(b->port, "GET", files[i][0], "If-None-Match: \"another\"\r\n");
        ASSERT_EQ(answer.status, 200);
        http_done(&answer);
    }
    bench_close(b);
}

/* ---- streams ------------------------------------------------------------------------------------------------------ */

static int open_stream(int port) {
    static const char request[] = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = http_connect(port);
    http_write(fd, request, sizeof request - 1);
    return fd;
}

TEST(a_stream_sends_one_sample_after_the_other) {
    static char text[1 << 20];
    bench *b = bench_open();
    int fd = open_stream(b->port);
    ASSERT_TRUE(http_read_until(fd, "event: stats\ndata: {\"version\"", text, sizeof text));
    ASSERT_TRUE(strstr(text, "200 OK"));
    ASSERT_TRUE(strstr(text, "Content-Type: text/event-stream"));
    for (int i = 0; i < 5; i++)
        ASSERT_TRUE(http_read_until(fd, "event: stats\n", text, sizeof text));
    close(fd);
    bench_close(b);
}

TEST(a_stream_with_nothing_to_say_says_so) {
    static char text[1 << 18];
    bench *b = bench_new();
    b->options.tick_ms = 600000;
    b->options.heartbeat_ms = 10;
    bench_start(b);
    int fd = open_stream(b->port);
    ASSERT_TRUE(http_read_until(fd, "event: stats\n", text, sizeof text)); /* what is known comes at once */
    ASSERT_TRUE(http_read_until(fd, ": still here\n\n", text, sizeof text));
    ASSERT_TRUE(http_read_until(fd, ": still here\n\n", text, sizeof text));
    close(fd);
    bench_close(b);
}

TEST(streams_are_bounded_and_a_place_is_free_again_when_one_leaves) {
    static char text[1 << 20];
    bench *b = bench_new();
    b->config.serve_streams_max = 3;
    bench_start(b);
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = open_stream(b->port);
        ASSERT_TRUE(http_read_until(fds[i], "event: stats\n", text, sizeof text));
    }
    assert_problem(http_get(b->port, "/api/v1/stream"), 503, "3 live streams");
    close(fds[1]);
    bool again = false;
    for (int i = 0; i < 500 && !again; i++) { /* noticed when the next sample cannot be sent */
        fds[1] = open_stream(b->port);
        again = http_read_until(fds[1], "\r\n\r\n", text, sizeof text) && strstr(text, "200 OK");
        if (!again) {
            close(fds[1]);
            usleep(10000);
        }
    }
    ASSERT_TRUE(again);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    bench_close(b);
}

TEST(stop_ends_open_streams_and_idle_connections) {
    static char text[1 << 20];
    bench *b = bench_new();
    b->options.tick_ms = 600000; /* nothing but the stop can wake them */
    bench_start(b);
    int fds[16];
    for (int i = 0; i < 16; i++) {
        fds[i] = i < 12 ? open_stream(b->port) : http_connect(b->port);
        if (i < 12)
            ASSERT_TRUE(http_read_until(fds[i], "event: stats\n", text, sizeof text));
    }
    b->server = tw_server_stop(b->server);
    for (int i = 0; i < 16; i++) {
        ASSERT_FALSE(http_read_until(fds[i], "never", text, sizeof text));
        close(fds[i]);
    }
    bench_close(b);
}

TEST(stop_does_not_wait_for_a_client_that_reads_nothing) {
    bench *b = bench_new();
    b->options.tick_ms = 1;
    bench_start(b);
    int fd = open_stream(b->port);
    usleep(300000); /* long enough for samples to fill the socket's buffers */
    b->server = tw_server_stop(b->server);
    close(fd);
    bench_close(b);
}

/* ---- many clients ------------------------------------------------------------------------------------------------- */

static void *ask_often(void *self) {
    static const char *const targets[] = {"/livez", "/metrics", "/api/v1/stats", "/api/v1/users/u-7/recommendations",
                                          "/"};
    bench *b = self;
    intptr_t good = 0;
    for (int i = 0; i < 20; i++) {
        http_answer answer = http_get(b->port, targets[i % 5]);
        good += answer.status == 200;
        http_done(&answer);
    }
    return (void *)good;
}

TEST(many_clients_at_once_are_all_answered) {
    bench *b = bench_open();
    pthread_t clients[24];
    void *good;
    for (int i = 0; i < 24; i++)
        ASSERT_EQ(pthread_create(&clients[i], NULL, ask_often, b), 0);
    intptr_t all = 0;
    for (int i = 0; i < 24; i++) {
        pthread_join(clients[i], &good);
        all += (intptr_t)good;
    }
    ASSERT_EQ(all, 24 * 20);
    bench_close(b);
}

TEST(a_connection_beyond_the_limit_is_turned_away_until_one_leaves) {
    bench *b = bench_new();
    b->config.serve_connections_max = 4;
    bench_start(b);
    int held[4];
    for (int i = 0; i < 4; i++) {
        held[i] = http_connect(b->port);
        http_write(held[i], "GET /", 5);
    }
    http_answer answer = http_get(b->port, "/livez");
    ASSERT_EQ(answer.status, 0);
    for (int i = 0; i < 4; i++)
        close(held[i]);
    for (int i = 0; i < 500 && answer.status != 200; i++) {
        http_done(&answer);
        answer = http_get(b->port, "/livez");
        usleep(10000);
    }
    ASSERT_EQ(answer.status, 200);
    http_done(&answer);
    bench_close(b);
}

TEST(one_connection_carries_many_requests) {
    static char text[1 << 16];
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    bench *b = bench_open();
    int fd = http_connect(b->port);
    for (int i = 0; i < 10; i++) {
        http_write(fd, request, sizeof request - 1);
        ASSERT_TRUE(http_read_until(fd, "\"reasons\":[]}\n", text, sizeof text));
    }
    close(fd);
    bench_close(b);
}

/* ---- starting ----------------------------------------------------------------------------------------------------- */

TEST(a_taken_port_is_an_error_that_names_it) {
    bench *b = bench_open();
    tw_config config = b->config;
    config.serve_port = b->port;
    tw_server_options options = b->options;
    options.config = &config;
    tw_server *second = NULL;
    tw_err err = {0};
    char port[16];
    snprintf(port, sizeof port, "port %d", b->port);
    ASSERT_EQ(tw_server_start(&options, &second, &err), TW_E_IO);
    ASSERT_TRUE(!second);
    if (!strstr(err.text, port) || !strstr(err.text, "taken"))
        tw_test_fail(__FILE__, __LINE__, "the error says: %s", err.text);
    assert_status(b->port, "/livez", 200); /* the first is unharmed */
    bench_close(b);
}

TEST(the_demo_takes_the_next_free_port) {
    bench *b = bench_open();
    tw_config config = b->config;
    config.serve_port = b->port;
    tw_server_options options = b->options;
    options.config = &config;
    options.ports_tried = 50;
    tw_server *second = NULL;
    tw_err err = {0};
    ASSERT_OK(tw_server_start(&options, &second, &err));
    ASSERT_GT(tw_server_port(second), b->port);
    ASSERT_LE(tw_server_port(second), b->port + 50);
    assert_status(tw_server_port(second), "/livez", 200);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", tw_server_port(second));
    ASSERT_STR(tw_server_url(second), url);
    tw_server_stop(second);
    bench_close(b);
}

TEST(a_host_that_is_not_ours_is_an_error_that_names_it) {
    static const char *const hosts[] = {"192.0.2.1", "not.a.host.invalid", "256.1.1.1"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        bench *b = bench_new();
        tw_err err = {0};
        b->config.serve_host = hosts[i];
        ASSERT_EQ(tw_server_start(&b->options, &b->server, &err), TW_E_IO);
        if (!strstr(err.text, hosts[i]))
            tw_test_fail(__FILE__, __LINE__, "the error says: %s", err.text);
        b->config.serve_host = "127.0.0.1";
        bench_close(b);
    }
}

TEST(a_stopped_server_can_be_started_again_on_its_port) {
    bench *b = bench_open();
    int port = b->port;
    assert_status(port, "/livez", 200);
    for (int i = 0; i < 5; i++) {
        tw_server_stop(b->server);
        b->config.serve_port = port;
        bench_start(b);
        ASSERT_EQ(b->port, port);
        assert_status(port, "/livez", 200);
    }
    bench_close(b);
}
