/* The list place by place: a heap gives the best that is left, a plain array the new items that are left. Called by list.c where the
 * best items alone are not what was asked for. */
#include "pipeline/rank/shape.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

typedef struct category_count {
    tw_slice name;
    int64_t count;
} category_count;

struct tw_shape {
    const tw_model *model;
    tw_pick *heap; /* what may still come, best on top; items that were drawn stay in it until they are met */
    size_t heap_count, heap_capacity;
    tw_pick *held; /* what the cap passed over, in order */
    size_t held_count, held_next, held_capacity;
    tw_pick *young; /* new items that are open */
    size_t young_count, young_capacity;
    category_count *categories; /* of the list so far */
    size_t categories_count, categories_capacity;
    bool lifted; /* the cap is */
};

tw_shape *tw_shape_create(const tw_model *model) {
    tw_shape *shape = tw_zalloc(sizeof *shape);
    shape->model = model;
    return shape;
}

tw_shape *tw_shape_free(tw_shape *shape) {
    if (shape) {
        free(shape->heap);
        free(shape->held);
        free(shape->young);
        free(shape->categories);
        free(shape);
    }
    return NULL;
}

bool tw_pick_ahead(const tw_model *model, tw_pick a, tw_pick b) {
    if (a.score != b.score)
        return a.score > b.score;
    return tw_model_item_order(model, a.item) < tw_model_item_order(model, b.item);
}

/* The next of "a|b|c"; false at the end. */
static bool next_category(tw_slice *rest, tw_slice *ret_category) {
    if (rest->size == 0)
        return false;
    const char *bar = memchr(rest->data, '|', rest->size);
    size_t size = bar ? (size_t)(bar - rest->data) : rest->size, step = bar ? size + 1 : size;
    *ret_category = (tw_slice){rest->data, size};
    *rest = (tw_slice){rest->data + step, rest->size - step};
    return true;
}

bool tw_categories_have(tw_slice categories, tw_slice wanted) {
    tw_slice category;
    while (next_category(&categories, &category))
        if (tw_slice_equal(category, wanted))
            return true;
    return false;
}

/* ---- the cap ------------------------------------------------------------------------------------------------------ */

static category_count *count_of(tw_shape *shape, tw_slice category) {
    for (size_t i = 0; i < shape->categories_count; i++)
        if (tw_slice_equal(shape->categories[i].name, category))
            return &shape->categories[i];
    return NULL;
}

/* Does one of the item's categories have all that it may? An item without a category is always open. */
static bool is_full(tw_shape *shape, const tw_shape_ask *ask, uint32_t item) {
    tw_slice rest = tw_model_item_category(shape->model, item), category;
    if (!ask->category_max || ask->category.size || shape->lifted)
        return false;
    while (next_category(&rest, &category)) {
        const category_count *known = category.size ? count_of(shape, category) : NULL;
        if (known && known->count >= ask->category_max)
            return true;
    }
    return false;
}

/* Counts the categories of an item that was taken; true when one of them is full now. */
static bool count_categories(tw_shape *shape, const tw_shape_ask *ask, uint32_t item) {
    tw_slice rest = tw_model_item_category(shape->model, item), category;
    bool full = false;
    while (ask->category_max && next_category(&rest, &category)) {
        category_count *known = category.size ? count_of(shape, category) : NULL;
        if (category.size && !known) {
            shape->categories = tw_grow(shape->categories, &shape->categories_capacity, shape->categories_count + 1,
                                        sizeof *shape->categories);
            known = &shape->categories[shape->categories_count++];
            *known = (category_count){.name = category};
        }
        full |= known && ++known->count == ask->category_max;
    }
    return full;
}

/* ---- what is left ------------------------------------------------------------------------------------------------- */

