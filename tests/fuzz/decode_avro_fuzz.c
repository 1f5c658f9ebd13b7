/* Any bytes as an Avro datum of a schema with every kind of type, as a container, and (when they look like one) as a schema. */
#include "avro/container.h"
#include "avro/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"user_id\",\"type\":\"string\"},{\"name\":\"x\","
    "\"type\":{\"type\":"
    "\"map\",\"values\":{\"type\":\"array\",\"items\":[\"null\",\"bytes\",\"R\"]}}},{\"name\":\"event_ms\",\"type\":["
    "\"null\",\"long\","
    "\"double\"]},{\"name\":\"category\",\"type\":{\"type\":\"array\",\"items\":\"string\"}},{\"name\":\"price\","
    "\"type\":[\"float\","
    "\"null\"]},{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"K\",\"symbols\":[\"click\",\"dance\"]}},{"
    "\"name\":\"f\","
    "\"type\":{\"type\":\"fixed\",\"name\":\"F\",\"size\":4}},{\"name\":\"in_stock\",\"type\":\"boolean\"},{\"name\":"
    "\"item_id\","
    "\"type\":[\"null\",\"int\",\"string\"]},{\"name\":\"z\",\"type\":{\"type\":\"array\",\"items\":\"null\"}}]}";

static void read_container(tw_slice bytes) {
    tw_err err;
    tw_avro_header header;
    tw_avro_block block;
    tw_slice data;
    size_t size;
    tw_buf inflated = {0};
    if (tw_avro_header_read(bytes, &header, &size, &err) != TW_OK)
        return;
    bytes = (tw_slice){bytes.data + size, bytes.size - size};
    while (tw_avro_block_read(bytes, &header, &block, &size, &err) == TW_OK) {
        (void)tw_avro_block_data(&block, header.codec, &inflated, &data, &err);
        bytes = (tw_slice){bytes.data + size, bytes.size - size};
    }
    tw_buf_done(&inflated);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static tw_avro_plan *plan;
    static tw_arena *arena;
    tw_err err;
    tw_event event;
    size_t taken, skipped;
    if (!plan) {
        arena = tw_arena_create(1 << 16);
        if (tw_avro_plan_create((tw_slice){schema, sizeof schema - 1}, NULL, &plan, &err) != TW_OK)
            __builtin_trap();
    }
    tw_slice all = {(const char *)bytes, size};
    tw_reason reason = tw_avro_plan_decode(plan, all, arena, &event, &taken);
    if (reason == TW_REASON_NONE) /* what reads must skip to the same end */
        if (taken > size || tw_avro_plan_skip(plan, all, &skipped) != TW_REASON_NONE || skipped != taken)
            __builtin_trap();
    tw_arena_reset(arena);
    read_container(all);
    return 0;
}
