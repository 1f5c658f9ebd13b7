/* Events of the shop as JSON, for producers that speak it. */
#include "pipeline/ingest/shop.h"

#include <inttypes.h>

static void put_text(tw_buf *out, const char *name, tw_slice text) {
    if (text.size == 0)
        return;
    tw_buf_printf(out, ",\"%s\":\"", name);
    for (size_t i = 0; i < text.size; i++) { /* the shop's own texts need no other escapes */
        if (text.data[i] == '"' || text.data[i] == '\\')
            tw_buf_u8(out, '\\');
        tw_buf_u8(out, (uint8_t)text.data[i]);
    }
    tw_buf_u8(out, '"');
}

void tw_shop_write_json(const tw_event *event, tw_buf *out) {
    tw_buf_printf(out, "{\"kind\":\"%s\",\"event_ms\":%" PRId64, tw_kind_name(event->kind), event->event_ms);
    put_text(out, "event_id", event->event_id);
    put_text(out, "user_id", event->user_id);
    put_text(out, "item_id", event->item_id);
    put_text(out, "category", event->category);
    put_text(out, "title", event->title);
    if (event->has & TW_HAS_PRICE)
        tw_buf_printf(out, ",\"price\":%.2f", event->price);
    if (event->has & TW_HAS_QUANTITY)
        tw_buf_printf(out, ",\"quantity\":%g", event->quantity);
    if (event->has & TW_HAS_RATING)
        tw_buf_printf(out, ",\"rating\":%g", event->rating);
    if (event->has & TW_HAS_IN_STOCK)
        tw_buf_printf(out, ",\"in_stock\":%s", event->in_stock ? "true" : "false");
    tw_buf_u8(out, '}');
}
