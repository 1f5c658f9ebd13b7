/* GET /api/v1/stream: the stats as server-sent events, one `event: stats` a tick, until the client or the server goes.
 *
 * The connection's own thread waits for the next sample within the content reader, so nothing is suspended that would have
 * to be resumed; tw_sampler_release lets all of them go before the library is asked to stop. A stream that has had
 * nothing to say for heartbeat_ms sends a comment, so that a dead client is noticed and proxies keep the connection. */
#include "serve/internal.h"

#include "base/alloc.h"

#include <stdlib.h>

/* The library asks for the content in pieces of this size: most samples fit into one. */
#define BLOCK_SIZE 65536

typedef struct stream {
    tw_server *server;
    uint64_t seen;  /* sample last sent */
    tw_buf pending; /* bytes being sent */
    size_t sent;    /* of pending */
} stream;

static ssize_t read_stream(void *self, uint64_t position, char *out, size_t max) {
    (void)position;
    stream *s = self;
    if (s->sent == s->pending.size) {
        tw_buf_clear(&s->pending);
        s->sent = 0;
        tw_buf_printf(&s->pending, "event: stats\ndata: ");
        tw_sampled what = tw_sampler_wait(s->server->sampler, &s->seen, s->server->options.heartbeat_ms, &s->pending);
        if (what == TW_SAMPLED_END)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (what == TW_SAMPLED_NOTHING) {
            tw_buf_clear(&s->pending);
            tw_buf_printf(&s->pending, ": still here");
        }
        tw_buf_printf(&s->pending, "\n\n");
    }
    size_t size = s->pending.size - s->sent;
    if (size > max)
        size = max;
    memcpy(out, s->pending.data + s->sent, size);
    s->sent += size;
    return (ssize_t)size;
}

static void close_stream(void *self) {
    stream *s = self;
    atomic_fetch_sub(&s->server->streams, 1);
    tw_buf_done(&s->pending);
    free(s);
}

enum MHD_Result tw_handle_stream(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    static const char *const names[] = {NULL};
    tw_err err = {0};
    if (tw_request_only(request, names, &err) != TW_OK)
        return tw_reply_problem(connection, MHD_HTTP_BAD_REQUEST, "%s", err.text);
    if (atomic_fetch_add(&server->streams, 1) >= server->streams_max) {
        atomic_fetch_sub(&server->streams, 1);
        return tw_reply_problem(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                                "there are %d live streams already: ask /api/v1/stats instead", server->streams_max);
    }
    stream *s = tw_zalloc(sizeof *s);
    s->server = server;
    tw_buf_printf(&s->pending, "retry: 1000\n\n"); /* a browser comes back after a second */
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, s, close_stream);
    if (!response)
        close_stream(s);
    return tw_reply_response(connection, MHD_HTTP_OK, "text/event-stream", response);
}
