/* A table of float rows that grows without moving: chunks of rows, each aligned to 64 bytes, made when first needed. A million
 * rows of 64 floats cost what was touched, and a pointer to a row stays good. One owner, one thread. */
#ifndef TW_MODEL_TABLE_H
#define TW_MODEL_TABLE_H

#include "base/prefetch.h"

#include <stddef.h>
#include <stdint.h>

#define TW_TABLE_CHUNK_ROWS 1024

typedef struct tw_rows {
    float **chunks;
    size_t chunks_count, chunks_capacity;
    int D; /* floats in a row; a multiple of 4 */
} tw_rows;

void tw_rows_init(tw_rows *rows, int D);
void tw_rows_done(tw_rows *rows);
void tw_rows_reach(tw_rows *rows, uint32_t row); /* makes the row (zeroed) and all before it */

static inline float *tw_row(const tw_rows *rows, uint32_t row) {
    return rows->chunks[row / TW_TABLE_CHUNK_ROWS] + (size_t)(row % TW_TABLE_CHUNK_ROWS) * (size_t)rows->D;
}

TW_PREFETCHES void tw_row_prefetch(const tw_rows *rows, uint32_t row) {
    const char *at = (const char *)tw_row(rows, row);
    for (size_t line = 0; line < (size_t)rows->D * sizeof(float); line += 64)
        TW_PREFETCH(at + line);
}

/* The changed rows since the last commit: a list without repeats. */
typedef struct tw_dirty {
    uint32_t *list;
    size_t count, list_capacity;
    uint8_t *marked; /* (rows) */
    size_t marked_capacity;
    struct tw_dirty *watch; /* hears of each row as well, and is cleared on its own; NULL: none */
} tw_dirty;

void tw_dirty_done(tw_dirty *dirty);
void tw_dirty_add_new(tw_dirty *dirty, uint32_t row);
static inline void tw_dirty_add(tw_dirty *dirty, uint32_t row) {
    if (row >= dirty->marked_capacity || !dirty->marked[row])
        tw_dirty_add_new(dirty, row);
    if (dirty->watch && (row >= dirty->watch->marked_capacity || !dirty->watch->marked[row]))
        tw_dirty_add_new(dirty->watch, row);
}
static inline int tw_dirty_has(const tw_dirty *dirty, uint32_t row) {
    return row < dirty->marked_capacity && dirty->marked[row];
}
TW_PREFETCHES void tw_dirty_prefetch(const tw_dirty *dirty, uint32_t row) {
    if (row < dirty->marked_capacity)
        TW_PREFETCH(&dirty->marked[row]);
    if (dirty->watch && row < dirty->watch->marked_capacity)
        TW_PREFETCH(&dirty->watch->marked[row]);
}
void tw_dirty_clear(tw_dirty *dirty);

/* Which slots are in use; gives out the lowest free one, so that the choice is a function of the state. */
typedef struct tw_slots {
    uint64_t *used; /* bits */
    size_t words;
    uint32_t end; /* one past the highest slot ever used */
    uint32_t count;
    uint32_t free_from; /* no free slot below this */
} tw_slots;

void tw_slots_done(tw_slots *slots);
uint32_t tw_slots_take(tw_slots *slots);
void tw_slots_take_at(tw_slots *slots, uint32_t slot); /* while loading */
void tw_slots_give(tw_slots *slots, uint32_t slot);
static inline int tw_slots_used(const tw_slots *slots, uint32_t slot) {
    return slot < slots->end && (slots->used[slot / 64] >> (slot % 64) & 1);
}

#endif
