/* Items: who they are, what is known of them, their two embeddings and how often they were met lately.
 *
 * in: the item as context; out: the item as target, with a bias. Each row has its own Adagrad sum (one number a row). Engine
 * thread. */
#ifndef TW_MODEL_ITEMS_H
#define TW_MODEL_ITEMS_H

#include "base/map.h"
#include "model/model.h"
#include "model/table.h"

enum { TW_ITEM_RETIRED = 1, TW_ITEM_OUT_OF_STOCK = 2, TW_ITEM_FREE = 128 /* no item: the slot is free */ };

typedef struct tw_item {
    char *id, *category, *title; /* owned; the last two may be NULL */
    uint32_t id_size, category_size, title_size;
    uint64_t order;         /* of first appearance */
    uint64_t last_sequence; /* of the newest event that names it */
    int64_t first_ms;
    double price; /* NaN: unknown */
} tw_item;

typedef struct tw_items {
    tw_item *items; /* (capacity) */
    size_t capacity;
    tw_slots slots;
    tw_map *map;
    tw_rows in, out;         /* (items, D) */
    float *bias;             /* (capacity) of out */
    float *in_sum, *out_sum; /* (capacity) Adagrad: sums of mean squared gradients */
    float *popular;          /* (capacity) decayed count in units of tw_scale */
    uint8_t *flags; /* (capacity) TW_ITEM_*, 0: may be shown; apart from the items, for every ranking reads them all */
    tw_dirty dirty, dirty_in, dirty_out;
    uint64_t next_order;
    size_t bytes;
} tw_items;

void tw_items_init(tw_items *items, int D);
void tw_items_done(tw_items *items);

uint32_t tw_items_find(const tw_items *items, tw_slice id);
uint32_t tw_items_add(tw_items *items, tw_slice id, int64_t event_ms); /* not in the table; its vectors are zero */
void tw_items_remove(tw_items *items, uint32_t item);
/* Makes room up to end, as if its slots had been used and given back. */
void tw_items_reach_end(tw_items *items, uint32_t end);
/* Takes over what an event says of the item: category, title, price, stock. True when category or title are others now. */
bool tw_items_describe(tw_items *items, uint32_t item, const tw_event *event);

/* Of a slot below slots.end. */
static inline bool tw_item_shown(const tw_items *items, uint32_t item) {
    return items->flags[item] == 0;
}

/* Rows: ITEM (identity and counts), ITEM_IN, ITEM_OUT. */
void tw_item_encode(const tw_items *items, tw_table table, uint32_t item, tw_buf *out);
tw_code tw_item_load(tw_items *items, tw_table table, uint32_t item, tw_slice bytes, tw_err *err);
void tw_item_unload(tw_items *items, tw_table table,
                    uint32_t item); /* a deletion while loading; rows come in any order */
void tw_items_loaded(tw_items *items);

#endif
