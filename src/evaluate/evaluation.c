/* The run itself: an engine without outputs whose before-learn hook asks. */
#include "evaluate/evaluation.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "pipeline/ingest/file.h"

#include <stdlib.h>

const char *const tw_length_names[TW_LENGTHS] = {"1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "65-"};

/* What the hook needs beside the figures. */
typedef struct asking {
    const tw_evaluation_ask *ask;
    tw_evaluation *e;
    tw_listed listed;
} asking;

int tw_evaluation_length(uint32_t history) {
    int length = history <= 1 ? 0 : 32 - __builtin_clz(history - 1);
    return length < TW_LENGTHS ? length : TW_LENGTHS - 1;
}

int tw_evaluation_slice(const tw_evaluation_ask *ask, int64_t row) {
    return (int)((row - ask->asked_from) * TW_SLICES / (ask->rows_to - ask->asked_from));
}

tw_prequential tw_evaluation_tenth(const tw_evaluation *e, int tenth) {
    tw_prequential sum = {0};
    for (int i = 0; i < TW_SLICES / TW_TENTHS; i++)
        tw_prequential_merge(&sum, &e->by_slice[tenth * (TW_SLICES / TW_TENTHS) + i]);
    return sum;
}

double tw_evaluation_rank_us(const tw_evaluation *e) {
    return e->ranked ? (double)e->rank_ns / 1000.0 / (double)e->ranked : 0;
}

static bool chosen(const tw_evaluation_ask *ask, int64_t row) {
    tw_rng rng = tw_rng_at(ask->seed, 5, (uint64_t)row);
    return tw_rng_next(&rng) % ask->every == 0;
}

/* The list that the last ranking gives: what is in it, beside where the item asked for stands. */
static void look_at_list(asking *a, tw_engine *engine, int64_t now_ms, uint32_t place) {
    const tw_model *model = tw_engine_model(engine);
    uint32_t top[TW_LIST_OF];
    tw_listed_item items[TW_LIST_OF];
    int count = tw_ranker_top(tw_engine_ranker(engine), TW_LIST_OF, top);
    for (int i = 0; i < count; i++)
        items[i] = (tw_listed_item){top[i], tw_model_item_order(model, top[i]),
                                    now_ms - tw_model_item_first_ms(model, top[i])};
    tw_lists_add(&a->e->lists, &a->listed, items, count, place);
}

static void ask_scorers(asking *a, tw_ranker *ranker, uint32_t item, int slice) {
    tw_evaluation *e = a->e;
    for (int i = 0; i < e->scorers; i++) {
        bool known = item != TW_SLOT_NONE;
        uint32_t alone = known ? tw_ranker_place_alone(ranker, i, item) : 0;
        tw_prequential_add(&e->without[i], known ? tw_ranker_place_without(ranker, i, item) : 0);
        tw_prequential_add(&e->alone[i], alone);
        tw_prequential_add(&e->alone_by_slice[i][slice], alone);
    }
}

static void ask_profile(tw_evaluation *e, tw_model *model, uint32_t user, uint32_t item, const tw_event *event) {
    float shares[TW_MODEL_CATEGORIES_MAX];
    tw_slice category = event->category;
    if (category.size == 0 && item != TW_SLOT_NONE)
        category = tw_model_item_category(model, item);
    if (!tw_model_category_shares(model, category, shares))
        return;
    const float *p = tw_model_profile(model, user, event->event_ms);
    if (p)
        tw_category_loss_add(&e->category, p, shares, (int)tw_model_categories(model));
}

static void before_learn(void *self, tw_engine *engine, uint32_t task, const tw_event *event, int64_t row) {
    asking *a = self;
    tw_evaluation *e = a->e;
    tw_model *model = tw_engine_model(engine);
    if (row < a->ask->asked_from || row >= a->ask->rows_to)
        return;
    int slice = tw_evaluation_slice(a->ask, row);
    if (e->slice_ms[slice] == INT64_MIN)
        e->slice_ms[slice] = event->event_ms;
    if (!chosen(a->ask, row))
        return;
    uint32_t user = tw_model_user_find(model, task, event->user_id);
    if (user == TW_SLOT_NONE)
        return;
    uint32_t item = tw_model_item_find(model, event->item_id);
    tw_ranker *ranker = tw_engine_ranker(engine);
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    uint32_t place = tw_ranker_place(ranker, user, event->event_ms, (uint64_t)row, item);
    e->rank_ns += tw_clock_steady_ns(&tw_clock_system) - start_ns;
    e->ranked++;
    look_at_list(a, engine, event->event_ms, place);
    ask_scorers(a, ranker, item, slice);
    if (a->ask->profile)
        ask_profile(e, model, user, item, event);
    tw_prequential_add(&e->all, place);
    tw_prequential_add(&e->by_length[tw_evaluation_length(tw_model_user_history(model, user))], place);
    tw_prequential_add(&e->by_slice[slice], place);
    if (item == TW_SLOT_NONE || event->event_ms - tw_model_item_first_ms(model, item) < TW_DAY_MS)
        tw_prequential_add(&e->young, place);
}

tw_code tw_evaluation_rows(const char *path, const tw_config *config, int64_t *ret_rows, tw_err *err) {
    tw_source *source;
    TW_TRY(tw_source_file(path, config, &source, err));
    tw_record *records = tw_alloc((size_t)config->ingest_batch_max * sizeof *records);
    int64_t rows = 0;
    int count = 0;
    tw_code code;
    do {
        code = source->ops->poll(source, records, (int)config->ingest_batch_max, 0, &count, err);
        rows += code == TW_OK ? count : 0;
    } while (code == TW_OK && count > 0);
    free(records);
    source->ops->close(source);
    if (code == TW_OK)
        *ret_rows = rows;
    return code;
}

void tw_evaluation_config(const tw_config *config, tw_config *ret_config) {
    tw_config_copy(ret_config, config);
    ret_config->dedup_enabled = false;
    ret_config->clean_lateness_click_ms = ret_config->clean_lateness_purchase_ms =
        ret_config->clean_lateness_review_ms = INT64_MAX / 4;
    ret_config->state_ttl_ms = 0;
}

static tw_code learn_rows(const tw_evaluation_ask *ask, tw_engine *engine, tw_beat beat, tw_err *err) {
    int64_t rows = 0;
    int count = 0;
    do {
        TW_TRY(tw_engine_step(engine, 0, &count, err));
        rows += count;
        if (ask->state_dir)
            TW_TRY(tw_engine_commit_due(engine, err));
        if (!beat.go_on(beat.self, rows))
            return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal");
    } while (count > 0 && rows < ask->rows_to);
    return ask->state_dir ? tw_engine_commit(engine, err) : TW_OK;
}

tw_code tw_evaluation_run(const tw_evaluation_ask *ask, const tw_config *config, tw_beat beat,
                          tw_evaluation *ret_evaluation, tw_err *err) {
    tw_evaluation *e = ret_evaluation;
    asking a = {.ask = ask, .e = e};
    tw_source *source = NULL;
    tw_engine *engine = NULL;
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    *e = (tw_evaluation){.profiled = ask->profile};
    for (int i = 0; i < TW_SLICES; i++)
        e->slice_ms[i] = INT64_MIN;
    TW_TRY(tw_source_file(ask->path, config, &source, err));
    const tw_engine_options opening = {.config = config,
                                       .state_dir = ask->state_dir,
                                       .lists = TW_LISTS_NONE,
                                       .before_learn = before_learn,
                                       .before_learn_self = &a};
    tw_code code = tw_engine_open(&opening, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    if (code == TW_OK) {
        const tw_model *model = tw_engine_model(engine);
        tw_model_stats stats;
        e->scorers = ask->ablate && config->learn_model == TW_LEARN_DEFAULT ? tw_model_scorers(model) : 0;
        for (int i = 0; i < e->scorers; i++)
            e->scorer_names[i] = tw_model_scorer_name(model, i);
        code = learn_rows(ask, engine, beat, err);
        tw_model_stats_get(model, &stats);
        e->catalogue = tw_model_item_count(model) + stats.items_evicted;
    }
    tw_engine_close(engine);
    source->ops->close(source);
    tw_listed_done(&a.listed);
    e->seconds = (double)(tw_clock_steady_ns(&tw_clock_system) - start_ns) * 1e-9;
    return code;
}
