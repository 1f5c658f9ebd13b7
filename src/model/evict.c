/* Bounds: users beyond state.users.max, users idle beyond state.ttl.ms, items beyond state.items.max. Called after each event, so
 * that what goes is a function of the events and not of batches or commits. Engine thread. */
#include "model/internal.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Items go in batches of this share of the bound: each batch walks all pasts and pairs once. */
#define ITEMS_BATCH 64

static void drop_user(tw_model *model, uint32_t user) {
    tw_users_want(&model->users, user);
    if (tw_model_sound(model, NULL) != TW_OK)
        return;
    if (model->user_gone)
        model->user_gone(model->user_gone_self, user);
    tw_users_remove(&model->users, user);
    tw_dirty_add(&model->users.dirty, user);
}

static void bound_users(tw_model *model, uint32_t keep) {
    while (model->users.slots.count > (uint64_t)model->config->state_users_max && model->users.oldest != keep &&
           tw_model_sound(model, NULL) == TW_OK) {
        drop_user(model, model->users.oldest);
        model->users_evicted++;
    }
    if (model->config->state_ttl_ms == 0)
        return;
    while (model->users.oldest != TW_SLOT_NONE && model->users.oldest != keep &&
           tw_users_last_ms(&model->users, model->users.oldest) < model->clock_ms - model->config->state_ttl_ms &&
           tw_model_sound(model, NULL) == TW_OK) {
        drop_user(model, model->users.oldest);
        model->users_expired++;
    }
}

typedef struct candidate {
    uint64_t sequence;
    uint32_t item;
} candidate;

static int longest_unseen(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->sequence != y->sequence)
        return x->sequence < y->sequence ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static void scrub_pasts(tw_model *model) {
    for (uint32_t user = 0; user < model->users.slots.end; user++) {
        if (!tw_slots_used(&model->users.slots, user) || !tw_user_in_memory(&model->users, user))
            continue; /* a cold row's when it is read */
        tw_user *u = tw_user_at(&model->users, user);
        for (uint32_t place = u->past_count; place-- > 0;)
            if (!tw_slots_used(&model->items.slots, u->items[place])) {
                tw_past_remove(u, place);
                tw_dirty_add(&model->users.dirty, user);
            }
    }
}

static void bound_items(tw_model *model, uint32_t keep) {
    uint64_t most = (uint64_t)model->config->state_items_max;
    if (model->items.slots.count <= most)
        return;
    candidate *all = tw_alloc(model->items.slots.count * sizeof *all);
    size_t n = 0, batch = most / ITEMS_BATCH + (model->items.slots.count - most);
    for (uint32_t item = 0; item < model->items.slots.end; item++)
        if (tw_slots_used(&model->items.slots, item) && item != keep)
            all[n++] = (candidate){model->items.items[item].last_sequence, item};
    qsort(all, n, sizeof *all, longest_unseen);
    for (size_t i = 0; i < batch && i < n; i++) {
        tw_items_remove(&model->items, all[i].item);
        tw_dirty_add(&model->items.dirty, all[i].item);
        tw_dirty_add(&model->items.dirty_in, all[i].item);
        tw_dirty_add(&model->items.dirty_out, all[i].item);
        model->items_evicted++;
    }
    free(all);
    tw_sampler_scrub(&model->sampler, &model->items);
    tw_follow_scrub(&model->follow, &model->items.slots);
    scrub_pasts(model);
}

void tw_model_bound(tw_model *model, uint32_t keep_user, uint32_t keep_item) {
    bound_users(model, keep_user);
    bound_items(model, keep_item);
    tw_users_cool(&model->users);
}
