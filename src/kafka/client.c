/* How every librdkafka client of ours is set up: defaults, what the user gave under `kafka:`, and what our promises depend on, which
 * the user may not change. Called by the other files of this folder. */
#include "kafka/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct pair {
    const char *name, *value;
} pair;

/* What we choose where the user says nothing. */
static const pair all_defaults[] = {{"socket.nagle.disable", "true"},
                                    {"socket.keepalive.enable", "true"},
                                    {"reconnect.backoff.max.ms", "2000"},
                                    {"topic.metadata.refresh.interval.ms", "60000"},
                                    {NULL, NULL}};
static const pair consumer_defaults[] = {
    {"check.crcs", "true"},
    {"session.timeout.ms", "10000"},          /* a restart after a crash waits no longer than this for its partitions */
    {"heartbeat.interval.ms", "500"},         /* how late a member may hear that partitions wait for it */
    {"queued.min.messages", "1000000"},       /* above it librdkafka 2.0 stops fetching for a second */
    {"queued.max.messages.kbytes", "262144"}, /* what bounds the memory instead */
    {NULL, NULL}};
static const pair producer_defaults[] = {{"compression.codec", "lz4"},
                                         {"linger.ms", "1"}, /* each more is one more on every list's way */
                                         {"queue.buffering.max.kbytes", "262144"},
                                         {"message.max.bytes", "10000000"},
                                         {"message.timeout.ms", "0"}, /* a broker away is back-pressure, not a loss */
                                         {"transaction.timeout.ms", "10000"}, /* readers wait so long for a dead one */
                                         {NULL, NULL}};

/* What exactness depends on. */
static const struct {
    const char *name, *why;
} ours[] = {
    {"group.id", "it is application.id"},
    {"enable.auto.commit", "positions are committed with the state"},
    {"enable.auto.offset.store", "positions are committed with the state"},
    {"auto.offset.reset", "a position that is gone must be heard"},
    {"enable.partition.eof", "it tells when the inputs are caught up"},
    {"partition.assignment.strategy", "partition p of all inputs must meet in one member"},
    {"allow.auto.create.topics", "a misspelt topic must be heard"},
    {"enable.idempotence", "the order of a user's lists depends on it"},
    {"acks", "a list counts when all replicas have it"},
    {"request.required.acks", "a list counts when all replicas have it"},
    {"delivery.report.only.error", "acknowledgements are counted"},
    {"partitioner", "keys must fall as Java's clients put them"},
    {"transactional.id", "it follows from application.id"},
};
static const pair consumer_fixed[] = {{"enable.auto.commit", "false"},
                                      {"enable.auto.offset.store", "false"},
                                      {"auto.offset.reset", "error"},
                                      {"enable.partition.eof", "true"},
                                      {"allow.auto.create.topics", "false"},
                                      {"partition.assignment.strategy", "range"},
                                      {NULL, NULL}};
static const pair producer_fixed[] = {
    {"enable.idempotence", "true"}, {"acks", "all"}, {"partitioner", "murmur2_random"}, {NULL, NULL}};

/* librdkafka's own lines into ours: its levels are syslog's. */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    char plain[400];
    size_t n = 0;
    (void)client;
    for (; text[n] && n + 1 < sizeof plain; n++)
        plain[n] = text[n] == '"' || text[n] == '\n' ? '\'' : text[n];
    plain[n] = '\0';
    /* AUTOCREATE: that a consumer cannot forbid an old broker to make topics; ours are all there before one starts. */
    bool idle = strcmp(facility, "CONFWARN") == 0 || strcmp(facility, "AUTOCREATE") == 0;
    if (level <= 4 && !idle)
        tw_log_warn("kafka", "facility=%s text=\"%s\"", facility, plain);
    else
        tw_log_debug("kafka", "facility=%s text=\"%s\"", facility, plain);
}

