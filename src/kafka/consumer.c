/* The consumer: polling, rebalances, how far each partition was read. Called by the Kafka source. */
#include "kafka/consumer.h"

#include "base/alloc.h"
#include "base/log.h"
#include "kafka/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct progress { /* of an assigned partition */
    uint16_t input;
    int32_t partition;
    int64_t next; /* offset after the last record handed out; -1: none yet */
    int64_t end;  /* of the partition when its first record came; -1: not known yet */
    bool reached; /* the end was seen once */
} progress;

struct tw_kafka_consumer {
    rd_kafka_t *client;
    tw_kafka_topic *topics;
    int topics_count;
    tw_kafka_group group;          /* zeroed for a reader */
    rd_kafka_message_t **messages; /* of the last poll */
    int messages_count, messages_capacity;
    progress *assigned;
    int assigned_count;
    const rd_kafka_topic_t *last_topic;         /* of the last message: most come after one of the same partition */
    progress *last;                             /* of its partition; NULL: not known */
    rd_kafka_topic_partition_list_t *to_commit; /* NULL: nothing */
    bool paused;
    tw_err failed; /* in a callback; code TW_OK: nothing */
};

rd_kafka_t *tw_kafka_consumer_client(const tw_kafka_consumer *consumer) {
    return consumer->client;
}

static const tw_kafka_topic *topic_of(const tw_kafka_consumer *consumer, const char *name) {
    for (int i = 0; i < consumer->topics_count; i++)
        if (strcmp(consumer->topics[i].name, name) == 0)
            return &consumer->topics[i];
    return NULL;
}

static const char *name_of(const tw_kafka_consumer *consumer, uint16_t input) {
    for (int i = 0; i < consumer->topics_count; i++)
        if (consumer->topics[i].input == input)
            return consumer->topics[i].name;
    return "?";
}

static progress *progress_of(const tw_kafka_consumer *consumer, uint16_t input, int32_t partition) {
    for (int i = 0; i < consumer->assigned_count; i++)
        if (consumer->assigned[i].partition == partition && consumer->assigned[i].input == input)
            return &consumer->assigned[i];
    return NULL;
}

/* NULL: its partition is not ours (any more). */
static progress *progress_of_message(tw_kafka_consumer *consumer, const rd_kafka_message_t *message) {
    if (consumer->last_topic == message->rkt && consumer->last && consumer->last->partition == message->partition)
        return consumer->last;
    const tw_kafka_topic *topic = message->rkt ? topic_of(consumer, rd_kafka_topic_name(message->rkt)) : NULL;
    consumer->last = topic ? progress_of(consumer, topic->input, message->partition) : NULL;
    consumer->last_topic = message->rkt;
    return consumer->last;
}

static void drop_messages(tw_kafka_consumer *consumer) {
    for (int i = 0; i < consumer->messages_count; i++)
        rd_kafka_message_destroy(consumer->messages[i]);
    consumer->messages_count = 0;
}

static void remember_failure(tw_kafka_consumer *consumer, const tw_err *err) {
    if (consumer->failed.code == TW_OK)
        consumer->failed = *err;
}

