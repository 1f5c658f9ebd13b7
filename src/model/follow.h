/* Transitions: with each item a table of what followed it and of what came before it, in three counts: next (steps weigh little
 * beyond the first), after (some steps on) and before (some steps back). An item follows itself too: that is how likely
 * this very item is met again.
 *
 * A row forgets as it learns, so that an item often met follows the stream and one seldom met keeps what it has.
 * It is a small open-addressing table from item to weight. All rows together are bounded; beyond it the weakest pairs of
 * the whole are pruned. Nothing here depends on the layout of a row, which a restart may change. Engine thread. */
#ifndef TW_MODEL_FOLLOW_H
#define TW_MODEL_FOLLOW_H

#include "base/buf.h"
#include "base/err.h"
#include "model/table.h"

#include <stdbool.h>

enum { TW_FOLLOW_NEXT, TW_FOLLOW_AFTER, TW_FOLLOW_BEFORE, TW_FOLLOW_WAYS };

typedef struct tw_pair {
    uint32_t item; /* TW_PAIR_EMPTY: none; TW_PAIR_DIRTY set: changed since the last commit */
    float weight[TW_FOLLOW_WAYS];
} tw_pair;

#define TW_PAIR_DIRTY 0x80000000u
#define TW_PAIR_EMPTY 0x7fffffffu

typedef struct tw_follow_row {
    tw_pair *pairs; /* (capacity), a power of two; NULL: none yet */
    uint32_t count, capacity;
    /* Sums of weights ever added (what was pruned included): how much was seen of the item. */
    float seen[TW_FOLLOW_WAYS];
    float unit
        [TW_FOLLOW_WAYS]; /* weight of one now; grows as the row learns, so that old weights need not be touched; 0: new */
    bool whole;           /* goes to the store whole at the next commit */
} tw_follow_row;

typedef struct tw_follow {
    tw_follow_row *rows; /* (items) */
    size_t rows_capacity;
    uint64_t pairs_count, pairs_max, pairs_pruned;
    size_t bytes;
    tw_dirty dirty;
} tw_follow;

void tw_follow_init(tw_follow *follow, uint64_t pairs_max);
void tw_follow_done(tw_follow *follow);

/* Says that next came after item: adds near to what is next of it, far to what comes after it, and far to what comes before next.
 * Call tw_follow_bound once after an event's pairs. */
void tw_follow_add(tw_follow *follow, uint32_t item, uint32_t next, float near, float far);
void tw_follow_bound(tw_follow *follow);
void tw_follow_prefetch(const tw_follow *follow, uint32_t item, uint32_t next);

/* The row of an item; NULL when there is none. Walk pairs [0, capacity), skip TW_PAIR_EMPTY, mask TW_PAIR_DIRTY. */
static inline const tw_follow_row *tw_follow_row_at(const tw_follow *follow, uint32_t item) {
    return item < follow->rows_capacity && follow->rows[item].pairs ? &follow->rows[item] : NULL;
}
static inline uint32_t tw_pair_item(const tw_pair *pair) {
    return pair->item & ~TW_PAIR_DIRTY;
}
/* Weight of one event now, by which weights and seen are to be read. */
static inline float tw_follow_unit(const tw_follow_row *row, int way) {
    return row->unit[way] > 0 ? row->unit[way] : 1.0f;
}
/* The pair of a row, or NULL. */
const tw_pair *tw_follow_find(const tw_follow_row *row, uint32_t item);

/* Drops rows and pairs of items for which live says no. */
void tw_follow_scrub(tw_follow *follow, const tw_slots *live);

/* Whole row, pairs in the order of their items; or (delta) the pairs that changed since the last commit, after which nothing is
 * changed any more. tw_follow_take_delta returns false when the row should rather go whole. */
void tw_follow_encode(const tw_follow *follow, uint32_t item, tw_buf *out);
bool tw_follow_take_delta(tw_follow *follow, uint32_t item, tw_buf *out);
tw_code tw_follow_load(tw_follow *follow, uint32_t item, tw_slice bytes, bool delta, tw_err *err);
void tw_follow_drop(tw_follow *follow, uint32_t item);

#endif
