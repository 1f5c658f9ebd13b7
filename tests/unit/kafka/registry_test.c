#include "base/clock.h"
#include "base/metrics.h"
#include "kafka/registry.h"
#include "support/fake_registry.h"
#include "support/test.h"

#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define GOOD "{\"schema\":\"{\\\"type\\\":\\\"string\\\"}\"}"
#define SCHEMA "{\"type\":\"string\"}"
#define PATIENCE_MS 20000

extern char **environ;

static tw_config config;
static tw_err err;

static void set(const char *assignment) {
    ASSERT_OK(tw_config_set(&config, assignment, &err));
}

static void configure(const char *scheme, int port, const char *path) {
    char url[300];
    tw_config_init(&config);
    snprintf(url, sizeof url, "schema.registry.url=%s://127.0.0.1:%d%s", scheme, port, path);
    set(url);
}

static tw_registry *open_for(const fake_registry *fake) {
    tw_registry *registry;
    configure("http", fake_registry_port(fake), "/api/");
    set("schema.registry.timeout.ms=300");
    ASSERT_OK(tw_registry_open(&config, &registry, &err));
    return registry;
}

static tw_registry_answer answer_of(tw_registry *registry) {
    tw_registry_answer answer = {0};
    ASSERT_OK(tw_registry_answered(registry, PATIENCE_MS, &answer, &err));
    return answer;
}

static void done(tw_registry *registry, fake_registry *fake) {
    tw_registry_close(registry);
    fake_registry_stop(fake);
    tw_config_done(&config);
}

static double metric(const char *name) {
    return tw_metric_get(tw_metric_find(name, NULL));
}

/* Bad first, then good: the question is asked again until the answer means something, and said so meanwhile. */
static void asks_again_after(const fake_reply *bad, const char *why) {
    fake_reply replies[] = {*bad, {200, GOOD}};
    fake_registry *fake = fake_registry_start(0, replies, 2);
    tw_registry *registry = open_for(fake);
    tw_registry_answer answer;
    double errors = metric("tailwater_registry_errors_total");
    tw_registry_ask_schema(registry, 7);
    tw_code code;
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + PATIENCE_MS * 1000000LL;
    do
        code = tw_registry_answered(registry, 1, &answer, &err);
    while (code == TW_E_BUSY && metric("tailwater_registry_waiting") == 0 &&
           tw_clock_steady_ns(&tw_clock_system) < until_ns);
    ASSERT_EQ(code, TW_E_BUSY);
    if (!strstr(err.text, why))
        tw_test_fail(__FILE__, __LINE__, "\"%s\" does not say \"%s\"", err.text, why);
    answer = answer_of(registry);
    ASSERT_EQ(answer.verdict, TW_REGISTRY_FOUND);
    ASSERT_EQ(fake_registry_asked(fake), 2);
    ASSERT_EQ(metric("tailwater_registry_errors_total"), errors + 1);
    ASSERT_EQ(metric("tailwater_registry_waiting"), 0);
    done(registry, fake);
}

TEST(a_schema_is_found_by_its_id) {
    const fake_reply good = {200, GOOD};
    fake_registry *fake = fake_registry_start(0, &good, 1);
    tw_registry *registry = open_for(fake);
    for (uint32_t id = 7; id < 10; id++) { /* one question after the other */
        tw_registry_ask_schema(registry, id);
        tw_registry_answer answer = answer_of(registry);
        ASSERT_EQ(answer.verdict, TW_REGISTRY_FOUND);
        ASSERT_EQ(answer.id, id);
        ASSERT_TRUE(tw_slice_equal(answer.schema, TW_SLICE_LITERAL(SCHEMA)));
        ASSERT_FALSE(tw_registry_asking(registry));
    }
    ASSERT_TRUE(strstr(fake_registry_request(fake), "GET /api/schemas/ids/9 HTTP/1.1\r\n") != NULL);
    ASSERT_TRUE(strstr(fake_registry_request(fake), "Authorization") == NULL);
    done(registry, fake);
}