static tw_code start_reading(tw_kafka_consumer *consumer, const tw_kafka_partition *partitions, int count,
                             tw_err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    consumer->assigned = tw_realloc(consumer->assigned, (size_t)(count + 1) * sizeof *consumer->assigned);
    consumer->assigned_count = count;
    consumer->last = NULL;
    for (int i = 0; i < count; i++) {
        const tw_kafka_partition *p = &partitions[i];
        rd_kafka_topic_partition_list_add(list, name_of(consumer, p->input), p->partition)->offset =
            p->offset >= 0              ? p->offset
            : p->offset == TW_KAFKA_END ? RD_KAFKA_OFFSET_END
                                        : RD_KAFKA_OFFSET_BEGINNING;
        consumer->assigned[i] = (progress){.input = p->input, .partition = p->partition, .next = p->offset, .end = -1};
        char from[24];
        snprintf(from, sizeof from, "%" PRId64, p->offset);
        tw_log_info("assigned", "topic=%s partition=%" PRId32 " from=%s", name_of(consumer, p->input), p->partition,
                    p->offset >= 0              ? from
                    : p->offset == TW_KAFKA_END ? "end"
                                                : "beginning");
    }
    rd_kafka_resp_err_t code = rd_kafka_assign(consumer->client, list);
    if (consumer->paused)
        rd_kafka_pause_partitions(consumer->client, list);
    else /* librdkafka remembers that a partition was paused when it was last ours */
        rd_kafka_resume_partitions(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? TW_OK
               : tw_fail(err, TW_E_KAFKA, "taking partitions: %s", rd_kafka_err2str(code));
}

static void take_partitions(tw_kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list) {
    tw_err err = {0};
    tw_kafka_partition *partitions = tw_zalloc((size_t)(list->cnt + 1) * sizeof *partitions);
    for (int i = 0; i < list->cnt; i++)
        partitions[i] =
            (tw_kafka_partition){topic_of(consumer, list->elems[i].topic)->input, list->elems[i].partition, -1};
    tw_code code = consumer->group.assigned(consumer->group.self, partitions, list->cnt, &err);
    if (code == TW_OK)
        code = start_reading(consumer, partitions, list->cnt, &err);
    free(partitions);
    if (code != TW_OK) {
        remember_failure(consumer, &err);
        rd_kafka_assign(consumer->client, NULL);
    }
}

static void send_commit(tw_kafka_consumer *consumer) {
    if (!consumer->to_commit)
        return;
    rd_kafka_commit(consumer->client, consumer->to_commit, 1); /* lag tools read it, we do not: nobody waits */
    rd_kafka_topic_partition_list_destroy(consumer->to_commit);
    consumer->to_commit = NULL;
}

/* A pause is a mark on each partition that is ours, which stays with it when it is given up and comes back. */
static void mark_paused(tw_kafka_consumer *consumer, bool paused) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(consumer->assigned_count);
    for (int i = 0; i < consumer->assigned_count; i++)
        rd_kafka_topic_partition_list_add(list, name_of(consumer, consumer->assigned[i].input),
                                          consumer->assigned[i].partition);
    if (paused)
        rd_kafka_pause_partitions(consumer->client, list);
    else
        rd_kafka_resume_partitions(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
}

static void give_partitions(tw_kafka_consumer *consumer) {
    tw_err err = {0};
    bool lost = rd_kafka_assignment_lost(consumer->client) != 0;
    drop_messages(consumer);
    tw_log_info("revoked", "partitions=%d lost=%s", consumer->assigned_count, lost ? "true" : "false");
    if (consumer->group.revoked(consumer->group.self, lost, &err) != TW_OK)
        remember_failure(consumer, &err);
    if (!lost)
        send_commit(consumer);
    if (consumer->paused)
        mark_paused(consumer, false);
    consumer->assigned_count = 0;
    consumer->last = NULL;
    rd_kafka_assign(consumer->client, NULL);
}

static void on_rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list,
                         void *opaque) {
    tw_kafka_consumer *consumer = opaque;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        take_partitions(consumer, list);
    else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        give_partitions(consumer);
    else
        rd_kafka_assign(client, NULL);
}

static tw_code open_consumer(const tw_config *config, tw_kafka_role role, const tw_kafka_topic *topics,
                             int topics_count, tw_kafka_consumer **ret_consumer, tw_err *err) {
    rd_kafka_conf_t *conf;
    TW_TRY(tw_kafka_conf(config, role, &conf, err));
    tw_kafka_consumer *consumer = tw_zalloc(sizeof *consumer);
    consumer->topics = tw_zalloc((size_t)topics_count * sizeof *consumer->topics);
    memcpy(consumer->topics, topics, (size_t)topics_count * sizeof *topics);
    consumer->topics_count = topics_count;
    rd_kafka_conf_set_opaque(conf, consumer);
    if (role == TW_KAFKA_MEMBER)
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    tw_code code = tw_kafka_new(conf, role, &consumer->client, err);
    if (code != TW_OK) {
        free(consumer->topics);
        free(consumer);
        return code;
    }
    *ret_consumer = consumer;
    return TW_OK;
}

