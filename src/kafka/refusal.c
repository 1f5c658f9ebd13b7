/* What a broker refuses for good, told apart from a broker that is away: credentials, certificates, rights. librdkafka tries all of
 * them again for ever; we stop with one sentence. Called by the other files of this folder; callbacks come from the thread that
 * polls the client, verification from librdkafka's own.
 *
 * A refusal counts from the second time within a minute: a broker that is just starting may refuse once, and librdkafka tells the
 * same error twice and then not for half a minute. */
#include "kafka/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REFUSALS_WANTED 2
#define REFUSALS_WITHIN_NS 60000000000
#define CLIENTS_MAX 32

/* The first librdkafka whose SCRAM a broker of 4.0 and later accepts (2.6.1 by its users' word). */
#define SCRAM_GOOD_VERSION 0x020600ff

typedef struct refusal {
    const rd_kafka_t *client; /* NULL: free */
    int times;
    int64_t first_ns;
    char certificate[160]; /* what is wrong with the broker's; empty: nothing */
    tw_err err;
} refusal;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static refusal refusals[CLIENTS_MAX];
static _Atomic int refusals_made; /* 0: nobody needs to look */

/* The entry of a client; with make, a new one when it has none (NULL: all are taken). */
static refusal *entry_of(const rd_kafka_t *client, bool make) {
    refusal *free_one = NULL;
    for (int i = 0; i < CLIENTS_MAX; i++) {
        if (refusals[i].client == client)
            return &refusals[i];
        if (!refusals[i].client)
            free_one = &refusals[i];
    }
    if (!make || !free_one)
        return NULL;
    *free_one = (refusal){.client = client};
    return free_one;
}

void tw_kafka_refusal_forget(const rd_kafka_t *client) {
    pthread_mutex_lock(&lock);
    refusal *r = entry_of(client, false);
    if (r)
        *r = (refusal){0};
    pthread_mutex_unlock(&lock);
}

/* "(after 3ms in state ...)" and the hint for another system say nothing here. */
static int useful_length(const char *reason) {
    static const char *const tails[] = {" (after ", " (brew ", " or root CA certificates"};
    size_t length = strlen(reason);
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        const char *tail = strstr(reason, tails[i]);
        if (tail && (size_t)(tail - reason) < length)
            length = (size_t)(tail - reason);
    }
    return (int)length;
}

static void tell_authentication(rd_kafka_t *client, const char *reason, tw_err *err) {
    char mechanism[64], who[280];
    tw_kafka_conf_text(client, "sasl.mechanisms", mechanism, sizeof mechanism);
    tw_kafka_principal(client, who, sizeof who);
    bool old_scram = strncasecmp(mechanism, "SCRAM", 5) == 0 && rd_kafka_version() < SCRAM_GOOD_VERSION;
    tw_fail_text(
        err, TW_E_KAFKA, "%.*s (%s, mechanism %s)%s%s%s", useful_length(reason), reason, who, mechanism,
        old_scram ? "; if the password is right: SCRAM of librdkafka " : "", old_scram ? rd_kafka_version_str() : "",
        old_scram ? " fails against Kafka 4.0 and later; the way out is PLAIN over TLS, client certificates, or "
                    "librdkafka 2.6.1 or newer"
                  : "");
}

static void note(rd_kafka_t *client, rd_kafka_resp_err_t code, const char *reason) {
    int64_t now_ns = tw_clock_steady_ns(&tw_clock_system);
    pthread_mutex_lock(&lock);
    refusal *r = entry_of(client, true);
    if (r) {
        if (now_ns - r->first_ns > REFUSALS_WITHIN_NS)
            r->times = 0;
        if (r->times++ == 0)
            r->first_ns = now_ns;
        if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION)
            tell_authentication(client, reason, &r->err);
        else
            tw_fail_text(&r->err, TW_E_KAFKA, "%.*s%s%s", useful_length(reason), reason, *r->certificate ? ": " : "",
                         r->certificate);
        atomic_fetch_add(&refusals_made, 1);
    }
    pthread_mutex_unlock(&lock);
}

/* TLS that was cut off is a broker that goes; an alert is a broker that does not want our certificate. */
static bool is_refusal(rd_kafka_resp_err_t code, const char *reason) {
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL)
        return !strstr(reason, "Disconnected");
    return code == RD_KAFKA_RESP_ERR__TRANSPORT && strstr(reason, "SSL alert number");
}

