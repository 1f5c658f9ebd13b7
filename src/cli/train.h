/* What `tailwater train` can train: each a command of its own, whose name is "train WHAT"; and what those that write a model share.
 * Thread: main. */
#ifndef TW_CLI_TRAIN_H
#define TW_CLI_TRAIN_H

#include "cli/cli.h"
#include "cli/history.h"
#include "model/model_file.h"
#include "train/read.h"
#include "train/trainer.h"

extern const tw_command tw_train_embeddings, tw_train_propensity, tw_train_profile;

/* Begins a bar, and is the beat that moves it and stops at a signal; the bar is still to be ended. */
tw_train_beat tw_train_bar(tw_progress *bar, const char *what);

/* tw_train_read under a bar, by an engine that learns the least it can beside it: for who does not look at that. profiles: users' tastes are
 * kept all the same. */
tw_code tw_train_read_events(const tw_train_inputs *inputs, const tw_config *config, bool profiles,
                             tw_before_learn_fn take, void *self, tw_err *err);

/* The options of all that learns by epochs. */
typedef struct tw_train_asked {
    const char *model_path; /* NULL: nothing is written */
    int64_t epochs, patience, every;
    bool json;
} tw_train_asked;

#define TW_TRAIN_ASKED \
    { .epochs = 10, .patience = 2, .every = 1 }
#define TW_TRAIN_OPTIONS(asked)                                                                                      \
    {.name = "model", .value = "FILE", .doc = "Write what was trained into this file", .text = &(asked).model_path}, \
        {.name = "epochs",                                                                                           \
         .value = "N",                                                                                               \
         .doc = "Times that all of the training part is learned from, at most (default 10)",                         \
         .number = &(asked).epochs,                                                                                  \
         .number_min = 1,                                                                                            \
         .number_max = TW_EPOCHS_MAX},                                                                               \
        {.name = "patience",                                                                                         \
         .value = "N",                                                                                               \
         .doc = "Stop after so many epochs that do not better the loss on the validation part (default 2)",          \
         .number = &(asked).patience,                                                                                \
         .number_min = 1,                                                                                            \
         .number_max = TW_EPOCHS_MAX},                                                                               \
        {.name = "every",                                                                                            \
         .value = "K",                                                                                               \
         .doc = "Use one example in K only, a sample by the seed (default: 1, all)",                                 \
         .number = &(asked).every,                                                                                   \
         .number_min = 1,                                                                                            \
         .number_max = 1000000000},                                                                                  \
    {                                                                                                                \
        .name = "json", .doc = "One JSON object", .flag = &(asked).json                                              \
    }

/* Puts what was trained into the file that was begun, if any, and prints the report. */
tw_code tw_train_finish(const tw_train_asked *asked, tw_output *output, tw_model_kind kind, const tw_buf *payload,
                        tw_buf *report, tw_err *err);

#endif
