/* What state.memory.max costs: the same clicks with all users in memory and with room for a quarter of their rows, the store beside both. Each
 * user comes once; then users come by Zipf, and that is what is measured, with the commit at its end. Both must end in the same state. */
#include "cli/bench.h"

#include "base/folder.h"

#include <stdio.h>

#define USERS 100000
#define ITEMS 20000
#define CLICKS 200000
#define SHARE 4 /* of the rows' bytes, one of so many parts is in memory */

typedef struct outcome {
    double ns, read_back; /* of a click */
    tw_model_stats stats;
    tw_store_stats store;
    tw_hash128 digest;
} outcome;

static tw_code take(tw_engine *engine, tw_bench_clicks *clicks, size_t count, outcome *ret, tw_err *err) {
    tw_model_stats before;
    TW_TRY(tw_bench_clicks_take(engine, 0, err));
    TW_TRY(tw_engine_commit(engine, err));
    tw_model_stats_get(tw_engine_model(engine), &before);
    clicks->zipf = true;
    clicks->end += count;
    clicks->made_ns = 0;
    int64_t start_ns = tw_bench_now_ns();
    TW_TRY(tw_bench_clicks_take(engine, 0, err));
    TW_TRY(tw_engine_commit(engine, err));
    ret->ns = (double)(tw_bench_now_ns() - start_ns - clicks->made_ns) / (double)count;
    tw_model_stats_get(tw_engine_model(engine), &ret->stats);
    tw_engine_store_stats(engine, &ret->store);
    ret->read_back = (double)(ret->stats.users_read_back - before.users_read_back) / (double)count;
    ret->digest = tw_engine_digest(engine);
    return tw_engine_sound(engine, err);
}

static tw_code run_once(const tw_bench *bench, const tw_config *config, outcome *ret, tw_err *err) {
    char dir[512];
    size_t users = tw_bench_size(bench, USERS), count = tw_bench_size(bench, CLICKS);
    TW_TRY(tw_folder_temporary("tailwater-bench", dir, sizeof dir, err));
    tw_bench_clicks clicks = {.users = (uint32_t)users, .items = (uint32_t)tw_bench_size(bench, ITEMS), .end = users};
    tw_source *source = tw_bench_clicks_source(&clicks);
    const tw_engine_options options = {.config = config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_engine *engine = NULL;
    tw_code code = tw_engine_open(&options, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    if (code == TW_OK)
        code = take(engine, &clicks, count, ret, err);
    tw_engine_close(engine);
    source->ops->close(source);
    tw_folder_remove(dir);
    return code;
}

static tw_code measure(tw_bench *bench, const char *model, const tw_config *config, outcome *ret_bounded, tw_err *err) {
    double all_ns[TW_BENCH_RUNS_MAX], bounded_ns[TW_BENCH_RUNS_MAX], read_back[TW_BENCH_RUNS_MAX];
    char name[96];
    for (int i = 0; i < bench->runs; i++) {
        outcome all;
        tw_config bounded = *config;
        TW_TRY(run_once(bench, config, &all, err));
        int64_t share = (int64_t)all.stats.user_rows_bytes / SHARE, least = tw_model_memory_least(config);
        bounded.state_memory_max = share > least ? share : least;
        TW_TRY(run_once(bench, &bounded, ret_bounded, err));
        if (all.digest.lo != ret_bounded->digest.lo || all.digest.hi != ret_bounded->digest.hi)
            return tw_fail(err, TW_E_STORE, "state.memory.max has changed the state");
        all_ns[i] = all.ns;
        bounded_ns[i] = ret_bounded->ns;
        read_back[i] = ret_bounded->read_back;
    }
    snprintf(name, sizeof name, "memory.bounded.%s.vs_unbounded", model);
    tw_bench_add_ratio(bench, name, bounded_ns, all_ns, bench->runs);
    snprintf(name, sizeof name, "memory.bounded.%s.ns", model);
    tw_bench_add(bench, name, "ns", bounded_ns, bench->runs);
    snprintf(name, sizeof name, "memory.bounded.%s.unbounded_ns", model);
    tw_bench_add(bench, name, "ns", all_ns, bench->runs);
    snprintf(name, sizeof name, "memory.bounded.%s.read_back_per_event", model);
    tw_bench_add(bench, name, "", read_back, bench->runs);
    return TW_OK;
}

tw_code tw_bench_bounded_run(tw_bench *bench, tw_err *err) {
    tw_config config = *bench->config;
    outcome bounded;
    config.learn_model = TW_LEARN_DEFAULT;
    TW_TRY(measure(bench, "default", &config, &bounded, err));
    config.learn_model = TW_LEARN_MF;
    TW_TRY(measure(bench, "mf", &config, &bounded, err));
    double users = (double)tw_bench_size(bench, USERS);
    tw_bench_say(bench, "memory.bounded.users_in_memory", "", (double)bounded.stats.users_in_memory / users);
    tw_bench_say(bench, "memory.bounded.index_bytes_per_user", "bytes",
                 (double)(bounded.stats.user_index_bytes + bounded.store.marks_bytes) / users);
    return TW_OK;
}
