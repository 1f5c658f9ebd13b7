/* The table of items. Called by learning, scoring and by the store's load and encode. */
#include "model/items.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static bool same_item(const void *owner, uint32_t index, tw_slice id, uint32_t salt) {
    const tw_item *it = &((const tw_items *)owner)->items[index];
    (void)salt;
    return tw_slice_equal((tw_slice){it->id, it->id_size}, id);
}

void tw_items_init(tw_items *items, int D) {
    *items = (tw_items){0};
    items->map = tw_map_create(same_item, items);
    tw_rows_init(&items->in, D);
    tw_rows_init(&items->out, D);
}

static void release(tw_items *items, uint32_t item) {
    tw_item *it = &items->items[item];
    items->bytes -= it->id_size + it->category_size + it->title_size;
    free(it->id);
    free(it->category);
    free(it->title);
    *it = (tw_item){0};
    items->flags[item] = TW_ITEM_FREE;
}

void tw_items_done(tw_items *items) {
    for (uint32_t item = 0; item < items->slots.end; item++)
        if (tw_slots_used(&items->slots, item))
            release(items, item);
    free(items->items);
    free(items->flags);
    free(items->bias);
    free(items->in_sum);
    free(items->out_sum);
    free(items->popular);
    tw_slots_done(&items->slots);
    tw_map_free(items->map);
    tw_rows_done(&items->in);
    tw_rows_done(&items->out);
    tw_dirty_done(&items->dirty);
    tw_dirty_done(&items->dirty_in);
    tw_dirty_done(&items->dirty_out);
}

uint32_t tw_items_find(const tw_items *items, tw_slice id) {
    return tw_map_find(items->map, id, 0, tw_map_hash(id, 0));
}

/* Room for a slot in every array; what is new is zero. */
static void reach(tw_items *items, uint32_t item) {
    size_t old = items->capacity;
    items->items = tw_grow(items->items, &items->capacity, (size_t)item + 1, sizeof(tw_item));
    if (items->capacity != old) {
        float **const columns[] = {&items->bias, &items->in_sum, &items->out_sum, &items->popular};
        for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
            *columns[i] = tw_realloc(*columns[i], items->capacity * sizeof(float));
            memset(*columns[i] + old, 0, (items->capacity - old) * sizeof(float));
        }
        memset(items->items + old, 0, (items->capacity - old) * sizeof(tw_item));
        items->flags = tw_realloc(items->flags, items->capacity);
        memset(items->flags + old, TW_ITEM_FREE, items->capacity - old);
    }
    tw_rows_reach(&items->in, item);
    tw_rows_reach(&items->out, item);
}

static void clear_in(tw_items *items, uint32_t item) {
    memset(tw_row(&items->in, item), 0, (size_t)items->in.D * sizeof(float));
    items->in_sum[item] = 0;
}

static void clear_out(tw_items *items, uint32_t item) {
    memset(tw_row(&items->out, item), 0, (size_t)items->out.D * sizeof(float));
    items->out_sum[item] = items->bias[item] = 0;
}

void tw_items_reach_end(tw_items *items, uint32_t end) {
    if (end == 0 || tw_slots_used(&items->slots, end - 1))
        return;
    tw_slots_take_at(&items->slots, end - 1);
    reach(items, end - 1);
    tw_slots_give(&items->slots, end - 1);
}

static char *copy_text(tw_items *items, tw_slice text, uint32_t *ret_size) {
    char *copy = text.size ? tw_alloc(text.size) : NULL;
    if (copy)
        memcpy(copy, text.data, text.size);
    items->bytes += text.size;
    *ret_size = (uint32_t)text.size;
    return copy;
}

static tw_item *make(tw_items *items, uint32_t item, tw_slice id) {
    reach(items, item);
    clear_in(items, item);
    clear_out(items, item);
    items->popular[item] = 0;
    tw_item *it = &items->items[item];
    *it = (tw_item){.price = NAN};
    items->flags[item] = 0;
    it->id = copy_text(items, id, &it->id_size);
    return it;
}

uint32_t tw_items_add(tw_items *items, tw_slice id, int64_t event_ms) {
    uint32_t item = tw_slots_take(&items->slots);
    tw_item *it = make(items, item, id);
    it->order = items->next_order++;
    it->first_ms = event_ms;
    tw_map_insert(items->map, tw_map_hash(id, 0), item);
    tw_dirty_add(&items->dirty, item);
    tw_dirty_add(&items->dirty_in, item);
    tw_dirty_add(&items->dirty_out, item);
    return item;
}

void tw_items_remove(tw_items *items, uint32_t item) {
    tw_item *it = &items->items[item];
    tw_map_remove(items->map, tw_map_hash((tw_slice){it->id, it->id_size}, 0), item);
    release(items, item);
    tw_slots_give(&items->slots, item);
}

static bool replace_text(tw_items *items, char **text, uint32_t *size, tw_slice with) {
    if (with.size == 0 || (*size == with.size && memcmp(*text, with.data, with.size) == 0))
        return false;
    items->bytes -= *size;
    free(*text);
    *text = copy_text(items, with, size);
    return true;
}

