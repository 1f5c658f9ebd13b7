/* Moments and labels of all users. Called by the training of the propensity while it reads. */
#include "train/examples.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdlib.h>

typedef struct tw_example_user {
    tw_slice id;
    uint32_t row; /* of the open moment */
    tw_moment open, before;
    tw_moment_items items;
} example_user;

static bool same_id(const void *owner, uint32_t index, tw_slice id, uint32_t salt) {
    const tw_examples *examples = owner;
    (void)salt;
    return tw_slice_equal(examples->users[index].id, id);
}

void tw_examples_init(tw_examples *examples, int64_t horizon_ms) {
    *examples = (tw_examples){.horizon_ms = horizon_ms, .last_ms = INT64_MIN, .ids = tw_arena_create(1 << 16)};
    examples->map = tw_map_create(same_id, examples);
}

void tw_examples_done(tw_examples *examples) {
    free(examples->rows);
    free(examples->features);
    free(examples->users);
    tw_map_free(examples->map);
    tw_arena_free(examples->ids);
    *examples = (tw_examples){0};
}

static example_user *user_of(tw_examples *examples, tw_slice id) {
    uint64_t hash = tw_map_hash(id, 0);
    uint32_t found = tw_map_find(examples->map, id, 0, hash);
    if (found != TW_MAP_NONE)
        return &examples->users[found];
    examples->users =
        tw_grow(examples->users, &examples->users_capacity, examples->users_count + 1, sizeof *examples->users);
    example_user *user = &examples->users[examples->users_count];
    *user = (example_user){.id = tw_arena_copy(examples->ids, id), .row = TW_EXAMPLE_NONE};
    tw_map_insert(examples->map, hash, (uint32_t)examples->users_count++);
    return user;
}

static void close_moment(tw_examples *examples, example_user *user) {
    tw_moment_features(&user->open, examples->features + (size_t)user->row * TW_MOMENT_FEATURES);
    user->before = user->open;
}

static void begin_moment(tw_examples *examples, example_user *user, int64_t ms) {
    bool first = user->row == TW_EXAMPLE_NONE;
    if (!first)
        close_moment(examples, user);
    size_t n = examples->count + 1;
    TW_ASSERT(n < TW_EXAMPLE_NONE);
    examples->rows = tw_grow(examples->rows, &examples->rows_capacity, n, sizeof *examples->rows);
    examples->features =
        tw_grow(examples->features, &examples->features_capacity, n, TW_MOMENT_FEATURES * sizeof *examples->features);
    examples->rows[examples->count] = (tw_example){.ms = ms, .before = user->row};
    user->row = (uint32_t)examples->count++;
    user->open = tw_moment_begin(first ? NULL : &user->before, ms);
}

/* Those before the open moment that saw the purchase come. Where one knows already of a purchase, so do all before it that could. */
static void tell_of_purchase(tw_examples *examples, uint32_t row) {
    int64_t ms = examples->rows[row].ms;
    for (uint32_t at = examples->rows[row].before; at != TW_EXAMPLE_NONE; at = examples->rows[at].before) {
        tw_example *example = &examples->rows[at];
        if (example->bought || ms - example->ms > examples->horizon_ms)
            return;
        example->bought = true;
    }
}

void tw_examples_add(tw_examples *examples, const tw_event *event) {
    if (event->kind >= TW_MOMENT_KINDS)
        return;
    example_user *user = user_of(examples, event->user_id);
    if (user->row == TW_EXAMPLE_NONE || event->event_ms > user->open.ms)
        begin_moment(examples, user, event->event_ms);
    tw_moment_add(&user->open, user->open.gap_ms < 0 ? NULL : &user->before, &user->items, event);
    if (event->kind == TW_KIND_PURCHASE)
        tell_of_purchase(examples, user->row);
    if (event->event_ms > examples->last_ms)
        examples->last_ms = event->event_ms;
}

void tw_examples_close(tw_examples *examples) {
    for (size_t u = 0; u < examples->users_count; u++)
        close_moment(examples, &examples->users[u]);
}
