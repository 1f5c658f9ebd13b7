/* What this machine can do at best, measured in the same run as everything that is compared with it. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/prefetch.h"
#include "base/rng.h"
#include "math/gemm.h"

#include <stdlib.h>

#define LINE_BYTES 64
#define ACCESSES 4000000
#define ROWS_AHEAD 24
#define GEMM_SIDE 512
#define GEMM_TIMES 8

static volatile uint64_t used; /* what was read, so that no loop can be optimised away */

uint64_t *tw_bench_table_make(size_t bytes, bool large_pages) {
    size_t words = bytes / sizeof(uint64_t);
    uint64_t *table = large_pages ? tw_alloc_large(bytes) : tw_alloc_lines(bytes);
    for (size_t i = 0; i < words; i++)
        table[i] = tw_rng_mix(i); /* pages exist and hold what a dependent walk needs */
    return table;
}

static double in_order_gb_per_s(const uint64_t *table, size_t bytes) {
    uint64_t sums[8] = {0};
    int64_t start_ns = tw_bench_now_ns();
    for (size_t i = 0; i < bytes / sizeof(uint64_t); i += 8)
        for (int j = 0; j < 8; j++)
            sums[j] += table[i + (size_t)j];
    double ns = (double)(tw_bench_now_ns() - start_ns);
    for (int j = 0; j < 8; j++)
        used += sums[j];
    return (double)bytes / ns;
}

double tw_bench_table_random_ns(const uint64_t *table, size_t bytes) {
    static uint64_t seed;
    tw_rng rng = {++seed};
    uint64_t sum = 0;
    int64_t start_ns = tw_bench_now_ns();
    for (int i = 0; i < ACCESSES; i++)
        sum += table[(size_t)tw_rng_below(&rng, (uint32_t)(bytes / LINE_BYTES)) * 8];
    double ns = (double)(tw_bench_now_ns() - start_ns) / ACCESSES;
    used += sum;
    return ns;
}

static double dependent_ns(const uint64_t *table, size_t bytes) {
    size_t lines = bytes / LINE_BYTES;
    uint64_t at = 0;
    int64_t start_ns = tw_bench_now_ns();
    for (int i = 0; i < ACCESSES / 4; i++)
        at = table[(at % lines) * 8] + (uint64_t)i;
    double ns = (double)(tw_bench_now_ns() - start_ns) / (ACCESSES / 4);
    used += at;
    return ns;
}

/* Which rows come next must be known ahead; drawing them again is cheaper than keeping them. */
double tw_bench_table_row_ns(const uint64_t *table, size_t bytes, int row_floats) {
    static uint64_t seed;
    size_t row_bytes = (size_t)row_floats * sizeof(float);
    uint32_t rows = (uint32_t)(bytes / row_bytes);
    tw_rng ahead = {++seed << 32}, here = ahead;
    float sums[16] = {0};
    for (int i = 0; i < ROWS_AHEAD; i++)
        tw_rng_below(&ahead, rows);
    int64_t start_ns = tw_bench_now_ns();
    for (int i = 0; i < ACCESSES / 2; i++) {
        const char *next = (const char *)table + tw_rng_below(&ahead, rows) * row_bytes;
        const float *row = (const float *)((const char *)table + tw_rng_below(&here, rows) * row_bytes);
        for (size_t line = 0; line < row_bytes; line += LINE_BYTES)
            TW_PREFETCH(next + line);
        for (int d = 0; d + 16 <= row_floats; d += 16)
            for (int j = 0; j < 16; j++)
                sums[j] += row[d + j];
    }
    double ns = (double)(tw_bench_now_ns() - start_ns) / (ACCESSES / 2.0);
    for (int j = 0; j < 16; j++)
        used += sums[j] > 0;
    return ns;
}

static double gemm_gflops(void) {
    size_t size = (size_t)GEMM_SIDE * GEMM_SIDE;
    float *a = tw_alloc_lines(3 * size * sizeof(float)), *b = a + size, *c = b + size;
    for (size_t i = 0; i < 2 * size; i++)
        a[i] = (float)(tw_rng_mix(i) >> 40) * 0x1p-24f;
    int64_t start_ns = tw_bench_now_ns();
    for (int i = 0; i < GEMM_TIMES; i++)
        tw_gemm(false, false, GEMM_SIDE, GEMM_SIDE, GEMM_SIDE, 1, a, b, 0, c);
    double ns = (double)(tw_bench_now_ns() - start_ns);
    used += (uint64_t)c[size - 1];
    free(a);
    return 2.0 * GEMM_TIMES * (double)size * GEMM_SIDE / ns;
}

tw_code tw_bench_machine_run(tw_bench *bench, tw_err *err) {
    double stream[TW_BENCH_RUNS_MAX], independent[TW_BENCH_RUNS_MAX], dependent[TW_BENCH_RUNS_MAX],
        gemm[TW_BENCH_RUNS_MAX], large_ns[TW_BENCH_RUNS_MAX];
    size_t bytes = tw_bench_size(bench, TW_BENCH_TABLE_BYTES) / LINE_BYTES * LINE_BYTES + LINE_BYTES;
    uint64_t *table = tw_bench_table_make(bytes, false), *large = tw_bench_table_make(bytes, true);
    (void)err;
    for (int i = 0; i < bench->runs; i++) {
        stream[i] = in_order_gb_per_s(table, bytes);
        independent[i] = tw_bench_table_random_ns(table, bytes);
        dependent[i] = dependent_ns(table, bytes);
        gemm[i] = gemm_gflops();
        large_ns[i] = tw_bench_table_random_ns(large, bytes);
    }
    free(table);
    free(large);
    tw_bench_add(bench, "machine.stream_gb_per_s", "GB/s", stream, bench->runs);
    tw_bench_add(bench, "machine.random_independent_ns", "ns", independent, bench->runs);
    tw_bench_add(bench, "machine.random_large_pages_ns", "ns", large_ns, bench->runs);
    tw_bench_add(bench, "machine.random_dependent_ns", "ns", dependent, bench->runs);
    tw_bench_add(bench, "machine.gemm_gflops", "GFLOP/s", gemm, bench->runs);
    return TW_OK;
}
