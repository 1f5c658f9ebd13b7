/* The only door to libcurl: one easy handle on a multi handle, so that an owner who must do other things can come back for the
 * answer. Called by the resolver of the Kafka source and by the naming of output schemas. */
#include "kafka/registry.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/rng.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Four times what a schema file of ours may have. */
#define REPLY_SIZE_MAX ((size_t)4 << 20)

/* Pauses between attempts: doubling from the first to the last, each times 0.5 to 1.5 (chosen, not measured). */
#define PAUSE_MS_FIRST 100
#define PAUSE_MS_LAST 5000

/* Error codes of the API that say "not here" (Confluent's API reference: subject, version, schema). */
enum { NO_SUBJECT = 40401, NO_VERSION = 40402, NO_SCHEMA = 40403 };

typedef enum question { SCHEMA_OF_ID, ID_OF_SCHEMA } question;
typedef enum state { IDLE, ASKING, PAUSING, ANSWERED } state;

struct tw_registry {
    char *url; /* without a slash at its end */
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    question question;
    state state;
    uint32_t id;       /* asked for; 0: it is the id that is asked for */
    tw_buf target;     /* zero-terminated URL */
    tw_buf body;       /* of the request; empty: a GET */
    tw_buf reply;      /* its body so far */
    bool too_large;    /* the reply was */
    tw_json *document; /* the reply parsed; NULL: not JSON */
    tw_registry_answer answer;
    int failures;       /* of this question */
    int64_t next_ns;    /* PAUSING: when the next attempt begins */
    char failed[300];   /* what went wrong last; empty: nothing yet */
    char refusal[300];  /* answer.why */
    char curl_why[300]; /* curl's own words */
    tw_rng rng;
};

_Static_assert(sizeof((tw_registry *)0)->curl_why >= CURL_ERROR_SIZE, "libcurl writes so much");

static tw_metric waiting = {"tailwater_registry_waiting",
                            "1 while the schema registry does not answer and records or lists wait for it", TW_GAUGE};
static tw_metric errors = {"tailwater_registry_errors_total", "Attempts to ask the schema registry that failed",
                           TW_COUNTER};

static int64_t now_ns(void) {
    return tw_clock_steady_ns(&tw_clock_system);
}

static size_t on_bytes(char *bytes, size_t one, size_t count, void *self) {
    tw_registry *registry = self;
    if (registry->reply.size + count > REPLY_SIZE_MAX) {
        registry->too_large = true;
        return 0;
    }
    tw_buf_put(&registry->reply, bytes, one * count);
    return one * count;
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

/* A login inside the URL would show in logs and at /config. */
static tw_code check_url(const char *url, tw_err *err) {
    const char *host = strstr(url, "://");
    if (!host || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) || !host[3])
        return tw_fail(err, TW_E_CONFIG, "schema.registry.url: \"%s\" is not http://HOST:PORT or https://HOST:PORT",
                       url);
    size_t size = strcspn(host + 3, "/?#");
    if (memchr(host + 3, '@', size))
        return tw_fail(err, TW_E_CONFIG,
                       "schema.registry.url: give user and password as schema.registry.basic.auth, where they are not "
                       "shown");
    if (strpbrk(url, " ,\t?#"))
        return tw_fail(err, TW_E_CONFIG, "schema.registry.url: one URL is wanted, without blanks, commas, ? or #");
    return TW_OK;
}

static tw_code check_file(const char *key, const char *path, tw_err *err) {
    if (!*path || access(path, R_OK) == 0)
        return TW_OK;
    return tw_fail_errno(err, TW_E_CONFIG, "%s: %s", key, path);
}

static tw_code check(const tw_config *config, tw_err *err) {
    TW_TRY(check_url(config->schema_registry_url, err));
    TW_TRY(check_file("schema.registry.ssl.ca.location", config->schema_registry_ssl_ca_location, err));
    TW_TRY(
        check_file("schema.registry.ssl.certificate.location", config->schema_registry_ssl_certificate_location, err));
    TW_TRY(check_file("schema.registry.ssl.key.location", config->schema_registry_ssl_key_location, err));
    if (*config->schema_registry_basic_auth && !strchr(config->schema_registry_basic_auth, ':'))
        return tw_fail(err, TW_E_CONFIG, "schema.registry.basic.auth: wants user:password");
    return TW_OK;
}

