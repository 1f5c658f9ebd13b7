/* Lists, tombstones and dead letters as Kafka records. Called by the engine; engine thread.
 *
 * The producer's queue is kept half empty between steps (`full`), so that a step always finds room; a broker that is away therefore
 * stops the polling, not the engine. Lists are keyed by user id: one user's lists stay in order, and compaction keeps the last. */
#include "avro/fingerprint.h"
#include "avro/schema_files.h"
#include "kafka/producer.h"
#include "pipeline/publish/latency.h"
#include "pipeline/publish/output_schema.h"
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

/* What lists are written with. */
#define SCHEMA "recommendation.avsc"

typedef struct kafka_sink {
    tw_sink sink; /* first */
    const tw_config *config;
    tw_kafka_producer *producer;
    bool transactional;       /* the producer is another's, and commits */
    tw_output_schema *schema; /* whose id is asked for; NULL: known, or not wanted */
    tw_latency *latency;
    int64_t heard_ns; /* when acknowledgements were taken last */
    char prefix[10];  /* of an Avro value: what names its schema */
    size_t prefix_size;
    tw_buf value;
} kafka_sink;

enum { FORMAT_JSON, FORMAT_AVRO, FORMAT_CONFLUENT, FORMAT_SINGLE_OBJECT };

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

static tw_code kafka_list(tw_sink *sink, const tw_list *list, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    TW_ASSERT(!self->schema);
    tw_buf_clear(&self->value);
    tw_buf_put(&self->value, self->prefix, self->prefix_size);
    if (self->config->output_format == FORMAT_JSON)
        tw_list_write_json(list, &self->value);
    else
        tw_list_write_avro(list, &self->value);
    uint32_t tag = tw_latency_begin(self->latency, list);
    tw_code code = send(self,
                        &(tw_kafka_message){.topic = self->config->output_recommendations_topic,
                                            .key = list->user_id,
                                            .value = tw_buf_slice(&self->value),
                                            .timestamp_ms = -1,
                                            .tag = tag},
                        err);
    if (code != TW_OK)
        tw_latency_end(self->latency, tag, false);
    return code;
}

static tw_code kafka_gone(tw_sink *sink, uint32_t task, tw_slice user_id, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    (void)task;
    return send(
        self,
        &(tw_kafka_message){.topic = self->config->output_recommendations_topic, .key = user_id, .timestamp_ms = -1},
        err);
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

static tw_sink *kafka_close(tw_sink *sink) {
    kafka_sink *self = (kafka_sink *)sink;
    if (self->transactional)
        tw_kafka_producer_on_delivery(self->producer, NULL, NULL);
    else
        tw_kafka_producer_close(self->producer);
    tw_output_schema_close(self->schema);
    tw_latency_free(self->latency);
    tw_buf_done(&self->value);
    free(self);
    return NULL;
}

static void on_delivery(void *self, uint32_t tag, bool acknowledged) {
    tw_latency_end(((kafka_sink *)self)->latency, tag, acknowledged);
}

/* Confluent: 0x00 and the id, big-endian. Single object: 0xC3 0x01 and the fingerprint, little-endian. */
static void put_id(kafka_sink *self, uint32_t id) {
    self->prefix_size = 5;
    for (int i = 0; i < 4; i++)
        self->prefix[4 - i] = (char)(id >> 8 * i);
}

static tw_code put_fingerprint(kafka_sink *self, tw_err *err) {
    uint64_t name;
    TW_TRY(tw_avro_fingerprint(tw_schema_file(SCHEMA), &name, err));
    self->prefix_size = 10;
    self->prefix[0] = (char)0xc3;
    self->prefix[1] = 1;
    for (int i = 0; i < 8; i++)
        self->prefix[2 + i] = (char)(name >> 8 * i);
    return TW_OK;
}

static tw_code make_prefix(kafka_sink *self, tw_err *err) {
    const tw_config *config = self->config;
    if (config->output_format == FORMAT_SINGLE_OBJECT)
        return put_fingerprint(self, err);
    if (config->output_format != FORMAT_CONFLUENT)
        return TW_OK;
    if (config->output_schema_id)
        put_id(self, (uint32_t)config->output_schema_id);
    else if (*config->schema_registry_url)
        return tw_output_schema_open(config, config->output_recommendations_topic, SCHEMA, &self->schema, err);
    else
        return tw_fail(err, TW_E_CONFIG,
                       "output.format confluent wants schema.registry.url, or output.schema.id: the registry's id of "
                       "schemas/" SCHEMA);
    return TW_OK;
}

tw_code tw_sink_kafka_ready(tw_sink *sink, int wait_ms, tw_err *err) {
    kafka_sink *self = (kafka_sink *)sink;
    uint32_t id;
    if (!self->schema)
        return TW_OK;
    TW_TRY(tw_output_schema_id(self->schema, wait_ms, &id, err));
    self->schema = tw_output_schema_close(self->schema);
    put_id(self, id);
    return TW_OK;
}

static tw_code open_sink(const tw_config *config, tw_kafka_producer *shared, tw_sink **ret_sink, tw_err *err) {
    static const tw_sink_ops ops = {.list = kafka_list,
                                    .gone = kafka_gone,
                                    .dead = kafka_dead,
                                    .flush = kafka_flush,
                                    .full = kafka_full,
                                    .position = kafka_position,
                                    .resume = kafka_resume,
                                    .close = kafka_close};
    static bool registered;
    kafka_sink *self = tw_zalloc(sizeof *self);
    self->sink.ops = &ops;
    self->config = config;
    self->producer = shared;
    self->transactional = shared != NULL;
    tw_code code = make_prefix(self, err);
    if (code == TW_OK && !shared)
        code = tw_kafka_producer_open(config, &self->producer, err);
    if (code != TW_OK) {
        tw_output_schema_close(self->schema);
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
