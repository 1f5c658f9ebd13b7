/* A list as one JSON object: for files, the command line, the API and JSON topics. Any thread. */
#include "base/json.h"
#include "pipeline/publish/sink.h"

#include <inttypes.h>

static void put_item(const tw_list_item *item, tw_buf *out) {
    tw_buf_printf(out, "{\"item_id\":");
    tw_json_text(out, item->item_id);
    tw_buf_printf(out, ",\"score\":%.6g", (double)item->score);
    if (item->title.size) {
        tw_buf_printf(out, ",\"title\":");
        tw_json_text(out, item->title);
    }
    if (item->category.size) {
        tw_buf_printf(out, ",\"category\":");
        tw_json_text(out, item->category);
    }
    tw_buf_printf(out, ",\"reasons\":[");
    for (int r = 0; r < item->reasons_count; r++) {
        const tw_list_reason *reason = &item->reasons[r];
        tw_buf_printf(out, "%s{\"source\":\"%s\",\"share\":%.3f", r ? "," : "", reason->source, (double)reason->share);
        if (reason->because_item.size) {
            tw_buf_printf(out, ",\"because_item\":");
            tw_json_text(out, reason->because_item);
        }
        if (reason->because_title.size) {
            tw_buf_printf(out, ",\"because_title\":");
            tw_json_text(out, reason->because_title);
        }
        tw_buf_u8(out, '}');
    }
    tw_buf_printf(out, "]}");
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
    tw_buf_printf(out, "{\"user_id\":");
    tw_json_text(out, list->user_id);
    tw_buf_printf(out, ",\"known\":%s,\"list_version\":%" PRIu64, list->known ? "true" : "false", list->list_version);
    if (list->event_ms != INT64_MIN)
        tw_buf_printf(out, ",\"event_ms\":%" PRId64, list->event_ms);
    if (list->topic.size) {
        tw_buf_printf(out, ",\"topic\":");
        tw_json_text(out, list->topic);
    }
    if (list->event_ms != INT64_MIN)
        tw_buf_printf(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, list->partition, list->offset);
    tw_buf_printf(out, ",\"items\":");
    tw_list_write_items_json(list, out);
    tw_buf_u8(out, '}');
}
