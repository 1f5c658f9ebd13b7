/* What a thousand times the users cost: the factor model with its store, commits each second and folds included, at ten thousand users and at
 * ten million, all of them there before the measuring begins. */
#include "cli/bench.h"

#include "base/folder.h"

#include <stdio.h>

#define USERS_FEW 10000
#define USERS_MANY 10000000
#define ITEMS 100000
#define WARM_NS ((int64_t)10 * 1000000000)
#define WATCHED_NS ((int64_t)60 * 1000000000) /* shared out to the runs */

static tw_code watch(const tw_bench *bench, tw_engine *engine, tw_bench_clicks *clicks, double *ns, tw_err *err) {
    clicks->zipf = true;
    clicks->end = UINT64_MAX;
    TW_TRY(tw_bench_clicks_take(engine, WARM_NS / bench->smaller, err));
    for (int i = 0; i < bench->runs; i++) {
        uint64_t from = clicks->next;
        int64_t made_ns = clicks->made_ns, start_ns = tw_bench_now_ns();
        TW_TRY(tw_bench_clicks_take(engine, WATCHED_NS / bench->runs / bench->smaller, err));
        int64_t taken_ns = tw_bench_now_ns() - start_ns - (clicks->made_ns - made_ns);
        ns[i] = (double)taken_ns / (double)(clicks->next - from);
    }
    return TW_OK;
}

static tw_code measure(const tw_bench *bench, size_t users, double *ns, tw_err *err) {
    char dir[512];
    tw_config config = *bench->config;
    config.learn_model = TW_LEARN_MF;
    TW_TRY(tw_folder_temporary("tailwater-bench", dir, sizeof dir, err));
    tw_bench_clicks clicks = {.users = (uint32_t)users, .items = (uint32_t)tw_bench_size(bench, ITEMS), .end = users};
    tw_source *source = tw_bench_clicks_source(&clicks);
    const tw_engine_options options = {.config = &config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_engine *engine = NULL;
    tw_code code = tw_engine_open(&options, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    if (code == TW_OK)
        code = tw_bench_clicks_take(engine, 0, err);
    if (code == TW_OK)
        code = watch(bench, engine, &clicks, ns, err);
    tw_engine_close(engine);
    source->ops->close(source);
    tw_folder_remove(dir);
    return code;
}

tw_code tw_bench_growth_run(tw_bench *bench, tw_err *err) {
    double few_ns[TW_BENCH_RUNS_MAX], many_ns[TW_BENCH_RUNS_MAX];
    TW_TRY(measure(bench, tw_bench_size(bench, USERS_FEW), few_ns, err));
    TW_TRY(measure(bench, tw_bench_size(bench, USERS_MANY), many_ns, err));
    tw_bench_add_ratio(bench, "growth.users_10k_to_10m", many_ns, few_ns, bench->runs);
    tw_bench_add(bench, "growth.users_10k_ns", "ns", few_ns, bench->runs);
    tw_bench_add(bench, "growth.users_10m_ns", "ns", many_ns, bench->runs);
    return TW_OK;
}