static void on_error(rd_kafka_t *client, int code, const char *reason, void *opaque) {
    char plain[400];
    (void)opaque;
    if (is_refusal(code, reason)) {
        note(client, code, reason);
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__FATAL && rd_kafka_type(client) == RD_KAFKA_CONSUMER) {
        for (int i = 0; i < REFUSALS_WANTED; i++)
            note(client, code, reason);
        return;
    }
    snprintf(plain, sizeof plain, "%s", reason);
    for (char *p = plain; *p; p++)
        if (*p == '"' || *p == '\n')
            *p = '\'';
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__RESOLVE) /* librdkafka's own line has it */
        tw_log_debug("kafka", "error=%s text=\"%s\"", rd_kafka_err2name(code), plain);
    else
        tw_log_warn("kafka", "error=%s text=\"%s\"", rd_kafka_err2name(code), plain);
}

/* OpenSSL's verdict stays; what it was is kept for the sentence. Numbers are X509_V_ERR_* of x509_vfy.h. */
static int on_verify(rd_kafka_t *client, const char *broker, int32_t id, int *error, int depth, const char *bytes,
                     size_t size, char *ret_text, size_t text_size, void *opaque) {
    (void)id, (void)depth, (void)bytes, (void)size, (void)opaque;
    if (*error == 0)
        return 1;
    const char *why =
        *error == 9    ? "the broker's certificate is not valid yet"
        : *error == 10 ? "the broker's certificate has expired"
        : *error == 62 || *error == 64
            ? "the broker's certificate does not carry the name it is called by in kafka.bootstrap.servers"
        : *error >= 18 && *error <= 21 ? "the broker's certificate is not signed by kafka.ssl.ca.location"
                                       : "the broker's certificate does not hold";
    pthread_mutex_lock(&lock);
    refusal *r = entry_of(client, true);
    if (r)
        snprintf(r->certificate, sizeof r->certificate, "%s", why);
    pthread_mutex_unlock(&lock);
    snprintf(ret_text, text_size, "%s: %s", broker, why);
    return 0;
}

void tw_kafka_refusal_watch(rd_kafka_conf_t *conf) {
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_ssl_cert_verify_cb(
        conf, on_verify); /* refused without TLS in the build: then there is none to verify */
}

tw_code tw_kafka_refused(const rd_kafka_t *client, tw_err *err) {
    tw_code code = TW_OK;
    if (atomic_load(&refusals_made) == 0)
        return TW_OK;
    pthread_mutex_lock(&lock);
    const refusal *r = entry_of(client, false);
    if (r && r->times >= REFUSALS_WANTED) {
        code = r->err.code;
        if (err)
            *err = r->err;
    }
    pthread_mutex_unlock(&lock);
    return code;
}

bool tw_kafka_denied(const rd_kafka_t *client, rd_kafka_resp_err_t code, const char *topic, const char *operation,
                     tw_err *err) {
    char who[280], group[256];
    tw_kafka_principal(client, who, sizeof who);
    const char *plain = strncmp(who, "User:", 5) == 0 ? who : "User:...";
    switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        tw_fail_text(
            err, TW_E_KAFKA,
            "topic \"%s\": %s is denied to %s; kafka-acls --add --allow-principal %s --operation %s --topic %s", topic,
            operation, who, plain, operation, topic);
        return true;
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
        tw_kafka_conf_text(client, "group.id", group, sizeof group);
        tw_fail_text(
            err, TW_E_KAFKA,
            "group \"%s\": Read is denied to %s; kafka-acls --add --allow-principal %s --operation Read --group %s",
            group, who, plain, group);
        return true;
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        tw_fail_text(err, TW_E_KAFKA,
                     "cluster: %s is denied to %s; kafka-acls --add --allow-principal %s --operation %s --cluster",
                     operation, who, plain, operation);
        return true;
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
        tw_kafka_conf_text(client, "transactional.id", group, sizeof group);
        tw_fail_text(
            err, TW_E_KAFKA,
            "transactional.id \"%s\": Write is denied to %s; kafka-acls --add --allow-principal %s --operation Write "
            "--transactional-id %s",
            group, who, plain, group);
        return true;
    default:
        return false;
    }
}
