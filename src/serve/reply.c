/* Answers: bodies, problems and the headers that every answer carries. Called by the handlers, on connection threads. */
#include "serve/internal.h"

#include "base/alloc.h"
#include "base/metrics.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

/* The page loads what this server serves and nothing else; nothing may frame it, and no other origin may read an answer. */
static const char *const protection[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};

static tw_metric answers[] = {
    {"tailwater_http_responses_total", "HTTP answers, by class of status", TW_COUNTER, "class", "2xx"},
    {"tailwater_http_responses_total", "HTTP answers, by class of status", TW_COUNTER, "class", "3xx"},
    {"tailwater_http_responses_total", "HTTP answers, by class of status", TW_COUNTER, "class", "4xx"},
    {"tailwater_http_responses_total", "HTTP answers, by class of status", TW_COUNTER, "class", "5xx"},
};

void tw_reply_register_metrics(void) {
    static bool done; /* a process may start several servers, one after the other */
    if (done)
        return;
    done = true;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        tw_metric_register(&answers[i]);
}

static const char *title_of(int status) {
    switch (status) {
    case MHD_HTTP_BAD_REQUEST:
        return "Bad request";
    case MHD_HTTP_NOT_FOUND:
        return "Not found";
    case MHD_HTTP_METHOD_NOT_ALLOWED:
        return "Method not allowed";
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return "Content too large";
    case MHD_HTTP_URI_TOO_LONG:
        return "Address too long";
    case MHD_HTTP_MISDIRECTED_REQUEST:
        return "Misdirected request";
    default:
        return "Service unavailable";
    }
}

enum MHD_Result tw_reply_response(struct MHD_Connection *connection, int status, const char *content_type,
                                  struct MHD_Response *response) {
    if (!response)
        return MHD_NO; /* out of memory: the library closes the connection */
    for (size_t i = 0; i < sizeof protection / sizeof protection[0]; i++)
        MHD_add_response_header(response, protection[i][0], protection[i][1]);
    if (content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    if (!MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(connection, (unsigned int)status, response);
    MHD_destroy_response(response);
    tw_metric_add(&answers[status / 100 - 2], 1);
    return result;
}

enum MHD_Result tw_reply_buf(struct MHD_Connection *connection, int status, const char *content_type, tw_buf *body) {
    struct MHD_Response *response = MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_FREE);
    if (!response)
        tw_buf_done(body);
    *body = (tw_buf){0};
    return tw_reply_response(connection, status, content_type, response);
}

enum MHD_Result tw_reply_static(struct MHD_Connection *connection, const char *content_type, tw_slice body,
                                const char *etag) {
    const char *known = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    bool same = known && strstr(known, etag);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(same ? 0 : body.size, (void *)body.data, MHD_RESPMEM_PERSISTENT);
    if (response) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
    }
    return tw_reply_response(connection, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, same ? NULL : content_type,
                             response);
}

enum MHD_Result tw_reply_problem(struct MHD_Connection *connection, int status, const char *fmt, ...) {
    char detail[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    tw_buf body = {0};
    tw_buf_printf(&body, "{\"title\":\"%s\",\"status\":%d,\"detail\":", title_of(status), status);
    tw_json_text(&body, tw_slice_of(detail));
    tw_buf_printf(&body, "}\n");
    struct MHD_Response *response = MHD_create_response_from_buffer(body.size, body.data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        tw_buf_done(&body);
        return MHD_NO;
    }
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    return tw_reply_response(connection, status, "application/problem+json", response);
}
