/* Scores in, ordered items with reasons out. The selection is one pass with a threshold: a candidate enters a sorted
 * array of at most N only when it beats the worst one there, which is rare after the first few hundred. */
#include "pipeline/rank/list.h"

#include "base/alloc.h"
#include "base/err.h"

#include <math.h>
#include <stdlib.h>

typedef struct pick {
    float score;
    uint32_t item;
} pick;

struct tw_ranker {
    tw_model *model;
    float *scores; /* (item slots) */
    size_t scores_capacity;
    pick picks[TW_LIST_SIZE_MAX];
    tw_list_item items[TW_LIST_SIZE_MAX];
};

/* A reason below this share of the lift says nothing to a reader (chosen, not measured). */
#define REASON_SHARE_MIN 0.05f

tw_ranker *tw_ranker_create(tw_model *model) {
    tw_ranker *ranker = tw_zalloc(sizeof *ranker);
    ranker->model = model;
    return ranker;
}

tw_ranker *tw_ranker_free(tw_ranker *ranker) {
    if (ranker) {
        free(ranker->scores);
        free(ranker);
    }
    return NULL;
}

static uint32_t score_all(tw_ranker *ranker, uint32_t user, int64_t now_ms) {
    uint32_t slots = tw_model_item_slots(ranker->model);
    ranker->scores = tw_grow(ranker->scores, &ranker->scores_capacity, slots, sizeof(float));
    tw_model_score(ranker->model, user, now_ms, ranker->scores);
    return slots;
}

static bool has_category(tw_slice categories, tw_slice wanted) {
    const char *at = categories.data, *end = categories.data + categories.size;
    while (at < end) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        const char *stop = bar ? bar : end;
        if (tw_slice_equal((tw_slice){at, (size_t)(stop - at)}, wanted))
            return true;
        at = stop + 1;
    }
    return false;
}

/* True when a comes before b: larger score, else earlier first appearance. */
static bool ahead(const tw_model *model, pick a, pick b) {
    if (a.score != b.score)
        return a.score > b.score;
    return tw_model_item_order(model, a.item) < tw_model_item_order(model, b.item);
}

/* Of n items with their scores; items NULL: all of them, by number. */
static int select_best(tw_ranker *ranker, const uint32_t *items, const float *scores, uint32_t n, int top,
                       tw_slice category) {
    pick *picks = ranker->picks;
    int count = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t item = items ? items[i] : i;
        pick p = {scores[i], item};
        if (!(p.score > -INFINITY) || (count == top && p.score < picks[count - 1].score))
            continue;
        if (count == top && !ahead(ranker->model, p, picks[count - 1]))
            continue;
        if (category.size && !has_category(tw_model_item_category(ranker->model, item), category))
            continue;
        int at = count < top ? count++ : count - 1;
        while (at > 0 && ahead(ranker->model, p, picks[at - 1])) {
            picks[at] = picks[at - 1];
            at--;
        }
        picks[at] = p;
    }
    return count;
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
                                          .score = ranker->picks[i].score};
    }
    ret_list->count = count;
    ret_list->items = ranker->items;
}

void tw_ranker_list(tw_ranker *ranker, uint32_t user, int64_t now_ms, int top, tw_slice category, tw_list *ret_list) {
    TW_ASSERT(top >= 1 && top <= TW_LIST_SIZE_MAX);
    const uint32_t *items = NULL;
    const float *scores;
    int n = category.size ? -1 : tw_model_score_best(ranker->model, user, now_ms, top, &items, &scores);
    if (n < 0) {
        n = (int)score_all(ranker, user, now_ms);
        items = NULL;
        scores = ranker->scores;
    }
    int count = select_best(ranker, items, scores, (uint32_t)n, top, category);
    describe(ranker, count, ret_list);
    for (int i = 0; i < count; i++)
        give_reasons(ranker, &ranker->items[i], ranker->picks[i].item);
}

void tw_ranker_similar(tw_ranker *ranker, uint32_t item, int top, tw_list *ret_list) {
    TW_ASSERT(top >= 1 && top <= TW_LIST_SIZE_MAX);
    uint32_t slots = tw_model_item_slots(ranker->model);
    ranker->scores = tw_grow(ranker->scores, &ranker->scores_capacity, slots, sizeof(float));
    tw_model_similar(ranker->model, item, ranker->scores);
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

uint32_t tw_ranker_place(tw_ranker *ranker, uint32_t user, int64_t now_ms, uint32_t item) {
    return place_of(ranker, score_all(ranker, user, now_ms), item);
}

uint32_t tw_ranker_place_without(tw_ranker *ranker, int scorer, uint32_t item) {
    if (!tw_model_score_without(ranker->model, scorer, ranker->scores))
        return 0;
    return place_of(ranker, tw_model_item_slots(ranker->model), item);
}
