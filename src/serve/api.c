/* /api/v1: a user's list, profile and past, items like one, changes that were noticed, trends, the stats and their history, what reasons
 * mean. Called on connection threads; what is asked of the engine it answers between two steps, the rest comes from the sampler. */
#include "serve/internal.h"

#include "base/json.h"

#define JSON "application/json"

static const char *const no_names[] = {NULL};

/* A sample is at most a tick and a wait for the engine old; the first is on its way when the server starts. */
#define SAMPLE_WAIT_MS (TW_SERVE_WAIT_MS + 500)

static enum MHD_Result reply_json(struct MHD_Connection *connection, tw_buf *body) {
    tw_buf_u8(body, '\n');
    return tw_reply_buf(connection, MHD_HTTP_OK, JSON, body);
}

/* Takes the body. */
static enum MHD_Result reply(struct MHD_Connection *connection, tw_code code, tw_buf *body, const tw_err *err) {
    if (code == TW_OK)
        return reply_json(connection, body);
    int status = code == TW_E_USAGE       ? MHD_HTTP_BAD_REQUEST
                 : code == TW_E_NOT_FOUND ? MHD_HTTP_NOT_FOUND
                                          : MHD_HTTP_SERVICE_UNAVAILABLE;
    tw_buf_done(body);
    return tw_reply_problem(connection, status, "%s", err->text);
}

enum MHD_Result tw_handle_recommend(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    static const char *const names[] = {"top", "category", NULL};
    const tw_serve_backend *backend = &server->options.backend;
    tw_slice user_id = request->segments[3], category = {0};
    int top = (int)server->options.config->rank_list_size;
    tw_err err = {0};
    tw_code code = tw_request_only(request, names, &err);
    if (code == TW_OK)
        code = tw_request_check_text(user_id, "the user id", &err);
    if (code == TW_OK)
        code = tw_request_number(request, "top", 1, TW_LIST_SIZE_MAX, &top, &err);
    if (code == TW_OK && tw_request_text(request, "category", &category))
        code = tw_request_check_text(category, "parameter \"category\"", &err);
    tw_buf body = {0};
    if (code == TW_OK)
        code = backend->recommend(backend->self, user_id, top, category, TW_SERVE_WAIT_MS, &body, &err);
    return reply(connection, code, &body, &err);
}

enum MHD_Result tw_handle_profile(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    const tw_serve_backend *backend = &server->options.backend;
    tw_slice user_id = request->segments[3];
    tw_err err = {0};
    tw_buf body = {0};
    tw_code code = tw_request_only(request, no_names, &err);
    if (code == TW_OK)
        code = tw_request_check_text(user_id, "the user id", &err);
    if (code == TW_OK)
        code = backend->profile(backend->self, user_id, TW_SERVE_WAIT_MS, &body, &err);
    return reply(connection, code, &body, &err);
}

enum MHD_Result tw_handle_past(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    static const char *const names[] = {"top", NULL};
    const tw_serve_backend *backend = &server->options.backend;
    tw_slice user_id = request->segments[3];
    int top = 20;
    tw_err err = {0};
    tw_buf body = {0};
    tw_code code = tw_request_only(request, names, &err);
    if (code == TW_OK)
        code = tw_request_check_text(user_id, "the user id", &err);
    if (code == TW_OK)
        code = tw_request_number(request, "top", 1, TW_PAST_ASKED_MAX, &top, &err);
    tw_buf_printf(&body, "{\"user_id\":");
    tw_json_text(&body, user_id);
    tw_buf_printf(&body, ",\"events\":");
    if (code == TW_OK)
        code = backend->past(backend->self, user_id, top, TW_SERVE_WAIT_MS, &body, &err);
    tw_buf_u8(&body, '}');
    return reply(connection, code, &body, &err);
}

enum MHD_Result tw_handle_trends(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    const tw_serve_backend *backend = &server->options.backend;
    int scorers;
    tw_err err = {0};
    tw_buf body = {0};
    tw_buf_u8(&body, '{');
    tw_code code = tw_request_only(request, no_names, &err);
    if (code == TW_OK)
        code = backend->names(backend->self, TW_SERVE_WAIT_MS, &scorers, &body, &err);
    if (code == TW_OK) {
        tw_buf_u8(&body, ',');
        tw_sampler_trends(server->sampler, scorers, &body);
        tw_buf_u8(&body, '}');
    }
    return reply(connection, code, &body, &err);
}

