/* The table of users. Called by learning (meet, touch), by scoring (read) and by the store's load and encode. */
#include "model/users.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

static bool same_user(const void *owner, uint32_t index, tw_slice id, uint32_t salt) {
    const tw_user *u = tw_user_at(owner, index);
    return u->task == salt && tw_slice_equal((tw_slice){u->id, u->id_size}, id);
}

void tw_users_init(tw_users *users, int D) {
    *users = (tw_users){.oldest = TW_SLOT_NONE, .newest = TW_SLOT_NONE};
    users->map = tw_map_create(same_user, users);
    tw_rows_init(&users->embeddings, D);
}

static void release(tw_users *users, tw_user *u) {
    users->bytes -= u->id_size + (size_t)u->past_capacity * 11 + tw_taste_bytes(&u->taste) + tw_shown_bytes(&u->shown);
    tw_taste_done(&u->taste);
    tw_shown_done(&u->shown);
    free(u->id);
    free(u->items);
    u->id = NULL;
    u->items = NULL;
}

void tw_users_done(tw_users *users) {
    for (uint32_t user = 0; user < users->slots.end; user++)
        if (tw_slots_used(&users->slots, user))
            release(users, tw_user_at(users, user));
    for (size_t c = 0; c < users->chunks_count; c++)
        free(users->chunks[c]);
    free(users->chunks);
    tw_slots_done(&users->slots);
    tw_map_free(users->map);
    tw_rows_done(&users->embeddings);
    tw_dirty_done(&users->dirty);
}

uint32_t tw_users_find(const tw_users *users, uint32_t task, tw_slice id) {
    return tw_map_find(users->map, id, task, tw_map_hash(id, task));
}

static void unlink_user(tw_users *users, tw_user *u) {
    if (u->older != TW_SLOT_NONE)
        tw_user_at(users, u->older)->newer = u->newer;
    else
        users->oldest = u->newer;
    if (u->newer != TW_SLOT_NONE)
        tw_user_at(users, u->newer)->older = u->older;
    else
        users->newest = u->older;
}

static void link_newest(tw_users *users, uint32_t user) {
    tw_user *u = tw_user_at(users, user);
    u->older = users->newest;
    u->newer = TW_SLOT_NONE;
    if (users->newest != TW_SLOT_NONE)
        tw_user_at(users, users->newest)->newer = user;
    else
        users->oldest = user;
    users->newest = user;
}

/* The slot exists and holds a new, empty user with this id. */
static tw_user *make(tw_users *users, uint32_t user, uint32_t task, tw_slice id) {
    while (users->chunks_count <= user / TW_TABLE_CHUNK_ROWS) {
        users->chunks = tw_grow(users->chunks, &users->chunks_capacity, users->chunks_count + 1, sizeof *users->chunks);
        users->chunks[users->chunks_count++] = tw_zalloc(TW_TABLE_CHUNK_ROWS * sizeof(tw_user));
    }
    tw_rows_reach(&users->embeddings, user);
    memset(tw_row(&users->embeddings, user), 0, (size_t)users->embeddings.D * sizeof(float));
    tw_user *u = tw_user_at(users, user);
    *u = (tw_user){.id = tw_alloc(id.size), .id_size = (uint32_t)id.size, .task = task};
    memcpy(u->id, id.data, id.size);
    u->list.listed_ms = u->list.owed_since_ms = u->list.newest_ms = INT64_MIN;
    users->bytes += id.size;
    return u;
}

uint32_t tw_users_add(tw_users *users, uint32_t task, tw_slice id) {
    uint32_t user = tw_slots_take(&users->slots);
    make(users, user, task, id);
    tw_map_insert(users->map, tw_map_hash(id, task), user);
    link_newest(users, user);
    return user;
}

void tw_users_remove(tw_users *users, uint32_t user) {
    tw_user *u = tw_user_at(users, user);
    tw_map_remove(users->map, tw_map_hash((tw_slice){u->id, u->id_size}, u->task), user);
    unlink_user(users, u);
    release(users, u);
    tw_slots_give(&users->slots, user);
}

void tw_users_touch(tw_users *users, uint32_t user, uint64_t sequence, int64_t event_ms) {
    tw_user *u = tw_user_at(users, user);
    u->last_sequence = sequence;
    u->last_ms = event_ms > u->last_ms ? event_ms : u->last_ms;
    u->events++;
    if (users->newest != user) {
        unlink_user(users, u);
        link_newest(users, user);
    }
    tw_dirty_add(&users->dirty, user);
}

void tw_users_move(tw_users *users, uint32_t user, uint32_t to_task) {
    tw_user *u = tw_user_at(users, user);
    tw_slice id = {u->id, u->id_size};
    tw_map_remove(users->map, tw_map_hash(id, u->task), user);
    u->task = to_task;
    tw_map_insert(users->map, tw_map_hash(id, to_task), user);
    tw_dirty_add(&users->dirty, user);
}

int tw_past_find(const tw_user *u, uint32_t item) {
    for (int i = (int)u->past_count - 1; i >= 0; i--) /* the newest are the likeliest */
        if (u->items[i] == item)
            return i;
    return -1;
}

