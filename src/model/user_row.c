/* The row of a user as bytes, and users as they are loaded at a start. Called by the store's load and encode, and when a cold row is read. */
#include "model/users.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

void tw_user_begin(tw_users *users, tw_user *u, uint32_t task, tw_slice id) {
    *u = (tw_user){.id = tw_alloc(id.size), .id_size = (uint32_t)id.size, .task = task};
    if (id.size)
        memcpy(u->id, id.data, id.size);
    u->list.listed_ms = u->list.owed_since_ms = u->list.newest_ms = INT64_MIN;
    users->bytes += id.size;
}

void tw_user_release(tw_users *users, tw_user *u) {
    users->bytes -= tw_user_own_bytes(u);
    tw_taste_done(&u->taste);
    tw_shown_done(&u->shown);
    free(u->id);
    free(u->items);
    *u = (tw_user){0};
}

void tw_user_encode(const tw_user *u, const float *vector, int D, bool with_list, tw_buf *out) {
    tw_buf_text(out, (tw_slice){u->id, u->id_size});
    tw_buf_u32(out, u->task);
    tw_buf_u64(out, u->last_sequence);
    tw_buf_u64(out, u->items_known);
    tw_buf_u64(out, (uint64_t)u->last_ms);
    tw_buf_u32(out, u->events);
    tw_buf_u32(out, u->resume);
    tw_buf_u32(out, u->resume_at);
    tw_buf_u32(out, u->past_count);
    tw_buf_put(out, u->items, u->past_count * sizeof *u->items);
    tw_buf_put(out, u->times_s, u->past_count * sizeof *u->times_s);
    tw_buf_put(out, u->counts, u->past_count * sizeof *u->counts);
    tw_buf_put(out, u->flags, u->past_count * sizeof *u->flags);
    tw_buf_put(out, vector, (size_t)D * sizeof(float));
    tw_taste_encode(&u->taste, out);
    if (!with_list)
        return;
    tw_buf_u64(out, (uint64_t)u->list.listed_ms);
    tw_buf_u64(out, (uint64_t)u->list.owed_since_ms);
    tw_buf_u64(out, u->list.owed_sequence);
    tw_buf_u64(out, u->list.list_version);
    tw_buf_u64(out, (uint64_t)u->list.newest_ms);
    tw_buf_u64(out, (uint64_t)u->list.newest_offset);
    tw_buf_u32(out, (uint32_t)u->list.newest_partition);
    tw_buf_u32(out, u->list.newest_lane);
    tw_shown_encode(&u->shown, out);
}

static void decode_list(tw_user_list *list, tw_cursor *c) {
    list->listed_ms = (int64_t)tw_cursor_u64(c);
    list->owed_since_ms = (int64_t)tw_cursor_u64(c);
    list->owed_sequence = tw_cursor_u64(c);
    list->list_version = tw_cursor_u64(c);
    list->newest_ms = (int64_t)tw_cursor_u64(c);
    list->newest_offset = (int64_t)tw_cursor_u64(c);
    list->newest_partition = (int32_t)tw_cursor_u32(c);
    list->newest_lane = tw_cursor_u32(c);
}

/* Into an empty user; false where the bytes are none that encode could have written. */
static bool decode(tw_users *users, tw_user *u, float *vector, tw_slice bytes) {
    tw_cursor c = tw_cursor_of(bytes);
    tw_slice id = tw_cursor_text(&c);
    uint32_t task = tw_cursor_u32(&c);
    if (c.bad || id.size > TW_ID_SIZE_MAX)
        return false;
    tw_user_begin(users, u, task, id);
    u->last_sequence = tw_cursor_u64(&c);
    u->items_known = tw_cursor_u64(&c);
    u->last_ms = (int64_t)tw_cursor_u64(&c);
    u->events = tw_cursor_u32(&c);
    u->resume = tw_cursor_u32(&c);
    u->resume_at = tw_cursor_u32(&c);
    uint32_t count = tw_cursor_u32(&c);
    if (c.bad || (size_t)(c.end - c.at) < (size_t)count * 11)
        return false;
    tw_past_reserve(users, u, count);
    u->past_count = count;
    tw_cursor_copy(&c, u->items, count * sizeof *u->items);
    tw_cursor_copy(&c, u->times_s, count * sizeof *u->times_s);
    tw_cursor_copy(&c, u->counts, count * sizeof *u->counts);
    tw_cursor_copy(&c, u->flags, count * sizeof *u->flags);
    tw_cursor_copy(&c, vector, (size_t)users->embeddings.D * sizeof(float));
    tw_taste_load(&u->taste, &c);
    users->bytes += tw_taste_bytes(&u->taste);
    decode_list(&u->list, &c);
    tw_shown_load(&u->shown, &c);
    users->bytes += tw_shown_bytes(&u->shown);
    return !c.bad && c.at == c.end;
}

