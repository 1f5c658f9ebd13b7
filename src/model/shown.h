/* What was last published of a user's profile: the whole distribution in a byte a category, so that the next one can say what changed.
 *
 * A byte holds 255 times the square root of a share: small shares are told apart as well as large ones are, as the Jensen-Shannon distance
 * does it. Part of the user's row, left out of the digest (it follows what was published, not what was learned). Engine thread. */
#ifndef TW_MODEL_SHOWN_H
#define TW_MODEL_SHOWN_H

#include "model/categories.h"

typedef struct tw_shown {
    uint8_t *roots;      /* owned: (categories); NULL: nothing was published */
    uint32_t categories; /* those numbered later had no share */
} tw_shown;

void tw_shown_done(tw_shown *shown); /* becomes empty */

/* Takes the place of what was there: shares (categories), sum 1. */
void tw_shown_take(tw_shown *shown, const float *shares, uint32_t categories);
/* shares (categories) out, sum 1 again. False, with shares zero, when nothing was published. */
bool tw_shown_give(const tw_shown *shown, float *shares, uint32_t categories);

static inline size_t tw_shown_bytes(const tw_shown *shown) {
    return shown->categories;
}

void tw_shown_encode(const tw_shown *shown, tw_buf *out);
void tw_shown_load(tw_shown *shown, tw_cursor *c); /* into any; sets bad where it is damaged */

/* The same for another process, which has numbers of its own: categories by name. */
void tw_shown_export(const tw_shown *shown, const tw_categories *categories, tw_buf *out);
/* Takes that into any; number: of each name of the row in turn, TW_MAP_NONE leaves it out. Sets bad where it is damaged. */
void tw_shown_import(tw_shown *shown, tw_cursor *c, uint32_t (*number)(void *self, tw_slice name), void *self);

#endif
