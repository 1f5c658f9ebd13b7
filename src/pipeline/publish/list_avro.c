/* A list as one datum of schemas/recommendation.avsc, field by field in its order. Held against avro-c in the tests. Any thread. */
#include "avro/write.h"
#include "pipeline/publish/sink.h"

#include <math.h>

static void put_reasons(const tw_list_item *item, tw_buf *out) {
    if (item->reasons_count)
        tw_avro_put_long(out, item->reasons_count);
    for (int r = 0; r < item->reasons_count; r++) {
        const tw_list_reason *reason = &item->reasons[r];
        tw_avro_put_text(out, tw_slice_of(reason->source));
        tw_buf_f32(out, reason->share);
        tw_avro_put_optional(out, reason->because_item);
        tw_avro_put_optional(out, reason->because_title);
    }
    tw_avro_put_long(out, 0);
}

void tw_list_write_avro(const tw_list *list, tw_buf *out) {
    bool dated = list->event_ms != INT64_MIN;
    tw_avro_put_text(out, list->user_id);
    tw_avro_put_long(out, (int32_t)list->task);
    tw_buf_u8(out, list->known);
    tw_avro_put_long(out, (int64_t)list->list_version);
    tw_buf_u8(out, dated ? 2 : 0);
    if (dated)
        tw_avro_put_long(out, list->event_ms);
    tw_avro_put_optional(out, list->topic);
    tw_avro_put_long(out, list->partition);
    tw_avro_put_long(out, list->offset);
    if (list->count)
        tw_avro_put_long(out, list->count);
    for (int i = 0; i < list->count; i++) {
        tw_avro_put_text(out, list->items[i].item_id);
        tw_buf_f32(out, list->items[i].score);
        tw_avro_put_optional(out, list->items[i].title);
        tw_avro_put_optional(out, list->items[i].category);
        put_reasons(&list->items[i], out);
        bool drawn = list->items[i].propensity > 0;
        tw_buf_u8(out, drawn ? 2 : 0);
        if (drawn)
            tw_buf_f32(out, logf(list->items[i].propensity));
    }
    tw_avro_put_long(out, 0);
}
