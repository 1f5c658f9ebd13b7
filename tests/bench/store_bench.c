/* How fast the store takes rows, folds them and gives them back, beside this machine's own limits from the same run.
 *
 *   store_bench [rows] [row bytes] [directory]        default 1000000 320 $TMPDIR
 *
 * The directory is made and removed; it should be on the disk that will hold the state. One line a figure, on one thread but for
 * the store's own read-ahead. Run it alone: absolute figures move with the machine. */
#include "base/alloc.h"
#include "base/rng.h"
#include "store/store.h"
#include "support/quiet.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COMMIT_ROWS 20000 /* a second of a busy shop */

typedef struct memory {
    char *rows; /* (rows, size) */
    size_t size;
    uint64_t loaded;
} memory;

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void must(tw_code code, const tw_err *err) {
    if (code == TW_OK)
        return;
    fprintf(stderr, "store_bench: %s\n", err->text);
    exit(1);
}

static tw_code load(void *self, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err) {
    memory *m = self;
    (void)table, (void)delta, (void)err;
    memcpy(m->rows + row * m->size, bytes.data, bytes.size);
    m->loaded++;
    return TW_OK;
}
static void encode(void *self, tw_table table, uint32_t row, tw_buf *out) {
    memory *m = self;
    (void)table;
    tw_buf_put(out, m->rows + row * m->size, m->size);
}

static tw_store *open_store(const char *dir, memory *m, uint64_t journal_max) {
    tw_store_options options = {dir, (uint64_t)64 << 30, journal_max, 8192, false};
    tw_store_owner owner = {m, load, quiet_load_delete, quiet_load_meta, quiet_load_log, encode};
    tw_store *store;
    tw_err err;
    bool fresh;
    must(tw_store_open(&options, &owner, &store, &fresh, &err), &err);
    if (!fresh)
        must(tw_store_load(store, &err), &err);
    return store;
}

/* Bytes that this process has sent to the disk; 0 where the system does not tell. */
static uint64_t disk_bytes(void) {
    char line[128];
    uint64_t bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while (file && fgets(line, sizeof line, file))
        (void)sscanf(line, "write_bytes: %" SCNu64, &bytes);
    if (file)
        fclose(file);
    return bytes;
}

/* Commits of COMMIT_ROWS rows drawn by Zipf 1.0 (rank = rows^u) or evenly, each row once a commit. */
static void change(tw_store *store, memory *m, uint32_t rows, bool zipf, int commits, const char *name) {
    tw_rng rng = tw_rng_at(1, zipf, (uint64_t)commits);
    int *last = tw_zalloc(rows * sizeof *last);
    uint64_t put = 0, disk = disk_bytes();
    double worst_s = 0, start_s = now_s();
    tw_store_stats before, after;
    tw_err err;
    tw_store_stats_get(store, &before);
    for (int c = 1; c <= commits; c++) {
        double from_s = now_s();
        tw_store_begin(store);
        for (int i = 0; i < COMMIT_ROWS; i++) {
            uint32_t row = zipf ? (uint32_t)pow(rows, tw_rng_unit(&rng)) - 1 : tw_rng_below(&rng, rows);
            if (last[row] == c)
                continue;
            last[row] = c;
            memcpy(m->rows + row * m->size, &c, sizeof c);
            tw_store_put(store, TW_TABLE_USER, row, (tw_slice){m->rows + row * m->size, m->size});
            put++;
        }
        must(tw_store_commit(store, &err), &err);
        worst_s = fmax(worst_s, now_s() - from_s);
    }
    double s = now_s() - start_s;
    tw_store_stats_get(store, &after);
    printf("%-22s %7.3f us/row  %6.2f M rows/s  worst commit %6.1f ms  folded %.2f of a row  %5.2f B written a B put "
           "(%.2f "
           "by pages)  forced %" PRIu64 "\n",
           name, s / (double)put * 1e6, (double)put / s * 1e-6, worst_s * 1e3,
           (double)(after.folded_rows - before.folded_rows) / (double)put,
           (double)(after.written_bytes - before.written_bytes) / (double)(put * m->size),
           (double)(disk_bytes() - disk) / (double)(put * m->size), after.forced_folds - before.forced_folds);
    free(last);
}

