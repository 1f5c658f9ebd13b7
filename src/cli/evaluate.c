/* `tailwater evaluate FILE`: test, then learn (prequential). Before each event is learned, the whole catalogue is ranked for its
 * user, and the place of its item is counted. The first tenth of the rows is only learned from; a user's first event is not asked.
 *
 * Each row is its own event: nothing is a duplicate, nothing is late. No state is kept unless --state says where. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/engine.h"
#include "pipeline/ingest/file.h"
#include "pipeline/learn/prequential.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct evaluation {
    tw_prequential measures;
    int64_t asked_from; /* first row that is asked */
    uint64_t ranked;
    int64_t rank_ns;
} evaluation;

static void before_learn(void *self, tw_engine *engine, uint32_t task, const tw_event *event, int64_t offset) {
    evaluation *e = self;
    tw_model *model = tw_engine_model(engine);
    if (offset < e->asked_from)
        return;
    uint32_t user = tw_model_user_find(model, task, event->user_id);
    if (user == TW_SLOT_NONE)
        return;
    uint32_t item = tw_model_item_find(model, event->item_id);
    if (item == TW_SLOT_NONE) {
        tw_prequential_add(&e->measures, 0);
        return;
    }
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    uint32_t place = tw_ranker_place(tw_engine_ranker(engine), user, event->event_ms, item);
    e->rank_ns += tw_clock_steady_ns(&tw_clock_system) - start_ns;
    e->ranked++;
    tw_prequential_add(&e->measures, place);
}

/* The protocol needs the number of rows before the first of them is judged. */
static tw_code count_rows(const char *path, const tw_config *config, int64_t *ret_rows, tw_err *err) {
    tw_source *source;
    TW_TRY(tw_source_file(path, config, &source, err));
    tw_record *records = malloc((size_t)config->ingest_batch_max * sizeof *records);
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

static tw_code evaluate(const char *path, const tw_config *config, const char *state_dir, evaluation *e, tw_err *err) {
    tw_source *source = NULL;
    tw_engine *engine = NULL;
    tw_progress progress;
    int64_t rows;
    uint64_t records = 0;
    int count = 0;
    TW_TRY(count_rows(path, config, &rows, err));
    e->asked_from = rows / 10;
    tw_code code = tw_source_file(path, config, &source, err);
    if (code != TW_OK)
        goto done;
    const tw_engine_options opening = {.config = config,
                                       .state_dir = state_dir,
                                       .lists = TW_LISTS_NONE,
                                       .before_learn = before_learn,
                                       .before_learn_self = e};
    if ((code = tw_engine_open(&opening, &engine, err)) != TW_OK)
        goto done;
    if ((code = tw_engine_attach(engine, source, err)) != TW_OK)
        goto done;
    tw_progress_begin(&progress, "evaluate");
    do {
        code = tw_engine_step(engine, 0, &count, err);
        records += (uint64_t)(code == TW_OK ? count : 0);
        if (code == TW_OK && state_dir)
            code = tw_engine_commit_due(engine, err);
        tw_progress_show(&progress, (int64_t)records, rows, records);
    } while (code == TW_OK && count > 0 && !tw_stop_wanted());
    tw_progress_end(&progress);
    if (code == TW_OK && tw_stop_wanted())
        code = tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal");
    if (code == TW_OK && state_dir)
        code = tw_engine_commit(engine, err);
done:
    tw_engine_close(engine);
    if (source)
        source->ops->close(source);
    return code;
}

static void write_result(const evaluation *e, const char *path, double seconds, bool json, tw_buf *buf) {
    const tw_prequential *m = &e->measures;
    double rank_us = e->ranked ? (double)e->rank_ns / 1000.0 / (double)e->ranked : 0;
    if (json) {
        tw_buf_printf(buf, "{\"file\":");
        tw_json_text(buf, tw_slice_of(path));
        tw_buf_printf(buf,
                      ",\"asked\":%" PRIu64
                      ",\"hr10\":%.5f,\"hr20\":%.5f,\"ndcg10\":%.5f,\"mrr20\":%.5f,\"rank_us_mean\":%.2f"
                      ",\"seconds\":%.2f}",
                      m->asked, tw_prequential_hr10(m), tw_prequential_hr20(m), tw_prequential_ndcg10(m),
                      tw_prequential_mrr20(m), rank_us, seconds);
    } else {
        tw_buf_printf(buf,
                      "asked %" PRIu64 "  HR@10 %.4f  HR@20 %.4f  NDCG@10 %.4f  MRR@20 %.4f  ranking %.1f us  %.1f s",
                      m->asked, tw_prequential_hr10(m), tw_prequential_hr20(m), tw_prequential_ndcg10(m),
                      tw_prequential_mrr20(m), rank_us, seconds);
    }
}

/* Rows are events of their own, in whatever order the file has them. */
static void forget_nothing(tw_config *config) {
    config->dedup_enabled = false;
    config->clean_lateness_click_ms = config->clean_lateness_purchase_ms = config->clean_lateness_review_ms =
        INT64_MAX / 4;
    config->state_ttl_ms = 0;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL;
    bool json = false, exclude_consumed = false;
    const tw_option options[] = {
        {.name = "exclude-consumed", .doc = "The same as --set rank.exclude=consumed", .flag = &exclude_consumed},
        {.name = "state",
         .value = "DIR",
         .doc = "Keep what was learned in this directory (default: keep nothing)",
         .text = &state_dir},
        {.name = "json", .doc = "One JSON object", .flag = &json},
        {0}};
    tw_config config;
    tw_args args;
    tw_buf buf = {0};
    evaluation e = {0};
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_evaluate, options, argc, argv, &config, 1, 1, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    forget_nothing(&config);
    if (exclude_consumed)
        config.rank_exclude = TW_EXCLUDE_CONSUMED;
    tw_stop_catch();
    if ((code = evaluate(args.positionals[0], &config, state_dir, &e, err)) != TW_OK)
        goto done;
    write_result(&e, args.positionals[0], (double)(tw_clock_steady_ns(&tw_clock_system) - start_ns) * 1e-9, json, &buf);
    code = tw_print(&buf, err);
done:
    tw_buf_done(&buf);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_evaluate = {"evaluate", "FILE [--exclude-consumed] [--json]",
                                        "Measures hit rate on a file: ranks before it learns from each event", run};
