/* GET /metrics: what Prometheus scrapes. The counters are atomics, so the engine is not asked. */
#include "serve/internal.h"

enum MHD_Result tw_handle_metrics(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    (void)server, (void)request;
    tw_buf body = {0};
    tw_metrics_write(&body);
    return tw_reply_buf(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
}