enum MHD_Result tw_handle_similar(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    static const char *const names[] = {"top", NULL};
    const tw_serve_backend *backend = &server->options.backend;
    tw_slice item_id = request->segments[3];
    int top = (int)server->options.config->rank_list_size;
    tw_err err = {0};
    tw_code code = tw_request_only(request, names, &err);
    if (code == TW_OK)
        code = tw_request_check_text(item_id, "the item id", &err);
    if (code == TW_OK)
        code = tw_request_number(request, "top", 1, TW_LIST_SIZE_MAX, &top, &err);
    tw_buf body = {0};
    if (code == TW_OK)
        code = backend->similar(backend->self, item_id, top, TW_SERVE_WAIT_MS, &body, &err);
    return reply(connection, code, &body, &err);
}

/* The scope that is asked for; NULL: all. Errors: TW_E_USAGE. */
static tw_code scope_of(const tw_request *request, const char **ret_scope, tw_err *err) {
    static const char *const scopes[] = {"user", "population", "model"};
    tw_slice text;
    *ret_scope = NULL;
    if (!tw_request_text(request, "scope", &text))
        return TW_OK;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++)
        if (tw_slice_equal(text, tw_slice_of(scopes[i])))
            *ret_scope = scopes[i];
    return *ret_scope ? TW_OK : tw_fail(err, TW_E_USAGE, "parameter \"scope\" is user, population or model");
}

enum MHD_Result tw_handle_drift(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    static const char *const names[] = {"n", "scope", NULL};
    const tw_serve_backend *backend = &server->options.backend;
    const char *scope = NULL;
    int n = 20;
    tw_err err = {0};
    tw_code code = tw_request_only(request, names, &err);
    if (code == TW_OK)
        code = tw_request_number(request, "n", 1, 3 * TW_NEWEST_DRIFTS, &n, &err);
    if (code == TW_OK)
        code = scope_of(request, &scope, &err);
    tw_buf body = {0};
    if (code == TW_OK)
        code = backend->drifts(backend->self, scope, n, TW_SERVE_WAIT_MS, &body, &err);
    return reply(connection, code, &body, &err);
}

enum MHD_Result tw_handle_stats(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    uint64_t seen = 0;
    tw_err err = {0};
    tw_buf body = {0};
    if (tw_request_only(request, no_names, &err) != TW_OK)
        return tw_reply_problem(connection, MHD_HTTP_BAD_REQUEST, "%s", err.text);
    int64_t silent_ms = tw_sampler_silent_ms(server->sampler);
    bool silent = silent_ms > server->options.tick_ms + TW_SERVE_WAIT_MS;
    if (!silent && tw_sampler_wait(server->sampler, &seen, SAMPLE_WAIT_MS, &body) == TW_SAMPLED)
        return reply_json(connection, &body);
    tw_buf_done(&body);
    return tw_reply_problem(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "the engine has not answered for %lld ms",
                            (long long)silent_ms);
}

enum MHD_Result tw_handle_history(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    tw_err err = {0};
    tw_buf body = {0};
    if (tw_request_only(request, no_names, &err) != TW_OK)
        return tw_reply_problem(connection, MHD_HTTP_BAD_REQUEST, "%s", err.text);
    tw_sampler_history(server->sampler, &body);
    return reply_json(connection, &body);
}

enum MHD_Result tw_handle_reasons(tw_server *server, struct MHD_Connection *connection, const tw_request *request) {
    static const char *const meanings[][2] = {
#define REASON_ROW(name, text, doc) {text, doc},
        TW_REASON_LIST(REASON_ROW)
#undef REASON_ROW
    };
    (void)server;
    tw_err err = {0};
    tw_buf body = {0};
    if (tw_request_only(request, no_names, &err) != TW_OK)
        return tw_reply_problem(connection, MHD_HTTP_BAD_REQUEST, "%s", err.text);
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        tw_buf_printf(&body, "%s\"%s\":", i ? "," : "{", meanings[i][0]);
        tw_json_text(&body, tw_slice_of(meanings[i][1]));
    }
    tw_buf_u8(&body, '}');
    return reply_json(connection, &body);
}
