/* GET /livez and /readyz: 200 when all is well, else 503, always with the reasons as JSON.
 *
 * Live: the engine thread came round within serve.live.max.ms; if not, restarting the process is worth a try. Ready: it
 * answers now, what the source held at the start has been consumed, and nothing waits for the schema registry, so that lists are
 * fresh. */
#include "serve/internal.h"

#include "base/metrics.h"

#include <inttypes.h>
#include <stdio.h>

/* An engine that has not answered for so long is not ready: two questions in a row failed. */
#define READY_SILENT_MS_MAX (2 * TW_SERVE_WAIT_MS + 1000)

static void put_reason(tw_buf *body, int *count, const char *text) {
    tw_buf_printf(body, "%s\"%s\"", (*count)++ ? "," : "", text);
}

static enum MHD_Result reply(struct MHD_Connection *connection, const char *what, tw_buf *reasons, int reasons_count) {
    tw_buf body = {0};
    bool good = reasons_count == 0;
    tw_buf_printf(&body, "{\"%s\":%s,\"reasons\":[", what, good ? "true" : "false");
    tw_buf_put(&body, reasons->data, reasons->size);
    tw_buf_printf(&body, "]}\n");
    tw_buf_done(reasons);
    return tw_reply_buf(connection, good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, "application/json", &body);
}

static void put_silence(tw_buf *reasons, int *count, int64_t silent_ms, int64_t max_ms) {
    char text[100];
    if (silent_ms <= max_ms)
        return;
    snprintf(text, sizeof text, "the engine has not answered for %" PRId64 " ms", silent_ms);
    put_reason(reasons, count, text);
}

enum MHD_Result tw_handle_live(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    (void)request;
    tw_buf reasons = {0};
    int count = 0;
    put_silence(&reasons, &count, tw_sampler_silent_ms(server->sampler), server->options.config->serve_live_max_ms);
    return reply(connection, "live", &reasons, count);
}

enum MHD_Result tw_handle_ready(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    (void)request;
    const tw_serve_backend *backend = &server->options.backend;
    tw_buf reasons = {0};
    int count = 0;
    put_silence(&reasons, &count, tw_sampler_silent_ms(server->sampler), server->options.tick_ms + READY_SILENT_MS_MAX);
    if (!backend->ready(backend->self))
        put_reason(&reasons, &count, "catching up: what the source held at the start is not consumed yet");
    const tw_metric *waiting = tw_metric_find("tailwater_registry_waiting", NULL);
    if (waiting && tw_metric_get(waiting) > 0)
        put_reason(&reasons, &count, "the schema registry does not answer: what needs it waits, nothing is lost");
    return reply(connection, "ready", &reasons, count);
}
