/* From a cold disk to the first list: a state of a million users is opened and one of them gets a list, beside reading the same bytes in
 * order. Before each, the file leaves the page cache. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define USERS 1000000
#define ITEMS 20000
#define CLICKS_MORE 500000 /* of users by Zipf, after each has come once */
#define BLOCK_BYTES ((size_t)1 << 20)

static tw_code forget(const char *path, tw_err *err) {
    int fd = open(path, O_RDONLY);
    bool good = fd >= 0 && fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
    if (fd >= 0)
        close(fd);
    return good ? TW_OK : tw_fail(err, TW_E_IO, "%s cannot be put out of the page cache", path);
}

static double read_s(const char *path) {
    char *block = tw_alloc(BLOCK_BYTES);
    int fd = open(path, O_RDONLY);
    int64_t start_ns = tw_bench_now_ns();
    while (fd >= 0 && read(fd, block, BLOCK_BYTES) > 0)
        continue;
    double s = (double)(tw_bench_now_ns() - start_ns) * 1e-9;
    if (fd >= 0)
        close(fd);
    free(block);
    return s;
}

static tw_code make_state(const tw_bench *bench, const char *dir, tw_err *err) {
    size_t users = tw_bench_size(bench, USERS);
    tw_bench_clicks clicks = {.users = (uint32_t)users, .items = (uint32_t)tw_bench_size(bench, ITEMS), .end = users};
    tw_source *source = tw_bench_clicks_source(&clicks);
    const tw_engine_options options = {.config = bench->config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_engine *engine = NULL;
    tw_code code = tw_engine_open(&options, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    if (code == TW_OK)
        code = tw_bench_clicks_take(engine, 0, err);
    clicks.zipf = true;
    clicks.end += tw_bench_size(bench, CLICKS_MORE);
    if (code == TW_OK)
        code = tw_bench_clicks_take(engine, 0, err);
    if (code == TW_OK)
        code = tw_engine_commit(engine, err);
    tw_engine_close(engine);
    source->ops->close(source);
    return code;
}

static tw_code first_list_s(const tw_bench *bench, const char *dir, double *ret_s, tw_err *err) {
    const tw_engine_options options = {.config = bench->config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_engine *engine = NULL;
    tw_list list;
    int64_t start_ns = tw_bench_now_ns();
    tw_code code = tw_engine_open(&options, &engine, err);
    if (code == TW_OK)
        code = tw_engine_recommend(engine, TW_SLICE_LITERAL("u0"), 10, (tw_slice){0}, &list, err);
    *ret_s = (double)(tw_bench_now_ns() - start_ns) * 1e-9;
    if (code == TW_OK && list.count == 0)
        code = tw_fail(err, TW_E_STORE, "the state gave an empty list");
    tw_engine_close(engine);
    return code;
}

tw_code tw_bench_recovery_run(tw_bench *bench, tw_err *err) {
    double start_s[TW_BENCH_RUNS_MAX], in_order_s[TW_BENCH_RUNS_MAX];
    char dir[512], path[600];
    struct stat st = {0};
    TW_TRY(tw_folder_temporary("tailwater-bench", dir, sizeof dir, err));
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    tw_code code = make_state(bench, dir, err);
    for (int i = 0; code == TW_OK && i < bench->runs; i++) {
        if ((code = forget(path, err)) != TW_OK)
            break;
        in_order_s[i] = read_s(path);
        if ((code = forget(path, err)) == TW_OK)
            code = first_list_s(bench, dir, &start_s[i], err);
    }
    if (code == TW_OK) {
        stat(path, &st);
        tw_bench_say(bench, "recovery.file_bytes", "bytes", (double)st.st_size);
        tw_bench_add_ratio(bench, "recovery.vs_sequential_read", start_s, in_order_s, bench->runs);
        tw_bench_add(bench, "recovery.first_list_s", "s", start_s, bench->runs);
        tw_bench_add(bench, "recovery.sequential_read_s", "s", in_order_s, bench->runs);
    }
    tw_folder_remove(dir);
    return code;
}
