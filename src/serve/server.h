/* The HTTP server: metrics for Prometheus, probes, the API, and the live page. The only door to libmicrohttpd.
 *
 *   GET /                                           the live page (with its style, scripts and icon)
 *   GET /metrics                                    Prometheus text 0.0.4
 *   GET /livez, /readyz                             200, or 503 with the reasons
 *   GET /api/v1/users/{id}/recommendations          ?top= 1 to 1000, ?category=
 *   GET /api/v1/users/{id}/profile                  who the user is now, as in schemas/profile.avsc; 404: unknown, or not kept
 *   GET /api/v1/users/{id}/events                   what the user met newest, newest first; ?top= 1 to 200 (20)
 *   GET /api/v1/items/{id}/similar                  ?top=
 *   GET /api/v1/drift                               changes noticed since the start, newest first, as in schemas/drift.avsc; ?n= 1 to 192 (20),
 *                                                   ?scope= user, population or model
 *   GET /api/v1/stats                               counters, rates, freshness, newest lists; sampled once a second
 *   GET /api/v1/history                             rates of the last five minutes
 *   GET /api/v1/trends                              ten minutes of categories and hits by scorer, in steps of five seconds
 *   GET /api/v1/reasons                             what each reason of a dead letter means
 *   GET /api/v1/stream                              the stats as server-sent events, one a second
 *
 * Ids are percent-encoded UTF-8 of at most 1,024 bytes. What is refused is answered by a problem document (RFC 9457).
 * There is no login: whoever reaches the port may read. It therefore listens on loopback unless told otherwise, answers
 * there only to names of this machine (a page elsewhere on the web could else reach it by rebinding its name), and no
 * answer may be read or framed by another origin.
 *
 * Each connection has a thread of its own, at most serve.connections.max: a question that waits for the engine, and a
 * stream that waits for the next second, hold up nobody else. */
#ifndef TW_SERVE_SERVER_H
#define TW_SERVE_SERVER_H

#include "config/config.h"
#include "serve/backend.h"

typedef struct tw_server tw_server;

typedef struct tw_server_options {
    const tw_config *config;  /* borrowed until stop: serve.*, rank.list.size */
    tw_serve_backend backend; /* what it points to is borrowed until stop */
    int ports_tried;          /* serve.port and this many after it; 0: it alone */
    int tick_ms;              /* between samples; 0: 1,000 */
    int heartbeat_ms;         /* a silent stream says so after this; 0: 15,000 */
} tw_server_options;

/* Listens and serves. Errors: TW_E_IO naming address and port (taken, forbidden, no such address), TW_E_NO_MEMORY. */
tw_code tw_server_start(const tw_server_options *options, tw_server **ret_server, tw_err *err);

/* Ends every stream and connection and waits for them: at most as long as a question waits for the engine, a second. */
tw_server *tw_server_stop(tw_server *server);

int tw_server_port(const tw_server *server);        /* as bound; never 0 */
const char *tw_server_url(const tw_server *server); /* of the page, for a person: "http://127.0.0.1:8080/" */

#endif
