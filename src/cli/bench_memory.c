/* Memory of a user, an item and a remembered id at the default settings, as the engine counts it, and how much of what the system gave the
 * process that is. Runs before the other sections, which leave the heap in holes. */
#include "cli/bench.h"

#include "base/rng.h"

#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#define USERS 200000
#define ITEMS 20000
#define CLICKS_EACH 8

static double resident_bytes(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

tw_code tw_bench_memory_run(tw_bench *bench, tw_err *err) {
    uint32_t users = (uint32_t)tw_bench_size(bench, USERS), items = (uint32_t)tw_bench_size(bench, ITEMS);
    tw_bench_clicks clicks = {.users = users, .items = items, .end = (uint64_t)users * CLICKS_EACH};
    tw_source *source = tw_bench_clicks_source(&clicks);
    const tw_engine_options options = {.config = bench->config, .lists = TW_LISTS_NONE};
    tw_engine *engine = NULL;
    malloc_trim(0);
    double before = resident_bytes();
    tw_code code = tw_engine_open(&options, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    if (code == TW_OK)
        code = tw_bench_clicks_take(engine, 0, err);
    if (code == TW_OK) {
        double grown = resident_bytes() - before;
        tw_model_stats stats;
        size_t ids = tw_engine_ids_live(engine), ids_bytes = tw_engine_ids_bytes(engine);
        tw_model_stats_get(tw_engine_model(engine), &stats);
        double counted =
            (double)(stats.user_bytes + stats.item_bytes + stats.pair_bytes + stats.fixed_bytes + ids_bytes);
        tw_bench_say(bench, "memory.clicks_per_user", "", CLICKS_EACH);
        tw_bench_say(bench, "memory.bytes_per_user", "bytes", (double)stats.user_bytes / users);
        tw_bench_say(bench, "memory.bytes_per_item", "bytes", (double)stats.item_bytes / items);
        tw_bench_say(bench, "memory.pair_bytes_per_item", "bytes", (double)stats.pair_bytes / items);
        tw_bench_say(bench, "memory.bytes_per_live_id", "bytes", (double)ids_bytes / (double)ids);
        tw_bench_say(bench, "memory.counted_share", "", counted / grown);
    }
    tw_engine_close(engine);
    source->ops->close(source);
    return code;
}
