/* A list as one JSON object: for files, the command line, the API and JSON topics. Any thread. */
#include <math.h>

#include "base/json.h"
#include "pipeline/publish/sink.h"

static void put_text(tw_buf *out, const char *name, size_t size, tw_slice text) {
    tw_buf_put(out, name, size);
    tw_json_text(out, text);
}
/* name with its comma, quotes and colon */
#define PUT_TEXT(out, name, text) put_text(out, "" name, sizeof name - 1, text)

static void put_reason(const tw_list_reason *reason, tw_buf *out) {
    PUT_TEXT(out, "{\"source\":", tw_slice_of(reason->source));
    TW_JSON_PUT(out, ",\"share\":");
    tw_json_thousandths(out, (double)reason->share);
    if (reason->because_item.size)
        PUT_TEXT(out, ",\"because_item\":", reason->because_item);
    if (reason->because_title.size)
        PUT_TEXT(out, ",\"because_title\":", reason->because_title);
    tw_buf_u8(out, '}');
}
static void put_item(const tw_list_item *item, tw_buf *out) {
    PUT_TEXT(out, "{\"item_id\":", item->item_id);
    TW_JSON_PUT(out, ",\"score\":");
    tw_json_real(out, (double)item->score);
    if (item->title.size)
        PUT_TEXT(out, ",\"title\":", item->title);
    if (item->category.size)
        PUT_TEXT(out, ",\"category\":", item->category);
    TW_JSON_PUT(out, ",\"reasons\":[");
    for (int r = 0; r < item->reasons_count; r++) {
        if (r)
            tw_buf_u8(out, ',');
        put_reason(&item->reasons[r], out);
    }
    tw_buf_u8(out, ']');
    if (item->propensity > 0) {
        TW_JSON_PUT(out, ",\"log_propensity\":");
        tw_json_real(out, (double)logf(item->propensity));
    }
    tw_buf_u8(out, '}');
}

void tw_list_write_items_json(const tw_list *list, tw_buf *out) {
    tw_buf_u8(out, '[');
    for (int i = 0; i < list->count; i++) {
        if (i)
            tw_buf_u8(out, ',');
        put_item(&list->items[i], out);
    }
    tw_buf_u8(out, ']');
}

void tw_list_write_json(const tw_list *list, tw_buf *out) {
    PUT_TEXT(out, "{\"user_id\":", list->user_id);
    if (list->known)
        TW_JSON_PUT(out, ",\"known\":true,\"list_version\":");
    else
        TW_JSON_PUT(out, ",\"known\":false,\"list_version\":");
    tw_json_whole(out, (int64_t)list->list_version);
    if (list->event_ms != INT64_MIN) {
        TW_JSON_PUT(out, ",\"event_ms\":");
        tw_json_whole(out, list->event_ms);
    }
    if (list->topic.size)
        PUT_TEXT(out, ",\"topic\":", list->topic);
    if (list->event_ms != INT64_MIN) {
        TW_JSON_PUT(out, ",\"partition\":");
        tw_json_whole(out, list->partition);
        TW_JSON_PUT(out, ",\"offset\":");
        tw_json_whole(out, list->offset);
    }
    TW_JSON_PUT(out, ",\"items\":");
    tw_list_write_items_json(list, out);
    tw_buf_u8(out, '}');
}
