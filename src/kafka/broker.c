/* The embedded broker: one mock broker inside of a client that does nothing else. Called by the demo, `tailwater broker` and
 * the tests. */
#include "kafka/broker.h"

#include "base/alloc.h"
#include "kafka/internal.h"

#include <librdkafka/rdkafka_mock.h>
#include <stdlib.h>

#define API_PRODUCE 0 /* its key in Kafka's protocol */

struct tw_kafka_broker {
    rd_kafka_t *client;
    rd_kafka_mock_cluster_t *cluster;
};

/* The clients that meet an error tell of it; the broker's own lines would say it twice. */
static void on_log(const rd_kafka_t *client, int level, const char *facility, const char *text) {
    (void)client, (void)level, (void)facility, (void)text;
}

tw_code tw_kafka_broker_start(tw_kafka_broker **ret_broker, tw_err *err) {
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        return tw_fail(err, TW_E_KAFKA, "embedded broker: %s", why);
    }
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(client, 1);
    if (!cluster) {
        rd_kafka_destroy(client);
        return tw_fail(err, TW_E_KAFKA, "the embedded broker does not start");
    }
    *ret_broker = tw_zalloc(sizeof **ret_broker);
    **ret_broker = (tw_kafka_broker){client, cluster};
    return TW_OK;
}

tw_kafka_broker *tw_kafka_broker_stop(tw_kafka_broker *broker) {
    if (broker) {
        rd_kafka_mock_cluster_destroy(broker->cluster);
        rd_kafka_destroy(broker->client);
        free(broker);
    }
    return NULL;
}

const char *tw_kafka_broker_address(const tw_kafka_broker *broker) {
    return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

static tw_code check(rd_kafka_resp_err_t code, const char *what, tw_err *err) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return TW_OK;
    return tw_fail(err, TW_E_KAFKA, "embedded broker: %s: %s", what, rd_kafka_err2str(code));
}

tw_code tw_kafka_broker_create_topic(tw_kafka_broker *broker, const char *topic, int partitions, tw_err *err) {
    return check(rd_kafka_mock_topic_create(broker->cluster, topic, partitions, 1), topic, err);
}

tw_code tw_kafka_broker_set_up(tw_kafka_broker *broker, bool up, tw_err *err) {
    return up ? check(rd_kafka_mock_broker_set_up(broker->cluster, 1), "coming back", err)
              : check(rd_kafka_mock_broker_set_down(broker->cluster, 1), "going away", err);
}

void tw_kafka_broker_refuse(tw_kafka_broker *broker, int count) {
    for (int i = 0; i < count; i++)
        rd_kafka_mock_push_request_errors(broker->cluster, API_PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
}
