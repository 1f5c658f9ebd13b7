/* A change that was noticed as JSON and as one datum of schemas/drift.avsc, held against avro-c in the tests. Any thread. */
#include "avro/write.h"
#include "base/json.h"
#include "pipeline/publish/sink.h"

#include <math.h>
#include <stdio.h>

static void json_window(const char *name, const tw_drift_window *w, tw_buf *out) {
    tw_buf_printf(out, ",\"%s\":{", name);
    if (w->since_ms != INT64_MIN)
        tw_buf_printf(out, "\"since_ms\":%lld,", (long long)w->since_ms);
    tw_buf_printf(out, "\"count\":%.6g", w->count);
    if (isfinite(w->mean))
        tw_buf_printf(out, ",\"mean\":%.6g", w->mean);
    tw_buf_u8(out, '}');
}

void tw_drift_write_json(const tw_drift_record *record, tw_buf *out) {
    tw_buf_printf(out, "{\"scope\":\"%s\",\"subject\":\"%s\"", record->scope, record->subject);
    if (record->user_id.size) {
        TW_JSON_PUT(out, ",\"user_id\":");
        tw_json_text(out, record->user_id);
    }
    tw_buf_printf(out, ",\"task\":%d,\"event_ms\":%lld,\"number\":%llu", (int32_t)record->task,
                  (long long)record->event_ms, (unsigned long long)record->number);
    json_window("from", &record->from, out);
    json_window("to", &record->to, out);
    tw_buf_printf(out, ",\"size\":%.6g,\"%s\":%.6g,\"evidence\":[", record->size, record->is_p ? "p" : "bound",
                  record->bound);
    for (int i = 0; i < record->evidence_count; i++) {
        tw_buf_printf(out, "%s{\"name\":", i ? "," : "");
        tw_json_text(out, record->evidence[i].name);
        tw_buf_printf(out, ",\"from\":%.4f,\"to\":%.4f}", record->evidence[i].from, record->evidence[i].to);
    }
    TW_JSON_PUT(out, "]}");
}

static void avro_window(const tw_drift_window *w, tw_buf *out) {
    bool dated = w->since_ms != INT64_MIN, number = isfinite(w->mean) != 0;
    tw_buf_u8(out, dated ? 2 : 0);
    if (dated)
        tw_avro_put_long(out, w->since_ms);
    tw_buf_f64(out, w->count);
    tw_buf_u8(out, number ? 2 : 0);
    if (number)
        tw_buf_f64(out, w->mean);
}

void tw_drift_write_avro(const tw_drift_record *record, tw_buf *out) {
    tw_avro_put_text(out, tw_slice_of(record->scope));
    tw_avro_put_text(out, tw_slice_of(record->subject));
    tw_avro_put_optional(out, record->user_id);
    tw_avro_put_long(out, (int32_t)record->task);
    tw_avro_put_long(out, record->event_ms);
    tw_avro_put_long(out, (int64_t)record->number);
    avro_window(&record->from, out);
    avro_window(&record->to, out);
    tw_buf_f64(out, record->size);
    tw_buf_f64(out, record->bound);
    tw_buf_u8(out, record->is_p);
    if (record->evidence_count)
        tw_avro_put_long(out, record->evidence_count);
    for (int i = 0; i < record->evidence_count; i++) {
        tw_avro_put_text(out, record->evidence[i].name);
        tw_buf_f64(out, record->evidence[i].from);
        tw_buf_f64(out, record->evidence[i].to);
    }
    tw_avro_put_long(out, 0);
}

tw_slice tw_drift_key(const tw_drift_record *record, char *text, size_t size) {
    if (record->user_id.size)
        return record->user_id;
    snprintf(text, size, "%s/%s", record->scope, record->subject);
    return tw_slice_of(text);
}