/* A review's text is the user's, not the item's, unless the stream has no other titles: files give `text_or_title`. */
bool tw_items_describe(tw_items *items, uint32_t item, const tw_event *event) {
    tw_item *it = &items->items[item];
    uint8_t *flags = &items->flags[item];
    bool other = replace_text(items, &it->category, &it->category_size, event->category);
    if (event->kind != TW_KIND_REVIEW || it->title_size == 0)
        other |= replace_text(items, &it->title, &it->title_size, event->title);
    if (event->has & TW_HAS_PRICE)
        it->price = event->price;
    if (event->has & TW_HAS_IN_STOCK)
        *flags = (uint8_t)(event->in_stock ? *flags & ~TW_ITEM_OUT_OF_STOCK : *flags | TW_ITEM_OUT_OF_STOCK);
    if (event->has & TW_HAS_RETIRED)
        *flags = (uint8_t)(event->retired ? *flags | TW_ITEM_RETIRED : *flags & ~TW_ITEM_RETIRED);
    tw_dirty_add(&items->dirty, item);
    return other;
}

void tw_item_encode(const tw_items *items, tw_table table, uint32_t item, tw_buf *out) {
    size_t size = (size_t)items->in.D * sizeof(float);
    const tw_item *it = &items->items[item];
    switch (table) {
    case TW_TABLE_ITEM:
        tw_buf_text(out, (tw_slice){it->id, it->id_size});
        tw_buf_text(out, (tw_slice){it->category, it->category_size});
        tw_buf_text(out, (tw_slice){it->title, it->title_size});
        tw_buf_u64(out, it->order);
        tw_buf_u64(out, it->last_sequence);
        tw_buf_u64(out, (uint64_t)it->first_ms);
        tw_buf_f64(out, it->price);
        tw_buf_u8(out, items->flags[item]);
        tw_buf_f32(out, items->popular[item]);
        break;
    case TW_TABLE_ITEM_IN:
        tw_buf_f32(out, items->in_sum[item]);
        tw_buf_put(out, tw_row(&items->in, item), size);
        break;
    case TW_TABLE_ITEM_OUT:
        tw_buf_f32(out, items->out_sum[item]);
        tw_buf_f32(out, items->bias[item]);
        tw_buf_put(out, tw_row(&items->out, item), size);
        break;
    default:
        break;
    }
}

static tw_code load_identity(tw_items *items, uint32_t item, tw_cursor *c, tw_err *err) {
    tw_slice id = tw_cursor_text(c), category = tw_cursor_text(c), title = tw_cursor_text(c);
    if (c->bad || id.size > TW_ID_SIZE_MAX)
        return tw_fail(err, TW_E_STORE, "item row %" PRIu32 " is damaged", item);
    if (tw_slots_used(&items->slots, item))
        release(items, item);
    else
        tw_slots_take_at(&items->slots, item);
    reach(items, item); /* its vectors have rows of their own, which may have come before */
    tw_item *it = &items->items[item];
    it->id = copy_text(items, id, &it->id_size);
    it->category = copy_text(items, category, &it->category_size);
    it->title = copy_text(items, title, &it->title_size);
    it->order = tw_cursor_u64(c);
    it->last_sequence = tw_cursor_u64(c);
    it->first_ms = (int64_t)tw_cursor_u64(c);
    it->price = tw_cursor_f64(c);
    items->flags[item] = tw_cursor_u8(c);
    items->popular[item] = tw_cursor_f32(c);
    return TW_OK;
}

static void load_vector(const tw_rows *rows, uint32_t item, tw_cursor *c) {
    tw_cursor_copy(c, tw_row(rows, item), (size_t)rows->D * sizeof(float));
}

tw_code tw_item_load(tw_items *items, tw_table table, uint32_t item, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    if (table == TW_TABLE_ITEM) {
        TW_TRY(load_identity(items, item, &c, err));
    } else {
        reach(items, item);
        if (table == TW_TABLE_ITEM_IN) {
            items->in_sum[item] = tw_cursor_f32(&c);
            load_vector(&items->in, item, &c);
        } else {
            items->out_sum[item] = tw_cursor_f32(&c);
            items->bias[item] = tw_cursor_f32(&c);
            load_vector(&items->out, item, &c);
        }
    }
    if (c.bad || c.at != c.end)
        return tw_fail(err, TW_E_STORE, "item row %" PRIu32 " is damaged", item);
    return TW_OK;
}

void tw_item_unload(tw_items *items, tw_table table, uint32_t item) {
    if (item >= items->capacity)
        return;
    if (table == TW_TABLE_ITEM_IN) {
        clear_in(items, item);
    } else if (table == TW_TABLE_ITEM_OUT) {
        clear_out(items, item);
    } else if (tw_slots_used(&items->slots, item)) {
        release(items, item);
        tw_slots_give(&items->slots, item);
    }
}

void tw_items_loaded(tw_items *items) {
    for (uint32_t item = 0; item < items->slots.end; item++)
        if (tw_slots_used(&items->slots, item)) {
            const tw_item *it = &items->items[item];
            tw_map_insert(items->map, tw_map_hash((tw_slice){it->id, it->id_size}, 0), item);
            if (it->order >= items->next_order)
                items->next_order = it->order + 1;
        }
}
