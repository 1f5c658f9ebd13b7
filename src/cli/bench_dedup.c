/* The memory of duplicates at ten million live ids, in its steady state: each id that comes pushes an old one out of the window. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "pipeline/clean/dedup.h"

#include <stdlib.h>

#define IDS_LIVE 10000000
#define BUCKET_MS 1000000
#define WINDOW_MS ((int64_t)BUCKET_MS * TW_DEDUP_BUCKETS)
#define BLOCK 32            /* ids that are asked for together, as the engine does it */
#define COMMIT_IDS 65536    /* what a second of a busy stream leaves to keep */
#define DUPLICATES_EVERY 64 /* one id in so many was there before */

static tw_hash128 id_of(uint64_t i) {
    uint64_t n = i % DUPLICATES_EVERY == DUPLICATES_EVERY - 1 ? i - DUPLICATES_EVERY / 2 : i;
    return (tw_hash128){tw_rng_mix(2 * n + 1), tw_rng_mix(2 * n + 2)};
}

/* Takes out what a commit would. Returns the ns that this took. */
static int64_t take_log(tw_dedup *dedup, tw_buf *log) {
    int64_t start_ns = tw_bench_now_ns();
    uint64_t bucket;
    while (tw_dedup_next_change(dedup, &bucket, log))
        tw_buf_clear(log);
    return tw_bench_now_ns() - start_ns;
}

/* Looks up ids [from, from + count) in blocks, each touched while the one before it is looked up, as the engine does it. Returns the ns that this
 * took. */
static int64_t look_up(tw_dedup *dedup, const tw_hash128 *ids, uint64_t from, uint64_t count, double ms_per_id) {
    int64_t start_ns = tw_bench_now_ns();
    for (uint64_t at = 0, before = 0; before < count; before = at, at += TW_DEDUP_BLOCK) {
        for (uint64_t i = before; i < at && i < count; i++) /* touched before */
            tw_dedup_prefetch_more(dedup, ids[i]);
        for (uint64_t i = at; i < at + TW_DEDUP_BLOCK && i < count; i++)
            tw_dedup_prefetch(dedup, ids[i]);
        for (uint64_t i = before; i < at && i < count; i++) {
            int64_t event_ms = WINDOW_MS + (int64_t)((double)(from + i) * ms_per_id);
            tw_dedup_seen(dedup, ids[i], event_ms, event_ms);
        }
    }
    return tw_bench_now_ns() - start_ns;
}

/* Ids [from, from + count), spread over event time so that a window holds `live`. Returns ns an id without making it and without what a commit
 * takes, which is *ret_log_ns. */
static double pass(tw_dedup *dedup, uint64_t from, uint64_t count, uint64_t live, double *ret_log_ns) {
    tw_buf log = {0};
    tw_hash128 *ids = tw_alloc(COMMIT_IDS * sizeof *ids);
    int64_t ns = 0, log_ns = 0;
    for (uint64_t at = from, now; at < from + count; at += now) {
        now = from + count - at < COMMIT_IDS ? from + count - at : COMMIT_IDS;
        for (uint64_t i = 0; i < now; i++)
            ids[i] = id_of(at + i);
        ns += look_up(dedup, ids, at, now, (double)WINDOW_MS / (double)live);
        log_ns += take_log(dedup, &log);
    }
    free(ids);
    tw_buf_done(&log);
    *ret_log_ns = (double)log_ns / (double)count;
    return (double)ns / (double)count;
}

tw_code tw_bench_dedup_run(tw_bench *bench, tw_err *err) {
    double ns[TW_BENCH_RUNS_MAX], access_ns[TW_BENCH_RUNS_MAX], log_ns[TW_BENCH_RUNS_MAX], bytes[TW_BENCH_RUNS_MAX];
    uint64_t live = tw_bench_size(bench, IDS_LIVE), from = 2 * live;
    size_t table_bytes = tw_bench_size(bench, TW_BENCH_TABLE_BYTES);
    tw_dedup *dedup = tw_dedup_create(WINDOW_MS, false);
    uint64_t *table = tw_bench_table_make(table_bytes, true);
    (void)err;
    pass(dedup, 0, from, live, &log_ns[0]);
    for (int i = 0; i < bench->runs;
         i++, from += live) { /* a whole window, so that what is done now and then is in it */
        ns[i] = pass(dedup, from, live, live, &log_ns[i]);
        bytes[i] = (double)tw_dedup_size_bytes(dedup) / (double)tw_dedup_live(dedup);
        access_ns[i] = tw_bench_table_random_ns(table, table_bytes);
    }
    tw_bench_say(bench, "dedup.ids_live", "ids", (double)tw_dedup_live(dedup));
    tw_bench_add_ratio(bench, "dedup.vs_random_access", ns, access_ns, bench->runs);
    tw_bench_add(bench, "dedup.bytes_per_id", "bytes", bytes, bench->runs);
    tw_bench_add(bench, "dedup.ns", "ns", ns, bench->runs);
    tw_bench_add(bench, "dedup.random_access_ns", "ns", access_ns, bench->runs);
    tw_bench_add(bench, "dedup.log_ns", "ns", log_ns, bench->runs);
    tw_dedup_free(dedup);
    free(table);
    return TW_OK;
}
