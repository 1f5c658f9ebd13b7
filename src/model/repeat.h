/* The repeat scorer: how likely a user comes back to an item of the past, learned as hits over opportunities in classes of age
 * and count. It also learns what to hide: just after a purchase the chance is near nothing. Part of the state. Engine
 * thread. */
#ifndef TW_MODEL_REPEAT_H
#define TW_MODEL_REPEAT_H

#include "model/users.h"

#define TW_REPEAT_PLACES 9 /* classes by how many other items came since: 0, 1, 2, 3, 4-5, 6-8, 9-13, 14-23, more */
#define TW_REPEAT_TIMES 8  /* by time since: none, a minute, 10, an hour, a day, a week, four weeks, more */
#define TW_REPEAT_COUNTS 3 /* by how often: once, twice, more */
#define TW_REPEAT_CLASSES (TW_REPEAT_PLACES * TW_REPEAT_TIMES * TW_REPEAT_COUNTS * 2) /* bought or not */

typedef struct tw_repeat {
    uint32_t items_max; /* newest past items asked */
    double hits[TW_REPEAT_CLASSES], chances[TW_REPEAT_CLASSES];
} tw_repeat;

void tw_repeat_init(tw_repeat *repeat, const tw_config *config);

/* Counts one event of a user before the past takes it over: every past item had a chance, target was the hit if among them. */
void tw_repeat_learn(tw_repeat *repeat, const tw_user *u, uint32_t target, int64_t now_ms);

/* log2 of the chance of the item at a place of the past to be the next. */
float tw_repeat_score(const tw_repeat *repeat, const tw_user *u, uint32_t place, int64_t now_ms);

void tw_repeat_encode(const tw_repeat *repeat, tw_buf *out);
tw_code tw_repeat_load(tw_repeat *repeat, tw_slice bytes, tw_err *err);

#endif