/* Out of the page cache with it. */
static void forget(const char *path) {
    int fd = open(path, O_RDONLY);
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

static double read_in_order_s(const char *path) {
    static char block[1 << 20];
    int fd = open(path, O_RDONLY);
    double start_s = now_s();
    while (read(fd, block, sizeof block) > 0) {
    }
    close(fd);
    return now_s() - start_s;
}

static void bench_load(const char *dir, memory *m, const char *name) {
    char path[600];
    struct stat st;
    double load_s[5], read_s[5], warm_s = 0;
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    stat(path, &st);
    for (int i = 0; i < 5; i++) {
        forget(path);
        read_s[i] = read_in_order_s(path);
        forget(path);
        double start_s = now_s();
        tw_store_close(open_store(dir, m, (uint64_t)1 << 40));
        load_s[i] = now_s() - start_s;
        start_s = now_s();
        m->loaded = 0;
        tw_store_close(open_store(dir, m, (uint64_t)1 << 40));
        warm_s = now_s() - start_s;
    }
    for (int i = 0; i < 5; i++) /* medians of five, by insertion */
        for (int j = i; j > 0; j--) {
            double a = load_s[j - 1], b = load_s[j], c = read_s[j - 1], d = read_s[j];
            load_s[j - 1] = fmin(a, b), load_s[j] = fmax(a, b);
            read_s[j - 1] = fmin(c, d), read_s[j] = fmax(c, d);
        }
    printf("%-22s %7.3f s for %" PRIu64
           " rows in %.0f MB; the same bytes in order %.3f s; ratio %.2f; from memory %.3f s\n",
           name, load_s[2], m->loaded, (double)st.st_size * 1e-6, read_s[2], load_s[2] / read_s[2], warm_s);
}

int main(int argc, char **argv) {
    uint32_t rows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;
    memory m = {.size = argc > 2 ? strtoul(argv[2], NULL, 10) : 320};
    const char *parent = argc > 3 ? argv[3] : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    char dir[500], path[600];
    tw_err err;
    snprintf(dir, sizeof dir, "%s/tailwater-store-bench-XXXXXX", parent);
    if (!mkdtemp(dir)) {
        perror(dir);
        return 1;
    }
    m.rows = tw_zalloc(rows * m.size);

    /* Every row for the first time, no fold: what the journal alone takes. */
    tw_store *store = open_store(dir, &m, (uint64_t)1 << 40);
    double start_s = now_s();
    for (uint32_t row = 0; row < rows;) {
        tw_store_begin(store);
        for (uint32_t i = 0; i < COMMIT_ROWS && row < rows; i++, row++)
            tw_store_put(store, TW_TABLE_USER, row, (tw_slice){m.rows + row * m.size, m.size});
        must(tw_store_commit(store, &err), &err);
    }
    double s = now_s() - start_s;
    printf("%-22s %7.3f us/row  %6.2f M rows/s\n", "journal alone", s / rows * 1e6, rows / s * 1e-6);
    store = tw_store_close(store);
    bench_load(dir, &m, "load, journal");

    store = open_store(dir, &m, (uint64_t)1 << 40);
    start_s = now_s();
    must(tw_store_fold_all(store, &err), &err);
    s = now_s() - start_s;
    printf("%-22s %7.3f us/row  %6.2f M rows/s\n", "fold, all in order", s / rows * 1e6, rows / s * 1e-6);
    store = tw_store_close(store);
    bench_load(dir, &m, "load, rows in place");

    store = open_store(dir, &m, (uint64_t)64 << 20);
    change(store, &m, rows, true, 100, "Zipf, journal 64 MB");
    change(store, &m, rows, true, 100, "Zipf, once more");
    change(store, &m, rows, false, 60, "even, journal 64 MB");
    store = tw_store_close(store);
    bench_load(dir, &m, "load, used");

    snprintf(path, sizeof path, "%s/data.mdb", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/owner.pid", dir);
    unlink(path);
    rmdir(dir);
    free(m.rows);
    return 0;
}
