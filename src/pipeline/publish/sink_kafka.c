/* Lists, profiles, changes, tombstones and dead letters as Kafka records. Called by the engine; engine thread.
 *
 * The producer's queue is kept half empty between steps (`full`), so that a step always finds room; a broker that is away therefore
 * stops the polling, not the engine. Lists and profiles are keyed by user id: one user's stay in order, and compaction keeps the last. */
#include "kafka/producer.h"
#include "pipeline/publish/latency.h"
#include "pipeline/publish/output_form.h"
#include "pipeline/publish/sink.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "base/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Acknowledgements are taken at least so often while steps come: their latency is no finer than this. */
#define HEAR_EVERY_NS 2000000

/* A flush waits this long before it says that it must be asked again. */
#define FLUSH_WAIT_MS 200

typedef struct kafka_sink {
    tw_sink sink; /* first */
    const tw_config *config;
    tw_kafka_producer *producer;
    bool transactional; /* the producer is another's, and commits */
    tw_output_form lists, profiles, drift;
    tw_latency *latency;
    int64_t heard_ns; /* when acknowledgements were taken last */
    tw_buf value;
} kafka_sink;

static tw_metric waiting = {"tailwater_output_waiting", "Records produced and not acknowledged yet", TW_GAUGE};

/* Waits for room in the queue: only what one step hands over beyond half of it can ever come to this. */
static tw_code send(kafka_sink *self, const tw_kafka_message *message, tw_err *err) {
    for (;;) {
        tw_code code = tw_kafka_producer_send(self->producer, message, err);
        if (code != TW_E_BUSY)
            return code;
        code = tw_kafka_producer_flush(self->producer, FLUSH_WAIT_MS, err);
        if (code != TW_OK && code != TW_E_BUSY)
            return code;
    }
}

/* What was put into value. */
static tw_code send_value(kafka_sink *self, const char *topic, tw_slice key, uint32_t tag, tw_err *err) {
    return send(self,
                &(tw_kafka_message){
                    .topic = topic, .key = key, .value = tw_buf_slice(&self->value), .timestamp_ms = -1, .tag = tag},
                err);
}

static tw_code kafka_list(tw_sink *sink, const tw_list *list, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    if (tw_output_form_begin(&self->lists, &self->value))
        tw_list_write_json(list, &self->value);
    else
        tw_list_write_avro(list, &self->value);
    uint32_t tag = tw_latency_begin(self->latency, list);
    tw_code code = send_value(self, self->config->output_recommendations_topic, list->user_id, tag, err);
    if (code != TW_OK)
        tw_latency_end(self->latency, tag, false);
    return code;
}

static tw_code kafka_profile(tw_sink *sink, const tw_user_profile *profile, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    if (tw_output_form_begin(&self->profiles, &self->value))
        tw_profile_write_json(profile, &self->value);
    else
        tw_profile_write_avro(profile, &self->value);
    return send_value(self, self->config->output_profiles_topic, profile->user_id, 0, err);
}

static tw_code kafka_drift(tw_sink *sink, const tw_drift_record *record, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    char key[64];
    if (!*self->config->output_drift_topic)
        return TW_OK;
    if (tw_output_form_begin(&self->drift, &self->value))
        tw_drift_write_json(record, &self->value);
    else
        tw_drift_write_avro(record, &self->value);
    return send_value(self, self->config->output_drift_topic, tw_drift_key(record, key, sizeof key), 0, err);
}

static tw_code send_tombstone(kafka_sink *self, const char *topic, tw_slice user_id, tw_err *err) {
    return send(self, &(tw_kafka_message){.topic = topic, .key = user_id, .timestamp_ms = -1}, err);
}

static tw_code kafka_gone(tw_sink *sink, uint32_t task, tw_slice user_id, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    (void)task;
    TW_TRY(send_tombstone(self, self->config->output_recommendations_topic, user_id, err));
    return sink->takes_profiles ? send_tombstone(self, self->config->output_profiles_topic, user_id, err) : TW_OK;
}

/* A delivery that fails undoes the whole transaction, and would again: what a topic with the broker's default bound (1 MiB) would
 * refuse is cut beforehand. */
#define TRANSACTIONAL_VALUE_MAX 900000

static tw_code kafka_dead(tw_sink *sink, const char *input_name, const tw_record *record, tw_reason reason,
                          tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    char partition[16], offset[24];
    snprintf(partition, sizeof partition, "%" PRId32, record->partition);
    snprintf(offset, sizeof offset, "%" PRId64, record->offset);
    const tw_kafka_header headers[] = {{"tailwater.error.reason", tw_slice_of(tw_reason_name(reason))},
                                       {"tailwater.error.topic", tw_slice_of(input_name)},
                                       {"tailwater.error.partition", tw_slice_of(partition)},
                                       {"tailwater.error.offset", tw_slice_of(offset)}};
    bool cut = self->transactional && record->value.size > TRANSACTIONAL_VALUE_MAX;
    return send(self,
                &(tw_kafka_message){.topic = self->config->output_dead_letters_topic,
                                    .key = record->key,
                                    .value = record->value,
                                    .timestamp_ms = record->timestamp_ms,
                                    .original = record->headers,
                                    .headers = headers,
                                    .headers_count = sizeof headers / sizeof headers[0],
                                    .cut = true,
                                    .cut_now = cut},
                err);
}

