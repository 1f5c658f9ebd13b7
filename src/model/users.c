/* The table of users. Called by learning (meet, touch) and by whoever looks one up. Their rows are in user_row.c, their pasts in past.c, who
 * of them is in memory in seats.c. */
#include "model/users.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Where the hash agrees the id does too, but for one in four billion: who is cold is most likely wanted. */
static bool same_user(const void *owner, uint32_t index, tw_slice id, uint32_t salt) {
    const tw_user *u = tw_user_here(owner, index);
    return u->task == salt && tw_slice_equal((tw_slice){u->id, u->id_size}, id);
}

void tw_users_init(tw_users *users, int D) {
    *users = (tw_users){.oldest = TW_SLOT_NONE, .newest = TW_SLOT_NONE};
    users->map = tw_map_create(same_user, users);
    tw_rows_init(&users->embeddings, D);
}

void tw_users_done(tw_users *users) {
    for (uint32_t user = 0; user < users->slots.end; user++)
        if (tw_slots_used(&users->slots, user) && tw_user_in_memory(users, user))
            tw_user_release(users, tw_user_at(users, user));
    for (size_t c = 0; c < users->chunks_count; c++)
        free(users->chunks[c]);
    free(users->chunks);
    free(users->links);
    free(users->order);
    tw_seats_done(users);
    tw_slots_done(&users->slots);
    tw_map_free(users->map);
    tw_rows_done(&users->embeddings);
    tw_dirty_done(&users->dirty);
}

uint32_t tw_users_find(const tw_users *users, uint32_t task, tw_slice id) {
    return tw_map_find(users->map, id, task, tw_map_hash(id, task));
}

static void unlink_user(tw_users *users, uint32_t user) {
    const tw_user_links mine = users->links[user];
    if (mine.older != TW_SLOT_NONE)
        users->links[mine.older].newer = mine.newer;
    else
        users->oldest = mine.newer;
    if (mine.newer != TW_SLOT_NONE)
        users->links[mine.newer].older = mine.older;
    else
        users->newest = mine.older;
    if (users->seats && users->seats->oldest == user)
        users->seats->oldest = TW_SLOT_NONE;
}

static void link_newest(tw_users *users, uint32_t user) {
    users->links[user] = (tw_user_links){users->newest, TW_SLOT_NONE};
    if (users->newest != TW_SLOT_NONE)
        users->links[users->newest].newer = user;
    else
        users->oldest = user;
    users->newest = user;
}

uint32_t tw_users_add(tw_users *users, uint32_t task, tw_slice id) {
    uint32_t user = tw_slots_take(&users->slots);
    uint32_t seat = tw_seats_take(users, user);
    if (users->seats)
        users->seats->of[user].task = task;
    tw_user_begin(users, tw_user_at(users, user), task, id);
    memset(tw_row(&users->embeddings, seat), 0, (size_t)users->embeddings.D * sizeof(float));
    tw_map_insert(users->map, tw_map_hash(id, task), user);
    users->links = tw_grow(users->links, &users->links_capacity, (size_t)user + 1, sizeof *users->links);
    link_newest(users, user);
    return user;
}

void tw_users_remove(tw_users *users, uint32_t user) {
    tw_user *u = tw_user_here(users, user);
    if (tw_users_sound(users, NULL) != TW_OK) /* whose id may be unknown */
        return;
    tw_map_remove(users->map, tw_map_hash((tw_slice){u->id, u->id_size}, u->task), user);
    unlink_user(users, user);
    tw_user_release(users, u);
    tw_seats_give(users, user, TW_SEAT_COLD);
    tw_slots_give(&users->slots, user);
}

void tw_users_touch(tw_users *users, uint32_t user, uint64_t sequence, int64_t event_ms, uint64_t items_known) {
    tw_user *u = tw_user_here(users, user);
    u->last_sequence = sequence;
    u->items_known = items_known;
    u->last_ms = event_ms > u->last_ms ? event_ms : u->last_ms;
    u->events++;
    if (users->newest != user) {
        unlink_user(users, user);
        link_newest(users, user);
    }
    tw_dirty_add(&users->dirty, user);
}

void tw_users_move(tw_users *users, uint32_t user, uint32_t to_task) {
    tw_user *u = tw_user_here(users, user);
    if (tw_users_sound(users, NULL) != TW_OK) /* whose id may be unknown */
        return;
    tw_slice id = {u->id, u->id_size};
    tw_map_remove(users->map, tw_map_hash(id, u->task), user);
    u->task = to_task;
    if (users->seats)
        users->seats->of[user].task = to_task;
    tw_map_insert(users->map, tw_map_hash(id, to_task), user);
    tw_dirty_add(&users->dirty, user);
}
