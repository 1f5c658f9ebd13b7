/* What the files of the server share. Nobody outside src/serve includes this. */
#ifndef TW_SERVE_INTERNAL_H
#define TW_SERVE_INTERNAL_H

#include "serve/request.h"
#include "serve/sample.h"
#include "serve/server.h"

#include <microhttpd.h>
#include <stdatomic.h>

struct tw_server {
    tw_server_options options; /* defaults filled in */
    tw_sampler *sampler;
    struct MHD_Daemon *daemon;
    int port;
    char url[300];
    bool local_only;     /* listens on loopback: answers to names of this machine only */
    _Atomic int streams; /* open now */
    int streams_max;
};

/* Answers one request: queues a response on the connection. Called on the connection's own thread. */
typedef enum MHD_Result (*tw_handler)(tw_server *server, struct MHD_Connection *connection, const tw_request *request);

/* listen.c: a listening socket on host and the first free port of port .. port + tried. Errors: TW_E_IO. */
tw_code tw_listen(const char *host, int port, int tried, int *ret_socket, int *ret_port, bool *ret_loopback,
                  tw_err *err);

/* reply.c: every answer goes out by these, and so carries the same protective headers. */
void tw_reply_register_metrics(void);
/* The body is consumed. */
enum MHD_Result tw_reply_buf(struct MHD_Connection *connection, int status, const char *content_type, tw_buf *body);
/* The body is static. etag is quoted; the browser may keep the body and asks each time whether it is still this one. */
enum MHD_Result tw_reply_static(struct MHD_Connection *connection, const char *content_type, tw_slice body,
                                const char *etag);
/* A problem document (RFC 9457) with this sentence. */
__attribute__((format(printf, 3, 4))) enum MHD_Result tw_reply_problem(struct MHD_Connection *connection, int status,
                                                                       const char *fmt, ...);
/* A response made by the caller; it is consumed. */
enum MHD_Result tw_reply_response(struct MHD_Connection *connection, int status, const char *content_type,
                                  struct MHD_Response *response);

/* The handlers: metrics.c, health.c, api.c, stream.c, page.c. */
enum MHD_Result tw_handle_metrics(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_live(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_ready(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_recommend(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_profile(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_past(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_trends(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_similar(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_drift(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_stats(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_history(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_reasons(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_stream(tw_server *server, struct MHD_Connection *connection, const tw_request *request);
enum MHD_Result tw_handle_page(tw_server *server, struct MHD_Connection *connection, const tw_request *request);

#endif
