/* Questions of the admin protocol, one topic each: a plan has a handful. Called by `tailwater topics`. */
#include "kafka/admin.h"

#include "kafka/internal.h"

#include <stdio.h>

/* One request: its options, and the queue that its answer comes by. */
typedef struct request {
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
    rd_kafka_event_t *answer;
} request;

static request begin(rd_kafka_t *client, rd_kafka_admin_op_t kind, int wait_ms) {
    char why[128];
    request r = {rd_kafka_AdminOptions_new(client, kind), rd_kafka_queue_new(client), NULL};
    rd_kafka_AdminOptions_set_request_timeout(r.options, wait_ms, why, sizeof why);
    return r;
}

static void end(request *r) {
    if (r->answer)
        rd_kafka_event_destroy(r->answer);
    rd_kafka_queue_destroy(r->queue);
    rd_kafka_AdminOptions_destroy(r->options);
}

static rd_kafka_resp_err_t wait_for(request *r, int wait_ms) {
    r->answer = rd_kafka_queue_poll(r->queue, wait_ms + 1000); /* its own time-out comes first */
    return r->answer ? rd_kafka_event_error(r->answer) : RD_KAFKA_RESP_ERR__TIMED_OUT;
}

static bool is_silence(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT;
}

static void take_policy(const rd_kafka_event_t *answer, char *ret_policy) {
    size_t count, entries_count;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result((rd_kafka_event_t *)answer), &count);
    if (count == 0)
        return;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &entries_count);
    for (size_t i = 0; i < entries_count; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "cleanup.policy") == 0 &&
            rd_kafka_ConfigEntry_value(entries[i]))
            snprintf(ret_policy, TW_KAFKA_POLICY_SIZE, "%s", rd_kafka_ConfigEntry_value(entries[i]));
}

tw_code tw_kafka_policy(const tw_kafka_topics *topics, const char *topic, int wait_ms, char *ret_policy, tw_err *err) {
    rd_kafka_t *client = tw_kafka_topics_client(topics);
    request r = begin(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, wait_ms);
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_DescribeConfigs(client, &resource, 1, r.options, r.queue);
    rd_kafka_resp_err_t code = wait_for(&r, wait_ms);
    ret_policy[0] = '\0';
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        take_policy(r.answer, ret_policy);
    rd_kafka_ConfigResource_destroy(resource);
    end(&r);
    return is_silence(code)
               ? tw_fail(err, TW_E_BUSY, "asking for the settings of \"%s\": %s", topic, rd_kafka_err2str(code))
               : TW_OK;
}

/* What became of the one topic of the answer. */
static rd_kafka_resp_err_t outcome_of(const request *r, const char **ret_why) {
    size_t count;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(r->answer), &count);
    *ret_why = count ? rd_kafka_topic_result_error_string(results[0]) : NULL;
    return count ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR_UNKNOWN;
}

tw_code tw_kafka_create(const tw_kafka_topics *topics, const char *topic, int partitions, int replication,
                        bool compacted, int wait_ms, tw_err *err) {
    char reason[256];
    rd_kafka_t *client = tw_kafka_topics_client(topics);
    rd_kafka_NewTopic_t *wanted = rd_kafka_NewTopic_new(topic, partitions, replication, reason, sizeof reason);
    if (!wanted)
        return tw_fail(err, TW_E_KAFKA, "topic \"%s\" cannot be made: %s", topic, reason);
    if (compacted)
        rd_kafka_NewTopic_set_config(wanted, "cleanup.policy", "compact");
    request r = begin(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, wait_ms);
    rd_kafka_AdminOptions_set_operation_timeout(r.options, wait_ms, reason, sizeof reason);
    rd_kafka_CreateTopics(client, &wanted, 1, r.options, r.queue);
    rd_kafka_resp_err_t code = wait_for(&r, wait_ms);
    const char *why = code == RD_KAFKA_RESP_ERR_NO_ERROR ? NULL
                      : r.answer                         ? rd_kafka_event_error_string(r.answer)
                                                         : NULL;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        code = outcome_of(&r, &why);
    tw_code ret = TW_OK;
    if (is_silence(code))
        ret = tw_fail(err, TW_E_BUSY, "making topic \"%s\": %s", topic, why ? why : rd_kafka_err2str(code));
    else if (tw_kafka_denied(client, code, topic, "Create", err))
        ret = TW_E_KAFKA;
    else if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        ret = tw_fail(err, TW_E_KAFKA, "topic \"%s\" cannot be made: %s", topic, why ? why : rd_kafka_err2str(code));
    rd_kafka_NewTopic_destroy(wanted);
    end(&r);
    return ret;
}