TEST(an_id_that_the_registry_says_it_does_not_have_is_unknown_at_once) {
    const fake_reply unknown = {404, "{\"error_code\":40403,\"message\":\"Schema \\\"7\\\" not found\"}"};
    fake_registry *fake = fake_registry_start(0, &unknown, 1);
    tw_registry *registry = open_for(fake);
    tw_registry_ask_schema(registry, 7);
    tw_registry_answer answer = answer_of(registry);
    ASSERT_EQ(answer.verdict, TW_REGISTRY_UNKNOWN);
    ASSERT_EQ(answer.id, 7);
    ASSERT_STR(answer.why, "Schema '7' not found (40403)");
    ASSERT_EQ(fake_registry_asked(fake), 1);
    done(registry, fake);
}

TEST(what_says_nothing_about_the_id_is_asked_again) {
    asks_again_after(&(fake_reply){500, "{\"error_code\":50001,\"message\":\"store\"}"}, "HTTP 500: store");
    asks_again_after(&(fake_reply){503, "<html>later</html>"}, "HTTP 503");
    asks_again_after(&(fake_reply){429, "{}"}, "HTTP 429");
    asks_again_after(&(fake_reply){404, "<html>no such page</html>"}, "is schema.registry.url right");
    asks_again_after(&(fake_reply){404, "{\"error_code\":404,\"message\":\"HTTP 404 Not Found\"}"}, "is schema.reg");
    asks_again_after(&(fake_reply){302, ""}, "HTTP 302");
    asks_again_after(&(fake_reply){401, "{}"}, "schema.registry.basic.auth is missing or wrong");
    asks_again_after(&(fake_reply){403, "{}"}, "HTTP 403");
}

TEST(garbage_is_asked_again) {
    asks_again_after(&(fake_reply){200, "<html>hello</html>"}, "not JSON");
    asks_again_after(&(fake_reply){200, ""}, "not JSON");
    asks_again_after(&(fake_reply){200, "{\"schema\":"}, "not JSON");
    asks_again_after(&(fake_reply){200, "[]"}, "without a schema");
    asks_again_after(&(fake_reply){200, "{\"schema\":7}"}, "without a schema");
    asks_again_after(&(fake_reply){200, "{\"schema\":\"\"}"}, "without a schema");
    asks_again_after(&(fake_reply){200, "{\"id\":8,\"schema\":\"{}\"}"}, "answered id 8 when asked for 7");
}

TEST(a_connection_that_is_cut_and_a_body_without_end_are_asked_again) {
    asks_again_after(&(fake_reply){.status = 200, .body = GOOD, .cut = true}, "transfer closed");
    asks_again_after(&(fake_reply){.status = 200, .body = GOOD, .filler = (size_t)5 << 20}, "larger than 4194304");
}

TEST(a_slow_registry_costs_one_attempt_no_more_than_its_timeout_and_the_caller_nothing) {
    const fake_reply replies[] = {{.status = 200, .body = GOOD, .wait_ms = 2000}, {200, GOOD}};
    fake_registry *fake = fake_registry_start(0, replies, 2);
    tw_registry *registry = open_for(fake);
    tw_registry_answer answer;
    tw_registry_ask_schema(registry, 7);
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    ASSERT_EQ(tw_registry_answered(registry, 20, &answer, &err), TW_E_BUSY);
    ASSERT_EQ(tw_registry_answered(registry, 0, &answer, &err), TW_E_BUSY);
    ASSERT_LT(tw_clock_steady_ns(&tw_clock_system) - start_ns, 250000000); /* not the attempt's 300 ms */
    while (tw_registry_answered(registry, 20, &answer, &err) == TW_E_BUSY && !strstr(err.text, "timed out"))
        ASSERT_LT(tw_clock_steady_ns(&tw_clock_system) - start_ns, 5000000000);
    answer = answer_of(registry);
    ASSERT_EQ(answer.verdict, TW_REGISTRY_FOUND);
    done(registry, fake);
}

