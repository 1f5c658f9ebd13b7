/* The engine as a backend: each question waits in the asker's stack frame until the engine thread comes round between two
 * steps and answers it; what goes out is encoded there, because lists borrow from the model. HTTP threads and the
 * sampler. */
#include "serve/backend.h"

#include "base/json.h"
#include "pipeline/publish/sink.h"

#include <inttypes.h>
#include <math.h>

static void answer_stats(tw_engine *engine, void *question) {
    tw_serve_stats *stats = question;
    *stats = (tw_serve_stats){.users = tw_model_user_count(tw_engine_model(engine)),
                              .items = tw_model_item_count(tw_engine_model(engine)),
                              .users_owed = tw_engine_users_owed(engine),
                              .watermark_ms = tw_engine_watermark_ms(engine)};
    tw_engine_totals(engine, &stats->totals);
    tw_engine_store_stats(engine, &stats->store);
    const tw_metric *freshness = tw_metric_find("tailwater_list_freshness_seconds", NULL);
    TW_ASSERT(freshness);
    tw_metric_buckets(freshness, stats->freshness);
    const tw_metric *lag = tw_metric_find("tailwater_input_lag_records", NULL);
    stats->lag = lag ? tw_metric_get(lag) : NAN;
    const tw_model *model = tw_engine_model(engine);
    stats->trend.hits = tw_model_best_ten(model);
    stats->trend.categories = tw_model_categories(model);
    tw_model_category_counts(model, stats->trend.counts);
}

static tw_code ask_stats(void *self, int wait_ms, tw_serve_stats *ret_stats) {
    tw_serve_stats stats;
    TW_TRY(tw_engine_ask(self, answer_stats, &stats, wait_ms));
    *ret_stats = stats;
    return TW_OK;
}

/* What an answer needs, and where it goes. */
typedef struct question {
    tw_slice id, category;
    const char *scope;
    int top;
    tw_buf *out;
    tw_code code;
    tw_err *err;
} question;

static void answer_recommend(tw_engine *engine, void *asked) {
    question *q = asked;
    tw_list list;
    q->code = tw_engine_recommend(engine, q->id, q->top, q->category, &list, q->err);
    if (q->code == TW_OK)
        tw_list_write_json(&list, q->out);
}

static void answer_similar(tw_engine *engine, void *asked) {
    question *q = asked;
    tw_list list;
    q->code = tw_engine_similar(engine, q->id, q->top, &list, q->err);
    if (q->code != TW_OK)
        return;
    const tw_model *model = tw_engine_model(engine);
    uint32_t item = tw_model_item_find(model, q->id);
    tw_buf_printf(q->out, "{\"item_id\":");
    tw_json_text(q->out, q->id);
    tw_buf_printf(q->out, ",\"title\":");
    tw_json_text(q->out, tw_model_item_title(model, item));
    tw_buf_printf(q->out, ",\"category\":");
    tw_json_text(q->out, tw_model_item_category(model, item));
    tw_buf_printf(q->out, ",\"list_version\":%" PRIu64 ",\"items\":", list.list_version);
    tw_list_write_items_json(&list, q->out);
    tw_buf_u8(q->out, '}');
}

static void answer_profile(tw_engine *engine, void *asked) {
    question *q = asked;
    tw_user_profile profile;
    q->code = tw_engine_profile(engine, q->id, &profile, q->err);
    if (q->code == TW_OK)
        tw_profile_write_json(&profile, q->out);
}

static void answer_past(tw_engine *engine, void *asked) {
    question *q = asked;
    q->code = tw_engine_past(engine, q->id, q->top, q->out, q->err);
}

static void answer_names(tw_engine *engine, void *asked) {
    question *q = asked;
    const tw_model *model = tw_engine_model(engine);
    q->top = tw_model_scorers(model);
    tw_buf_printf(q->out, "\"scorers\":[");
    for (int i = 0; i < q->top; i++)
        tw_buf_printf(q->out, "%s\"%s\"", i ? "," : "", tw_model_scorer_name(model, i));
    tw_buf_printf(q->out, "],\"categories\":[");
    for (uint32_t c = 0; c < tw_model_categories(model); c++) {
        if (c)
            tw_buf_u8(q->out, ',');
        tw_json_text(q->out, tw_model_category_name(model, c));
    }
    tw_buf_u8(q->out, ']');
}

static void answer_drifts(tw_engine *engine, void *asked) {
    question *q = asked;
    tw_engine_drifts(engine, q->scope, q->top, q->out);
}

static tw_code ask(tw_engine *engine, tw_question_fn answer, question *asked, int wait_ms) {
    if (tw_engine_ask(engine, answer, asked, wait_ms) != TW_OK)
        return tw_fail(asked->err, TW_E_BUSY, "the engine did not answer within %d ms", wait_ms);
    return asked->code;
}

static tw_code ask_recommend(void *self, tw_slice user_id, int top, tw_slice category, int wait_ms, tw_buf *out,
                             tw_err *err) {
    question asked = {.id = user_id, .category = category, .top = top, .out = out, .err = err};
    return ask(self, answer_recommend, &asked, wait_ms);
}

static tw_code ask_similar(void *self, tw_slice item_id, int top, int wait_ms, tw_buf *out, tw_err *err) {
    question asked = {.id = item_id, .top = top, .out = out, .err = err};
    return ask(self, answer_similar, &asked, wait_ms);
}

static tw_code ask_profile(void *self, tw_slice user_id, int wait_ms, tw_buf *out, tw_err *err) {
    question asked = {.id = user_id, .out = out, .err = err};
    return ask(self, answer_profile, &asked, wait_ms);
}

static tw_code ask_past(void *self, tw_slice user_id, int max, int wait_ms, tw_buf *out, tw_err *err) {
    question asked = {.id = user_id, .top = max, .out = out, .err = err};
    return ask(self, answer_past, &asked, wait_ms);
}

static tw_code ask_names(void *self, int wait_ms, int *ret_scorers, tw_buf *out, tw_err *err) {
    question asked = {.out = out, .err = err};
    TW_TRY(ask(self, answer_names, &asked, wait_ms));
    *ret_scorers = asked.top;
    return TW_OK;
}

static tw_code ask_drifts(void *self, const char *scope, int max, int wait_ms, tw_buf *out, tw_err *err) {
    question asked = {.scope = scope, .top = max, .out = out, .err = err};
    return ask(self, answer_drifts, &asked, wait_ms);
}

static void newest(void *self, int max, tw_buf *out) {
    tw_engine_newest(self, max, out);
}

static bool ready(void *self) {
    return tw_engine_ready(self);
}

tw_serve_backend tw_serve_backend_engine(tw_engine *engine) {
    return (tw_serve_backend){engine,   ask_stats, ask_recommend, ask_similar, ask_profile,
                              ask_past, ask_names, ask_drifts,    newest,      ready};
}