/* One block for the four arrays, widest first; grows by half, since most pasts stay short. */
static void reserve(tw_users *users, tw_user *u, uint32_t need) {
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
    reserve(users, u, u->past_count + 1);
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

void tw_user_encode(const tw_users *users, uint32_t user, bool with_list, tw_buf *out) {
    const tw_user *u = tw_user_at(users, user);
    tw_buf_text(out, (tw_slice){u->id, u->id_size});
    tw_buf_u32(out, u->task);
    tw_buf_u64(out, u->last_sequence);
    tw_buf_u64(out, (uint64_t)u->last_ms);
    tw_buf_u32(out, u->events);
    tw_buf_u32(out, u->resume);
    tw_buf_u32(out, u->resume_at);
    tw_buf_u32(out, u->past_count);
    tw_buf_put(out, u->items, u->past_count * sizeof *u->items);
    tw_buf_put(out, u->times_s, u->past_count * sizeof *u->times_s);
    tw_buf_put(out, u->counts, u->past_count * sizeof *u->counts);
    tw_buf_put(out, u->flags, u->past_count * sizeof *u->flags);
    tw_buf_put(out, tw_row(&users->embeddings, user), (size_t)users->embeddings.D * sizeof(float));
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

static void take_array(tw_cursor *c, void *to, size_t size) {
    const void *from = tw_cursor_take(c, size);
    if (from && size)
        memcpy(to, from, size);
}

tw_code tw_user_load(tw_users *users, uint32_t user, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    tw_slice id = tw_cursor_text(&c);
    uint32_t task = tw_cursor_u32(&c);
    if (c.bad || id.size > TW_ID_SIZE_MAX)
        return tw_fail(err, TW_E_STORE, "user row %" PRIu32 " is damaged", user);
    if (tw_slots_used(&users->slots, user))
        release(users, tw_user_at(users, user));
    else
        tw_slots_take_at(&users->slots, user);
    tw_user *u = make(users, user, task, id);
    u->last_sequence = tw_cursor_u64(&c);
    u->last_ms = (int64_t)tw_cursor_u64(&c);
    u->events = tw_cursor_u32(&c);
    u->resume = tw_cursor_u32(&c);
    u->resume_at = tw_cursor_u32(&c);
    uint32_t count = tw_cursor_u32(&c);
    if (c.bad || (size_t)(c.end - c.at) < (size_t)count * 11)
        return tw_fail(err, TW_E_STORE, "user row %" PRIu32 " is damaged", user);
    reserve(users, u, count);
    u->past_count = count;
    take_array(&c, u->items, count * sizeof *u->items);
    take_array(&c, u->times_s, count * sizeof *u->times_s);
    take_array(&c, u->counts, count * sizeof *u->counts);
    take_array(&c, u->flags, count * sizeof *u->flags);
    take_array(&c, tw_row(&users->embeddings, user), (size_t)users->embeddings.D * sizeof(float));
    tw_taste_load(&u->taste, &c);
    users->bytes += tw_taste_bytes(&u->taste);
    u->list.listed_ms = (int64_t)tw_cursor_u64(&c);
    u->list.owed_since_ms = (int64_t)tw_cursor_u64(&c);
    u->list.owed_sequence = tw_cursor_u64(&c);
    u->list.list_version = tw_cursor_u64(&c);
    u->list.newest_ms = (int64_t)tw_cursor_u64(&c);
    u->list.newest_offset = (int64_t)tw_cursor_u64(&c);
    u->list.newest_partition = (int32_t)tw_cursor_u32(&c);
    u->list.newest_lane = tw_cursor_u32(&c);
    tw_shown_load(&u->shown, &c);
    users->bytes += tw_shown_bytes(&u->shown);
    if (c.bad || c.at != c.end)
        return tw_fail(err, TW_E_STORE, "user row %" PRIu32 " is damaged", user);
    return TW_OK;
}

void tw_user_unload(tw_users *users, uint32_t user) {
    if (!tw_slots_used(&users->slots, user))
        return;
    release(users, tw_user_at(users, user));
    tw_slots_give(&users->slots, user);
}

typedef struct by_age {
    uint64_t sequence;
    uint32_t user;
} by_age;

static int older_first(const void *a, const void *b) {
    const by_age *x = a, *y = b;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

void tw_users_loaded(tw_users *users) {
    by_age *order = tw_alloc((size_t)users->slots.count * sizeof *order);
    size_t n = 0;
    for (uint32_t user = 0; user < users->slots.end; user++)
        if (tw_slots_used(&users->slots, user)) {
            const tw_user *u = tw_user_at(users, user);
            tw_map_insert(users->map, tw_map_hash((tw_slice){u->id, u->id_size}, u->task), user);
            order[n++] = (by_age){u->last_sequence, user};
        }
    qsort(order, n, sizeof *order, older_first);
    for (size_t i = 0; i < n; i++)
        link_newest(users, order[i].user);
    free(order);
}
