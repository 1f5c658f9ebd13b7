/* What the lists of an evaluation hold, whether they hit or not: how much of the catalogue is ever listed, how many lists have an item that
 * is new, how old the listed items are. Thread: its owner's. */
#ifndef TW_EVALUATE_LISTS_H
#define TW_EVALUATE_LISTS_H

#include "pipeline/learn/prequential.h"

#include <stdbool.h>
#include <stddef.h>

#define TW_LIST_OF 10 /* places of a list that count */

typedef struct tw_lists_sums {
    uint64_t lists, items; /* lists, and items in them */
    uint64_t different;    /* different ones among these */
    double age_days;       /* sum over the items: days since their first appearance */
    tw_prequential
        with_new;      /* of the lists with an item younger than a day: was the item asked for in it, new or not */
    uint64_t new_hits; /* hits by an item younger than a day */
} tw_lists_sums;

typedef struct tw_listed_item {
    uint32_t slot;
    uint64_t order; /* of first appearance: tells an item from another one that has its slot later */
    int64_t age_ms; /* since then; below 0 counts as 0 */
} tw_listed_item;

/* Which items were ever listed. Zeroed is empty. */
typedef struct tw_listed {
    uint64_t *order_next; /* (capacity) by slot: order + 1; 0: none */
    size_t capacity;
} tw_listed;
void tw_listed_done(tw_listed *listed);

/* One list of count items; place is that of the item asked for in the whole order (0: not in it). */
void tw_lists_add(tw_lists_sums *sums, tw_listed *listed, const tw_listed_item *items, int count, uint32_t place);

/* Shares; 0 where there is nothing. catalogue: items that there were. */
double tw_lists_coverage(const tw_lists_sums *sums, uint64_t catalogue);
double tw_lists_new_share(const tw_lists_sums *sums);
double tw_lists_age_days(const tw_lists_sums *sums); /* mean */

#endif
