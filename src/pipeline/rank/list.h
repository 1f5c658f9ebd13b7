/* From scores to a list: the best N items in order, each with its reasons.
 *
 * Called by the engine for a due user, by `recommend` and by the API. Exact: every live item is scored (model.h says how),
 * what rank.exclude names never passes. Thread: engine. */
#ifndef TW_RANK_LIST_H
#define TW_RANK_LIST_H

#include "base/list.h"
#include "model/model.h"

typedef struct tw_ranker tw_ranker;

/* model is borrowed and must outlive the ranker. */
tw_ranker *tw_ranker_create(tw_model *model);
tw_ranker *tw_ranker_free(tw_ranker *ranker);

/* The best top items (at most TW_LIST_SIZE_MAX) for a user at an event time; TW_SLOT_NONE: the unknown user.
 * category, if not empty, keeps the items that carry it. Fills count and items of ret_list (items live until the next
 * call) and nothing else. */
void tw_ranker_list(tw_ranker *ranker, uint32_t user, int64_t now_ms, int top, tw_slice category, tw_list *ret_list);

/* The best top items like another one. */
void tw_ranker_similar(tw_ranker *ranker, uint32_t item, int top, tw_list *ret_list);

/* The place of an item in the whole order for a user, 1 is first; 0: it cannot be in a list (excluded, unknown slot).
 * Ties order by first appearance. */
uint32_t tw_ranker_place(tw_ranker *ranker, uint32_t user, int64_t now_ms, uint32_t item);

/* The place that item would have in the last tw_ranker_place if one scorer had nothing to say (tw_model_score_without); 0 also
 * when that scorer took no part. */
uint32_t tw_ranker_place_without(tw_ranker *ranker, int scorer, uint32_t item);

#endif
