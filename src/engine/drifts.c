/* What the detectors are asked and where their records go. Called by the step after each applied event; engine thread. */
#include "engine/internal.h"

#include "base/alloc.h"
#include "base/metrics.h"

#include <stdlib.h>
#include <string.h>

static tw_metric raised[] = {
    {"tailwater_drifts_total", "Changes noticed, by what has changed", TW_COUNTER, "scope", "user"},
    {"tailwater_drifts_total", "Changes noticed, by what has changed", TW_COUNTER, "scope", "population"},
    {"tailwater_drifts_total", "Changes noticed, by what has changed", TW_COUNTER, "scope", "model"}};
enum { SCOPES = sizeof raised / sizeof raised[0] };

/* Finished JSON objects, a ring for each scope: users' changes are many and must not push the others out. */
struct tw_newest_drifts {
    struct {
        tw_buf json;
        uint64_t number;
    } records[SCOPES][TW_NEWEST_DRIFTS];
    uint64_t kept[SCOPES]; /* all time; the next one goes to that number modulo the ring's size */
};

static void keep(struct tw_newest_drifts *newest, int scope, const tw_drift_record *record) {
    uint64_t place = newest->kept[scope]++ % TW_NEWEST_DRIFTS;
    tw_buf *json = &newest->records[scope][place].json;
    newest->records[scope][place].number = record->number;
    tw_buf_clear(json);
    tw_drift_write_json(record, json);
}

/* Records that are learned again were told the first time. */
static void tell(void *self, const tw_drift_record *record) {
    tw_engine *engine = self;
    tw_sink *sink = engine->options.sink;
    if (engine->silent)
        return;
    for (int i = 0; i < SCOPES; i++)
        if (strcmp(raised[i].label_value, record->scope) == 0) {
            tw_metric_add(&raised[i], 1);
            keep(engine->newest_drifts, i, record);
        }
    if (engine->drift_code == TW_OK && sink && sink->ops->drift)
        engine->drift_code = sink->ops->drift(sink, record, engine->drift_err);
    if (engine->options.drift)
        engine->options.drift(engine->options.drift_self, record);
}

void tw_engine_make_drift(tw_engine *engine) {
    static bool registered;
    const tw_config *config = engine->config;
    if (engine->drift)
        return;
    for (int i = 0; i < SCOPES && !registered; i++)
        tw_metric_register(&raised[i]);
    registered = true;
    const tw_drift_options options = {.user_evidence = config->drift_user_evidence,
                                      .user_half_life = config->drift_user_half_life,
                                      .population_p = config->drift_population_p,
                                      .model_delta = config->drift_model_delta};
    engine->drift = tw_drift_create(&options, tell, engine);
    engine->newest_drifts = tw_zalloc(sizeof *engine->newest_drifts);
}

void tw_engine_free_drift(tw_engine *engine) {
    engine->drift = tw_drift_free(engine->drift);
    for (int scope = 0; engine->newest_drifts && scope < SCOPES; scope++)
        for (int i = 0; i < TW_NEWEST_DRIFTS; i++)
            tw_buf_done(&engine->newest_drifts->records[scope][i].json);
    free(engine->newest_drifts);
    engine->newest_drifts = NULL;
}

void tw_engine_drifts(const tw_engine *engine, const char *wanted, int max, tw_buf *out) {
    const struct tw_newest_drifts *newest = engine->newest_drifts;
    uint64_t back[SCOPES] = {0};
    tw_buf_u8(out, '[');
    for (int n = 0; newest && n < max; n++) {
        int best = -1;
        uint64_t best_place = 0;
        for (int scope = 0; scope < SCOPES; scope++) {
            uint64_t place = (newest->kept[scope] - 1 - back[scope]) % TW_NEWEST_DRIFTS;
            if (back[scope] == newest->kept[scope] || back[scope] == TW_NEWEST_DRIFTS ||
                (wanted && strcmp(wanted, raised[scope].label_value) != 0))
                continue;
            if (best < 0 || newest->records[scope][place].number > newest->records[best][best_place].number) {
                best = scope;
                best_place = place;
            }
        }
        if (best < 0)
            break;
        const tw_buf *json = &newest->records[best][best_place].json;
        if (n)
            tw_buf_u8(out, ',');
        tw_buf_put(out, json->data, json->size);
        back[best]++;
    }
    tw_buf_u8(out, ']');
}

tw_code tw_engine_watch(tw_engine *engine, const tw_lane *lane, uint32_t user, const tw_event *event, tw_err *err) {
    if (!engine->config->drift_enabled)
        return TW_OK;
    const tw_model_signals *s = tw_model_signals_get(engine->model);
    const tw_drift_model said = {(double)s->loss, (double)s->hit, (double)s->blend_loss, (double)s->score,
                                 (double)s->norm};
    uint32_t item = tw_model_item_find(engine->model, event->item_id);
    tw_slice category = item == TW_SLOT_NONE ? event->category : tw_model_item_category(engine->model, item);
    engine->drift_code = TW_OK;
    engine->drift_err = err;
    tw_drift_add(engine->drift, user, tw_model_user_id(engine->model, user), lane->task, event, category,
                 tw_clean_watermark_ms(lane->clean), &said);
    engine->drift_err = NULL;
    return engine->drift_code;
}
