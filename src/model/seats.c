/* Seats: rows that come and go. seats.h says how. Called by the tables of users and between events; engine thread. */
#include "model/seats.h"

#include "base/alloc.h"
#include "model/items.h"

#include <stdlib.h>

enum { NOT_ASKED, ASKED, CHOSEN }; /* of a seat; chosen: to be put on the shelf */

void tw_seats_begin(tw_users *users, const tw_row_shelf *shelf, const tw_items *items, uint64_t bytes_max) {
    TW_ASSERT(!users->seats && users->slots.end == 0);
    users->seats = tw_zalloc(sizeof *users->seats);
    users->seats->shelf = *shelf;
    users->seats->items = items;
    users->seats->bytes_max = bytes_max;
    users->seats->oldest = TW_SLOT_NONE;
    users->seats->spare_vector = tw_zalloc((size_t)users->embeddings.D * sizeof(float));
    tw_user_begin(users, &users->seats->spare, 0, (tw_slice){0});
}

void tw_seats_done(tw_users *users) {
    tw_seats *seats = users->seats;
    if (!seats)
        return;
    tw_user_release(users, &seats->spare);
    tw_buf_done(&seats->row);
    tw_slots_done(&seats->taken);
    free(seats->spare_vector);
    free(seats->of);
    free(seats->user_of);
    free(seats->asked);
    free(seats);
    users->seats = NULL;
}

static uint32_t take(tw_seats *seats, uint32_t user) {
    uint32_t seat = tw_slots_take(&seats->taken);
    seats->of = tw_grow(seats->of, &seats->of_capacity, (size_t)user + 1, sizeof *seats->of);
    seats->user_of = tw_grow(seats->user_of, &seats->user_of_capacity, (size_t)seat + 1, sizeof *seats->user_of);
    seats->asked = tw_grow(seats->asked, &seats->asked_capacity, (size_t)seat + 1, 1);
    seats->of[user].seat = seat;
    seats->user_of[seat] = user;
    seats->asked[seat] = ASKED;
    return seat;
}

uint32_t tw_seats_take(tw_users *users, uint32_t user) {
    uint32_t seat = users->seats ? take(users->seats, user) : user;
    while (users->chunks_count <= seat / TW_TABLE_CHUNK_ROWS) {
        users->chunks = tw_grow(users->chunks, &users->chunks_capacity, users->chunks_count + 1, sizeof *users->chunks);
        users->chunks[users->chunks_count++] = tw_alloc_lines(TW_TABLE_CHUNK_ROWS * sizeof(tw_user));
    }
    tw_rows_reach(&users->embeddings, seat);
    return seat;
}