TEST(a_registry_that_is_away_is_found_when_it_comes) {
    const fake_reply good = {200, GOOD};
    fake_registry *fake = fake_registry_start(0, &good, 1);
    tw_registry *registry = open_for(fake);
    int port = fake_registry_port(fake);
    fake_registry_stop(fake);
    tw_registry_answer answer;
    tw_registry_ask_schema(registry, 7);
    ASSERT_EQ(tw_registry_answered(registry, 500, &answer, &err), TW_E_BUSY);
    ASSERT_TRUE(strstr(err.text, "connect") != NULL);
    fake = fake_registry_start(port, &good, 1);
    answer = answer_of(registry);
    ASSERT_EQ(answer.verdict, TW_REGISTRY_FOUND);
    done(registry, fake);
}

TEST(schemas_that_are_not_for_us_are_answered_with_the_reason) {
    const fake_reply replies[] = {{200, "{\"schemaType\":\"PROTOBUF\",\"schema\":\"message A {}\"}"},
                                  {200, "{\"schema\":\"{}\",\"references\":[{\"name\":\"a\",\"subject\":\"a\"}]}"},
                                  {200, "{\"schema\":\"{}\",\"schemaType\":\"AVRO\",\"references\":[]}"}};
    fake_registry *fake = fake_registry_start(0, replies, 3);
    tw_registry *registry = open_for(fake);
    tw_registry_ask_schema(registry, 1);
    tw_registry_answer answer = answer_of(registry);
    ASSERT_EQ(answer.verdict, TW_REGISTRY_UNUSABLE);
    ASSERT_STR(answer.why, "its language is PROTOBUF, not AVRO");
    tw_registry_ask_schema(registry, 2);
    answer = answer_of(registry);
    ASSERT_EQ(answer.verdict, TW_REGISTRY_UNUSABLE);
    ASSERT_TRUE(strstr(answer.why, "refers to other schemas") != NULL);
    tw_registry_ask_schema(registry, 3);
    ASSERT_EQ(answer_of(registry).verdict, TW_REGISTRY_FOUND);
    done(registry, fake);
}

TEST(a_schema_is_registered_and_looked_up_under_its_subject) {
    const fake_reply replies[] = {{200, "{\"id\":42}"},
                                  {200, "{\"subject\":\"a b/c-value\",\"version\":1,\"id\":42,\"schema\":\"{}\"}"},
                                  {404, "{\"error_code\":40401,\"message\":\"Subject not found\"}"},
                                  {409, "{\"error_code\":409,\"message\":\"Incompatible\"}"},
                                  {422, "{\"error_code\":42201,\"message\":\"Invalid schema\"}"},
                                  {200, "{}"},
                                  {200, "{\"id\":-5}"},
                                  {200, "{\"id\":43}"}};
    fake_registry *fake = fake_registry_start(0, replies, 8);
    tw_registry *registry = open_for(fake);
    tw_registry_ask_id(registry, "a b/c-value", TW_SLICE_LITERAL(SCHEMA), true);
    ASSERT_EQ(answer_of(registry).id, 42);
    ASSERT_TRUE(strstr(fake_registry_request(fake), "POST /api/subjects/a%20b%2Fc-value/versions HTTP") != NULL);
    ASSERT_TRUE(strstr(fake_registry_request(fake), "\r\n\r\n{\"schema\":\"{\\\"type\\\":\\\"string\\\"}\"}") != NULL);
    tw_registry_ask_id(registry, "a", TW_SLICE_LITERAL(SCHEMA), false);
    ASSERT_EQ(answer_of(registry).id, 42);
    ASSERT_TRUE(strstr(fake_registry_request(fake), "POST /api/subjects/a HTTP") != NULL);
    tw_registry_ask_id(registry, "a", TW_SLICE_LITERAL(SCHEMA), false);
    ASSERT_EQ(answer_of(registry).verdict, TW_REGISTRY_UNKNOWN);
    tw_registry_ask_id(registry, "a", TW_SLICE_LITERAL(SCHEMA), true);
    tw_registry_answer answer = answer_of(registry);
    ASSERT_EQ(answer.verdict, TW_REGISTRY_REFUSED);
    ASSERT_EQ(answer.status, 409);
    ASSERT_STR(answer.why, "Incompatible (HTTP 409)");
    tw_registry_ask_id(registry, "a", TW_SLICE_LITERAL(SCHEMA), true);
    ASSERT_EQ(answer_of(registry).verdict, TW_REGISTRY_REFUSED);
    tw_registry_ask_id(registry, "a", TW_SLICE_LITERAL(SCHEMA), true); /* two answers without an id come first */
    ASSERT_EQ(answer_of(registry).id, 43);
    done(registry, fake);
}

