/* The stream from end to end, as `run` and `demo` have it: the Kafka source, the engine, the Kafka sink and the server, opened in the
 * order in which each needs the others, and closed the other way round. Main thread. */
#ifndef TW_CLI_STREAM_H
#define TW_CLI_STREAM_H

#include "base/err.h"
#include "config/config.h"
#include "engine/engine.h"

typedef struct tw_stream tw_stream;

typedef struct tw_stream_options {
    const tw_config *config;  /* borrowed until close; state.dir is set */
    int ports_tried;          /* serve.port and this many after it */
    void (*beat)(void *self); /* called whenever the engine came round; NULL: nobody listens */
    void *beat_self;
} tw_stream_options;

/* Loads the state and starts to serve; nothing is read yet. Errors: those of tw_engine_open, tw_sink_kafka, tw_server_start. */
tw_code tw_stream_open(const tw_stream_options *options, tw_stream **ret_stream, tw_err *err);

/* Waits until a broker and, where it is asked for ids, the schema registry answer (TW_E_INTERRUPTED when a signal comes first), checks the
 * topics and attaches them. Errors: those of tw_source_kafka and tw_sink_kafka_ready; TW_E_CONFIG for a topic to write that is not there. */
tw_code tw_stream_connect(tw_stream *stream, tw_err *err);

/* One step and, when it is due, a commit. */
tw_code tw_stream_step(tw_stream *stream, tw_err *err);

/* What the inputs held when they were first read has been consumed by this process; false while it has no part of them. */
bool tw_stream_caught_up(const tw_stream *stream);

/* The end of a good run: waits at most shutdown.timeout.ms for what was produced and commits. Errors: TW_E_BUSY (not acknowledged in
 * that time: nothing is lost, the next start goes on from the commit before). */
tw_code tw_stream_drain(tw_stream *stream, tw_err *err);

/* Leaves the group and ends the server. */
tw_stream *tw_stream_close(tw_stream *stream);

tw_engine *tw_stream_engine(tw_stream *stream);
const char *tw_stream_url(const tw_stream *stream); /* of the page; NULL: not served */

#endif
