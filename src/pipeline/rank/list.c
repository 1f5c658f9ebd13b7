/* Scores in, ordered items with reasons out. The selection is one pass with a threshold: a candidate enters a sorted
 * array of at most N only when it beats the worst one there, which is rare after the first few hundred. With a cap or exploration
 * set, shape.c selects instead. */
#include "pipeline/rank/list.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/skip.h"
#include "pipeline/rank/shape.h"

#include <math.h>
#include <stdlib.h>

/* What the files of ids say of the item in a slot; its order of appearance tells whether it is still that item. */
typedef struct verdict {
    uint64_t order_next; /* order of the item + 1; 0: not asked yet */
    bool shown;
} verdict;

struct tw_ranker {
    tw_model *model;
    const tw_config *config;
    tw_rank_ids *ids; /* NULL: no files */
    tw_shape *shape;
    float *scores; /* (item slots) */
    verdict *verdicts;
    size_t scores_capacity, verdicts_capacity;
    uint32_t user, place; /* of the last tw_ranker_place, with its time and draw */
    int64_t now_ms;
    tw_rng rng;
    tw_pick picks[TW_LIST_SIZE_MAX];
    tw_list_item items[TW_LIST_SIZE_MAX];
};

/* A reason below this share of the lift says nothing to a reader (chosen, not measured). */
#define REASON_SHARE_MIN 0.05f

tw_ranker *tw_ranker_create(tw_model *model, const tw_config *config) {
    tw_ranker *ranker = tw_zalloc(sizeof *ranker);
    ranker->model = model;
    ranker->config = config;
    ranker->shape = tw_shape_create(model);
    return ranker;
}

tw_ranker *tw_ranker_free(tw_ranker *ranker) {
    if (ranker) {
        tw_shape_free(ranker->shape);
        tw_rank_ids_free(ranker->ids);
        free(ranker->verdicts);
        free(ranker->scores);
        free(ranker);
    }
    return NULL;
}

static void forget_verdicts(tw_ranker *ranker, size_t from) {
    if (ranker->verdicts_capacity > from)
        memset(ranker->verdicts + from, 0, (ranker->verdicts_capacity - from) * sizeof *ranker->verdicts);
}

void tw_ranker_take_ids(tw_ranker *ranker, tw_rank_ids *ids) {
    tw_rank_ids_free(ranker->ids);
    ranker->ids = ids;
    forget_verdicts(ranker, 0);
}

static void hide_by_ids(tw_ranker *ranker, uint32_t slots) {
    if (!ranker->ids)
        return;
    if (ranker->verdicts_capacity < slots) {
        size_t old = ranker->verdicts_capacity;
        ranker->verdicts = tw_grow(ranker->verdicts, &ranker->verdicts_capacity, slots, sizeof *ranker->verdicts);
        forget_verdicts(ranker, old);
    }
    for (uint32_t item = 0; item < slots; item++) {
        verdict *known = &ranker->verdicts[item];
        if (!(ranker->scores[item] > -INFINITY))
            continue;
        uint64_t order_next = tw_model_item_order(ranker->model, item) + 1;
        if (known->order_next != order_next)
            *known = (verdict){order_next, tw_rank_ids_show(ranker->ids, tw_model_item_id(ranker->model, item))};
        if (!known->shown)
            ranker->scores[item] = -INFINITY;
    }
}

/* The time so long before now; what never was (no event yet) stays before all times. */
static int64_t since_ms(int64_t now_ms, int64_t ms) {
    return now_ms < INT64_MIN + ms ? INT64_MIN : now_ms - ms;
}

/* The rules that leave items out, whatever their scores. */
static bool hides(const tw_ranker *ranker) {
    return ranker->ids || ranker->config->rank_hide_bought_ms;
}

static void hide(tw_ranker *ranker, uint32_t slots, uint32_t user, int64_t now_ms) {
    if (ranker->config->rank_hide_bought_ms && user != TW_SLOT_NONE)
        tw_model_hide_bought(ranker->model, user, since_ms(now_ms, ranker->config->rank_hide_bought_ms),
                             ranker->scores);
    hide_by_ids(ranker, slots);
}

static uint32_t score_all(tw_ranker *ranker, uint32_t user, int64_t now_ms) {
    uint32_t slots = tw_model_item_slots(ranker->model);
    ranker->scores = tw_grow(ranker->scores, &ranker->scores_capacity, slots, sizeof(float));
    tw_model_score(ranker->model, user, now_ms, ranker->scores);
    hide(ranker, slots, user, now_ms);
    return slots;
}

