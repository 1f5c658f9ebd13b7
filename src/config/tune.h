/* The settings that `tailwater tune` may move: the rows of the table (keys.h) that carry a mark, by number in its order. Thread: any. */
#ifndef TW_CONFIG_TUNE_H
#define TW_CONFIG_TUNE_H

#include "config/config.h"

int tw_tune_count(void);
const char *tw_tune_name(int t);
int tw_tune_find(const char *name); /* -1: there is no such key, or it carries no mark */

/* Does it act under the learn.model of these settings? */
bool tw_tune_applies(int t, const tw_config *config);

/* Puts it at a share u in [0, 1] of the way through its range, on the scale of its mark: uniform u, uniform draw. */
void tw_tune_put(int t, double u, tw_config *config);

/* Appends its value as a file has it. */
void tw_tune_show(int t, const tw_config *config, tw_buf *out);

#endif