TEST(basic_auth_is_sent_refused_when_wrong_and_never_shown) {
    const fake_reply good = {.status = 200, .body = GOOD, .auth = "Basic YXBwOnB3Og=="}; /* app:pw: */
    fake_registry *fake = fake_registry_start(0, &good, 1);
    tw_registry *registry = open_for(fake);
    tw_registry_answer answer;
    tw_registry_ask_schema(registry, 7);
    ASSERT_EQ(tw_registry_answered(registry, 300, &answer, &err), TW_E_BUSY);
    ASSERT_TRUE(strstr(err.text, "schema.registry.basic.auth is missing or wrong") != NULL);
    tw_registry_close(registry);
    set("schema.registry.basic.auth=app:other");
    ASSERT_OK(tw_registry_open(&config, &registry, &err));
    tw_registry_ask_id(registry, "a", TW_SLICE_LITERAL(SCHEMA), true);
    answer = answer_of(registry);
    ASSERT_EQ(answer.verdict, TW_REGISTRY_REFUSED);
    ASSERT_TRUE(strstr(answer.why, "missing or wrong: Unauthorized (HTTP 401)") != NULL);
    tw_registry_close(registry);
    set("schema.registry.basic.auth=app:pw:");
    ASSERT_OK(tw_registry_open(&config, &registry, &err));
    tw_registry_ask_schema(registry, 7);
    ASSERT_EQ(answer_of(registry).verdict, TW_REGISTRY_FOUND);
    tw_buf shown = {0};
    tw_config_write_yaml(&config, &shown);
    tw_config_write_json(&config, &shown);
    ASSERT_TRUE(memmem(shown.data, shown.size, "app:pw", 6) == NULL);
    ASSERT_TRUE(memmem(shown.data, shown.size, "basic.auth: \"***\"", 17) != NULL);
    tw_buf_done(&shown);
    done(registry, fake);
}

TEST(a_wrong_setting_is_said_at_once) {
    static const struct {
        const char *assignment, *why;
    } cases[] = {{"schema.registry.url=localhost:8081", "is not http://HOST:PORT"},
                 {"schema.registry.url=ftp://localhost", "is not http://HOST:PORT"},
                 {"schema.registry.url=http://", "is not http://HOST:PORT"},
                 {"schema.registry.url=http://me:secret@localhost", "schema.registry.basic.auth"},
                 {"schema.registry.url=http://a:1,http://b:1", "one URL is wanted"},
                 {"schema.registry.url=http://a:1/?x=1", "one URL is wanted"},
                 {"schema.registry.basic.auth=alone", "wants user:password"},
                 {"schema.registry.ssl.ca.location=/no/such/file", "schema.registry.ssl.ca.location: /no/such/file"},
                 {"schema.registry.ssl.key.location=/no/such/file", "schema.registry.ssl.key.location"},
                 {"schema.registry.ssl.certificate.location=/no/such", "schema.registry.ssl.certificate.location"}};
    tw_registry *registry;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        configure("http", 1, "");
        set(cases[i].assignment);
        ASSERT_EQ(tw_registry_open(&config, &registry, &err), TW_E_CONFIG);
        if (!strstr(err.text, cases[i].why) || strstr(err.text, "secret"))
            tw_test_fail(__FILE__, __LINE__, "%s: \"%s\"", cases[i].assignment, err.text);
        tw_config_done(&config);
    }
}