tw_code tw_user_decode(tw_users *users, uint32_t user, tw_user *u, float *vector, tw_slice bytes, tw_err *err) {
    tw_user_release(users, u);
    if (decode(users, u, vector, bytes))
        return TW_OK;
    tw_user_release(users, u);
    tw_user_begin(users, u, 0, (tw_slice){0});
    memset(vector, 0, (size_t)users->embeddings.D * sizeof(float));
    return tw_fail(err, TW_E_STORE, "user row %" PRIu32 " is damaged", user);
}

/* ---- at a start ---------------------------------------------------------------------------------------------------- */

/* What tw_users_loaded needs of a user who may be cold by then. */
typedef struct tw_arrival {
    uint64_t sequence;
    union {
        uint64_t hash; /* of the id */
        uint32_t user; /* once the order is made */
    };
} tw_arrival;

static void arrive(tw_users *users, uint32_t user, const tw_user *u) {
    users->order = tw_grow(users->order, &users->order_capacity, (size_t)user + 1, sizeof *users->order);
    users->order[user] =
        (tw_arrival){.sequence = u->last_sequence, .hash = tw_map_hash((tw_slice){u->id, u->id_size}, u->task)};
}

/* Rows in place stay cold once the others fill the memory that there is for them; those of the journal cannot. */
static bool stays_cold(const tw_users *users, uint32_t user) {
    const tw_seats *seats = users->seats;
    return seats && tw_users_row_bytes(users) >= seats->bytes_max &&
           seats->shelf.in_place(seats->shelf.self, TW_TABLE_USER, user);
}

tw_code tw_user_load(tw_users *users, uint32_t user, tw_slice bytes, tw_err *err) {
    tw_user_unload(users, user);
    tw_slots_take_at(&users->slots, user);
    uint32_t seat = tw_seats_take(users, user);
    tw_user *u = tw_user_at(users, user);
    tw_code code = tw_user_decode(users, user, u, tw_row(&users->embeddings, seat), bytes, err);
    if (users->seats)
        users->seats->of[user].task = u->task;
    arrive(users, user, u);
    if (code == TW_OK && stays_cold(users, user)) {
        uint32_t cold = u->list.owed_since_ms == INT64_MIN ? TW_SEAT_COLD : TW_SEAT_COLD_OWED;
        tw_user_release(users, u);
        tw_seats_give(users, user, cold);
    }
    return code;
}

void tw_user_unload(tw_users *users, uint32_t user) {
    if (!tw_slots_used(&users->slots, user))
        return;
    if (tw_user_in_memory(users, user)) {
        tw_user_release(users, tw_user_at(users, user));
        tw_seats_give(users, user, TW_SEAT_COLD);
    }
    tw_slots_give(&users->slots, user);
}

static int older_first(const void *a, const void *b) {
    const tw_arrival *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

void tw_users_loaded(tw_users *users) {
    tw_arrival *order = users->order;
    size_t n = 0;
    for (uint32_t user = 0; user < users->slots.end; user++)
        if (tw_slots_used(&users->slots, user)) {
            tw_map_insert(users->map, order[user].hash, user);
            order[n++] = (tw_arrival){.sequence = order[user].sequence, .user = user};
        }
    if (n > 1)
        qsort(order, n, sizeof *order, older_first);
    users->links = tw_grow(users->links, &users->links_capacity, users->slots.end, sizeof *users->links);
    for (size_t i = 0; i < n; i++)
        users->links[order[i].user] =
            (tw_user_links){i ? order[i - 1].user : TW_SLOT_NONE, i + 1 < n ? order[i + 1].user : TW_SLOT_NONE};
    if (n) {
        users->oldest = order[0].user;
        users->newest = order[n - 1].user;
    }
    free(order);
    users->order = NULL;
    users->order_capacity = 0;
}
