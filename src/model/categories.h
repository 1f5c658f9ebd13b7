/* The shop's categories by number: given out by first appearance in an applied event, never taken back.
 *
 * Those beyond the bound share one number, the rest, which comes after all others. A name is 1 to 256 bytes; what is longer is no
 * category. Engine thread. */
#ifndef TW_MODEL_CATEGORIES_H
#define TW_MODEL_CATEGORIES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"

#define TW_CATEGORY_NAME_MAX 256
#define TW_CATEGORIES_AN_ITEM 16 /* what an item names beyond these is not looked at */
#define TW_CATEGORY_REST "other" /* what the rest is called where it goes out */

typedef struct tw_category {
    char *name;
    uint32_t size;
} tw_category;

typedef struct tw_categories {
    tw_category *names; /* (count) */
    size_t capacity;
    uint32_t count, max;
    bool rest; /* some category shares the last number */
    tw_map *map;
} tw_categories;

/* What an item is, as a distribution: its categories share alike. */
typedef struct tw_category_shares {
    int count;
    uint16_t numbers[TW_CATEGORIES_AN_ITEM]; /* all different */
    float shares[TW_CATEGORIES_AN_ITEM];     /* sum 1 */
} tw_category_shares;

void tw_categories_init(tw_categories *categories, uint32_t max);
void tw_categories_done(tw_categories *categories);

/* Numbers in use, the rest among them. */
static inline uint32_t tw_categories_used(const tw_categories *categories) {
    return categories->count + categories->rest;
}
tw_slice tw_categories_name(const tw_categories *categories, uint32_t number);
/* The number of one name; TW_MAP_NONE when it has none yet (a full table has one for all). */
uint32_t tw_categories_find(const tw_categories *categories, tw_slice name);

uint32_t tw_categories_add(tw_categories *categories, tw_slice name); /* the same; gives it one */

/* Reads "a|b|c". Unknown names are added, or with add false left out. */
void tw_categories_read(tw_categories *categories, tw_slice text, bool add, tw_category_shares *ret_shares);

void tw_categories_encode(const tw_categories *categories, tw_buf *out);
tw_code tw_categories_load(tw_categories *categories, tw_cursor *c, tw_err *err);

#endif
