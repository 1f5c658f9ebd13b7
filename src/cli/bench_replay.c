/* Replay from memory: events that are already decoded go through clean, learn and durable commits in one engine thread. The
 * stages are then run alone over the same events, which says where the time goes. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/folder.h"
#include "engine/engine.h"
#include "pipeline/ingest/memory.h"

#include <stdio.h>

#define SHOP_EVENTS 500000

/* One run of the whole. Events of another time are what they are: nothing may be late or doubly seen here but what the
 * stream itself repeats. */
static tw_code run_whole(const tw_bench_events *events, const tw_config *config, double *ret_ns, double *ret_commit_ns,
                         double *ret_written, tw_err *err) {
    char dir[512];
    TW_TRY(tw_folder_temporary("tailwater-bench", dir, sizeof dir, err));
    tw_source *source = tw_source_memory(events->events, events->count);
    tw_engine *engine = NULL;
    const tw_engine_options options = {.config = config, .state_dir = dir, .lists = TW_LISTS_NONE};
    int64_t commit_ns = 0, start_ns = 0;
    int count = 0;
    tw_code code = tw_engine_open(&options, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    start_ns = tw_bench_now_ns();
    int64_t committed_ns = start_ns;
    while (code == TW_OK) {
        code = tw_engine_step(engine, 0, &count, err);
        int64_t now_ns = tw_bench_now_ns();
        bool due = now_ns - committed_ns >= tw_config_commit_interval_ms(config) * 1000000;
        if (code == TW_OK && (due || count == 0)) {
            code = tw_engine_commit(engine, err);
            committed_ns = tw_bench_now_ns();
            commit_ns += committed_ns - now_ns;
        }
        if (count == 0)
            break;
    }
    int64_t end_ns = tw_bench_now_ns();
    if (code == TW_OK) {
        tw_store_stats stats;
        tw_engine_store_stats(engine, &stats);
        *ret_ns = (double)(end_ns - start_ns) / (double)events->count;
        *ret_commit_ns = (double)commit_ns / (double)events->count;
        *ret_written = (double)stats.written_bytes / (double)events->count;
    }
    tw_engine_close(engine);
    source->ops->close(source);
    tw_folder_remove(dir);
    return code;
}

static double clean_alone_ns(const tw_bench_events *events, const tw_config *config) {
    tw_clean *clean = tw_clean_create(config);
    tw_reason reason;
    tw_hash128 ids[TW_CLEAN_BLOCK];
    bool known[TW_CLEAN_BLOCK];
    int64_t start_ns = tw_bench_now_ns();
    for (size_t first = 0; first < events->count; first += TW_CLEAN_BLOCK) { /* much as the engine does it */
        const tw_event *block = &events->events[first];
        size_t count = events->count - first < TW_CLEAN_BLOCK ? events->count - first : TW_CLEAN_BLOCK;
        for (size_t i = 0; i < count; i++)
            known[i] = tw_clean_id(clean, &block[i], &ids[i]);
        for (size_t i = 0; i < count; i++)
            if (known[i])
                tw_clean_prefetch(clean, block[i].kind, ids[i]);
        for (size_t i = 0; i < count; i++)
            if (known[i])
                tw_clean_prefetch_more(clean, block[i].kind, ids[i]);
        for (size_t i = 0; i < count; i++)
            if (known[i])
                tw_clean_judge_id(clean, &block[i], ids[i], INT64_MAX / 2, &reason);
            else
                tw_clean_judge(clean, &block[i], TW_REASON_NONE, INT64_MAX / 2, &reason);
    }
    double ns = (double)(tw_bench_now_ns() - start_ns) / (double)events->count;
    tw_clean_free(clean);
    return ns;
}

static tw_code learn_alone_ns(const tw_bench_events *events, const tw_config *config, double *ret_ns, tw_err *err) {
    tw_model *model = tw_model_create(config, NULL, NULL);
    tw_code code = TW_OK;
    uint32_t user;
    int64_t start_ns = tw_bench_now_ns();
    for (size_t i = 0; code == TW_OK && i < events->count; i++) {
        if (i + 8 < events->count)
            tw_model_prefetch(model, 0, &events->events[i + 8], 0, (int64_t)i + 8);
        code = tw_model_learn(model, 0, &events->events[i], 0, (int64_t)i, &user, err);
    }
    *ret_ns = (double)(tw_bench_now_ns() - start_ns) / (double)events->count;
    tw_model_free(model);
    return code;
}

static tw_code bench_model(tw_bench *bench, const tw_bench_events *events, const tw_config *config, const char *model,
                           tw_err *err) {
    static const char *const stages[] = {"clean_ns", "learn_ns", "commit_ns", "other_ns"};
    double ns[TW_BENCH_RUNS_MAX], rates[TW_BENCH_RUNS_MAX], parts[4][TW_BENCH_RUNS_MAX], written[TW_BENCH_RUNS_MAX];
    char name[160];
    for (int i = 0; i < bench->runs; i++) {
        TW_TRY(run_whole(events, config, &ns[i], &parts[2][i], &written[i], err));
        TW_TRY(learn_alone_ns(events, config, &parts[1][i], err));
        parts[0][i] = clean_alone_ns(events, config);
        parts[3][i] = ns[i] - parts[0][i] - parts[1][i] - parts[2][i];
        rates[i] = 1e9 / ns[i];
    }
    snprintf(name, sizeof name, "replay.%s.%s.events", model, events->stem);
    tw_bench_say(bench, name, "", (double)events->count);
    snprintf(name, sizeof name, "replay.%s.%s.events_per_s", model, events->stem);
    tw_bench_add(bench, name, "events/s", rates, bench->runs);
    for (int s = 0; s < 4; s++) {
        snprintf(name, sizeof name, "replay.%s.%s.%s", model, events->stem, stages[s]);
        tw_bench_add(bench, name, "ns", parts[s], bench->runs);
    }
    snprintf(name, sizeof name, "replay.%s.%s.store_bytes_per_event", model, events->stem);
    tw_bench_add(bench, name, "bytes", written, bench->runs);
    return TW_OK;
}

/* The streams to measure: every file given, or one draw from the synthetic shop. */
static tw_code next_stream(const tw_bench *bench, size_t i, tw_bench_events *ret_events, tw_err *err) {
    return bench->files_count
               ? tw_bench_events_read(bench->files[i], bench->config, ret_events, err)
               : tw_bench_events_draw(tw_bench_size(bench, SHOP_EVENTS), 100000, 20000, bench->config, ret_events, err);
}

tw_code tw_bench_replay_run(tw_bench *bench, tw_err *err) {
    static const char *const models[] = {[TW_LEARN_DEFAULT] = "default", [TW_LEARN_MF] = "mf"};
    size_t streams = bench->files_count ? bench->files_count : 1;
    tw_code code = TW_OK;
    for (size_t i = 0; code == TW_OK && i < streams; i++) {
        tw_bench_events events;
        char name[160];
        code = next_stream(bench, i, &events, err);
        for (int model = 0; code == TW_OK && model < 2; model++) {
            tw_config chosen = *bench->config;
            chosen.learn_model = model;
            code = bench_model(bench, &events, &chosen, models[model], err);
        }
        snprintf(name, sizeof name, "replay.default.%s.store_bytes_per_event", events.stem);
        if (code == TW_OK && i == 0)
            tw_bench_say(bench, "store.bytes_per_event", "bytes", tw_bench_find(bench, name)->value);
        tw_bench_events_done(&events);
    }
    return code;
}
