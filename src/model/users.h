/* Users: who they are, what they met, in order of recency, and their embedding.
 *
 * A user's past is a list of different items, the newest last, each with the time of the last meeting, how often, and whether it
 * was bought. It serves the context, the transitions, the repeats and the exclusions at once. Rows are of their own size:
 * most users are short. Engine thread. */
#ifndef TW_MODEL_USERS_H
#define TW_MODEL_USERS_H

#include "base/map.h"
#include "model/model.h"
#include "model/shown.h"
#include "model/table.h"
#include "model/taste.h"

enum { TW_PAST_BOUGHT = 1, TW_PAST_DISLIKED = 2 };
#define TW_PAST_HARD_MAX 65536 /* most past items of one user, whatever is excluded */

typedef struct tw_user {
    char *id; /* owned */
    uint32_t id_size;
    uint32_t task;
    uint64_t last_sequence; /* of the newest event, over all users: the order of idleness */
    uint64_t items_known;   /* orders of first appearance given out when the past was last extended: see seats.h */
    int64_t last_ms;        /* event time of the newest event */
    uint32_t events;        /* applied, all time */
    uint32_t past_count, past_capacity;
    uint32_t resume;    /* place after the one where the last item that was met again stood: what came next then */
    uint32_t resume_at; /* events when that was; 0: never */
    uint32_t *items;    /* (past_capacity) items, newest last; the head of one block with the next three */
    uint32_t *times_s;  /* seconds since 1970 */
    uint16_t *counts;
    uint8_t *flags;      /* TW_PAST_* */
    tw_taste taste;      /* for the profile */
    tw_shown shown;      /* what was last published of it */
    int64_t produced_ms; /* timestamp of the newest record, while the row stays in memory; 0: unknown. Not durable */
    tw_user_list list;
} tw_user;

/* The list by last_sequence; TW_SLOT_NONE at the ends. Apart from the rows, so that a touch reads neither neighbour's. */
typedef struct tw_user_links {
    uint32_t older, newer;
} tw_user_links;

typedef struct tw_seats tw_seats;
struct tw_items;

typedef struct tw_users {
    tw_user **chunks; /* of TW_TABLE_CHUNK_ROWS, by seat */
    size_t chunks_count, chunks_capacity;
    tw_slots slots;
    tw_map *map;
    tw_rows embeddings; /* (seats, D) */
    tw_dirty dirty;
    tw_user_links *links; /* (links_capacity), by user */
    size_t links_capacity;
    uint32_t oldest, newest;
    size_t bytes;             /* of ids, pasts and tastes in memory */
    tw_seats *seats;          /* who is in memory, and where; NULL: everybody, each in the seat of its own number */
    struct tw_arrival *order; /* (order_capacity) of those that are being loaded */
    size_t order_capacity;
} tw_users;

void tw_users_init(tw_users *users, int D);
void tw_users_done(tw_users *users);

uint32_t tw_users_find(const tw_users *users, uint32_t task, tw_slice id); /* who is found is in memory */
uint32_t tw_users_add(tw_users *users, uint32_t task, tw_slice id);        /* not in the table; goes to the young end */
void tw_users_remove(tw_users *users, uint32_t user);
/* To the young end. items_known: orders of first appearance given out so far. */
void tw_users_touch(tw_users *users, uint32_t user, uint64_t sequence, int64_t event_ms, uint64_t items_known);

void tw_users_move(tw_users *users, uint32_t user, uint32_t to_task); /* whose id is not in that task yet */

/* ---- past.c ---- */

/* The place of an item in a user's past, or -1. */
int tw_past_find(const tw_user *u, uint32_t item);
/* Moves or adds an item to the young end and returns its place. */
uint32_t tw_past_meet(tw_users *users, tw_user *u, uint32_t item, int64_t event_ms);
void tw_past_reserve(tw_users *users, tw_user *u, uint32_t need);
void tw_past_remove(tw_user *u, uint32_t place);
/* Drops the oldest places that keep_flags does not protect until at most limit are left; what is protected stays, up to
 * hard_limit. */
void tw_past_trim(tw_user *u, uint32_t limit, uint32_t hard_limit, bool keep_all, uint8_t keep_flags);
/* Removes the items that are not in the table any more, or are others than were met: their slot has gone to an item that
 * appeared later. True: there were such. */
bool tw_past_scrub(tw_user *u, const struct tw_items *items);

/* ---- user_row.c: the row of a user: identity, past, embedding, and (with_list) what rank keeps ---- */

void tw_user_encode(const tw_user *u, const float *vector, int D, bool with_list, tw_buf *out);
tw_code tw_user_load(tw_users *users, uint32_t user, tw_slice bytes, tw_err *err);
void tw_user_unload(tw_users *users, uint32_t user); /* a deletion while loading; nothing when it is not there */
/* After the last load: id map and the order of idleness. */
void tw_users_loaded(tw_users *users);

/* What a row has on the heap: id, past, taste, what was shown. */
static inline size_t tw_user_own_bytes(const tw_user *u) {
    return u->id_size + (size_t)u->past_capacity * 11 + tw_taste_bytes(&u->taste) + tw_shown_bytes(&u->shown);
}

/* Makes u the user of a row; what it held is gone. users counts the bytes. Errors: TW_E_STORE, with u an empty user. */
tw_code tw_user_decode(tw_users *users, uint32_t user, tw_user *u, float *vector, tw_slice bytes, tw_err *err);
void tw_user_begin(tw_users *users, tw_user *u, uint32_t task, tw_slice id); /* a new one, in place of anything */
void tw_user_release(tw_users *users, tw_user *u);                           /* becomes an empty one */

#include "model/seats.h"

#endif