/* Of n items with their scores; items NULL: all of them, by number. */
static int select_best(tw_ranker *ranker, const uint32_t *items, const float *scores, uint32_t n, int top,
                       tw_slice category) {
    tw_pick *picks = ranker->picks;
    int count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (count == top && i % TW_SKIP_BLOCK == 0 &&
            (i += tw_skip_below(scores + i, n - i, picks[count - 1].score)) == n)
            break;
        uint32_t item = items ? items[i] : i;
        tw_pick p = {.score = scores[i], .item = item};
        if (!(p.score > -INFINITY) || (count == top && p.score < picks[count - 1].score))
            continue;
        if (count == top && !tw_pick_ahead(ranker->model, p, picks[count - 1]))
            continue;
        if (category.size && !tw_categories_have(tw_model_item_category(ranker->model, item), category))
            continue;
        int at = count < top ? count++ : count - 1;
        while (at > 0 && tw_pick_ahead(ranker->model, p, picks[at - 1])) {
            picks[at] = picks[at - 1];
            at--;
        }
        picks[at] = p;
    }
    return count;
}

static bool is_shaped(const tw_config *config) {
    return config->rank_category_max || config->rank_explore_share > 0;
}

static int select_shaped(tw_ranker *ranker, uint32_t slots, int64_t now_ms, int top, tw_slice category, tw_rng rng) {
    const tw_config *config = ranker->config;
    const tw_shape_ask ask = {.top = top,
                              .category = category,
                              .category_max = config->rank_category_max,
                              .explore_share = config->rank_explore_share,
                              .new_since_ms = since_ms(now_ms, config->rank_explore_new_ms),
                              .rng = rng};
    return tw_shape_list(ranker->shape, &ask, ranker->scores, slots, ranker->picks);
}

static tw_rng rng_of(const tw_ranker *ranker, tw_slice user_id, uint64_t version) {
    return tw_rng_at((uint64_t)ranker->config->seed, tw_hash64(user_id), version);
}

static void give_reasons(tw_ranker *ranker, tw_list_item *out, uint32_t item) {
    tw_reasons why;
    tw_model_explain(ranker->model, item, &why);
    bool taken[TW_SCORERS_MAX] = {false};
    out->reasons_count = 0;
    while (out->reasons_count < TW_REASONS_MAX) {
        int best = -1;
        for (int s = 0; s < tw_model_scorers(ranker->model); s++)
            if (!taken[s] && why.share[s] >= REASON_SHARE_MIN && (best < 0 || why.share[s] > why.share[best]))
                best = s;
        if (best < 0)
            break;
        taken[best] = true;
        tw_list_reason *reason = &out->reasons[out->reasons_count++];
        reason->source = tw_model_scorer_name(ranker->model, best);
        reason->share = why.share[best];
        reason->because_item = reason->because_title = (tw_slice){0};
        if (out->reasons_count == 1 && why.because_item != TW_SLOT_NONE) {
            reason->because_item = tw_model_item_id(ranker->model, why.because_item);
            reason->because_title = tw_model_item_title(ranker->model, why.because_item);
        }
    }
}

static void describe(tw_ranker *ranker, int count, tw_list *ret_list) {
    for (int i = 0; i < count; i++) {
        uint32_t item = ranker->picks[i].item;
        ranker->items[i] = (tw_list_item){.item_id = tw_model_item_id(ranker->model, item),
                                          .title = tw_model_item_title(ranker->model, item),
                                          .category = tw_model_item_category(ranker->model, item),
                                          .score = ranker->picks[i].score,
                                          .propensity = ranker->picks[i].propensity};
    }
    ret_list->count = count;
    ret_list->items = ranker->items;
}

/* Rules look at every score. */
static bool needs_all(const tw_ranker *ranker) {
    return is_shaped(ranker->config) || hides(ranker);
}

void tw_ranker_look_ahead(tw_ranker *ranker, const uint32_t *users, int count) {
    if (!needs_all(ranker))
        tw_model_score_ahead(ranker->model, users, count);
}

void tw_ranker_list(tw_ranker *ranker, uint32_t user, int64_t now_ms, int top, tw_slice category, tw_list *ret_list) {
    TW_ASSERT(top >= 1 && top <= TW_LIST_SIZE_MAX);
    const uint32_t *items = NULL;
    const float *scores;
    bool all = category.size || needs_all(ranker);
    int count, n = all ? -1 : tw_model_score_best(ranker->model, user, now_ms, top, &items, &scores);
    if (n >= 0) {
        count = select_best(ranker, items, scores, (uint32_t)n, top, category);
    } else {
        uint32_t slots = score_all(ranker, user, now_ms);
        count = is_shaped(ranker->config) ? select_shaped(ranker, slots, now_ms, top, category,
                                                          rng_of(ranker, ret_list->user_id, ret_list->list_version))
                                          : select_best(ranker, NULL, ranker->scores, slots, top, category);
    }
    describe(ranker, count, ret_list);
    for (int i = 0; i < count; i++)
        give_reasons(ranker, &ranker->items[i], ranker->picks[i].item);
}