static void set_up(tw_registry *registry, const tw_config *config) {
    CURL *easy = registry->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, registry);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, registry->curl_why);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)config->schema_registry_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tailwater");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* what the environment says is for browsers */
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, registry->headers);
    if (*config->schema_registry_basic_auth) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERPWD, config->schema_registry_basic_auth);
    }
    if (*config->schema_registry_ssl_ca_location)
        curl_easy_setopt(easy, CURLOPT_CAINFO, config->schema_registry_ssl_ca_location);
    if (*config->schema_registry_ssl_certificate_location)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, config->schema_registry_ssl_certificate_location);
    if (*config->schema_registry_ssl_key_location)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, config->schema_registry_ssl_key_location);
}

tw_code tw_registry_open(const tw_config *config, tw_registry **ret_registry, tw_err *err) {
    static bool prepared;
    TW_TRY(check(config, err));
    if (!prepared) {
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
            return tw_fail(err, TW_E_NO_MEMORY, "libcurl does not start");
        tw_metric_register(&waiting);
        tw_metric_register(&errors);
        prepared = true;
    }
    tw_registry *registry = tw_zalloc(sizeof *registry);
    registry->url = tw_strdup(config->schema_registry_url);
    for (size_t n = strlen(registry->url); n && registry->url[n - 1] == '/'; n--)
        registry->url[n - 1] = '\0';
    registry->multi = curl_multi_init();
    registry->easy = curl_easy_init();
    registry->headers = curl_slist_append(NULL, "Accept: application/vnd.schemaregistry.v1+json, application/json");
    registry->headers = curl_slist_append(registry->headers, "Content-Type: application/vnd.schemaregistry.v1+json");
    registry->headers = curl_slist_append(registry->headers, "Expect:");
    registry->rng = tw_rng_at((uint64_t)now_ns(), (uint64_t)getpid(), 0); /* members must not come back in step */
    if (!registry->multi || !registry->easy || !registry->headers) {
        tw_registry_close(registry);
        return tw_fail(err, TW_E_NO_MEMORY, "libcurl has no memory");
    }
    set_up(registry, config);
    *ret_registry = registry;
    return TW_OK;
}

tw_registry *tw_registry_close(tw_registry *registry) {
    if (!registry)
        return NULL;
    if (registry->state == ASKING)
        curl_multi_remove_handle(registry->multi, registry->easy);
    if (registry->failures)
        tw_metric_set(&waiting, 0);
    curl_easy_cleanup(registry->easy);
    curl_multi_cleanup(registry->multi);
    curl_slist_free_all(registry->headers);
    tw_json_free(registry->document);
    tw_buf_done(&registry->target);
    tw_buf_done(&registry->body);
    tw_buf_done(&registry->reply);
    free(registry->url);
    free(registry);
    return NULL;
}

/* ---- asking ------------------------------------------------------------------------------------------------------- */

static void begin(tw_registry *registry) {
    tw_buf_clear(&registry->reply);
    registry->too_large = false;
    registry->curl_why[0] = '\0';
    curl_easy_setopt(registry->easy, CURLOPT_URL, registry->target.data);
    if (registry->body.size) {
        curl_easy_setopt(registry->easy, CURLOPT_POSTFIELDSIZE, (long)registry->body.size);
        curl_easy_setopt(registry->easy, CURLOPT_POSTFIELDS, registry->body.data);
    } else {
        curl_easy_setopt(registry->easy, CURLOPT_HTTPGET, 1L);
    }
    curl_multi_add_handle(registry->multi, registry->easy);
    registry->state = ASKING;
}

static void new_question(tw_registry *registry, question what) {
    TW_ASSERT(!tw_registry_asking(registry));
    registry->question = what;
    registry->failures = 0;
    registry->failed[0] = '\0';
    tw_buf_clear(&registry->target);
    tw_buf_clear(&registry->body);
}

void tw_registry_ask_schema(tw_registry *registry, uint32_t id) {
    new_question(registry, SCHEMA_OF_ID);
    registry->id = id;
    tw_buf_printf(&registry->target, "%s/schemas/ids/%" PRIu32, registry->url, id);
    tw_buf_u8(&registry->target, '\0');
    begin(registry);
}