static tw_code kafka_flush(tw_sink *sink, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    if (TW_FAILPOINT(SINK_WRITE))
        return tw_fail(err, TW_E_KAFKA, "made to fail");
    tw_code code = self->transactional ? TW_OK : tw_kafka_producer_flush(self->producer, FLUSH_WAIT_MS, err);
    tw_metric_set(&waiting, (double)tw_kafka_producer_waiting(self->producer));
    return code;
}

/* Asked at every step, so it is also where acknowledgements are taken; an error among them is heard at the flush. */
static bool kafka_full(tw_sink *sink) {
    kafka_sink *self = (kafka_sink *)sink;
    int64_t now_ns = tw_clock_steady_ns(&tw_clock_system);
    bool full = tw_kafka_producer_crowded(self->producer);
    if (!full && now_ns - self->heard_ns < HEAR_EVERY_NS)
        return false;
    self->heard_ns = now_ns;
    tw_kafka_producer_flush(self->producer, 0, NULL);
    return full && tw_kafka_producer_crowded(self->producer);
}

/* The topics themselves are the position. */
static void kafka_position(tw_sink *sink, tw_buf *out) {
    (void)sink, (void)out;
}
static tw_code kafka_resume(tw_sink *sink, tw_slice position, tw_err *err) {
    (void)sink, (void)position, (void)err;
    return TW_OK;
}

static void close_forms(kafka_sink *self) {
    tw_output_form_close(&self->lists);
    tw_output_form_close(&self->profiles);
    tw_output_form_close(&self->drift);
}

static tw_sink *kafka_close(tw_sink *sink) {
    kafka_sink *self = (kafka_sink *)sink;
    if (self->transactional)
        tw_kafka_producer_on_delivery(self->producer, NULL, NULL);
    else
        tw_kafka_producer_close(self->producer);
    close_forms(self);
    tw_latency_free(self->latency);
    tw_buf_done(&self->value);
    free(self);
    return NULL;
}

static void on_delivery(void *self, uint32_t tag, bool acknowledged) {
    tw_latency_end(((kafka_sink *)self)->latency, tag, acknowledged);
}

static tw_code make_forms(kafka_sink *self, tw_err *err) {
    const tw_config *c = self->config;
    TW_TRY(tw_output_form_open(c, &self->lists, "recommendation.avsc", c->output_recommendations_topic,
                               c->output_schema_id, "output.schema.id", err));
    TW_TRY(tw_output_form_open(c, &self->profiles, "profile.avsc", c->output_profiles_topic,
                               c->output_profiles_schema_id, "output.profiles.schema.id", err));
    return tw_output_form_open(c, &self->drift, "drift.avsc", c->output_drift_topic, c->output_drift_schema_id,
                               "output.drift.schema.id", err);
}

tw_code tw_sink_kafka_ready(tw_sink *sink, int wait_ms, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    TW_TRY(tw_output_form_ready(&self->lists, wait_ms, err));
    TW_TRY(tw_output_form_ready(&self->profiles, wait_ms, err));
    return tw_output_form_ready(&self->drift, wait_ms, err);
}

static tw_code open_sink(const tw_config *config, tw_kafka_producer *shared, tw_sink **ret_sink, tw_err *err) {
    static const tw_sink_ops ops = {.list = kafka_list,
                                    .profile = kafka_profile,
                                    .gone = kafka_gone,
                                    .dead = kafka_dead,
                                    .drift = kafka_drift,
                                    .flush = kafka_flush,
                                    .full = kafka_full,
                                    .position = kafka_position,
                                    .resume = kafka_resume,
                                    .close = kafka_close};
    static bool registered;
    kafka_sink *self = tw_zalloc(sizeof *self);
    self->sink.ops = &ops;
    self->sink.takes_profiles = *config->output_profiles_topic != '\0';
    self->config = config;
    self->producer = shared;
    self->transactional = shared != NULL;
    tw_code code = make_forms(self, err);
    if (code == TW_OK && !shared)
        code = tw_kafka_producer_open(config, &self->producer, err);
    if (code != TW_OK) {
        close_forms(self);
        free(self);
        return code;
    }
    self->latency = tw_latency_create();
    tw_kafka_producer_on_delivery(self->producer, on_delivery, self);
    if (!registered)
        tw_metric_register(&waiting);
    registered = true;
    *ret_sink = &self->sink;
    return TW_OK;
}

tw_code tw_sink_kafka(const tw_config *config, tw_sink **ret_sink, tw_err *err) {
    return open_sink(config, NULL, ret_sink, err);
}

tw_code tw_sink_kafka_transactional(const tw_config *config, tw_kafka_producer *producer, tw_sink **ret_sink,
                                    tw_err *err) {
    return open_sink(config, producer, ret_sink, err);
}
