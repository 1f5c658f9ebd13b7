/* Shares to bytes and back. Called by the model when a profile goes out and by the row of the user. */
#include "model/shown.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void tw_shown_done(tw_shown *shown) {
    free(shown->roots);
    *shown = (tw_shown){0};
}

static void reach(tw_shown *shown, uint32_t categories) {
    if (categories <= shown->categories)
        return;
    shown->roots = tw_realloc(shown->roots, categories);
    memset(shown->roots + shown->categories, 0, categories - shown->categories);
    shown->categories = categories;
}

void tw_shown_take(tw_shown *shown, const float *shares, uint32_t categories) {
    reach(shown, categories);
    for (uint32_t c = 0; c < categories; c++)
        shown->roots[c] = (uint8_t)(255 * sqrtf(shares[c]) + 0.5f);
}

bool tw_shown_give(const tw_shown *shown, float *shares, uint32_t categories) {
    float sum = 0;
    for (uint32_t c = 0; c < categories; c++) {
        float root = c < shown->categories ? (float)shown->roots[c] : 0;
        shares[c] = root * root;
        sum += shares[c];
    }
    for (uint32_t c = 0; c < categories && sum > 0; c++)
        shares[c] /= sum;
    return sum > 0;
}

void tw_shown_encode(const tw_shown *shown, tw_buf *out) {
    tw_buf_text(out, (tw_slice){(const char *)shown->roots, shown->categories});
}

void tw_shown_load(tw_shown *shown, tw_cursor *c) {
    tw_slice roots = tw_cursor_text(c);
    if (c->bad)
        return;
    tw_shown_done(shown);
    reach(shown, (uint32_t)roots.size);
    if (roots.size)
        memcpy(shown->roots, roots.data, roots.size);
}

void tw_shown_export(const tw_shown *shown, const tw_categories *categories, tw_buf *out) {
    uint32_t count = 0;
    uint32_t used = tw_categories_used(categories), end = shown->categories < used ? shown->categories : used;
    for (uint32_t c = 0; c < end; c++)
        count += shown->roots[c] > 0;
    tw_buf_u32(out, count);
    for (uint32_t c = 0; c < end; c++)
        if (shown->roots[c]) {
            tw_buf_text(out, tw_categories_name(categories, c));
            tw_buf_u8(out, shown->roots[c]);
        }
}

void tw_shown_import(tw_shown *shown, tw_cursor *c, uint32_t (*number)(void *self, tw_slice name), void *self) {
    uint32_t count = tw_cursor_u32(c);
    tw_shown_done(shown);
    for (uint32_t i = 0; i < count && !c->bad; i++) {
        tw_slice name = tw_cursor_text(c);
        uint8_t root = tw_cursor_u8(c);
        if (c->bad || name.size == 0 || name.size > TW_CATEGORY_NAME_MAX) {
            c->bad = true;
            return;
        }
        uint32_t category = number(self, name);
        if (category == TW_MAP_NONE)
            continue;
        reach(shown, category + 1);
        if (root > shown->roots[category]) /* several may share the rest's */
            shown->roots[category] = root;
    }
}
