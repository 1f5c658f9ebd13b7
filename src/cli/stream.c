/* How the parts of a running stream are put together. */
#include "cli/stream.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/cli.h"
#include "engine/instance.h"
#include "kafka/transaction.h"
#include "pipeline/ingest/kafka.h"
#include "serve/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A question of the page waits for the engine at most so long while nothing comes. */
#define IDLE_WAIT_MS 20

/* A broker or a schema registry that is away is asked again so often; between two attempts the page is answered. */
#define CONNECT_WAIT_MS 300

/* For where a partition begins and ends, once a broker has answered. */
#define BOUNDS_WAIT_MS 500

struct tw_stream {
    const tw_config *config;
    tw_kafka_producer *producer; /* with transactions; NULL: no changelog */
    tw_changelog *changelog;
    uint64_t instance;
    void (*beat)(void *self);
    void *beat_self;
    tw_sink *sink;
    tw_engine *engine;
    tw_server *server;
    tw_source *source;
};

/* Under exactly_once everything goes through one producer; else lists and dead letters have one of their own. */
static tw_code open_outputs(tw_stream *stream, tw_err *err) {
    const tw_config *config = stream->config;
    char id[280];
    if (!config->state_changelog)
        return tw_sink_kafka(config, &stream->sink, err);
    TW_TRY(tw_instance_of(config->state_dir, &stream->instance, err));
    snprintf(id, sizeof id, "%s-%016" PRIx64, config->application_id, stream->instance);
    TW_TRY(tw_kafka_producer_open_transactional(config, id, &stream->producer, err));
    return config->processing_guarantee == TW_EXACTLY_ONCE
               ? tw_sink_kafka_transactional(config, stream->producer, &stream->sink, err)
               : tw_sink_kafka(config, &stream->sink, err);
}

static tw_code open_all(tw_stream *stream, int ports_tried, tw_err *err) {
    const tw_config *config = stream->config;
    TW_TRY(open_outputs(stream, err));
    const tw_engine_options opening = {.config = config,
                                       .state_dir = config->state_dir,
                                       .lists = TW_LISTS_ALL,
                                       .wall_intervals = true,
                                       .sink = stream->sink,
                                       .instance = stream->instance};
    TW_TRY(tw_engine_open(&opening, &stream->engine, err));
    if (!config->serve_enabled)
        return TW_OK;
    const tw_server_options serving = {
        .config = config, .backend = tw_serve_backend_engine(stream->engine), .ports_tried = ports_tried};
    return tw_server_start(&serving, &stream->server, err);
}

tw_code tw_stream_open(const tw_stream_options *options, tw_stream **ret_stream, tw_err *err) {
    tw_stream *stream = tw_zalloc(sizeof *stream);
    stream->config = options->config;
    stream->beat = options->beat;
    stream->beat_self = options->beat_self;
    tw_code code = open_all(stream, options->ports_tried, err);
    if (code != TW_OK) {
        tw_stream_close(stream);
        return code;
    }
    *ret_stream = stream;
    return TW_OK;
}

static void beat(const tw_stream *stream) {
    if (stream->beat)
        stream->beat(stream->beat_self);
}

static tw_code wait_for_broker(tw_stream *stream, tw_kafka_topics *topics, tw_err *err) {
    bool told = false;
    for (;;) {
        tw_err why = {0};
        tw_code code = tw_kafka_topics_ask(topics, CONNECT_WAIT_MS, &why);
        if (code == TW_OK && told)
            tw_log_info("broker", "text=\"it answers\"");
        if (code != TW_E_BUSY) {
            if (code != TW_OK && err)
                *err = why;
            return code;
        }
        if (!told)
            tw_log_warn("broker", "text=\"%s; waiting for it\"", why.text);
        told = true;
        tw_engine_serve(stream->engine);
        beat(stream);
        if (tw_stop_wanted())
            return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal before a broker answered");
    }
}

/* The registry's own troubles are logged where they are met. */
static tw_code wait_for_registry(tw_stream *stream, tw_err *err) {
    for (;;) {
        tw_code code = tw_sink_kafka_ready(stream->sink, CONNECT_WAIT_MS, err);
        if (code != TW_E_BUSY)
            return code;
        tw_engine_serve(stream->engine);
        beat(stream);
        if (tw_stop_wanted())
            return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal before the schema registry answered");
    }
}

/* Fences whoever ran with this state before, and begins to share. */
static tw_code open_changelog(tw_stream *stream, const tw_kafka_topics *topics, tw_err *err) {
    tw_code code;
    if (!stream->producer)
        return TW_OK;
    TW_TRY(tw_changelog_kafka(stream->config, topics, stream->source->partitions, stream->producer, &stream->changelog,
                              err));
    while ((code = tw_kafka_transaction_start(stream->producer, CONNECT_WAIT_MS, err)) == TW_E_BUSY) {
        tw_engine_serve(stream->engine);
        beat(stream);
        if (tw_stop_wanted())
            return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal before transactions were possible");
    }
    return code == TW_OK ? tw_engine_share(stream->engine, stream->changelog, err) : code;
}

