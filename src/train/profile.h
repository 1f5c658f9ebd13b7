/* Training of the profile network offline: what `tailwater train profile` does.
 *
 * The examples are those of a stream (model/offline.h) without the context vector, split by time; the network learns from them in epochs as it
 * does online, batch by batch, and is judged on the test part beside where it starts: the plain mixture of the user's decayed shares. A
 * category that appears later than an example counts as never met in it. Memory: 4 bytes an input an example. Thread: its owner's. */
#ifndef TW_TRAIN_PROFILE_H
#define TW_TRAIN_PROFILE_H

#include "model/offline.h"
#include "pipeline/learn/category_loss.h"
#include "train/trainer.h"

typedef struct tw_tastes_example {
    size_t at; /* in x */
    int inputs;
    tw_category_shares shares;
} tw_tastes_example;

/* All examples of a stream. */
typedef struct tw_tastes {
    uint64_t every, seed, met; /* one in so many is kept, a sample by the seed; met: examples, kept or not */
    tw_tastes_example *rows;   /* (count) */
    int64_t *times_ms;         /* (count) */
    float *x;                  /* inputs one after the other, of each example those that there were then */
    size_t count, rows_capacity, times_capacity, x_size, x_capacity;
    int64_t last_ms;
    tw_categories categories; /* in the numbers of the stream */
    double prices, price_mean, price_square;
    float *scratch;
    size_t scratch_capacity;
} tw_tastes;

void tw_tastes_init(tw_tastes *tastes, const tw_config *config, uint64_t every);
void tw_tastes_done(tw_tastes *tastes);
/* Before an event is learned. */
void tw_tastes_add(tw_tastes *tastes, tw_model *model, uint32_t task, const tw_event *event);

typedef struct tw_profile_result {
    size_t counts[TW_PARTS];
    int64_t from_ms[TW_PARTS];
    tw_curve curve;
    tw_category_loss start, test; /* on the test part, before training and after */
    double seconds;
} tw_profile_result;

/* ret_profile is what was trained, to be done in any case. config gives the shape, the step and the seed. Errors: those of the split and of
 * training. */
tw_code tw_profile_train(const tw_tastes *tastes, const tw_config *config, const tw_training *training,
                         tw_train_beat beat, tw_profile *ret_profile, tw_profile_result *ret_result, tw_err *err);

void tw_profile_text(const tw_profile_result *result, const tw_profile *profile, tw_buf *out);
void tw_profile_json(const tw_profile_result *result, const tw_profile *profile, tw_buf *out);

#endif
