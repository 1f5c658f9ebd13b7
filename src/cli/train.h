/* What `tailwater train` can train: each a command of its own, whose name is "train WHAT". Thread: main. */
#ifndef TW_CLI_TRAIN_H
#define TW_CLI_TRAIN_H

#include "cli/cli.h"

extern const tw_command tw_train_embeddings, tw_train_propensity;

#endif