void tw_registry_ask_id(tw_registry *registry, const char *subject, tw_slice schema, bool add) {
    char *escaped = curl_easy_escape(registry->easy, subject, 0);
    TW_ASSERT(escaped);
    new_question(registry, ID_OF_SCHEMA);
    registry->id = 0;
    tw_buf_printf(&registry->target, "%s/subjects/%s%s", registry->url, escaped, add ? "/versions" : "");
    tw_buf_u8(&registry->target, '\0');
    curl_free(escaped);
    tw_buf_printf(&registry->body, "{\"schema\":");
    tw_json_text(&registry->body, schema);
    tw_buf_u8(&registry->body, '}');
    begin(registry);
}

bool tw_registry_asking(const tw_registry *registry) {
    return registry->state != IDLE;
}

/* ---- answers ------------------------------------------------------------------------------------------------------ */

/* A line for logs and errors: what others wrote in it must not break its quotes. */
__attribute__((format(printf, 3, 4))) static void say(char *line, size_t size, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, size, fmt, args);
    va_end(args);
    for (; *line; line++)
        if (*line == '"' || (unsigned char)*line < ' ')
            *line = '\'';
}

/* An attempt that says nothing about the question: a pause, then another. */
__attribute__((format(printf, 2, 3))) static void fail(tw_registry *registry, const char *fmt, ...) {
    char why[sizeof registry->failed - 40];
    char last[sizeof registry->failed];
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    memcpy(last, registry->failed, sizeof last);
    say(registry->failed, sizeof registry->failed, "the schema registry: %s", why);
    int doublings = registry->failures < 16 ? registry->failures : 16;
    int64_t pause_ms = (int64_t)PAUSE_MS_FIRST << doublings;
    pause_ms = pause_ms < PAUSE_MS_LAST ? pause_ms : PAUSE_MS_LAST;
    registry->next_ns = now_ns() + (int64_t)((double)pause_ms * 1e6 * (0.5 + tw_rng_unit(&registry->rng)));
    registry->failures++;
    registry->state = PAUSING;
    tw_metric_add(&errors, 1);
    tw_metric_set(&waiting, 1);
    if (strcmp(last, registry->failed) != 0)
        tw_log_warn("registry", "text=\"%s; it is asked again until it answers\"", registry->failed);
}

static void conclude(tw_registry *registry, tw_registry_verdict verdict) {
    if (registry->failures) {
        tw_metric_set(&waiting, 0);
        tw_log_info("registry", "text=\"it answers again\" attempts=%d", registry->failures + 1);
    }
    registry->failures = 0;
    registry->answer.verdict = verdict;
    registry->state = ANSWERED;
}

static void take_schema(tw_registry *registry) {
    tw_slice schema = tw_json_string(tw_json_get(registry->document, "schema"));
    tw_slice language = tw_json_string(tw_json_get(registry->document, "schemaType"));
    int64_t id = tw_json_integer(tw_json_get(registry->document, "id"), registry->id);
    if (!schema.size) {
        fail(registry, "answered id %" PRIu32 " without a schema", registry->id);
    } else if (id != registry->id) {
        fail(registry, "answered id %" PRId64 " when asked for %" PRIu32, id, registry->id);
    } else if (language.size && !tw_slice_equal(language, TW_SLICE_LITERAL("AVRO"))) {
        say(registry->refusal, sizeof registry->refusal, "its language is %.*s, not AVRO",
            (int)(language.size < 40 ? language.size : 40), language.data);
        conclude(registry, TW_REGISTRY_UNUSABLE);
    } else if (tw_json_count(tw_json_get(registry->document, "references"))) {
        say(registry->refusal, sizeof registry->refusal,
            "it refers to other schemas, which is not supported: register it with all its types written out");
        conclude(registry, TW_REGISTRY_UNUSABLE);
    } else {
        registry->answer.schema = schema;
        conclude(registry, TW_REGISTRY_FOUND);
    }
}

