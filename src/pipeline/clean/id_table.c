/* Lines, marks and slots. Called by dedup.c. */
#include "pipeline/clean/id_table.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/prefetch.h"

#include <stdlib.h>

#define CODE_MASK ((uint64_t)511)
#define MARK ((uint64_t)1 << 9) /* in a line's slot n: some hash that tried this line as its n-th went on from here */
#define KEY_SHIFT 10            /* above it: how far (3 bits), place in the home line (3), tag (48) */
#define FAR_MASK ((uint64_t)7)
#define FARS 8 /* lines that a hash may go to */
#define TAG_BITS 48
#define TAG_MASK (((uint64_t)1 << TAG_BITS) - 1)

_Static_assert(FARS <= TW_ID_LINE, "a mark for each");
_Static_assert(TW_ID_CODES == CODE_MASK, "every code but 0 is used");

void tw_id_table_init(tw_id_table *table, size_t lines) {
    size_t least = TW_ID_SLOTS_MIN / TW_ID_LINE;
    table->lines = lines < least ? least : lines + lines % 2;
    table->slots = tw_alloc_large(table->lines * TW_ID_LINE * sizeof *table->slots);
}

void tw_id_table_done(tw_id_table *table) {
    free(table->slots);
    *table = (tw_id_table){0};
}

static size_t home_slot(const tw_id_table *table, uint64_t hash) {
    return (size_t)((unsigned __int128)hash * (table->lines * TW_ID_LINE) >> 64);
}

/* How many lines a hash moves on, from the third line it tries; never 0. */
static size_t stride_of(const tw_id_table *table, uint64_t tag) {
    return 1 + (size_t)((unsigned __int128)(tag << (64 - TAG_BITS)) * (table->lines - 1) >> 64);
}

static size_t line_at(const tw_id_table *table, size_t home, uint64_t tag, uint64_t far) {
    return far == 0 ? home : far == 1 ? home ^ 1 : (home + (far - 1) * stride_of(table, tag)) % table->lines;
}

static size_t home_from(const tw_id_table *table, size_t line, uint64_t tag, uint64_t far) {
    if (far < 2)
        return line ^ far;
    size_t moved = (far - 1) * stride_of(table, tag) % table->lines;
    return line >= moved ? line - moved : line + table->lines - moved;
}

void tw_id_table_prefetch(const tw_id_table *table, uint64_t hash) {
    TW_PREFETCH(&table->slots[home_slot(table, hash) / TW_ID_LINE * TW_ID_LINE]);
}

void tw_id_table_prefetch_more(const tw_id_table *table, uint64_t hash) {
    size_t home = home_slot(table, hash) / TW_ID_LINE;
    if (table->slots[home * TW_ID_LINE] & MARK)
        TW_PREFETCH(&table->slots[(home ^ 1) * TW_ID_LINE]);
}

/* What a slot holds above KEY_SHIFT for this hash when it went on `far` lines. */
static uint64_t key_of(size_t home, uint64_t hash, uint64_t far) {
    return (hash & TAG_MASK) << 6 | (home % TW_ID_LINE) << 3 | far;
}

size_t tw_id_table_find(const tw_id_table *table, uint64_t hash) {
    size_t home = home_slot(table, hash);
    uint64_t key = key_of(home, hash, 0);
    for (uint64_t far = 0; far < FARS; far++) {
        size_t line = line_at(table, home / TW_ID_LINE, hash & TAG_MASK, far);
        const uint64_t *slots = &table->slots[line * TW_ID_LINE];
        unsigned found = 0;
        for (unsigned i = 0; i < TW_ID_LINE;
             i++) /* all, without a branch; an empty slot has code 0 and is left out below */
            found |= (unsigned)(slots[i] >> KEY_SHIFT == (key | far)) << i;
        for (; found; found &= found - 1) {
            unsigned i = (unsigned)__builtin_ctz(found);
            if (slots[i] & CODE_MASK)
                return line * TW_ID_LINE + i;
        }
        if (!(slots[far] & MARK))
            break;
    }
    return TW_ID_NONE;
}

bool tw_id_table_place(tw_id_table *table, uint64_t hash, uint64_t code, tw_id_live live) {
    size_t home = home_slot(table, hash);
    for (uint64_t far = 0; far < FARS; far++) {
        uint64_t *slots = &table->slots[line_at(table, home / TW_ID_LINE, hash & TAG_MASK, far) * TW_ID_LINE];
        unsigned taken = 0;
        for (unsigned i = 0; i < TW_ID_LINE; i++)
            taken |= (unsigned)tw_id_is_live(slots[i] & CODE_MASK, live) << i;
        if (taken != (1u << TW_ID_LINE) - 1) {
            unsigned i = (unsigned)__builtin_ctz(~taken);
            slots[i] = key_of(home, hash, far) << KEY_SHIFT | (slots[i] & MARK) | code;
            return true;
        }
        slots[far] |= MARK;
    }
    return false;
}

uint64_t tw_id_table_code(const tw_id_table *table, size_t slot) {
    return table->slots[slot] & CODE_MASK;
}

void tw_id_table_set_code(tw_id_table *table, size_t slot, uint64_t code) {
    TW_ASSERT(code >= 1 && code <= TW_ID_CODES);
    table->slots[slot] = (table->slots[slot] & ~CODE_MASK) | code;
}

static size_t home_line(const tw_id_table *table, size_t slot) {
    uint64_t key = table->slots[slot] >> KEY_SHIFT;
    return home_from(table, slot / TW_ID_LINE, key >> 6, key & FAR_MASK);
}

/* The hashes of one home slot lie within 2^48 of one another, so that the tag says which it is. */
uint64_t tw_id_table_hash(const tw_id_table *table, size_t slot) {
    size_t slots = table->lines * TW_ID_LINE;
    uint64_t key = table->slots[slot] >> KEY_SHIFT;
    size_t home = home_line(table, slot) * TW_ID_LINE + (key >> 3 & (TW_ID_LINE - 1));
    uint64_t least = (uint64_t)((((unsigned __int128)home << 64) + slots - 1) / slots);
    return least + (((key >> 6) - least) & TAG_MASK);
}

void tw_id_table_sweep(tw_id_table *table, tw_id_live live) {
    size_t slots = table->lines * TW_ID_LINE;
    for (size_t at = 0; at < slots; at++)
        table->slots[at] = tw_id_is_live(table->slots[at] & CODE_MASK, live) ? table->slots[at] & ~MARK : 0;
    for (size_t at = 0; at < slots; at++) {
        uint64_t key = table->slots[at] >> KEY_SHIFT;
        size_t home = key & FAR_MASK ? home_line(table, at) : 0;
        for (uint64_t far = 0; far < (key & FAR_MASK); far++)
            table->slots[line_at(table, home, key >> 6, far) * TW_ID_LINE + far] |= MARK;
    }
}
