/* The public face of the library: an engine with a source that the caller fills. Called by programs that embed Tailwater; one thread at a
 * time for each recommender.
 *
 * A step takes one event, which gives the same state as any other batches would. Nothing is published: lists are answers, and who is
 * owed one stays in the state for a later `run`. */
#include "tailwater/tailwater.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/log.h"
#include "embed/push.h"
#include "engine/engine.h"

#include <stdlib.h>

_Static_assert((int)TW_OUTCOME_APPLIED == TW_VERDICT_APPLIED && (int)TW_OUTCOME_DUPLICATE == TW_VERDICT_DUPLICATE &&
                   (int)TW_OUTCOME_LATE == TW_VERDICT_LATE && (int)TW_OUTCOME_REFUSED == TW_VERDICT_DEAD,
               "an outcome is a verdict");

struct tw_recommender {
    tw_config config;
    tw_engine *engine;
    tw_source *source;
    tw_sink sink; /* hears the reasons of dead letters */
    const char *reason;
    bool read_only, failed;
    tw_arena *texts; /* of the last answer */
};

/* Beside the engine nobody writes to a state that is read only. */
static tw_code may_add(const tw_recommender *recommender, tw_err *err) {
    if (recommender->failed)
        return tw_fail(err, TW_E_STORE, "an earlier failure left memory ahead of the store: close and open again");
    return recommender->read_only ? tw_fail(err, TW_E_USAGE, "the state was opened to be read only") : TW_OK;
}

static tw_code keep_reason(tw_sink *sink, const char *input_name, const tw_record *record, tw_reason reason,
                           tw_err *err) {
    (void)input_name, (void)record, (void)err;
    tw_recommender *recommender = (tw_recommender *)((char *)sink - offsetof(tw_recommender, sink));
    recommender->reason = tw_reason_name(reason);
    return TW_OK;
}
static tw_code drop_list(tw_sink *sink, const tw_list *list, tw_err *err) {
    (void)sink, (void)list, (void)err;
    return TW_OK;
}
static tw_code drop_gone(tw_sink *sink, uint32_t task, tw_slice user_id, tw_err *err) {
    (void)sink, (void)task, (void)user_id, (void)err;
    return TW_OK;
}
static tw_code nothing_to_flush(tw_sink *sink, tw_err *err) {
    (void)sink, (void)err;
    return TW_OK;
}
static void no_position(tw_sink *sink, tw_buf *out) {
    (void)sink, (void)out;
}
static tw_code no_resume(tw_sink *sink, tw_slice position, tw_err *err) {
    (void)sink, (void)position, (void)err;
    return TW_OK;
}

static const tw_sink_ops sink_ops = {.list = drop_list,
                                     .gone = drop_gone,
                                     .dead = keep_reason,
                                     .flush = nothing_to_flush,
                                     .position = no_position,
                                     .resume = no_resume};

/* What the settings say, over our own default: a library is quiet. */
static tw_code configure(tw_config *config, const tw_recommender_options *options, tw_err *err) {
    TW_TRY(tw_config_set(config, "log.level=error", err));
    if (options->config_file)
        TW_TRY(tw_config_load(config, options->config_file, err));
    for (size_t i = 0; i < options->settings_count; i++)
        TW_TRY(tw_config_set(config, options->settings[i], err));
    return tw_config_check(config, err);
}

tw_code tw_recommender_open(const tw_recommender_options *options, tw_recommender **ret_recommender, tw_err *err) {
    tw_recommender *recommender = tw_zalloc(sizeof *recommender);
    tw_config_init(&recommender->config);
    recommender->sink.ops = &sink_ops;
    recommender->reason = "";
    recommender->read_only = options->read_only != 0;
    recommender->texts = tw_arena_create(1 << 12);
    tw_code code = configure(&recommender->config, options, err);
    const char *kept_in = *recommender->config.state_dir ? recommender->config.state_dir : NULL;
    const tw_engine_options opening = {.config = &recommender->config,
                                       .state_dir = options->state_dir ? options->state_dir : kept_in,
                                       .read_only = recommender->read_only,
                                       .lists = TW_LISTS_NONE,
                                       .sink = recommender->read_only ? NULL : &recommender->sink};
    if (code == TW_OK && recommender->read_only && !opening.state_dir)
        code = tw_fail(err, TW_E_USAGE, "read_only wants a state_dir");
    if (code == TW_OK) {
        tw_log_set((tw_log_level)recommender->config.log_level, (tw_log_format)recommender->config.log_format);
        code = tw_engine_open(&opening, &recommender->engine, err);
    }
    int taken;
    if (code == TW_OK && !recommender->read_only) {
        recommender->source = tw_source_push();
        code = tw_engine_attach(recommender->engine, recommender->source, err);
        if (code == TW_OK) /* takes nothing, and finds where to go on */
            code = tw_engine_step(recommender->engine, 0, &taken, err);
    }
    if (code != TW_OK) {
        tw_recommender_close(recommender);
        return code;
    }
    *ret_recommender = recommender;
    return TW_OK;
}

tw_recommender *tw_recommender_close(tw_recommender *recommender) {
    if (!recommender)
        return NULL;
    tw_engine_close(recommender->engine);
    if (recommender->source)
        recommender->source->ops->close(recommender->source);
    tw_arena_free(recommender->texts);
    tw_config_done(&recommender->config);
    free(recommender);
    return NULL;
}