static void take_id(tw_registry *registry) {
    int64_t id = tw_json_integer(tw_json_get(registry->document, "id"), -1);
    if (id < 0 || id > UINT32_MAX) {
        fail(registry, "answered without an id");
        return;
    }
    registry->answer.id = (uint32_t)id;
    conclude(registry, TW_REGISTRY_FOUND);
}

static void take_status(tw_registry *registry, int status) {
    int64_t code = tw_json_integer(tw_json_get(registry->document, "error_code"), 0);
    tw_slice message = tw_json_string(tw_json_get(registry->document, "message"));
    int size = (int)(message.size < 160 ? message.size : 160);
    bool not_here = code == NO_SUBJECT || code == NO_VERSION || code == NO_SCHEMA;
    if (status == 404 && !not_here) {
        fail(registry, "answers 404 without an error code of its API; is schema.registry.url right?");
    } else if (status == 404) {
        say(registry->refusal, sizeof registry->refusal, "%.*s (%" PRId64 ")", size, message.data ? message.data : "",
            code);
        conclude(registry, TW_REGISTRY_UNKNOWN);
    } else if (registry->question == ID_OF_SCHEMA && status >= 400 && status < 500 && status != 408 && status != 429) {
        say(registry->refusal, sizeof registry->refusal, "%s%s%.*s (HTTP %d)",
            status == 401 ? "schema.registry.basic.auth is missing or wrong" : "", status == 401 && size ? ": " : "",
            size, message.data ? message.data : "", status);
        conclude(registry, TW_REGISTRY_REFUSED);
    } else {
        fail(registry, "answers HTTP %d%s%s%.*s", status,
             status == 401 ? " (schema.registry.basic.auth is missing or wrong)" : "", size ? ": " : "", size,
             message.data ? message.data : "");
    }
}

static void take_reply(tw_registry *registry, CURLcode result) {
    long status = 0;
    curl_easy_getinfo(registry->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(registry->multi, registry->easy);
    registry->document = tw_json_free(registry->document);
    registry->answer = (tw_registry_answer){.id = registry->id, .status = (int)status, .why = registry->refusal};
    registry->refusal[0] = '\0';
    if (registry->too_large) {
        fail(registry, "its answer is larger than %zu bytes", REPLY_SIZE_MAX);
        return;
    }
    if (result != CURLE_OK) {
        fail(registry, "%s", registry->curl_why[0] ? registry->curl_why : curl_easy_strerror(result));
        return;
    }
    bool json = tw_json_parse(tw_buf_slice(&registry->reply), &registry->document, NULL) == TW_OK;
    if (status != 200)
        take_status(registry, (int)status);
    else if (!json)
        fail(registry, "its answer is not JSON; is schema.registry.url right?");
    else if (registry->question == SCHEMA_OF_ID)
        take_schema(registry);
    else
        take_id(registry);
}

static void go_on(tw_registry *registry) {
    int running, left;
    if (registry->state == PAUSING && now_ns() >= registry->next_ns)
        begin(registry);
    if (registry->state != ASKING)
        return;
    curl_multi_perform(registry->multi, &running);
    for (CURLMsg *message; registry->state == ASKING && (message = curl_multi_info_read(registry->multi, &left));)
        if (message->msg == CURLMSG_DONE)
            take_reply(registry, message->data.result);
}

tw_code tw_registry_answered(tw_registry *registry, int wait_ms, tw_registry_answer *ret_answer, tw_err *err) {
    int64_t until_ns = now_ns() + (int64_t)wait_ms * 1000000;
    TW_ASSERT(tw_registry_asking(registry));
    for (;;) {
        go_on(registry);
        if (registry->state == ANSWERED) {
            registry->state = IDLE;
            *ret_answer = registry->answer;
            return TW_OK;
        }
        int64_t left_ns = until_ns - now_ns();
        if (left_ns <= 0)
            return tw_fail(err, TW_E_BUSY, "%s",
                           registry->failed[0] ? registry->failed : "the schema registry has not answered yet");
        if (registry->state == PAUSING && registry->next_ns - now_ns() < left_ns)
            left_ns = registry->next_ns - now_ns();
        curl_multi_poll(registry->multi, NULL, 0, left_ns > 0 ? (int)(left_ns / 1000000) + 1 : 0, NULL);
    }
}