tw_code tw_kafka_consumer_join(const tw_config *config, const tw_kafka_topic *topics, int topics_count,
                               const tw_kafka_group *group, tw_kafka_consumer **ret_consumer, tw_err *err) {
    tw_kafka_consumer *consumer;
    TW_TRY(open_consumer(config, TW_KAFKA_MEMBER, topics, topics_count, &consumer, err));
    consumer->group = *group;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(topics_count);
    for (int i = 0; i < topics_count; i++)
        rd_kafka_topic_partition_list_add(list, topics[i].name, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        tw_kafka_consumer_close(consumer);
        return tw_fail(err, TW_E_KAFKA, "subscribing: %s", rd_kafka_err2str(code));
    }
    *ret_consumer = consumer;
    return TW_OK;
}

tw_code tw_kafka_consumer_read(const tw_config *config, const tw_kafka_topic *topic, const int64_t *offsets,
                               tw_kafka_consumer **ret_consumer, tw_err *err) {
    tw_kafka_consumer *consumer;
    TW_TRY(open_consumer(config, TW_KAFKA_READER, topic, 1, &consumer, err));
    tw_kafka_partition *partitions = tw_zalloc((size_t)topic->partitions * sizeof *partitions);
    for (int p = 0; p < topic->partitions; p++)
        partitions[p] = (tw_kafka_partition){topic->input, p, offsets[p]};
    tw_code code = start_reading(consumer, partitions, topic->partitions, err);
    free(partitions);
    if (code != TW_OK) {
        tw_kafka_consumer_close(consumer);
        return code;
    }
    *ret_consumer = consumer;
    return TW_OK;
}

tw_kafka_consumer *tw_kafka_consumer_close(tw_kafka_consumer *consumer) {
    if (!consumer)
        return NULL;
    drop_messages(consumer);
    rd_kafka_consumer_close(consumer->client);
    if (consumer->to_commit)
        rd_kafka_topic_partition_list_destroy(consumer->to_commit);
    rd_kafka_destroy(consumer->client);
    free(consumer->messages);
    free(consumer->assigned);
    free(consumer->topics);
    free(consumer);
    return NULL;
}

/* An error among the messages: the end of a partition, something that librdkafka tries again by itself, or an end of it. */
static tw_code take_error(tw_kafka_consumer *consumer, const rd_kafka_message_t *message, tw_err *err) {
    const tw_kafka_topic *topic = message->rkt ? topic_of(consumer, rd_kafka_topic_name(message->rkt)) : NULL;
    progress *p = topic ? progress_of(consumer, topic->input, message->partition) : NULL;
    if (tw_kafka_denied(consumer->client, message->err, topic ? topic->name : "?", "Read", err))
        return TW_E_KAFKA;
    switch (message->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (p)
            p->reached = true;
        return TW_OK;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        return tw_fail(
            err, TW_E_MISMATCH,
            "%s[%" PRId32 "]: the position %" PRId64
            " in the state is no longer there (deleted by retention, or the topic was made anew): `run --reset-to "
            "earliest` or `latest` goes on from there",
            topic ? topic->name : "?", message->partition, p ? p->next : -1);
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR__FATAL:
        return tw_fail(err, TW_E_KAFKA, "%s: %s", topic ? topic->name : "group", rd_kafka_message_errstr(message));
    default:
        tw_log_warn("consumer", "error=%s", rd_kafka_err2name(message->err));
        return TW_OK;
    }
}

