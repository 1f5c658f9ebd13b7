/* Examples by time into what is learned from, what stops the learning and what is judged on: the three never share a moment, and no label of
 * one reaches into the next. Thread: any. */
#ifndef TW_TRAIN_SPLIT_H
#define TW_TRAIN_SPLIT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

typedef enum tw_part { TW_PART_TRAIN, TW_PART_VALIDATION, TW_PART_TEST, TW_PARTS } tw_part;
extern const char *const tw_part_names[TW_PARTS];

typedef struct tw_split {
    uint32_t *rows[TW_PARTS]; /* numbers of examples, in the order they came in */
    size_t counts[TW_PARTS];
    int64_t from_ms[TW_PARTS]; /* the earliest time of a part */
} tw_split;

/* Cuts where 70 % and 85 % of the examples have passed. An example whose label is not known (ms + horizon_ms) before the next part begins, or
 * before last_ms, is left out.
 *   times_ms (n)     every: one in so many, a sample by the seed
 * Errors: TW_E_BAD_FILE where a part is empty. ret_split is to be done. */
tw_code tw_split_by_time(const int64_t *times_ms, size_t n, int64_t horizon_ms, int64_t last_ms, uint64_t every,
                         uint64_t seed, tw_split *ret_split, tw_err *err);
void tw_split_done(tw_split *split);

#endif
