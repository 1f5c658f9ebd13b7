/* Lines, marks and slots. Called by dedup.c. */
#include "pipeline/clean/id_table.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/prefetch.h"

#include <stdlib.h>

#define CODE_MASK ((uint64_t)TW_LINE_CODES)
/* Some hash that tried this line went on from here; in which slot: mark_of. */
#define MARK TW_ID_MARK
#define KEY_SHIFT TW_LINE_KEY_SHIFT /* above it: how far (3 bits), place in the home line (3), tag (48) */
#define FAR_MASK ((uint64_t)7)
#define FARS 8 /* lines that a hash may go to */
#define TAG_BITS 48
#define TAG_MASK (((uint64_t)1 << TAG_BITS) - 1)

void tw_id_table_init(tw_id_table *table, size_t lines) {
    size_t least = TW_ID_SLOTS_MIN / TW_ID_LINE;
    table->lines = lines < least ? least : lines + lines % 2;
    table->kernels = tw_kernels_get();
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

/* The slot whose mark says that a hash with this tag may have gone on from the line that it tried as number `far`. Hashes are told apart by two
 * bits of their tags in the first line and by a third of their tags in the second, so that few go on in vain. */
static size_t mark_of(uint64_t tag, uint64_t far) {
    return far == 0 ? tag & 3 : far == 1 ? 4 + (size_t)((tag >> 2) % 3) : 7;
}

static unsigned look(const tw_id_table *table, const uint64_t *slots, uint64_t key, tw_id_live live) {
    return table->kernels->look(slots, key, live.newest, live.count);
}

void tw_id_table_prefetch(const tw_id_table *table, uint64_t hash) {
    TW_PREFETCH(&table->slots[home_slot(table, hash) / TW_ID_LINE * TW_ID_LINE]);
}

void tw_id_table_prefetch_more(const tw_id_table *table, uint64_t hash, tw_id_live live) {
    size_t home = home_slot(table, hash) / TW_ID_LINE;
    const uint64_t *slots = &table->slots[home * TW_ID_LINE];
    uint64_t marked = slots[mark_of(hash & TAG_MASK, 0)] & MARK, full = look(table, slots, 0, live) >> TW_ID_LINE == 0;
    size_t next = home ^ (full | (marked != 0)); /* without a branch, which would be guessed wrong often */
    TW_PREFETCH(&table->slots[next * TW_ID_LINE]);
}

/* What a slot holds above KEY_SHIFT for this hash when it went on `far` lines. */
static uint64_t key_of(size_t home, uint64_t hash, uint64_t far) {
    return (hash & TAG_MASK) << 6 | (home % TW_ID_LINE) << 3 | far;
}

/* The lines from number `far` on; *ret_room is what was found before them. */
static size_t find_from(const tw_id_table *table, uint64_t hash, tw_id_live live, uint64_t far, tw_id_room *ret_room) {
    size_t home = home_slot(table, hash);
    uint64_t key = key_of(home, hash, 0);
    for (; far < FARS; far++) {
        size_t first = line_at(table, home / TW_ID_LINE, hash & TAG_MASK, far) * TW_ID_LINE;
        unsigned seen = look(table, &table->slots[first], key | far, live), room = seen >> TW_ID_LINE;
        if (seen % (1u << TW_ID_LINE))
            return first + (size_t)__builtin_ctz(seen);
        if (room && ret_room->slot == TW_ID_NONE)
            *ret_room = (tw_id_room){first + (size_t)__builtin_ctz(room), key | far};
        if (!(table->slots[first + mark_of(hash & TAG_MASK, far)] & MARK))
            break;
    }
    return TW_ID_NONE;
}

/* Most look-ups end in the home line. */
size_t tw_id_table_find(const tw_id_table *table, uint64_t hash, tw_id_live live, tw_id_room *ret_room) {
    size_t home = home_slot(table, hash), first = home / TW_ID_LINE * TW_ID_LINE;
    const uint64_t *slots = &table->slots[first];
    uint64_t key = key_of(home, hash, 0);
    unsigned seen = look(table, slots, key, live), room = seen >> TW_ID_LINE;
    *ret_room = (tw_id_room){room ? first + (size_t)__builtin_ctz(room) : TW_ID_NONE, key};
    if (seen % (1u << TW_ID_LINE))
        return first + (size_t)__builtin_ctz(seen);
    return slots[mark_of(hash & TAG_MASK, 0)] & MARK ? find_from(table, hash, live, 1, ret_room) : TW_ID_NONE;
}

bool tw_id_table_place(tw_id_table *table, uint64_t hash, uint64_t code, tw_id_live live) {
    size_t home = home_slot(table, hash);
    for (uint64_t far = 0; far < FARS; far++) {
        size_t first = line_at(table, home / TW_ID_LINE, hash & TAG_MASK, far) * TW_ID_LINE;
        unsigned room = look(table, &table->slots[first], 0, live) >> TW_ID_LINE;
        if (room) {
            tw_id_table_fill(table, code, (tw_id_room){first + (size_t)__builtin_ctz(room), key_of(home, hash, far)});
            return true;
        }
        table->slots[first + mark_of(hash & TAG_MASK, far)] |= MARK;
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

/* Some slot of a line holds a hash that went on from elsewhere. */
static bool has_guests(const uint64_t *slots) {
    uint64_t fars = 0;
    for (int i = 0; i < TW_ID_LINE; i++)
        fars |= slots[i];
    return fars >> KEY_SHIFT & FAR_MASK;
}

void tw_id_table_sweep(tw_id_table *table, tw_id_live live) {
    size_t slots = table->lines * TW_ID_LINE;
    table->kernels->sweep(table->slots, live.newest, live.count, (long)slots);
    for (size_t first = 0; first < slots; first += TW_ID_LINE) {
        if (!has_guests(&table->slots[first]))
            continue;
        for (size_t at = first; at < first + TW_ID_LINE; at++) {
            uint64_t key = table->slots[at] >> KEY_SHIFT;
            size_t home = key & FAR_MASK ? home_line(table, at) : 0;
            for (uint64_t far = 0; far < (key & FAR_MASK); far++)
                table->slots[line_at(table, home, key >> 6, far) * TW_ID_LINE + mark_of(key >> 6, far)] |= MARK;
        }
    }
}
