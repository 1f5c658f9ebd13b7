/* Replay from memory: events that are already decoded go through clean, learn and durable commits in one engine thread. The
 * stages are then run alone over the same events, which says where the time goes. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/folder.h"
#include "engine/engine.h"
#include "pipeline/ingest/memory.h"

#include <stdlib.h>

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
    int64_t start_ns = tw_bench_now_ns();
    for (size_t i = 0; i < events->count; i++) {
        if (i + 8 < events->count)
            tw_clean_prefetch(clean, &events->events[i + 8]);
        tw_clean_judge(clean, &events->events[i], TW_REASON_NONE, INT64_MAX / 2, &reason);
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
            tw_model_prefetch(model, 0, &events->events[i + 8]);
        code = tw_model_learn(model, 0, &events->events[i], 0, (int64_t)i, &user, err);
    }
    *ret_ns = (double)(tw_bench_now_ns() - start_ns) / (double)events->count;
    tw_model_free(model);
    return code;
}

tw_code tw_bench_replay_run(const tw_bench_events *events, const tw_config *config, int runs, tw_bench_replay *ret,
                            tw_err *err) {
    double *ns = tw_alloc((size_t)runs * sizeof *ns), commit_ns = 0, written = 0, learn_ns = 0;
    tw_code code = TW_OK;
    for (int i = 0; code == TW_OK && i < runs; i++)
        code = run_whole(events, config, &ns[i], &commit_ns, &written, err);
    if (code == TW_OK)
        code = learn_alone_ns(events, config, &learn_ns, err);
    if (code == TW_OK) {
        double median = tw_bench_median(ns, runs);
        *ret = (tw_bench_replay){.events_per_s = 1e9 / median,
                                 .spread = (ns[runs - 1] - ns[0]) / median,
                                 .clean_ns = clean_alone_ns(events, config),
                                 .learn_ns = learn_ns,
                                 .commit_ns = commit_ns,
                                 .written_bytes = written,
                                 .runs = runs};
        ret->other_ns = median - ret->clean_ns - ret->learn_ns - ret->commit_ns;
    }
    free(ns);
    return code;
}