static tw_code set(rd_kafka_conf_t *conf, const char *name, const char *value, tw_err *err) {
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return TW_OK;
    return tw_fail(err, TW_E_CONFIG, "kafka.%s: %s", name, why);
}

static tw_code set_all(rd_kafka_conf_t *conf, const pair *pairs, tw_err *err) {
    for (; pairs->name; pairs++)
        TW_TRY(set(conf, pairs->name, pairs->value, err));
    return TW_OK;
}

static tw_code set_user(rd_kafka_conf_t *conf, const tw_config *config, tw_err *err) {
    const char *name, *value;
    for (int n = 0; tw_config_kafka(config, n, &name, &value); n++) {
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
            if (strcmp(name, ours[i].name) == 0)
                return tw_fail(err, TW_E_CONFIG, "kafka.%s cannot be set: %s", name, ours[i].why);
        if (set(conf, name, value, err) != TW_OK)
            return tw_config_kafka_hidden(config, n)
                       ? tw_fail(err, TW_E_CONFIG, "kafka.%s: librdkafka refuses the value", name)
                       : TW_E_CONFIG;
    }
    return TW_OK;
}

static bool is_consumer(tw_kafka_role role) {
    return role == TW_KAFKA_MEMBER || role == TW_KAFKA_READER;
}

/* Partitions are dealt out in the order of member ids, which begin with the client's: the member that started first comes first, and
 * keeps a single partition when another joins. */
static tw_code set_client_id(rd_kafka_conf_t *conf, const tw_config *config, tw_kafka_role role, tw_err *err) {
    char id[256];
    if (role != TW_KAFKA_MEMBER)
        return set(conf, "client.id", config->application_id, err);
    snprintf(id, sizeof id, "%s-%013" PRId64, config->application_id, tw_clock_wall_ms(&tw_clock_system));
    return set(conf, "client.id", id, err);
}

static tw_code fill(rd_kafka_conf_t *conf, const tw_config *config, tw_kafka_role role, tw_err *err) {
    size_t size = 0;
    TW_TRY(set_client_id(conf, config, role, err));
    TW_TRY(set_all(conf, all_defaults, err));
    if (is_consumer(role))
        TW_TRY(set_all(conf, consumer_defaults, err));
    if (role == TW_KAFKA_PRODUCER)
        TW_TRY(set_all(conf, producer_defaults, err));
    TW_TRY(set_user(conf, config, err));
    if (rd_kafka_conf_get(conf, "bootstrap.servers", NULL, &size) != RD_KAFKA_CONF_OK || size <= 1)
        return tw_fail(err, TW_E_CONFIG, "kafka.bootstrap.servers is wanted: HOST:PORT of a broker");
    if (is_consumer(role)) {
        TW_TRY(set(conf, "group.id", config->application_id, err));
        TW_TRY(set_all(conf, consumer_fixed, err));
    }
    if (role == TW_KAFKA_ASKER)
        return set(conf, "allow.auto.create.topics", "false", err);
    return role == TW_KAFKA_PRODUCER ? set_all(conf, producer_fixed, err) : TW_OK;
}

tw_code tw_kafka_conf(const tw_config *config, tw_kafka_role role, rd_kafka_conf_t **ret_conf, tw_err *err) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    tw_kafka_refusal_watch(conf);
    tw_code code = fill(conf, config, role, err);
    if (code != TW_OK) {
        rd_kafka_conf_destroy(conf);
        return code;
    }
    *ret_conf = conf;
    return TW_OK;
}

tw_code tw_kafka_new(rd_kafka_conf_t *conf, tw_kafka_role role, rd_kafka_t **ret_client, tw_err *err) {
    char why[256];
    rd_kafka_t *client = rd_kafka_new(is_consumer(role) ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        return tw_fail(err, TW_E_CONFIG, "kafka: %s", why);
    }
    if (is_consumer(role))
        rd_kafka_poll_set_consumer(client);
    tw_kafka_refusal_forget(client); /* of an earlier one at the same address */
    *ret_client = client;
    return TW_OK;
}
