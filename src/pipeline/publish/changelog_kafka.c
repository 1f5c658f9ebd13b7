/* The changelog in two compacted topics, written by one transactional producer. Called by the engine; engine thread. */
#include "pipeline/publish/changelog.h"

#include "base/alloc.h"
#include "kafka/tail.h"
#include "kafka/topics.h"
#include "kafka/transaction.h"

#include <stdio.h>
#include <stdlib.h>

/* A commit waits this long before it says that it must be asked again. */
#define COMMIT_WAIT_MS 200

typedef struct kafka_changelog {
    tw_changelog changelog; /* first */
    tw_kafka_producer *producer;
    tw_kafka_tail *tail;
    char state_topic[280], model_topic[280];
} kafka_changelog;

static tw_code changelog_put(tw_changelog *changelog, uint32_t task, tw_slice key, tw_slice value, int64_t *ret_offset,
                             tw_err *err) {
    kafka_changelog *self = (kafka_changelog *)changelog;
    bool model = task == TW_CHANGELOG_MODEL;
    const int32_t partition = model ? 0 : (int32_t)task;
    const tw_kafka_message message = {.topic = model ? self->model_topic : self->state_topic,
                                      .key = key,
                                      .value = value,
                                      .timestamp_ms = -1,
                                      .to_partition = &partition,
                                      .ret_offset = ret_offset};
    for (;;) {
        tw_code code = tw_kafka_producer_send(self->producer, &message, err);
        if (code != TW_E_BUSY)
            return code;
        code = tw_kafka_producer_flush(self->producer, COMMIT_WAIT_MS, err);
        if (code != TW_OK && code != TW_E_BUSY)
            return code;
    }
}

static tw_code changelog_commit(tw_changelog *changelog, void *group, const tw_changelog_position *positions, int count,
                                tw_err *err) {
    kafka_changelog *self = (kafka_changelog *)changelog;
    tw_kafka_position *list = tw_alloc((size_t)(count + 1) * sizeof *list);
    for (int i = 0; i < count; i++)
        list[i] = (tw_kafka_position){positions[i].topic, positions[i].partition, positions[i].offset};
    tw_code code = tw_kafka_transaction_commit(self->producer, group, list, count, COMMIT_WAIT_MS, err);
    free(list);
    return code;
}

typedef struct taking {
    tw_code (*take)(void *self, const tw_changelog_row *row, tw_err *err);
    void *self;
} taking;

static tw_code take_record(void *self, const tw_record *record, tw_err *err) {
    const taking *t = self;
    return t->take(t->self, &(tw_changelog_row){record->key, record->value, record->timestamp_ms}, err);
}

static tw_code changelog_read(tw_changelog *changelog, uint32_t task, int64_t from,
                              tw_code (*take)(void *self, const tw_changelog_row *row, tw_err *err), void *self_,
                              int64_t *ret_next, tw_err *err) {
    kafka_changelog *self = (kafka_changelog *)changelog;
    bool model = task == TW_CHANGELOG_MODEL;
    taking t = {take, self_};
    return tw_kafka_tail_read(self->tail, model ? self->model_topic : self->state_topic, model ? 0 : (int32_t)task,
                              from, take_record, &t, ret_next, err);
}

static tw_changelog *changelog_close(tw_changelog *changelog) {
    kafka_changelog *self = (kafka_changelog *)changelog;
    tw_kafka_tail_close(self->tail);
    free(self);
    return NULL;
}

static tw_code check_topic(const tw_kafka_topics *topics, const char *topic, int partitions, tw_err *err) {
    int there = tw_kafka_topics_partitions(topics, topic);
    if (there == 0)
        return tw_fail(
            err, TW_E_CONFIG,
            "topic \"%s\" does not exist: state.changelog wants it, compacted, with %d partitions (tailwater topics "
            "--create makes it)",
            topic, partitions);
    if (there != partitions)
        return tw_fail(err, TW_E_CONFIG, "topic \"%s\" has %d partitions and wants %d, one a task", topic, there,
                       partitions);
    return TW_OK;
}

tw_code tw_changelog_kafka(const tw_config *config, const tw_kafka_topics *topics, int tasks,
                           tw_kafka_producer *producer, tw_changelog **ret_changelog, tw_err *err) {
    static const tw_changelog_ops ops = {
        .put = changelog_put, .commit = changelog_commit, .read = changelog_read, .close = changelog_close};
    kafka_changelog *self = tw_zalloc(sizeof *self);
    self->changelog.ops = &ops;
    self->producer = producer;
    snprintf(self->state_topic, sizeof self->state_topic, "%s-state-changelog", config->application_id);
    snprintf(self->model_topic, sizeof self->model_topic, "%s-model-changelog", config->application_id);
    tw_code code = check_topic(topics, self->state_topic, tasks, err);
    if (code == TW_OK)
        code = check_topic(topics, self->model_topic, 1, err);
    if (code == TW_OK)
        code = tw_kafka_tail_open(config, &self->tail, err);
    if (code != TW_OK) {
        free(self);
        return code;
    }
    *ret_changelog = &self->changelog;
    return TW_OK;
}
