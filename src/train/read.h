/* Event files, or the synthetic shop, through the engine for whoever learns from them offline: decoded, judged and deduplicated as a stream
 * is, so that what is trained here meets the same events as what runs. Thread: its owner's. */
#ifndef TW_TRAIN_READ_H
#define TW_TRAIN_READ_H

#include "engine/engine.h"
#include "pipeline/ingest/shop.h"

typedef struct tw_train_inputs {
    const char *const *paths; /* (paths_count), in the order of their time; none: the shop */
    int paths_count;
    tw_shop_options shop;
} tw_train_inputs;

/* Told how far long work is, done of all, and how many records or examples that were; false stops it. */
typedef struct tw_train_beat {
    bool (*go_on)(void *self, int64_t done, int64_t all, uint64_t records);
    void *self;
} tw_train_beat;

/* Hands every applied event that names an item to take, which sees the engine as it was before the event. Nothing is kept. Errors: those
 * of the files and of the engine, TW_E_INTERRUPTED. */
tw_code tw_train_read(const tw_train_inputs *inputs, const tw_config *config, tw_before_learn_fn take, void *self,
                      tw_train_beat beat, tw_err *err);

#endif
