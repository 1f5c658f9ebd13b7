/* From scores to a list that is not the best items alone: a cap on each category, and places for new items.
 *
 * The list is made place by place. At each place some items are open: not in the list yet, and in no category that has its
 * rank.category.max. When none is open any more, the cap is lifted for the rest: what it held back comes after all that it let in, so
 * that it never makes a list shorter. With probability rank.explore.share the place goes to one of the open new items, each as likely as
 * the other; else, and when no new item is open, it goes to the best open item. So the probability that an item got its place,
 * given the places before it, is known (Horvitz & Thompson 1952 for what to do with it):
 *   p(item) = e / n [item is new] + (1 - e) [item is the best],   e = the share, 0 when n = 0;   n = open new items
 * Thread: engine. */
#ifndef TW_RANK_SHAPE_H
#define TW_RANK_SHAPE_H

#include "base/rng.h"
#include "model/model.h"

typedef struct tw_shape tw_shape; /* scratch */

typedef struct tw_pick {
    float score;
    float propensity; /* p above; 0: nothing was drawn */
    uint32_t item;
} tw_pick;

typedef struct tw_shape_ask {
    int top;
    tw_slice category;    /* not empty: only items that carry it, and the cap is off */
    int64_t category_max; /* 0: no cap */
    double explore_share; /* 0: nothing is drawn */
    int64_t new_since_ms; /* first appeared after this: new */
    tw_rng rng;
} tw_shape_ask;

tw_shape *tw_shape_create(const tw_model *model);
tw_shape *tw_shape_free(tw_shape *shape);

/* Fills at most ask->top picks in order and returns how many.
 *   scores (slots) in; -INFINITY: cannot be in a list */
int tw_shape_list(tw_shape *shape, const tw_shape_ask *ask, const float *scores, uint32_t slots, tw_pick *ret_picks);

/* True when a comes before b: larger score, else earlier first appearance. */
bool tw_pick_ahead(const tw_model *model, tw_pick a, tw_pick b);

/* Is wanted among categories split by '|'? */
bool tw_categories_have(tw_slice categories, tw_slice wanted);

#endif
