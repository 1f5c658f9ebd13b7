/* A user's past: different items, the newest last. Called by learning and by the rows. */
#include "model/items.h"
#include "model/users.h"

#include "base/alloc.h"

#include <stdlib.h>

int tw_past_find(const tw_user *u, uint32_t item) {
    for (int i = (int)u->past_count - 1; i >= 0; i--) /* the newest are the likeliest */
        if (u->items[i] == item)
            return i;
    return -1;
}

/* One block for the four arrays, widest first; grows by half, since most pasts stay short. */
void tw_past_reserve(tw_users *users, tw_user *u, uint32_t need) {
    if (need <= u->past_capacity)
        return;
    uint32_t capacity = u->past_capacity < 4 ? 4 : u->past_capacity + u->past_capacity / 2;
    if (capacity < need)
        capacity = need;
    uint32_t *items = tw_alloc((size_t)capacity * 11);
    uint32_t *times_s = items + capacity;
    uint16_t *counts = (uint16_t *)(times_s + capacity);
    uint8_t *flags = (uint8_t *)(counts + capacity);
    if (u->past_count) {
        memcpy(items, u->items, u->past_count * sizeof *items);
        memcpy(times_s, u->times_s, u->past_count * sizeof *times_s);
        memcpy(counts, u->counts, u->past_count * sizeof *counts);
        memcpy(flags, u->flags, u->past_count * sizeof *flags);
    }
    free(u->items);
    users->bytes += (size_t)(capacity - u->past_capacity) * 11;
    u->items = items;
    u->times_s = times_s;
    u->counts = counts;
    u->flags = flags;
    u->past_capacity = capacity;
}

void tw_past_remove(tw_user *u, uint32_t place) {
    uint32_t after = u->past_count - place - 1;
    memmove(u->items + place, u->items + place + 1, after * sizeof *u->items);
    memmove(u->times_s + place, u->times_s + place + 1, after * sizeof *u->times_s);
    memmove(u->counts + place, u->counts + place + 1, after * sizeof *u->counts);
    memmove(u->flags + place, u->flags + place + 1, after * sizeof *u->flags);
    u->past_count--;
    u->resume -= u->resume > place;
}

uint32_t tw_past_meet(tw_users *users, tw_user *u, uint32_t item, int64_t event_ms) {
    int old = tw_past_find(u, item);
    uint16_t count = 0;
    uint8_t flags = 0;
    if (old >= 0) {
        count = u->counts[old];
        flags = u->flags[old];
        tw_past_remove(u, (uint32_t)old);
        u->resume = (uint32_t)old;
        u->resume_at = u->events + 1;
    }
    tw_past_reserve(users, u, u->past_count + 1);
    uint32_t place = u->past_count++;
    u->items[place] = item;
    u->times_s[place] = (uint32_t)(event_ms / 1000);
    u->counts[place] = count < UINT16_MAX ? count + 1 : count;
    u->flags[place] = flags;
    return place;
}

void tw_past_trim(tw_user *u, uint32_t limit, uint32_t hard_limit, bool keep_all, uint8_t keep_flags) {
    uint32_t place = 0;
    while (u->past_count > limit && place < u->past_count) {
        bool kept = (keep_all || (u->flags[place] & keep_flags)) && u->past_count <= hard_limit;
        if (kept)
            place++;
        else
            tw_past_remove(u, place);
        if (keep_all && u->past_count <= hard_limit)
            break;
    }
}

bool tw_past_scrub(tw_user *u, const tw_items *items) {
    uint32_t before = u->past_count;
    if (items->next_order == items->slots.count) /* no item ever went */
        return false;
    for (uint32_t place = u->past_count; place-- > 0;) {
        uint32_t item = u->items[place];
        if (!tw_slots_used(&items->slots, item) || items->items[item].order >= u->items_known)
            tw_past_remove(u, place);
    }
    return u->past_count != before;
}
