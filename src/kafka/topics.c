/* Metadata of the whole cluster, kept as it came. Called by run, the demo and the tests before they start. */
#include "kafka/topics.h"

#include "base/alloc.h"
#include "kafka/internal.h"

#include <stdlib.h>
#include <strings.h>

/* For a question about one topic, once a broker has answered. */
#define CLOSER_WAIT_MS 5000

struct tw_kafka_topics {
    rd_kafka_t *client;
    const struct rd_kafka_metadata *metadata; /* NULL before the first answer */
};

tw_code tw_kafka_topics_open(const tw_config *config, tw_kafka_topics **ret_topics, tw_err *err) {
    rd_kafka_conf_t *conf;
    rd_kafka_t *client;
    TW_TRY(tw_kafka_conf(config, TW_KAFKA_ASKER, &conf, err));
    TW_TRY(tw_kafka_new(conf, TW_KAFKA_ASKER, &client, err));
    *ret_topics = tw_zalloc(sizeof **ret_topics);
    (*ret_topics)->client = client;
    return TW_OK;
}

tw_kafka_topics *tw_kafka_topics_close(tw_kafka_topics *topics) {
    if (topics) {
        if (topics->metadata)
            rd_kafka_metadata_destroy(topics->metadata);
        rd_kafka_destroy(topics->client);
        free(topics);
    }
    return NULL;
}

tw_code tw_kafka_topics_ask(tw_kafka_topics *topics, int wait_ms, tw_err *err) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code = rd_kafka_metadata(topics->client, 1, NULL, &metadata, wait_ms);
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT ||
        code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        rd_kafka_poll(topics->client, 0); /* why there is no answer */
        TW_TRY(tw_kafka_refused(topics->client, err));
        return tw_fail(err, TW_E_BUSY, "no broker answers: %s", rd_kafka_err2str(code));
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return tw_fail(err, TW_E_KAFKA, "asking for topics: %s", rd_kafka_err2str(code));
    if (topics->metadata)
        rd_kafka_metadata_destroy(topics->metadata);
    topics->metadata = metadata;
    return TW_OK;
}

int tw_kafka_topics_partitions(const tw_kafka_topics *topics, const char *topic) {
    for (int i = 0; topics->metadata && i < topics->metadata->topic_cnt; i++)
        if (strcmp(topics->metadata->topics[i].topic, topic) == 0)
            return topics->metadata->topics[i].partition_cnt;
    return 0;
}

rd_kafka_t *tw_kafka_topics_client(const tw_kafka_topics *topics) {
    return topics->client;
}

/* A topic that may not be described is left out of the list of all; asked for by its name, the broker says so. A broker before 0.11, and
 * the embedded one, would make the topic of that question: they are met without a login, where nothing is denied. */
static tw_code look_closer(const tw_kafka_topics *topics, const char *topic, const char *operation, tw_err *err) {
    const struct rd_kafka_metadata *metadata;
    bool denied = false;
    char protocol[32];
    tw_kafka_conf_text(topics->client, "security.protocol", protocol, sizeof protocol);
    if (strcasecmp(protocol, "plaintext") == 0)
        return TW_OK;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(topics->client, topic, NULL);
    if (!handle)
        return TW_OK; /* not a topic's name: it does not exist */
    if (rd_kafka_metadata(topics->client, 0, handle, &metadata, CLOSER_WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; i < metadata->topic_cnt && !denied; i++)
            denied = tw_kafka_denied(topics->client, metadata->topics[i].err, topic, operation, err);
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(handle);
    return denied ? TW_E_KAFKA : TW_OK;
}

tw_code tw_kafka_topics_want(const tw_kafka_topics *topics, const char *topic, const char *key, const char *operation,
                             tw_err *err) {
    if (tw_kafka_topics_partitions(topics, topic) > 0)
        return TW_OK;
    TW_TRY(look_closer(topics, topic, operation, err));
    return tw_fail(
        err, TW_E_CONFIG,
        "topic \"%s\" does not exist: `tailwater topics --create` makes what is missing, or set %s to another name",
        topic, key);
}