/* What became of the event is what the counters say that was not there before. */
static tw_outcome outcome_of(const tw_totals *before, const tw_totals *after) {
    int v = TW_VERDICT_APPLIED;
    while (v < TW_VERDICT_DEAD && after->verdicts[v] == before->verdicts[v])
        v++;
    return (tw_outcome)v;
}

static tw_code add(tw_recommender *recommender, uint16_t input, tw_slice value, tw_outcome *ret_outcome, tw_err *err) {
    tw_totals before, after;
    int taken = 0;
    recommender->reason = "";
    tw_engine_totals(recommender->engine, &before);
    tw_push(recommender->source, input, value);
    tw_code code = tw_engine_step(recommender->engine, 0, &taken, err);
    TW_ASSERT(code != TW_OK || taken == 1);
    if (code == TW_OK) {
        tw_engine_totals(recommender->engine, &after);
        *ret_outcome = outcome_of(&before, &after);
        code = tw_engine_commit_due(recommender->engine, err);
    }
    recommender->failed = code != TW_OK;
    return code;
}

tw_code tw_recommender_add(tw_recommender *recommender, const tw_recommender_event *event, tw_outcome *ret_outcome,
                           tw_err *err) {
    TW_TRY(may_add(recommender, err));
    const tw_event inner = {.kind = tw_kind_of(tw_slice_of(event->kind)),
                            .has = TW_HAS_TIME | (event->kind ? TW_HAS_KIND : 0) |
                                   (event->gives & TW_GIVES_RATING ? TW_HAS_RATING : 0) |
                                   (event->gives & TW_GIVES_PRICE ? TW_HAS_PRICE : 0) |
                                   (event->gives & TW_GIVES_QUANTITY ? TW_HAS_QUANTITY : 0) |
                                   (event->gives & TW_GIVES_IN_STOCK ? TW_HAS_IN_STOCK : 0) |
                                   (event->gives & TW_GIVES_RETIRED ? TW_HAS_RETIRED : 0),
                            .event_ms = event->event_ms,
                            .event_id = tw_slice_of(event->event_id),
                            .user_id = tw_slice_of(event->user_id),
                            .item_id = tw_slice_of(event->item_id),
                            .category = tw_slice_of(event->category),
                            .title = tw_slice_of(event->title),
                            .rating = event->rating,
                            .price = event->price,
                            .quantity = event->quantity,
                            .in_stock = event->in_stock != 0,
                            .retired = event->retired != 0};
    return add(recommender, TW_PUSH_EVENT, (tw_slice){(const char *)&inner, sizeof inner}, ret_outcome, err);
}

tw_code tw_recommender_add_json(tw_recommender *recommender, const char *json, size_t size, tw_outcome *ret_outcome,
                                tw_err *err) {
    TW_TRY(may_add(recommender, err));
    return add(recommender, TW_PUSH_JSON, (tw_slice){json, size}, ret_outcome, err);
}

const char *tw_recommender_reason(const tw_recommender *recommender) {
    return recommender->reason;
}

uint64_t tw_recommender_added(const tw_recommender *recommender) {
    return recommender->source ? tw_pushed(recommender->source) : 0;
}

tw_code tw_recommender_commit(tw_recommender *recommender, tw_err *err) {
    TW_TRY(may_add(recommender, err));
    tw_code code = tw_engine_commit(recommender->engine, err);
    recommender->failed = code != TW_OK;
    return code;
}

static const char *text_of(tw_recommender *recommender, tw_slice text) {
    char *copy = tw_arena_alloc(recommender->texts, text.size + 1);
    if (text.size)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* The list as the caller sees it: texts with a zero at their end, which live until the next answer. */
static void answer(tw_recommender *recommender, const tw_list *list, const tw_recommended **ret_items, int *ret_count) {
    tw_recommended *items = tw_arena_alloc(recommender->texts, (size_t)(list->count + 1) * sizeof *items);
    for (int i = 0; i < list->count; i++) {
        const tw_list_item *from = &list->items[i];
        const tw_list_reason none = {.source = ""}, *why = from->reasons_count ? &from->reasons[0] : &none;
        items[i] = (tw_recommended){.item_id = text_of(recommender, from->item_id),
                                    .title = text_of(recommender, from->title),
                                    .category = text_of(recommender, from->category),
                                    .score = from->score,
                                    .reason = why->source,
                                    .because_item = text_of(recommender, why->because_item)};
    }
    *ret_items = items;
    *ret_count = list->count;
}

tw_code tw_recommender_recommend(tw_recommender *recommender, const char *user_id, const char *category, int items_max,
                                 const tw_recommended **ret_items, int *ret_count, tw_err *err) {
    tw_list list;
    if (recommender->failed)
        return may_add(recommender, err);
    TW_TRY(
        tw_engine_recommend(recommender->engine, tw_slice_of(user_id), items_max, tw_slice_of(category), &list, err));
    tw_arena_reset(recommender->texts);
    answer(recommender, &list, ret_items, ret_count);
    return TW_OK;
}

tw_code tw_recommender_similar(tw_recommender *recommender, const char *item_id, int items_max,
                               const tw_recommended **ret_items, int *ret_count, tw_err *err) {
    tw_list list;
    if (recommender->failed)
        return may_add(recommender, err);
    TW_TRY(tw_engine_similar(recommender->engine, tw_slice_of(item_id), items_max, &list, err));
    tw_arena_reset(recommender->texts);
    answer(recommender, &list, ret_items, ret_count);
    return TW_OK;
}
