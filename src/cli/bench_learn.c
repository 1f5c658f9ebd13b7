/* The update of the factor model alone, over items that fit into no cache: one positive and five negatives, beside reading as many random
 * rows, in memory of the same kind, asked for ahead as the engine does it. */
#include "cli/bench.h"

#include "base/rng.h"
#include "model/model.h"

#include <stdlib.h>

#define ITEMS 1000000
#define USERS 100000
#define UPDATES 500000 /* of one run */
#define AHEAD 8

/* Every item and user is met once. */
static tw_code meet_all(tw_model *model, uint32_t users, uint32_t items, tw_err *err) {
    tw_bench_click text;
    tw_event event;
    uint32_t user;
    for (uint32_t i = 0; i < items; i++) {
        tw_bench_click_make(&text, i, i % users, i, 1700000000000, &event);
        TW_TRY(tw_model_learn(model, 0, &event, 0, i, &user, err));
    }
    return TW_OK;
}

static double update_ns(tw_model *model, uint32_t users, uint32_t items, size_t count, int64_t from) {
    int64_t start_ns = tw_bench_now_ns();
    for (int64_t at = from; at < from + (int64_t)count + AHEAD; at++) {
        tw_rng next = tw_rng_at(1, 1, (uint64_t)at), here = tw_rng_at(1, 1, (uint64_t)(at - AHEAD));
        uint32_t user = tw_rng_below(&next, users), item = tw_rng_below(&next, items);
        tw_model_prefetch_factors(model, user, item, 0, at);
        if (at < from + AHEAD)
            continue;
        user = tw_rng_below(&here, users);
        item = tw_rng_below(&here, items);
        tw_model_train_factors(model, user, item, 0.7f, 0, at - AHEAD);
    }
    return (double)(tw_bench_now_ns() - start_ns) / (double)count;
}

tw_code tw_bench_learn_run(tw_bench *bench, tw_err *err) {
    double ns[TW_BENCH_RUNS_MAX], rows_ns[TW_BENCH_RUNS_MAX];
    uint32_t items = (uint32_t)tw_bench_size(bench, ITEMS), users = (uint32_t)tw_bench_size(bench, USERS);
    size_t updates = tw_bench_size(bench, UPDATES);
    tw_config config = *bench->config;
    config.learn_model = TW_LEARN_MF;
    size_t row_bytes = (size_t)config.learn_dim * sizeof(float);
    tw_model *model = tw_model_create(&config, NULL, NULL);
    uint64_t *table = tw_bench_table_make(items * row_bytes, true);
    tw_code code = meet_all(model, users, items, err);
    for (int i = 0; code == TW_OK && i < bench->runs; i++) {
        double rows = 2 + (double)config.learn_mf_negatives; /* those of the user and of the item too */
        ns[i] = update_ns(model, users, items, updates, (int64_t)((size_t)(i + 1) * updates));
        rows_ns[i] = rows * tw_bench_table_row_ns(table, items * row_bytes, (int)config.learn_dim);
    }
    if (code == TW_OK) {
        tw_bench_add_ratio(bench, "learn.mf.vs_random_rows", ns, rows_ns, bench->runs);
        tw_bench_add(bench, "learn.mf.update_ns", "ns", ns, bench->runs);
        tw_bench_add(bench, "learn.mf.random_rows_ns", "ns", rows_ns, bench->runs);
    }
    tw_model_free(model);
    free(table);
    return code;
}