void tw_seats_give(tw_users *users, uint32_t user, uint32_t cold) {
    if (!users->seats)
        return;
    tw_slots_give(&users->seats->taken, users->seats->of[user].seat);
    users->seats->of[user].seat = cold;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

/* The row on the shelf, as it would be had it stayed in memory; an empty user when it cannot be read. */
static void read_back(tw_users *users, uint32_t user, tw_user *u, float *vector) {
    tw_seats *seats = users->seats;
    tw_err err = {0};
    tw_buf_clear(&seats->row);
    tw_code code = seats->shelf.read(seats->shelf.self, TW_TABLE_USER, user, &seats->row, &err);
    tw_slice bytes = code == TW_OK ? tw_buf_slice(&seats->row) : (tw_slice){0};
    tw_code decoded = tw_user_decode(users, user, u, vector, bytes, code == TW_OK ? &err : NULL);
    code = code == TW_OK ? decoded : code;
    seats->misses++;
    if (code == TW_OK) {
        tw_past_scrub(u, seats->items);
    } else if (seats->failed == TW_OK) {
        seats->failed = code;
        seats->failure = err;
    }
}

void tw_seats_fetch(tw_users *users, uint32_t user) {
    uint32_t seat = tw_seats_take(users, user);
    read_back(users, user, tw_user_at(users, user), tw_row(&users->embeddings, seat));
}

const tw_user *tw_users_look(const tw_users *users, uint32_t user, const float **ret_vector) {
    if (tw_user_in_memory(users, user)) {
        *ret_vector = tw_row(&users->embeddings, tw_user_seat(users, user));
        return tw_user_at(users, user);
    }
    read_back((tw_users *)(uintptr_t)users, user, &users->seats->spare, users->seats->spare_vector);
    *ret_vector = users->seats->spare_vector;
    return &users->seats->spare;
}

bool tw_users_owes(const tw_users *users, uint32_t user) {
    return tw_user_in_memory(users, user) ? tw_user_at(users, user)->list.owed_since_ms != INT64_MIN
                                          : users->seats->of[user].seat == TW_SEAT_COLD_OWED;
}

int64_t tw_users_last_ms(tw_users *users, uint32_t user) {
    const float *vector;
    if (tw_user_in_memory(users, user))
        return tw_user_at(users, user)->last_ms;
    if (users->seats->oldest != user) {
        users->seats->oldest_ms = tw_users_look(users, user, &vector)->last_ms;
        users->seats->oldest = user;
    }
    return users->seats->oldest_ms;
}

/* ---- forgetting ---------------------------------------------------------------------------------------------------- */

static size_t fixed_bytes(const tw_users *users) {
    return sizeof(tw_user) + (size_t)users->embeddings.D * sizeof(float);
}

size_t tw_users_row_bytes(const tw_users *users) {
    size_t rows = users->seats ? users->seats->taken.count : users->slots.end;
    return users->bytes + rows * fixed_bytes(users);
}

size_t tw_users_index_bytes(const tw_users *users) {
    const tw_seats *seats = users->seats;
    size_t bytes = tw_map_size_bytes(users->map) + users->links_capacity * sizeof *users->links +
                   users->slots.words * sizeof *users->slots.used + users->dirty.marked_capacity;
    return seats ? bytes + seats->of_capacity * sizeof *seats->of : bytes;
}

static void forget(tw_users *users, uint32_t user) {
    tw_user *u = tw_user_at(users, user);
    uint32_t cold = u->list.owed_since_ms == INT64_MIN ? TW_SEAT_COLD : TW_SEAT_COLD_OWED;
    tw_user_release(users, u);
    tw_seats_give(users, user, cold);
    users->seats->cooled++;
}

/* The hand goes on by one: who sits there and may go, or TW_SLOT_NONE. */
static uint32_t next(tw_users *users) {
    tw_seats *seats = users->seats;
    uint32_t seat = seats->hand < seats->taken.end ? seats->hand : 0;
    seats->hand = seat + 1;
    if (!tw_slots_used(&seats->taken, seat) || seats->asked[seat] == CHOSEN)
        return TW_SLOT_NONE;
    bool asked = seats->asked[seat] == ASKED;
    seats->asked[seat] = NOT_ASKED;
    return asked || tw_dirty_has(&users->dirty, seats->user_of[seat]) ? TW_SLOT_NONE : seats->user_of[seat];
}

static bool in_place(const tw_seats *seats, uint32_t user) {
    return seats->shelf.in_place(seats->shelf.self, TW_TABLE_USER, user);
}

void tw_users_cool(tw_users *users) {
    tw_seats *seats = users->seats;
    if (!seats || seats->failed != TW_OK)
        return;
    if (seats->tight && tw_users_row_bytes(users) < seats->tight_bytes + seats->bytes_max / 8)
        return;
    uint64_t steps = 2 * (uint64_t)seats->taken.end;
    for (; tw_users_row_bytes(users) > seats->bytes_max && steps > 0; steps--) {
        uint32_t user = next(users);
        if (user != TW_SLOT_NONE && in_place(seats, user))
            forget(users, user);
    }
    seats->tight_bytes = tw_users_row_bytes(users);
    seats->tight = seats->tight_bytes > seats->bytes_max;
}

/* Those that go on the shelf, at once for all of them. */
static tw_code settle(tw_users *users, const uint32_t *chosen, size_t count, tw_err *err) {
    tw_seats *seats = users->seats;
    tw_code code = count ? seats->shelf.settle(seats->shelf.self, TW_TABLE_USER, chosen, count, err) : TW_OK;
    for (size_t i = 0; i < count; i++) {
        seats->asked[seats->of[chosen[i]].seat] = NOT_ASKED;
        if (code == TW_OK)
            forget(users, chosen[i]);
    }
    seats->settled += code == TW_OK ? count : 0;
    return code;
}

tw_code tw_users_relieve(tw_users *users, tw_err *err) {
    tw_seats *seats = users->seats;
    uint32_t *chosen = NULL;
    size_t count = 0, capacity = 0, chosen_bytes = 0, wanted = seats->bytes_max - seats->bytes_max / 8;
    uint64_t steps = 2 * (uint64_t)seats->taken.end;
    for (; tw_users_row_bytes(users) - chosen_bytes > wanted && steps > 0; steps--) {
        uint32_t user = next(users);
        if (user == TW_SLOT_NONE)
            continue;
        if (in_place(seats, user)) {
            forget(users, user);
            continue;
        }
        chosen = tw_grow(chosen, &capacity, count + 1, sizeof *chosen);
        chosen[count++] = user;
        chosen_bytes += fixed_bytes(users) + tw_user_own_bytes(tw_user_at(users, user));
        seats->asked[seats->of[user].seat] = CHOSEN;
    }
    tw_code code = settle(users, chosen, count, err);
    free(chosen);
    seats->tight_bytes = tw_users_row_bytes(users);
    seats->tight = seats->tight_bytes > seats->bytes_max;
    return code;
}
