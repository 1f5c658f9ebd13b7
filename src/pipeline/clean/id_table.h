/* A set of 64-bit hashes, each with a small code, in 8 bytes a hash: what a dedup window is made of.
 *
 * Lines of eight slots, one line of the processor's cache each. A hash has a home line and, where that is full, goes on to the line beside
 * it and then to lines in steps of its own; marks on a line say that some hash went on from there, so that a look-up mostly reads one
 * line, asked for ahead. A slot holds 48 bits of the hash, 3 of the home slot within its line, 3 of how many lines it went on, one of the line's marks, and 9
 * bits of code, 0 for the empty slot. Home and tag give back all 64 bits, so that growth needs nothing else.
 *
 * Codes go round (1 to TW_ID_CODES). What is not among the `count` newest codes is stale, and its slot is free for others; the owner
 * sweeps before a stale code could be taken for a live one. One owner, one thread. */
#ifndef TW_CLEAN_ID_TABLE_H
#define TW_CLEAN_ID_TABLE_H

#include "math/kernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TW_ID_CODES TW_LINE_CODES
#define TW_ID_LINE TW_LINE_SLOTS
#define TW_ID_SLOTS_MIN 65536 /* fewer would lose bits of the hash */
#define TW_ID_NONE ((size_t)-1)
#define TW_ID_MARK ((uint64_t)1 << TW_LINE_CODE_BITS)

typedef struct tw_id_table {
    uint64_t *slots; /* (lines, TW_ID_LINE) */
    size_t lines;    /* even */
    const tw_kernels *kernels;
} tw_id_table;

/* Where a hash that is not in the table would go. */
typedef struct tw_id_room {
    size_t slot;  /* TW_ID_NONE: further than a look-up goes */
    uint64_t key; /* what the slot would hold of the hash */
} tw_id_room;

/* Which codes live: count of them, down from the newest, round the end. */
typedef struct tw_id_live {
    uint64_t newest, count;
} tw_id_live;

void tw_id_table_init(tw_id_table *table, size_t lines); /* at least TW_ID_SLOTS_MIN slots; rounded up to even */
void tw_id_table_done(tw_id_table *table);

/* Asks for the home line; some time later, for the line beside it where the first says that it will be read. */
void tw_id_table_prefetch(const tw_id_table *table, uint64_t hash);
void tw_id_table_prefetch_more(const tw_id_table *table, uint64_t hash, tw_id_live live);
/* The slot that holds the hash, live or stale; TW_ID_NONE, and then the first empty or stale slot on its way. */
size_t tw_id_table_find(const tw_id_table *table, uint64_t hash, tw_id_live live, tw_id_room *ret_room);
/* Puts the hash there, when nothing has changed since. */
static inline void tw_id_table_fill(tw_id_table *table, uint64_t code, tw_id_room room) {
    uint64_t *slot = &table->slots[room.slot];
    *slot = room.key << TW_LINE_KEY_SHIFT | (*slot & TW_ID_MARK) | code;
}
/* Puts a hash that is not in the table into an empty or stale slot; false: none of its lines has one, so grow. */
bool tw_id_table_place(tw_id_table *table, uint64_t hash, uint64_t code, tw_id_live live);

uint64_t tw_id_table_code(const tw_id_table *table, size_t slot); /* 0: empty */
void tw_id_table_set_code(tw_id_table *table, size_t slot, uint64_t code);
uint64_t tw_id_table_hash(const tw_id_table *table, size_t slot); /* of a slot that is not empty */
/* Empties what is stale, and takes away marks that are no longer needed. */
void tw_id_table_sweep(tw_id_table *table, tw_id_live live);

static inline bool tw_id_is_live(uint64_t code, tw_id_live live) {
    uint64_t behind = live.newest - code + (code > live.newest ? TW_ID_CODES : 0);
    return code != 0 && behind < live.count;
}

#endif