static void sink_down(tw_shape *shape, size_t at) {
    tw_pick *heap = shape->heap, moved = heap[at];
    for (size_t child; (child = 2 * at + 1) < shape->heap_count; at = child) {
        if (child + 1 < shape->heap_count && tw_pick_ahead(shape->model, heap[child + 1], heap[child]))
            child++;
        if (!tw_pick_ahead(shape->model, heap[child], moved))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static void drop_top(tw_shape *shape) {
    shape->heap[0] = shape->heap[--shape->heap_count];
    if (shape->heap_count)
        sink_down(shape, 0);
}

static void gather(tw_shape *shape, const tw_shape_ask *ask, const float *scores, uint32_t slots) {
    shape->heap = tw_grow(shape->heap, &shape->heap_capacity, slots, sizeof *shape->heap);
    shape->young = tw_grow(shape->young, &shape->young_capacity, slots, sizeof *shape->young);
    shape->heap_count = shape->young_count = shape->held_count = shape->held_next = shape->categories_count = 0;
    shape->lifted = false;
    for (uint32_t item = 0; item < slots; item++) {
        tw_pick p = {.score = scores[item], .item = item};
        if (!(p.score > -INFINITY) ||
            (ask->category.size && !tw_categories_have(tw_model_item_category(shape->model, item), ask->category)))
            continue;
        shape->heap[shape->heap_count++] = p;
        if (ask->explore_share > 0 && tw_model_item_first_ms(shape->model, item) > ask->new_since_ms)
            shape->young[shape->young_count++] = p;
    }
    for (size_t at = shape->heap_count / 2; at-- > 0;)
        sink_down(shape, at);
}

/* An item drawn before its turn is still in the heap or among those held. */
static bool is_taken(const tw_pick *picks, int count, uint32_t item) {
    for (int i = 0; i < count; i++)
        if (picks[i].item == item)
            return true;
    return false;
}

/* The new items that are open are those not taken whose categories are not full. */
static void refresh_young(tw_shape *shape, const tw_shape_ask *ask, const tw_pick *picks, int count) {
    size_t kept = 0;
    for (size_t i = 0; i < shape->young_count; i++)
        if (!is_taken(picks + count - 1, 1, shape->young[i].item) && !is_full(shape, ask, shape->young[i].item))
            shape->young[kept++] = shape->young[i];
    shape->young_count = kept;
}

/* The cap has let in all that it can: what it held back may come, new items among it. */
static void lift(tw_shape *shape, const tw_shape_ask *ask, const tw_pick *picks, int count) {
    shape->lifted = true;
    shape->young_count = 0;
    for (size_t i = 0; ask->explore_share > 0 && i < shape->held_count; i++) {
        uint32_t item = shape->held[i].item;
        if (tw_model_item_first_ms(shape->model, item) > ask->new_since_ms && !is_taken(picks, count, item))
            shape->young[shape->young_count++] = shape->held[i];
    }
}

/* The best open item; false when the list is all that there is. */
static bool best_open(tw_shape *shape, const tw_shape_ask *ask, const tw_pick *picks, int count, tw_pick *ret_best) {
    while (shape->heap_count) {
        tw_pick top = shape->heap[0];
        bool taken = ask->explore_share > 0 && is_taken(picks, count, top.item);
        if (!taken && !is_full(shape, ask, top.item)) {
            *ret_best = top;
            return true;
        }
        if (!taken) {
            shape->held = tw_grow(shape->held, &shape->held_capacity, shape->held_count + 1, sizeof *shape->held);
            shape->held[shape->held_count++] = top;
        }
        drop_top(shape);
    }
    if (!shape->lifted)
        lift(shape, ask, picks, count);
    while (shape->held_next < shape->held_count && is_taken(picks, count, shape->held[shape->held_next].item))
        shape->held_next++;
    if (shape->held_next == shape->held_count)
        return false;
    *ret_best = shape->held[shape->held_next];
    return true;
}

static bool is_young(const tw_shape *shape, uint32_t item) {
    for (size_t i = 0; i < shape->young_count; i++)
        if (shape->young[i].item == item)
            return true;
    return false;
}

static tw_pick draw(tw_shape *shape, double share, tw_rng *rng, tw_pick best) {
    double unit = tw_rng_unit(rng);
    tw_pick p = best;
    size_t n = shape->young_count;
    if (n && unit < share)
        p = shape->young[tw_rng_below(rng, (uint32_t)n)];
    double e = n ? share : 0;
    p.propensity = (float)((n && is_young(shape, p.item) ? e / (double)n : 0) + (p.item == best.item ? 1 - e : 0));
    return p;
}

int tw_shape_list(tw_shape *shape, const tw_shape_ask *ask, const float *scores, uint32_t slots, tw_pick *ret_picks) {
    tw_rng rng = ask->rng;
    tw_pick best;
    int count = 0;
    gather(shape, ask, scores, slots);
    while (count < ask->top && best_open(shape, ask, ret_picks, count, &best)) {
        ret_picks[count++] = ask->explore_share > 0 ? draw(shape, ask->explore_share, &rng, best) : best;
        uint32_t taken = ret_picks[count - 1].item;
        bool full = count_categories(shape, ask, taken);
        if (shape->young_count && (full || is_young(shape, taken)))
            refresh_young(shape, ask, ret_picks, count);
        if (ask->explore_share == 0 && !shape->lifted)
            drop_top(shape);
    }
    return count;
}
