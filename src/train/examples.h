/* From events to examples of whether a user buys: one for each moment of a user (model/moment.h), as of when it is over.
 *
 * The label is 1 where a purchase of the user comes after the moment and at most the horizon later; what belongs to the moment itself does
 * not count. An example reads the moment and those of its user before it, which `before` leads to. Thread: its owner's. */
#ifndef TW_TRAIN_EXAMPLES_H
#define TW_TRAIN_EXAMPLES_H

#include "base/arena.h"
#include "base/map.h"
#include "model/moment.h"

#define TW_EXAMPLE_NONE UINT32_MAX

typedef struct tw_example {
    int64_t ms;
    uint32_t before; /* the user's example before this one; TW_EXAMPLE_NONE: the first */
    bool bought;
} tw_example;

typedef struct tw_examples {
    int64_t horizon_ms, last_ms; /* last_ms: the newest event time met */
    tw_example *rows;            /* (count), as their moments began */
    float *features;             /* (count, TW_MOMENT_FEATURES), not normalised; of open moments after close alone */
    size_t count, rows_capacity, features_capacity;
    struct tw_example_user *users; /* (users_count) */
    size_t users_count, users_capacity;
    tw_map *map;
    tw_arena *ids;
} tw_examples;

void tw_examples_init(tw_examples *examples, int64_t horizon_ms);
void tw_examples_done(tw_examples *examples);
/* Takes an applied event of a user in. */
void tw_examples_add(tw_examples *examples, const tw_event *event);
/* After the last event. */
void tw_examples_close(tw_examples *examples);

#endif
