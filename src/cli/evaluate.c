/* `tailwater evaluate FILE...`: test, then learn (prequential). Before each event is learned, the whole catalogue is ranked for its
 * user, and the place of its item is counted. The first tenth of the rows is only learned from; a user's first event is not asked.
 *
 * Each row is its own event: nothing is a duplicate, nothing is late. No state is kept unless --state says where. */
#include "cli/cli.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/rng.h"
#include "engine/engine.h"
#include "pipeline/ingest/file.h"
#include "pipeline/learn/prequential.h"

#include <inttypes.h>
#include <stdlib.h>

#define LENGTHS 8 /* histories of 1, 2, 3-4, 5-8, 9-16, 17-32, 33-64, more */
static const char *const length_names[LENGTHS] = {"1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "65-"};

typedef struct evaluation {
    tw_prequential measures;
    tw_prequential by_length[LENGTHS];
    tw_prequential young;                   /* of items that first appeared within a day before */
    tw_prequential without[TW_SCORERS_MAX]; /* with ablate: as if one scorer said nothing */
    int64_t asked_from;                     /* first row that is asked */
    uint64_t every, seed;
    bool ablate;
    uint64_t ranked;
    int64_t rank_ns;
    double seconds;
    int scorers;
    const char *scorer_names[TW_SCORERS_MAX];
} evaluation;

static int length_of(uint32_t history) {
    int length = history <= 1 ? 0 : 32 - __builtin_clz(history - 1);
    return length < LENGTHS ? length : LENGTHS - 1;
}

/* A sample that depends on the row and the seed alone. */
static bool chosen(const evaluation *e, int64_t offset) {
    tw_rng rng = tw_rng_at(e->seed, 5, (uint64_t)offset);
    return tw_rng_next(&rng) % e->every == 0;
}

static uint32_t place_of(evaluation *e, tw_engine *engine, uint32_t user, uint32_t item, int64_t now_ms,
                         int64_t offset) {
    tw_ranker *ranker = tw_engine_ranker(engine);
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    uint32_t place = tw_ranker_place(ranker, user, now_ms, (uint64_t)offset, item);
    e->rank_ns += tw_clock_steady_ns(&tw_clock_system) - start_ns;
    e->ranked++;
    for (int i = 0; e->ablate && i < e->scorers; i++)
        tw_prequential_add(&e->without[i], tw_ranker_place_without(ranker, i, item));
    return place;
}

static void before_learn(void *self, tw_engine *engine, uint32_t task, const tw_event *event, int64_t offset) {
    evaluation *e = self;
    tw_model *model = tw_engine_model(engine);
    if (offset < e->asked_from || !chosen(e, offset))
        return;
    uint32_t user = tw_model_user_find(model, task, event->user_id);
    if (user == TW_SLOT_NONE)
        return;
    uint32_t item = tw_model_item_find(model, event->item_id), place = 0;
    if (item != TW_SLOT_NONE)
        place = place_of(e, engine, user, item, event->event_ms, offset);
    else
        for (int i = 0; e->ablate && i < e->scorers; i++)
            tw_prequential_add(&e->without[i], 0);
    tw_prequential_add(&e->measures, place);
    tw_prequential_add(&e->by_length[length_of(tw_model_user_history(model, user))], place);
    if (item == TW_SLOT_NONE || event->event_ms - tw_model_item_first_ms(model, item) < TW_DAY_MS)
        tw_prequential_add(&e->young, place);
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
    e->scorers = tw_model_scorers(tw_engine_model(engine));
    for (int i = 0; i < e->scorers; i++)
        e->scorer_names[i] = tw_model_scorer_name(tw_engine_model(engine), i);
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

static void json_measures(tw_buf *buf, const tw_prequential *m) {
    tw_buf_printf(buf, "\"asked\":%" PRIu64 ",\"hr10\":%.5f,\"hr20\":%.5f,\"ndcg10\":%.5f,\"mrr20\":%.5f", m->asked,
                  tw_prequential_hr10(m), tw_prequential_hr20(m), tw_prequential_ndcg10(m), tw_prequential_mrr20(m));
}

static void write_json(const evaluation *e, const char *path, double rank_us, tw_buf *buf) {
    tw_buf_printf(buf, "{\"file\":");
    tw_json_text(buf, tw_slice_of(path));
    tw_buf_printf(buf, ",");
    json_measures(buf, &e->measures);
    tw_buf_printf(buf, ",\"rank_us_mean\":%.2f,\"seconds\":%.2f,\"every\":%" PRIu64 ",\"by_history\":{", rank_us,
                  e->seconds, e->every);
    for (int i = 0; i < LENGTHS; i++) {
        tw_buf_printf(buf, "%s\"%s\":{", i ? "," : "", length_names[i]);
        json_measures(buf, &e->by_length[i]);
        tw_buf_printf(buf, "}");
    }
    tw_buf_printf(buf, "},\"items_younger_than_a_day\":{");
    json_measures(buf, &e->young);
    tw_buf_printf(buf, "}");
    if (e->ablate) {
        tw_buf_printf(buf, ",\"without\":{");
        for (int i = 0; i < e->scorers; i++) {
            tw_buf_printf(buf, "%s\"%s\":{", i ? "," : "", e->scorer_names[i]);
            json_measures(buf, &e->without[i]);
            tw_buf_printf(buf, "}");
        }
        tw_buf_printf(buf, "}");
    }
    tw_buf_printf(buf, "}");
}

static void text_measures(tw_buf *buf, const tw_prequential *m) {
    tw_buf_printf(buf, "asked %" PRIu64 "  HR@10 %.4f  HR@20 %.4f  NDCG@10 %.4f  MRR@20 %.4f", m->asked,
                  tw_prequential_hr10(m), tw_prequential_hr20(m), tw_prequential_ndcg10(m), tw_prequential_mrr20(m));
}

static void write_text(const evaluation *e, const char *path, double rank_us, tw_buf *buf) {
    tw_buf_printf(buf, "%s  ", path);
    text_measures(buf, &e->measures);
    tw_buf_printf(buf, "  ranking %.1f us  %.1f s", rank_us, e->seconds);
    for (int i = 0; i < LENGTHS; i++)
        if (e->by_length[i].asked) {
            tw_buf_printf(buf, "\n  history of %-18s", length_names[i]);
            text_measures(buf, &e->by_length[i]);
        }
    if (e->young.asked) {
        tw_buf_printf(buf, "\n  %-29s", "items younger than a day");
        text_measures(buf, &e->young);
    }
    for (int i = 0; e->ablate && i < e->scorers; i++) {
        tw_buf_printf(buf, "\n  without %-21s", e->scorer_names[i]);
        text_measures(buf, &e->without[i]);
        tw_buf_printf(buf, "  it adds %.4f / %.4f",
                      tw_prequential_hr10(&e->measures) - tw_prequential_hr10(&e->without[i]),
                      tw_prequential_ndcg10(&e->measures) - tw_prequential_ndcg10(&e->without[i]));
    }
}

/* Rows are events of their own, in whatever order the file has them. */
static void forget_nothing(tw_config *config) {
    config->dedup_enabled = false;
    config->clean_lateness_click_ms = config->clean_lateness_purchase_ms = config->clean_lateness_review_ms =
        INT64_MAX / 4;
    config->state_ttl_ms = 0;
}

static tw_code evaluate_file(const char *path, const tw_config *config, const char *state_dir, const evaluation *asked,
                             bool json, tw_err *err) {
    evaluation e = *asked;
    tw_buf buf = {0};
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    tw_code code = evaluate(path, config, state_dir, &e, err);
    e.seconds = (double)(tw_clock_steady_ns(&tw_clock_system) - start_ns) * 1e-9;
    if (code == TW_OK) {
        double rank_us = e.ranked ? (double)e.rank_ns / 1000.0 / (double)e.ranked : 0;
        (json ? write_json : write_text)(&e, path, rank_us, &buf);
        code = tw_print(&buf, err);
    }
    tw_buf_done(&buf);
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL;
    bool json = false, exclude_consumed = false;
    int64_t every = 1;
    evaluation asked = {0};
    const tw_option options[] = {
        {.name = "exclude-consumed", .doc = "The same as --set rank.exclude=consumed", .flag = &exclude_consumed},
        {.name = "every",
         .value = "K",
         .doc = "Ask about one event in K only, a sample by the seed (default: 1, all)",
         .number = &every,
         .number_min = 1,
         .number_max = 1000000000},
        {.name = "ablate",
         .doc = "Also what each scorer adds: the measures when it says the same of every candidate",
         .flag = &asked.ablate},
        {.name = "state",
         .value = "DIR",
         .doc = "Keep what was learned in this directory (default: keep nothing)",
         .text = &state_dir},
        {.name = "json", .doc = "One JSON object a file, each in its line", .flag = &json},
        {0}};
    tw_config config;
    tw_args args;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_evaluate, options, argc, argv, &config, 1, TW_POSITIONALS_MAX, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if (state_dir && args.positionals_count > 1) {
        code = tw_fail(err, TW_E_USAGE, "--state keeps what was learned of one file");
        goto done;
    }
    forget_nothing(&config);
    if (exclude_consumed)
        config.rank_exclude = TW_EXCLUDE_CONSUMED;
    if (config.learn_model == TW_LEARN_MF)
        asked.ablate = false;
    asked.every = (uint64_t)every;
    asked.seed = (uint64_t)config.seed;
    tw_stop_catch();
    for (int i = 0; code == TW_OK && i < args.positionals_count; i++)
        code = evaluate_file(args.positionals[i], &config, state_dir, &asked, json, err);
done:
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_evaluate = {
    "evaluate", "FILE... [--every K] [--ablate] [--exclude-consumed] [--json]",
    "Measures hit rate on files, each alone: ranks before it learns from each event", run};
