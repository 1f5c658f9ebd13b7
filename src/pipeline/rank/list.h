/* From scores to a list: the best N items in order, each with its reasons.
 *
 * Called by the engine for a due user, by `recommend` and by the API. Exact: every live item is scored (model.h says how),
 * what rank.exclude, rank.hide.bought.ms, rank.allow and rank.deny leave out never passes. rank.category.max and rank.explore.share shape
 * what is left (shape.h says how). Thread: engine. */
#ifndef TW_RANK_LIST_H
#define TW_RANK_LIST_H

#include "base/list.h"
#include "model/model.h"
#include "pipeline/rank/ids.h"

typedef struct tw_ranker tw_ranker;

/* model and config are borrowed and must outlive the ranker; rank.* of config may change between calls. */
tw_ranker *tw_ranker_create(tw_model *model, const tw_config *config);
tw_ranker *tw_ranker_free(tw_ranker *ranker);

/* From now on these ids are allowed and denied. Consumes ids; NULL: none are. */
void tw_ranker_take_ids(tw_ranker *ranker, tw_rank_ids *ids);

/* The best top items (at most TW_LIST_SIZE_MAX) for a user at an event time; TW_SLOT_NONE: the unknown user.
 * category, if not empty, keeps the items that carry it. Fills count and items of ret_list (items live until the next
 * call) and nothing else; user_id and list_version of ret_list, with the seed, key what is drawn for rank.explore.share. */
void tw_ranker_list(tw_ranker *ranker, uint32_t user, int64_t now_ms, int top, tw_slice category, tw_list *ret_list);

/* Says whose lists are made next (count <= TW_MODEL_AHEAD known users), one after the other and nothing learned in between: cheaper then. */
void tw_ranker_look_ahead(tw_ranker *ranker, const uint32_t *users, int count);

/* The best top items like another one; rank.allow and rank.deny hold here too. */
void tw_ranker_similar(tw_ranker *ranker, uint32_t item, int top, tw_list *ret_list);

/* The place of an item in the whole order for a user, 1 is first; 0: it cannot be in a list (excluded, unknown slot).
 * Ties order by first appearance. With rank.category.max or rank.explore.share set it is the place in a list of rank.list.size items, or
 * of 20 where that is fewer, drawn as for that list version; 0: not in it. */
uint32_t tw_ranker_place(tw_ranker *ranker, uint32_t user, int64_t now_ms, uint64_t version, uint32_t item);

/* The first items, at most top, of the order of the last tw_ranker_place; before another order is asked for.
 *   ret_items (top) out. Returns how many. */
int tw_ranker_top(tw_ranker *ranker, int top, uint32_t *ret_items);

/* The place that item would have in the last tw_ranker_place if one scorer had nothing to say (tw_model_score_without); the same place
 * where that scorer took no part. */
uint32_t tw_ranker_place_without(tw_ranker *ranker, int scorer, uint32_t item);

/* Its place if one scorer alone ordered the items (tw_model_score_alone); 0 where that scorer took no part. */
uint32_t tw_ranker_place_alone(tw_ranker *ranker, int scorer, uint32_t item);

#endif