typedef struct asker {
    const tw_source *source;
    const tw_kafka_topics *topics;
} asker;

static tw_code ask_bounds(void *self_, const char *topic, int32_t partition, int64_t *ret_low, int64_t *ret_high,
                          tw_err *err) {
    const asker *self = self_;
    for (int i = 0; i < self->source->inputs_count; i++)
        if (strcmp(self->source->inputs[i].name, topic) == 0)
            return tw_kafka_topics_bounds(self->topics, topic, partition, BOUNDS_WAIT_MS, ret_low, ret_high, err);
    return tw_fail(err, TW_E_NOT_FOUND, "%s is not read", topic);
}

/* A broker that has just come back may not know yet what it has. */
static tw_code fit_positions(tw_stream *stream, const tw_kafka_topics *topics, tw_err *err) {
    asker self = {stream->source, topics};
    tw_code code;
    while ((code = tw_engine_fit_positions(stream->engine, &(tw_bounds){&self, ask_bounds}, err)) == TW_E_BUSY) {
        tw_engine_serve(stream->engine);
        beat(stream);
        if (tw_stop_wanted())
            return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal before a broker told where its topics end");
        nanosleep(&(struct timespec){.tv_nsec = CONNECT_WAIT_MS * 1000000L}, NULL);
    }
    return code;
}

tw_code tw_stream_connect(tw_stream *stream, tw_err *err) {
    const tw_config *config = stream->config;
    tw_kafka_topics *topics;
    TW_TRY(tw_kafka_topics_open(config, &topics, err));
    tw_code code = wait_for_broker(stream, topics, err);
    if (code == TW_OK)
        code = tw_source_kafka(config, topics, &stream->source, err);
    if (code == TW_OK)
        code = tw_kafka_topics_want(topics, config->output_recommendations_topic, "output.recommendations.topic",
                                    "Write", err);
    if (code == TW_OK)
        code =
            tw_kafka_topics_want(topics, config->output_dead_letters_topic, "output.dead.letters.topic", "Write", err);
    if (code == TW_OK && *config->output_profiles_topic)
        code = tw_kafka_topics_want(topics, config->output_profiles_topic, "output.profiles.topic", "Write", err);
    if (code == TW_OK && *config->output_drift_topic)
        code = tw_kafka_topics_want(topics, config->output_drift_topic, "output.drift.topic", "Write", err);
    if (code == TW_OK)
        code = open_changelog(stream, topics, err);
    if (code == TW_OK)
        code = wait_for_registry(stream, err);
    if (code == TW_OK)
        code = tw_engine_attach(stream->engine, stream->source, err);
    if (code == TW_OK)
        code = fit_positions(stream, topics, err);
    tw_kafka_topics_close(topics);
    return code;
}

tw_code tw_stream_step(tw_stream *stream, tw_err *err) {
    int count;
    TW_TRY(tw_engine_step(stream->engine, tw_engine_idle_ms(stream->engine, IDLE_WAIT_MS), &count, err));
    beat(stream);
    return tw_engine_commit_due(stream->engine, err);
}

bool tw_stream_caught_up(const tw_stream *stream) {
    return stream->source->caught_up && !stream->source->idle;
}

tw_code tw_stream_drain(tw_stream *stream, tw_err *err) {
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + stream->config->shutdown_timeout_ms * 1000000;
    tw_code code;
    tw_engine_leave(stream->engine);
    do {
        tw_engine_serve(stream->engine);
        beat(stream);
        code = tw_engine_commit(stream->engine, err);
    } while (code == TW_E_BUSY && tw_clock_steady_ns(&tw_clock_system) < until_ns);
    if (code == TW_E_BUSY)
        return tw_wrap(
            err,
            "stopped after shutdown.timeout.ms without the last commit; the next start goes on from the one before");
    return code;
}

/* The source first: closing it gives partitions up, which the engine hears of. */
tw_stream *tw_stream_close(tw_stream *stream) {
    if (stream) {
        tw_server_stop(stream->server);
        if (stream->source)
            stream->source->ops->close(stream->source);
        tw_engine_close(stream->engine);
        if (stream->sink)
            stream->sink->ops->close(stream->sink);
        if (stream->changelog)
            stream->changelog->ops->close(stream->changelog);
        tw_kafka_producer_close(stream->producer);
        free(stream);
    }
    return NULL;
}

tw_engine *tw_stream_engine(tw_stream *stream) {
    return stream->engine;
}
const char *tw_stream_url(const tw_stream *stream) {
    return stream->server ? tw_server_url(stream->server) : NULL;
}
