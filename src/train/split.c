/* The split by time. Called once the examples are there. */
#include "train/split.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

#define TRAIN_PERCENT 70
#define VALIDATION_PERCENT 85 /* with what was before */

const char *const tw_part_names[TW_PARTS] = {"train", "validation", "test"};

static int by_value(const void *a_, const void *b_) {
    int64_t a = *(const int64_t *)a_, b = *(const int64_t *)b_;
    return (a > b) - (a < b);
}

/* The time from which on validation and test begin. */
static void find_cuts(const int64_t *times_ms, size_t n, int64_t horizon_ms, int64_t last_ms, int64_t *cuts_ms) {
    int64_t *sorted = tw_alloc((n + 1) * sizeof *sorted);
    size_t known = 0;
    for (size_t i = 0; i < n; i++)
        if (times_ms[i] <= last_ms - horizon_ms)
            sorted[known++] = times_ms[i];
    qsort(sorted, known, sizeof *sorted, by_value);
    cuts_ms[TW_PART_TRAIN] = INT64_MIN;
    cuts_ms[TW_PART_VALIDATION] = known ? sorted[known * TRAIN_PERCENT / 100] : 0;
    cuts_ms[TW_PART_TEST] = known ? sorted[known * VALIDATION_PERCENT / 100] : 0;
    free(sorted);
}

tw_code tw_split_by_time(const int64_t *times_ms, size_t n, int64_t horizon_ms, int64_t last_ms, uint64_t every,
                         uint64_t seed, tw_split *ret_split, tw_err *err) {
    int64_t cuts_ms[TW_PARTS + 1];
    find_cuts(times_ms, n, horizon_ms, last_ms, cuts_ms);
    cuts_ms[TW_PARTS] = last_ms + 1;
    *ret_split = (tw_split){0};
    for (int p = 0; p < TW_PARTS; p++)
        ret_split->rows[p] = tw_alloc((n + 1) * sizeof(uint32_t));
    for (size_t i = 0; i < n; i++) {
        tw_rng rng = tw_rng_at(seed, 51, i);
        if (tw_rng_next(&rng) % every)
            continue;
        for (int p = 0; p < TW_PARTS; p++)
            if (times_ms[i] >= cuts_ms[p] && times_ms[i] < cuts_ms[p + 1] - horizon_ms) {
                if (!ret_split->counts[p] || times_ms[i] < ret_split->from_ms[p])
                    ret_split->from_ms[p] = times_ms[i];
                ret_split->rows[p][ret_split->counts[p]++] = (uint32_t)i;
            }
    }
    for (int p = 0; p < TW_PARTS; p++)
        if (!ret_split->counts[p])
            return tw_fail(err, TW_E_BAD_FILE,
                           "no example is left for %s: %zu examples do not reach over the horizon three times",
                           tw_part_names[p], n);
    return TW_OK;
}

void tw_split_done(tw_split *split) {
    for (int p = 0; p < TW_PARTS; p++)
        free(split->rows[p]);
    *split = (tw_split){0};
}
