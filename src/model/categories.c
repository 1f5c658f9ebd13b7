/* Names of categories and their numbers. Called by the profile for every event that names an item, and when rows are loaded. */
#include "model/categories.h"

#include "base/alloc.h"

#include <stdlib.h>

static bool same_name(const void *owner, uint32_t index, tw_slice name, uint32_t salt) {
    (void)salt;
    return tw_slice_equal(tw_categories_name(owner, index), name);
}

void tw_categories_init(tw_categories *categories, uint32_t max) {
    *categories = (tw_categories){.max = max};
    categories->map = tw_map_create(same_name, categories);
}

static void forget(tw_categories *categories) {
    for (uint32_t i = 0; i < categories->count; i++)
        free(categories->names[i].name);
    categories->count = 0;
    categories->rest = false;
    categories->map = tw_map_free(categories->map);
}

void tw_categories_done(tw_categories *categories) {
    forget(categories);
    free(categories->names);
    *categories = (tw_categories){0};
}

tw_slice tw_categories_name(const tw_categories *categories, uint32_t number) {
    if (number >= categories->count)
        return TW_SLICE_LITERAL(TW_CATEGORY_REST);
    return (tw_slice){categories->names[number].name, categories->names[number].size};
}

static void add_name(tw_categories *categories, tw_slice name) {
    categories->names =
        tw_grow(categories->names, &categories->capacity, (size_t)categories->count + 1, sizeof *categories->names);
    tw_category *new = &categories->names[categories->count];
    *new = (tw_category){.name = tw_alloc(name.size), .size = (uint32_t)name.size};
    memcpy(new->name, name.data, name.size);
    tw_map_insert(categories->map, tw_map_hash(name, 0), categories->count++);
}

uint32_t tw_categories_find(const tw_categories *categories, tw_slice name) {
    uint32_t number = tw_map_find(categories->map, name, 0, tw_map_hash(name, 0));
    return number == TW_MAP_NONE && categories->rest ? categories->max : number;
}

uint32_t tw_categories_add(tw_categories *categories, tw_slice name) {
    uint32_t number = tw_categories_find(categories, name);
    if (number != TW_MAP_NONE)
        return number;
    if (categories->count == categories->max)
        categories->rest = true;
    else
        add_name(categories, name);
    return categories->rest ? categories->max : categories->count - 1;
}

static uint32_t find(tw_categories *categories, tw_slice name) {
    return tw_categories_find(categories, name);
}

static void note(tw_category_shares *shares, uint32_t number) {
    for (int i = 0; i < shares->count; i++)
        if (shares->numbers[i] == number) {
            shares->shares[i] += 1;
            return;
        }
    shares->numbers[shares->count] = (uint16_t)number;
    shares->shares[shares->count++] = 1;
}

void tw_categories_read(tw_categories *categories, tw_slice text, bool add, tw_category_shares *ret_shares) {
    float named = 0;
    ret_shares->count = 0;
    for (size_t start = 0; start < text.size && named < TW_CATEGORIES_AN_ITEM;) {
        const char *bar = memchr(text.data + start, '|', text.size - start);
        size_t size = bar ? (size_t)(bar - text.data) - start : text.size - start;
        uint32_t number = TW_MAP_NONE;
        if (size > 0 && size <= TW_CATEGORY_NAME_MAX)
            number = (add ? tw_categories_add : find)(categories, (tw_slice){text.data + start, size});
        if (number != TW_MAP_NONE) {
            note(ret_shares, number);
            named += 1;
        }
        start += size + 1;
    }
    for (int i = 0; i < ret_shares->count; i++)
        ret_shares->shares[i] /= named;
}

void tw_categories_encode(const tw_categories *categories, tw_buf *out) {
    tw_buf_u32(out, categories->count);
    tw_buf_u8(out, categories->rest);
    for (uint32_t i = 0; i < categories->count; i++)
        tw_buf_text(out, tw_categories_name(categories, i));
}

tw_code tw_categories_load(tw_categories *categories, tw_cursor *c, tw_err *err) {
    uint32_t count = tw_cursor_u32(c);
    bool rest = tw_cursor_u8(c) != 0;
    if (c->bad || count > categories->max || (rest && count < categories->max))
        return tw_fail(err, TW_E_STORE, "the table of categories is damaged");
    forget(categories);
    categories->map = tw_map_create(same_name, categories);
    categories->rest = rest;
    for (uint32_t i = 0; i < count; i++) {
        tw_slice name = tw_cursor_text(c);
        if (c->bad || name.size == 0 || name.size > TW_CATEGORY_NAME_MAX ||
            tw_map_find(categories->map, name, 0, tw_map_hash(name, 0)) != TW_MAP_NONE)
            return tw_fail(err, TW_E_STORE, "the table of categories is damaged");
        add_name(categories, name);
    }
    return TW_OK;
}
