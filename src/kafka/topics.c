/* Metadata of the whole cluster, kept as it came. Called by run, the demo and the tests before they start. */
#include "kafka/topics.h"

#include "base/alloc.h"
#include "kafka/internal.h"

#include <stdlib.h>

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
        code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        return tw_fail(err, TW_E_BUSY, "no broker answers: %s", rd_kafka_err2str(code));
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