void tw_ranker_similar(tw_ranker *ranker, uint32_t item, int top, tw_list *ret_list) {
    TW_ASSERT(top >= 1 && top <= TW_LIST_SIZE_MAX);
    uint32_t slots = tw_model_item_slots(ranker->model);
    ranker->scores = tw_grow(ranker->scores, &ranker->scores_capacity, slots, sizeof(float));
    tw_model_similar(ranker->model, item, ranker->scores);
    hide_by_ids(ranker, slots);
    describe(ranker, select_best(ranker, NULL, ranker->scores, slots, top, (tw_slice){0}), ret_list);
}

static uint32_t place_of(const tw_ranker *ranker, uint32_t slots, uint32_t item) {
    if (item >= slots || !(ranker->scores[item] > -INFINITY))
        return 0;
    float target = ranker->scores[item];
    uint32_t above = 0, level = 0;
    for (uint32_t i = 0; i < slots; i++) { /* two counts, no branches: the compiler makes vectors of it */
        above += ranker->scores[i] > target;
        level += ranker->scores[i] == target;
    }
    if (level > 1)
        for (uint32_t i = 0; i < slots; i++)
            above += ranker->scores[i] == target &&
                     tw_model_item_order(ranker->model, i) < tw_model_item_order(ranker->model, item);
    return above + 1;
}

/* The published list has rank.list.size places; HR@20 wants 20. */
#define PLACES_MIN 20

static uint32_t place_shaped(tw_ranker *ranker, uint32_t slots, uint32_t item) {
    int top = ranker->config->rank_list_size > PLACES_MIN ? (int)ranker->config->rank_list_size : PLACES_MIN;
    int count = select_shaped(ranker, slots, ranker->now_ms, top, (tw_slice){0}, ranker->rng);
    for (int i = 0; i < count; i++)
        if (ranker->picks[i].item == item)
            return (uint32_t)i + 1;
    return 0;
}

static uint32_t place_by_rules(tw_ranker *ranker, uint32_t slots, uint32_t item) {
    return is_shaped(ranker->config) ? place_shaped(ranker, slots, item) : place_of(ranker, slots, item);
}

uint32_t tw_ranker_place(tw_ranker *ranker, uint32_t user, int64_t now_ms, uint64_t version, uint32_t item) {
    uint32_t slots = score_all(ranker, user, now_ms);
    ranker->user = user;
    ranker->now_ms = now_ms;
    if (is_shaped(ranker->config))
        ranker->rng =
            rng_of(ranker, user == TW_SLOT_NONE ? (tw_slice){0} : tw_model_user_id(ranker->model, user), version);
    return ranker->place = place_by_rules(ranker, slots, item);
}

int tw_ranker_top(tw_ranker *ranker, int top, uint32_t *ret_items) {
    TW_ASSERT(top >= 1 && top <= TW_LIST_SIZE_MAX);
    uint32_t slots = tw_model_item_slots(ranker->model);
    int count = is_shaped(ranker->config)
                    ? select_shaped(ranker, slots, ranker->now_ms, top, (tw_slice){0}, ranker->rng)
                    : select_best(ranker, NULL, ranker->scores, slots, top, (tw_slice){0});
    for (int i = 0; i < count; i++)
        ret_items[i] = ranker->picks[i].item;
    return count;
}

/* In an order that was just scored anew, for the user of the last tw_ranker_place. */
static uint32_t place_anew(tw_ranker *ranker, uint32_t item) {
    uint32_t slots = tw_model_item_slots(ranker->model);
    hide(ranker, slots, ranker->user, ranker->now_ms);
    return place_by_rules(ranker, slots, item);
}

uint32_t tw_ranker_place_without(tw_ranker *ranker, int scorer, uint32_t item) {
    return tw_model_score_without(ranker->model, scorer, ranker->scores) ? place_anew(ranker, item) : ranker->place;
}

uint32_t tw_ranker_place_alone(tw_ranker *ranker, int scorer, uint32_t item) {
    return tw_model_score_alone(ranker->model, scorer, ranker->scores) ? place_anew(ranker, item) : 0;
}
