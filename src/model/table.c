/* Chunks of rows, lists of changed rows, and the giving out of slots: what users and items have in common. Engine thread. */
#include "model/table.h"

#include "base/alloc.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

void tw_rows_init(tw_rows *rows, int D) {
    *rows = (tw_rows){.D = D};
}

/* The first chunks are allocated alone, so that a small table costs little; those behind them together, so many that they fill large pages. */
static size_t chunks_together(const tw_rows *rows) {
    size_t bytes = TW_TABLE_CHUNK_ROWS * (size_t)rows->D * sizeof(float);
    return (TW_LARGE_PAGE + bytes - 1) / bytes;
}

void tw_rows_done(tw_rows *rows) {
    size_t together = chunks_together(rows);
    for (size_t c = 0; c < rows->chunks_count; c += c < together ? 1 : together)
        free(rows->chunks[c]);
    free(rows->chunks);
    *rows = (tw_rows){0};
}

void tw_rows_reach(tw_rows *rows, uint32_t row) {
    size_t floats = TW_TABLE_CHUNK_ROWS * (size_t)rows->D, together = chunks_together(rows);
    while (rows->chunks_count <= row / TW_TABLE_CHUNK_ROWS) {
        size_t more = rows->chunks_count < together ? 1 : together;
        rows->chunks = tw_grow(rows->chunks, &rows->chunks_capacity, rows->chunks_count + more, sizeof *rows->chunks);
        float *made = tw_alloc_large(more * floats * sizeof(float));
        for (size_t c = 0; c < more; c++)
            rows->chunks[rows->chunks_count++] = made + c * floats;
    }
}

void tw_dirty_done(tw_dirty *dirty) {
    free(dirty->list);
    free(dirty->marked);
    *dirty = (tw_dirty){0};
}

void tw_dirty_add_new(tw_dirty *dirty, uint32_t row) {
    if (row >= dirty->marked_capacity) {
        size_t old = dirty->marked_capacity;
        dirty->marked = tw_grow(dirty->marked, &dirty->marked_capacity, (size_t)row + 1, 1);
        memset(dirty->marked + old, 0, dirty->marked_capacity - old);
    }
    dirty->marked[row] = 1;
    dirty->list = tw_grow(dirty->list, &dirty->list_capacity, dirty->count + 1, sizeof *dirty->list);
    dirty->list[dirty->count++] = row;
}

void tw_dirty_clear(tw_dirty *dirty) {
    for (size_t i = 0; i < dirty->count; i++)
        dirty->marked[dirty->list[i]] = 0;
    dirty->count = 0;
}

void tw_slots_done(tw_slots *slots) {
    free(slots->used);
    *slots = (tw_slots){0};
}

void tw_slots_take_at(tw_slots *slots, uint32_t slot) {
    size_t old = slots->words;
    slots->used = tw_grow(slots->used, &slots->words, slot / 64 + 1, sizeof *slots->used);
    memset(slots->used + old, 0, (slots->words - old) * sizeof *slots->used);
    TW_ASSERT(!(slots->used[slot / 64] >> (slot % 64) & 1));
    slots->used[slot / 64] |= (uint64_t)1 << (slot % 64);
    slots->count++;
    if (slot >= slots->end)
        slots->end = slot + 1;
}

uint32_t tw_slots_take(tw_slots *slots) {
    uint32_t word = slots->free_from / 64;
    while (word < slots->words && slots->used[word] == UINT64_MAX)
        word++;
    uint32_t slot = word * 64;
    if (word < slots->words)
        slot += (uint32_t)__builtin_ctzll(~slots->used[word]);
    tw_slots_take_at(slots, slot);
    slots->free_from = slot + 1;
    return slot;
}

void tw_slots_give(tw_slots *slots, uint32_t slot) {
    TW_ASSERT(tw_slots_used(slots, slot));
    slots->used[slot / 64] &= ~((uint64_t)1 << (slot % 64));
    slots->count--;
    if (slot < slots->free_from)
        slots->free_from = slot;
}