/* Hands a message out and notes how far its partition was read. false: its partition is not ours (any more). */
static bool take_message(tw_kafka_consumer *consumer, rd_kafka_message_t *message, tw_record *ret_record) {
    progress *p = progress_of_message(consumer, message);
    rd_kafka_timestamp_type_t type;
    if (!p)
        return false;
    if (p->end < 0) {
        int64_t low, high;
        if (rd_kafka_get_watermark_offsets(consumer->client, name_of(consumer, p->input), message->partition, &low,
                                           &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
            high >= 0)
            p->end = high;
    }
    p->next = message->offset + 1;
    p->reached |= p->end >= 0 && p->next >= p->end;
    int64_t timestamp_ms = rd_kafka_message_timestamp(message, &type);
    *ret_record = (tw_record){.input = p->input,
                              .partition = message->partition,
                              .offset = message->offset,
                              .timestamp_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : timestamp_ms,
                              .appended = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME,
                              .key = {message->key, message->key_len},
                              .value = {message->payload, message->len},
                              .headers = message};
    return true;
}

static void reserve(tw_kafka_consumer *consumer, int max) {
    if (max > consumer->messages_capacity) {
        consumer->messages = tw_realloc(consumer->messages, (size_t)max * sizeof(rd_kafka_message_t *));
        consumer->messages_capacity = max;
    }
}

tw_code tw_kafka_consumer_poll(tw_kafka_consumer *consumer, tw_record *records, int max, int wait_ms, int *ret_count,
                               tw_err *err) {
    tw_code code = TW_OK;
    drop_messages(consumer);
    send_commit(consumer);
    reserve(consumer, max);
    while (consumer->messages_count < max && code == TW_OK) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client, consumer->messages_count ? 0 : wait_ms);
        if (!message)
            break;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            code = take_error(consumer, message, err);
            wait_ms = 0;
        } else if (take_message(consumer, message, &records[consumer->messages_count])) {
            consumer->messages[consumer->messages_count++] = message; /* a rebalance sets the count back to 0 */
            continue;
        }
        rd_kafka_message_destroy(message);
    }
    if (consumer->failed.code != TW_OK) {
        if (err)
            *err = consumer->failed;
        return consumer->failed.code;
    }
    *ret_count = consumer->messages_count;
    return code == TW_OK ? tw_kafka_refused(consumer->client, err) : code;
}

bool tw_kafka_record_header(const tw_record *record, const char *name, tw_slice *ret_value) {
    rd_kafka_headers_t *headers;
    const void *bytes;
    size_t size;
    if (rd_kafka_message_headers(record->headers, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &bytes, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    *ret_value = (tw_slice){bytes, size};
    return true;
}

tw_code tw_kafka_consumer_serve(tw_kafka_consumer *consumer, int wait_ms, int *ret_count, tw_err *err) {
    tw_code code = TW_OK;
    send_commit(consumer);
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->client, wait_ms);
    if (message) {
        code = message->err ? take_error(consumer, message, err)
                            : tw_fail(err, TW_E_KAFKA, "%s[%" PRId32 "]: a record came while it was paused",
                                      rd_kafka_topic_name(message->rkt), message->partition);
        rd_kafka_message_destroy(message);
    }
    if (consumer->failed.code != TW_OK) {
        if (err)
            *err = consumer->failed;
        return consumer->failed.code;
    }
    *ret_count = consumer->messages_count;
    return code;
}

void tw_kafka_consumer_pause(tw_kafka_consumer *consumer, bool pause) {
    if (pause != consumer->paused)
        mark_paused(consumer, pause);
    consumer->paused = pause;
}

void tw_kafka_consumer_commit(tw_kafka_consumer *consumer, uint16_t input, int32_t partition, int64_t offset) {
    const char *topic = name_of(consumer, input);
    if (!progress_of(consumer, input, partition))
        return;
    if (!consumer->to_commit)
        consumer->to_commit = rd_kafka_topic_partition_list_new(consumer->assigned_count);
    rd_kafka_topic_partition_t *known = rd_kafka_topic_partition_list_find(consumer->to_commit, topic, partition);
    if (!known)
        known = rd_kafka_topic_partition_list_add(consumer->to_commit, topic, partition);
    known->offset = offset;
}

bool tw_kafka_consumer_caught_up(const tw_kafka_consumer *consumer) {
    for (int i = 0; i < consumer->assigned_count; i++)
        if (!consumer->assigned[i].reached)
            return false;
    return consumer->assigned_count > 0;
}

int64_t tw_kafka_consumer_lag(const tw_kafka_consumer *consumer, uint16_t input) {
    int64_t lag = 0;
    for (int i = 0; i < consumer->assigned_count; i++) {
        const progress *p = &consumer->assigned[i];
        int64_t low, high;
        if (p->input != input ||
            rd_kafka_get_watermark_offsets(consumer->client, name_of(consumer, p->input), p->partition, &low, &high) !=
                RD_KAFKA_RESP_ERR_NO_ERROR ||
            high < 0)
            continue;
        int64_t next = p->next > low ? p->next : low;
        lag += high > next ? high - next : 0;
    }
    return lag;
}
