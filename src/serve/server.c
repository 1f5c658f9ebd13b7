/* Start, stop, and the way of a request: target, host, method, route. Called by `run` and by the tests; requests arrive on
 * the library's connection threads. */
#include "serve/internal.h"

#include "base/alloc.h"
#include "base/log.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection that neither sends nor takes a byte for so long is closed. */
#define IDLE_S_MAX 30

/* What the library may keep of one request and the stack of a connection's thread: a request is 8 KB of target, as much of
 * headers, and a parsed copy on the heap. Chosen, not measured. */
#define CONNECTION_MEMORY_SIZE (32 * 1024)
#define CONNECTION_STACK_SIZE (256 * 1024)

static const struct {
    const char *pattern;
    tw_handler handle;
} routes[] = {
    {"/metrics", tw_handle_metrics},
    {"/livez", tw_handle_live},
    {"/readyz", tw_handle_ready},
    {"/api/v1/users/*/recommendations", tw_handle_recommend},
    {"/api/v1/users/*/profile", tw_handle_profile},
    {"/api/v1/users/*/events", tw_handle_past},
    {"/api/v1/trends", tw_handle_trends},
    {"/api/v1/items/*/similar", tw_handle_similar},
    {"/api/v1/drift", tw_handle_drift},
    {"/api/v1/stats", tw_handle_stats},
    {"/api/v1/history", tw_handle_history},
    {"/api/v1/reasons", tw_handle_reasons},
    {"/api/v1/stream", tw_handle_stream},
    {"/", tw_handle_page},
    {"/*", tw_handle_page},
};

/* ---- requests ----------------------------------------------------------------------------------------------------- */

/* Kept with a connection while a request is on: the raw target, for the library has unescaped the one that it hands to
 * the handler, in which an escaped '/' of an id could no longer be told from a real one. */
typedef struct letter {
    bool headers_seen;
    char target[TW_TARGET_SIZE_MAX + 2]; /* longer ones are cut, and so too long for the parser as well */
    tw_request request;
} letter;

static void *on_target(void *self, const char *target, struct MHD_Connection *connection) {
    (void)self, (void)connection;
    letter *l = tw_alloc(sizeof *l);
    l->headers_seen = false;
    snprintf(l->target, sizeof l->target, "%s", target);
    return l;
}

static void on_completed(void *self, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why) {
    (void)self, (void)connection, (void)why;
    free(*state);
    *state = NULL;
}

static const char *header(struct MHD_Connection *connection, const char *name) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool has_body(struct MHD_Connection *connection) {
    const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) || (length && length[strspn(length, "0 ")]);
}

/* Called once with the headers, when refusing costs least, and again when the request is complete. */
static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *body, size_t *body_size, void **state) {
    (void)url, (void)version, (void)body, (void)body_size;
    tw_server *server = self;
    letter *l = *state;
    tw_err err = {0};
    if (!l) /* the library could not read the request line */
        return MHD_NO;
    if (!l->headers_seen) {
        l->headers_seen = true;
        if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
            return tw_reply_problem(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD are answered here");
        if (has_body(connection))
            return tw_reply_problem(connection, MHD_HTTP_CONTENT_TOO_LARGE, "a request has no body here");
        return MHD_YES;
    }
    const char *host = header(connection, MHD_HTTP_HEADER_HOST);
    if (server->local_only && host && !tw_request_host_is_local(host, server->options.config->serve_host))
        return tw_reply_problem(connection, MHD_HTTP_MISDIRECTED_REQUEST,
                                "this server listens on loopback and answers to names of this machine only");
    if (strlen(l->target) > TW_TARGET_SIZE_MAX)
        return tw_reply_problem(connection, MHD_HTTP_URI_TOO_LONG, "the address is longer than %d bytes",
                                TW_TARGET_SIZE_MAX);
    if (tw_request_parse(l->target, &l->request, &err) != TW_OK)
        return tw_reply_problem(connection, MHD_HTTP_BAD_REQUEST, "%s", err.text);
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (tw_request_matches(&l->request, routes[i].pattern))
            return routes[i].handle(server, connection, &l->request);
    return tw_reply_problem(connection, MHD_HTTP_NOT_FOUND, "there is nothing at this address");
}

static void on_library_log(void *self, const char *fmt, va_list args) {
    char text[256];
    (void)self;
    vsnprintf(text, sizeof text, fmt, args);
    text[strcspn(text, "\r\n")] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '"')
            *c = '\'';
    tw_log_debug("http", "reason=\"%s\"", text);
}

/* ---- start and stop ----------------------------------------------------------------------------------------------- */

static void name_url(tw_server *server) {
    const char *host = server->options.config->serve_host;
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) /* every address: this machine's own is among them */
        host = "localhost";
    snprintf(server->url, sizeof server->url, strchr(host, ':') ? "http://[%s]:%d/" : "http://%s:%d/", host,
             server->port);
}

tw_code tw_server_start(const tw_server_options *options, tw_server **ret_server, tw_err *err) {
    const tw_config *config = options->config;
    int listener = -1;
    tw_server *server = tw_zalloc(sizeof *server);
    server->options = *options;
    if (!server->options.tick_ms)
        server->options.tick_ms = 1000;
    if (!server->options.heartbeat_ms)
        server->options.heartbeat_ms = 15000;
    int half = (int)config->serve_connections_max / 2; /* streams leave room for questions */
    server->streams_max = config->serve_streams_max < half ? (int)config->serve_streams_max : half;
    tw_reply_register_metrics();
    tw_code code = tw_listen(config->serve_host, (int)config->serve_port, options->ports_tried, &listener,
                             &server->port, &server->local_only, err);
    if (code != TW_OK)
        goto done;
    name_url(server);
    code = tw_sampler_start(&server->options.backend, server->options.tick_ms, &server->sampler, err);
    if (code != TW_OK)
        goto done;
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET,
        listener, MHD_OPTION_URI_LOG_CALLBACK, on_target, NULL, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)config->serve_connections_max, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)IDLE_S_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_SIZE,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)CONNECTION_STACK_SIZE, MHD_OPTION_END);
    if (!server->daemon) {
        code = tw_fail(err, TW_E_IO, "the HTTP library does not start on port %d", server->port);
        goto done;
    }
    listener = -1; /* the library's now */
    *ret_server = server;
    server = NULL;
done:
    if (listener >= 0)
        close(listener);
    tw_server_stop(server);
    return code;
}

tw_server *tw_server_stop(tw_server *server) {
    if (!server)
        return NULL;
    if (server->sampler)
        tw_sampler_release(server->sampler);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    tw_sampler_stop(server->sampler);
    free(server);
    return NULL;
}

int tw_server_port(const tw_server *server) {
    return server->port;
}
const char *tw_server_url(const tw_server *server) {
    return server->url;
}
