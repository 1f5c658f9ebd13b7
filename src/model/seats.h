/* Users beyond memory (state.memory.max): which of them are in memory, and in which seat of the tables of rows.
 *
 * Every user keeps a number, links, a place in the id map and its task in memory. The row itself (tw_user with id, past and taste, and
 * the embedding) may be cold: only on the shelf, that is in the store. A cold row is read back when somebody asks for it. Who goes is
 * chosen by a clock (Corbato 1968): a hand goes round the seats and takes the first that was not asked for since it last came by.
 * Only rows whose value on the shelf is that of memory go, so that forgetting never writes and never changes a value.
 *
 * Rows go in tw_users_cool and tw_users_relieve alone: between them a pointer to a row stays good. When there are too few that may
 * go, the seats are tight: whoever owns the store commits, and relieve puts rows on the shelf until enough of them may.
 *
 * The past of a cold row may name items that are gone since, whose slot may even have gone to another item. An item that appeared
 * after the past was last extended cannot be the one that was met: so such a place is found by the item's order, and dropped when
 * the row is read, as it would have been in memory.
 *
 * A row that cannot be read is a failure that stays: an empty user stands for it, and who runs the model asks tw_model_sound before
 * anything that was learned or made goes out. Without a bound none of this is there. Engine thread. */
#ifndef TW_MODEL_SEATS_H
#define TW_MODEL_SEATS_H

#include "model/users.h"

#define TW_SEAT_COLD UINT32_MAX            /* not in memory */
#define TW_SEAT_COLD_OWED (UINT32_MAX - 1) /* nor that, and a list is owed */

typedef struct tw_seat {
    uint32_t seat, task;
} tw_seat;

struct tw_seats {
    tw_seat *of; /* (of_capacity), by user */
    size_t of_capacity;
    tw_slots taken;    /* seats */
    uint32_t *user_of; /* (user_of_capacity), by seat */
    uint8_t *asked;    /* (asked_capacity), by seat: since the hand last came by */
    size_t user_of_capacity, asked_capacity;
    uint32_t hand;
    bool tight;           /* the last tw_users_cool found too few that may go */
    uint64_t tight_bytes; /* of rows, then: it looks again when an eighth of the bound has come on top */
    uint64_t bytes_max;
    tw_row_shelf shelf;
    const struct tw_items *items;
    tw_user spare; /* the cold row that was looked at last */
    float *spare_vector;
    tw_buf row;
    uint32_t oldest; /* whose last event is known though its row is cold; TW_SLOT_NONE: nobody's */
    int64_t oldest_ms;
    tw_code failed;
    tw_err failure;
    uint64_t misses, cooled, settled; /* rows read back, forgotten, put on the shelf for that */
};

void tw_seats_begin(tw_users *users, const tw_row_shelf *shelf, const struct tw_items *items, uint64_t bytes_max);
void tw_seats_done(tw_users *users);

/* Takes a seat for a user that has none, and makes room for it. */
uint32_t tw_seats_take(tw_users *users, uint32_t user);
void tw_seats_give(tw_users *users, uint32_t user, uint32_t cold); /* whose row is released */
void tw_seats_fetch(tw_users *users, uint32_t user);               /* reads a cold row back */

static inline uint32_t tw_user_seat(const tw_users *users, uint32_t user) {
    return users->seats ? users->seats->of[user].seat : user;
}
static inline bool tw_user_in_memory(const tw_users *users, uint32_t user) {
    return tw_user_seat(users, user) < TW_SEAT_COLD_OWED;
}

/* A row that is in memory. */
static inline tw_user *tw_user_at(const tw_users *users, uint32_t user) {
    uint32_t seat = tw_user_seat(users, user);
    return &users->chunks[seat / TW_TABLE_CHUNK_ROWS][seat % TW_TABLE_CHUNK_ROWS];
}

/* The lines of a row that is in memory, and the links. */
TW_PREFETCHES void tw_user_prefetch(const tw_users *users, uint32_t user) {
    const char *at = (const char *)tw_user_at(users, user);
    for (size_t line = 0; line < sizeof(tw_user); line += 64)
        TW_PREFETCH(at + line);
    TW_PREFETCH(&users->links[user]);
}

/* A row and its embedding, read back when they are not in memory: what a table holds does not change by that, so it may be const. */
static inline void tw_users_want(const tw_users *users, uint32_t user) {
    if (!users->seats)
        return;
    if (!tw_user_in_memory(users, user))
        tw_seats_fetch((tw_users *)(uintptr_t)users, user);
    users->seats->asked[users->seats->of[user].seat] = 1;
}
static inline tw_user *tw_user_here(const tw_users *users, uint32_t user) {
    tw_users_want(users, user);
    return tw_user_at(users, user);
}
static inline float *tw_user_vector(const tw_users *users, uint32_t user) {
    tw_users_want(users, user);
    return tw_row(&users->embeddings, tw_user_seat(users, user));
}

static inline uint32_t tw_users_task(const tw_users *users, uint32_t user) {
    return users->seats ? users->seats->of[user].task : tw_user_at(users, user)->task;
}
bool tw_users_owes(const tw_users *users, uint32_t user); /* a list */
int64_t tw_users_last_ms(tw_users *users, uint32_t user); /* asked for the oldest */

/* A row to read, in memory or not, which is not brought there: good until the next call.
 *   *ret_vector (D) out */
const tw_user *tw_users_look(const tw_users *users, uint32_t user, const float **ret_vector);

size_t tw_users_row_bytes(const tw_users *users);   /* what is held against the bound: rows in memory */
size_t tw_users_index_bytes(const tw_users *users); /* what every user takes, in memory or not */

void tw_users_cool(tw_users *users);
/* After a commit, when all rows in memory are as it left them. Leaves an eighth of the bound free. */
tw_code tw_users_relieve(tw_users *users, tw_err *err);

static inline tw_code tw_users_sound(const tw_users *users, tw_err *err) {
    if (!users->seats || users->seats->failed == TW_OK)
        return TW_OK;
    if (err)
        *err = users->seats->failure;
    return users->seats->failed;
}

#endif