/* ---- TLS, by openssl's own server --------------------------------------------------------------------------------- */

static int free_port(void) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ASSERT_EQ(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static void shell(const char *dir, const char *commands) {
    char line[4000];
    snprintf(line, sizeof line, "cd '%s' && { %s; } >log 2>&1", dir, commands);
    ASSERT_EQ(system(line), 0);
}

static void put_file(const char *dir, const char *name, const char *text) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    ASSERT_TRUE(file != NULL);
    fputs(text, file);
    fclose(file);
}

/* An authority, a server and a client; what the server answers is a file, head and all. */
static void make_world(const char *dir) {
    shell(dir, "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem && "
               "for who in server client; do "
               "openssl req -newkey rsa:2048 -nodes -subj /CN=$who -keyout $who.key -out $who.csr && "
               "echo subjectAltName=IP:127.0.0.1 >ext && "
               "openssl x509 -req -in $who.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext "
               "-out $who.pem || exit 1; done; mkdir -p schemas/ids");
    put_file(dir, "schemas/ids/7", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" GOOD);
}

static pid_t serve_tls(const char *dir, int port, bool ask_client) {
    char line[600];
    pid_t pid;
    snprintf(line, sizeof line,
             "cd '%s' && exec openssl s_server -HTTP -quiet -accept 127.0.0.1:%d -cert server.pem -key server.key %s "
             ">>log 2>&1",
             dir, port, ask_client ? "-CAfile ca.pem -Verify 1 -verify_return_error" : "");
    char *const argv[] = {"sh", "-c", line, NULL};
    ASSERT_EQ(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ), 0);
    return pid;
}

static void set_path(const char *key, const char *dir, const char *name) {
    char assignment[400];
    snprintf(assignment, sizeof assignment, "%s=%s/%s", key, dir, name);
    set(assignment);
}

static void ask_over_tls(bool wants_good, const char *why) {
    tw_registry *registry;
    tw_registry_answer answer;
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + PATIENCE_MS * 1000000LL;
    ASSERT_OK(tw_registry_open(&config, &registry, &err));
    tw_registry_ask_schema(registry, 7);
    tw_code code;
    while ((code = tw_registry_answered(registry, 50, &answer, &err)) == TW_E_BUSY &&
           (wants_good || !strstr(err.text, why)) && tw_clock_steady_ns(&tw_clock_system) < until_ns) {
    }
    if (code != (wants_good ? TW_OK : TW_E_BUSY) || (!wants_good && !strstr(err.text, why)))
        tw_test_fail(__FILE__, __LINE__, "code %d, wanted \"%s\": %s", (int)code, why, err.text);
    tw_registry_close(registry);
}

TEST(over_tls_the_registry_must_show_a_certificate_of_the_authority_and_is_shown_ours) {
    if (system("openssl version >/dev/null 2>&1") != 0)
        tw_test_skip("needs openssl");
    const char *dir = tw_test_dir();
    int port = free_port();
    make_world(dir);
    pid_t server = serve_tls(dir, port, false);
    configure("https", port, "");
    set_path("schema.registry.ssl.ca.location", dir, "ca.pem");
    ask_over_tls(true, "");
    set("schema.registry.ssl.ca.location=");
    ask_over_tls(false, "certificate");
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    tw_config_done(&config);

    port = free_port();
    server = serve_tls(dir, port, true);
    configure("https", port, "");
    set_path("schema.registry.ssl.ca.location", dir, "ca.pem");
    ask_over_tls(false, "alert");
    set_path("schema.registry.ssl.certificate.location", dir, "client.pem");
    set_path("schema.registry.ssl.key.location", dir, "client.key");
    ask_over_tls(true, "");
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    tw_config_done(&config);
}
