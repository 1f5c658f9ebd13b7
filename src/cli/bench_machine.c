/* What this machine can do at best, measured in the same run as everything that is compared with it. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"

#include <stdlib.h>

#define TABLE_BYTES ((size_t)512 << 20) /* far beyond any cache */
#define LINE_BYTES 64
#define ACCESSES 4000000

int64_t tw_bench_now_ns(void) {
    return tw_clock_steady_ns(&tw_clock_system);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double tw_bench_median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void tw_bench_machine_measure(tw_bench_machine *ret) {
    size_t lines = TABLE_BYTES / LINE_BYTES, words = TABLE_BYTES / sizeof(uint64_t);
    uint64_t *table = tw_alloc_lines(TABLE_BYTES);
    for (size_t i = 0; i < words; i++)
        table[i] = tw_rng_mix(i); /* pages exist and hold what a dependent walk needs */

    int64_t start_ns = tw_bench_now_ns();
    uint64_t sums[8] = {0};
    for (size_t i = 0; i < words; i += 8)
        for (int j = 0; j < 8; j++)
            sums[j] += table[i + (size_t)j];
    ret->stream_gb_per_s = (double)TABLE_BYTES / (double)(tw_bench_now_ns() - start_ns);

    tw_rng rng = {1};
    uint64_t sum = 0;
    start_ns = tw_bench_now_ns();
    for (int i = 0; i < ACCESSES; i++)
        sum += table[(size_t)tw_rng_below(&rng, (uint32_t)lines) * 8];
    ret->random_independent_ns = (double)(tw_bench_now_ns() - start_ns) / ACCESSES;

    uint64_t at = 0;
    start_ns = tw_bench_now_ns();
    for (int i = 0; i < ACCESSES; i++)
        at = table[(at % lines) * 8] + (uint64_t)i;
    ret->random_dependent_ns = (double)(tw_bench_now_ns() - start_ns) / ACCESSES;

    for (int j = 0; j < 8; j++)
        sum += sums[j];
    volatile uint64_t used = sum + at; /* the loops above must not be optimised away */
    (void)used;
    free(table);
}
