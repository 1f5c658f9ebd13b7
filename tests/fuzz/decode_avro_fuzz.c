/* Any bytes as an Avro datum of two schemas that have every kind of type between them, and as a container. */
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

/* What only a mapping reaches, and what is read by its logical type. */
static const char nested_schema[] =
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"long\",{\"type\":"
    "\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"b\",\"type\":[\"string\",\"null\",\"long\"]},{\"name\":\"a\","
    "\"type\":[\"A\",\"null\"]},{\"name\":\"c\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"
    "\"E\","
    "\"fields\":[]}}}]}]},{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"scale\":2}},"
    "{\"name\":\"when\",\"aliases\":[\"event_ms\"],\"type\":[\"null\",{\"type\":\"int\",\"logicalType\":\"date\"},"
    "{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"},\"string\",\"float\"]},{\"name\":\"rating\",\"type\":"
    "[\"double\",\"null\"]},{\"name\":\"kind\",\"type\":[\"int\",\"string\"]},{\"name\":\"title\",\"type\":[\"null\","
    "\"string\"]}]}";

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
    static tw_avro_plan *plans[2];
    static tw_mapping nested = {.time_unit = TW_TIME_S};
    static tw_arena *arena;
    tw_err err;
    if (!arena) {
        arena = tw_arena_create(1 << 16);
        tw_mapping_name(&nested, TW_FIELD_USER_ID, TW_SLICE_LITERAL("a.b"));
        tw_mapping_name(&nested, TW_FIELD_ITEM_ID, TW_SLICE_LITERAL("a.a.b"));
        if (tw_avro_plan_create((tw_slice){schema, sizeof schema - 1}, NULL, &plans[0], &err) != TW_OK ||
            tw_avro_plan_create((tw_slice){nested_schema, sizeof nested_schema - 1}, &nested, &plans[1], &err) != TW_OK)
            __builtin_trap();
    }
    tw_slice all = {(const char *)bytes, size};
    for (int p = 0; p < 2; p++) {
        tw_event event;
        size_t taken, skipped;
        tw_reason reason = tw_avro_plan_decode(plans[p], all, arena, &event, &taken);
        if (reason == TW_REASON_NONE) /* what reads must skip to the same end */
            if (taken > size || tw_avro_plan_skip(plans[p], all, &skipped) != TW_REASON_NONE || skipped != taken)
                __builtin_trap();
        if (reason >= TW_REASON_COUNT || tw_arena_size(arena) > (size_t)(1 << 16) + 4 * size)
            __builtin_trap();
        tw_arena_reset(arena);
    }
    read_container(all);
    return 0;
}
