#include "avro/plan.h"
#include "avro/container.h"
#include "base/buf.h"
#include "support/test.h"

#include <stdlib.h>

static tw_arena *arena;
static tw_err err;

static tw_avro_plan *compile(const char *schema) {
    tw_avro_plan *plan;
    arena = arena ? arena : tw_arena_create(4096);
    ASSERT_OK(tw_avro_plan_create(tw_slice_of(schema), NULL, &plan, &err));
    return plan;
}

static char *read_schema(const char *name) {
    static char text[20000];
    char path[700];
    snprintf(path, sizeof path, "%s/schemas/%s.avsc", TW_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    ASSERT_TRUE(file != NULL);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Avro binary, written by hand from the specification. */
static void put_long(tw_buf *b, int64_t v) {
    uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    for (; z >= 0x80; z >>= 7)
        tw_buf_u8(b, (uint8_t)(z | 0x80));
    tw_buf_u8(b, (uint8_t)z);
}
static void put_text(tw_buf *b, const char *text) {
    put_long(b, (int64_t)strlen(text));
    tw_buf_put(b, text, strlen(text));
}

static void put_click(tw_buf *b) {
    put_long(b, 1), put_text(b, "e1"); /* event_id: second branch */
    put_text(b, "user-1"), put_text(b, "item-9"), put_long(b, 1700000000123);
    put_long(b, 1); /* kind: cart */
    put_long(b, 1), put_text(b, "books|toys");
    put_long(b, 0); /* title: null */
    put_long(b, 1), tw_buf_f64(b, 12.5);
}

static bool is(tw_slice s, const char *text) {
    return tw_slice_equal(s, tw_slice_of(text));
}

TEST(our_own_schemas_compile_and_a_click_reads_field_by_field) {
    static const char *const names[] = {"click", "purchase", "review", "item", "recommendation"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        tw_avro_plan_free(compile(read_schema(names[i])));
    tw_avro_plan *plan = compile(read_schema("click"));
    tw_buf b = {0};
    tw_event e;
    size_t size;
    put_click(&b);
    ASSERT_EQ(tw_avro_plan_decode(plan, tw_buf_slice(&b), arena, &e, &size), TW_REASON_NONE);
    ASSERT_EQ(size, b.size);
    ASSERT_EQ(e.kind, TW_KIND_CART);
    ASSERT_EQ(e.event_ms, 1700000000123);
    ASSERT_TRUE(is(e.event_id, "e1") && is(e.user_id, "user-1") && is(e.item_id, "item-9") &&
                is(e.category, "books|toys"));
    ASSERT_EQ(e.title.size, 0);
    ASSERT_NEAR(e.price, 12.5, 0);
    ASSERT_EQ(e.has, TW_HAS_KIND | TW_HAS_TIME | TW_HAS_PRICE);
    ASSERT_EQ(tw_avro_plan_skip(plan, tw_buf_slice(&b), &size), TW_REASON_NONE);
    ASSERT_EQ(size, b.size);
    tw_buf_done(&b);
    tw_avro_plan_free(plan);
}

TEST(bytes_cut_anywhere_are_truncated_and_nothing_worse) {
    tw_avro_plan *plan = compile(read_schema("click"));
    tw_buf b = {0};
    tw_event e;
    size_t size;
    put_click(&b);
    for (size_t n = 0; n < b.size; n++) {
        char *exact = malloc(n ? n : 1); /* so that a sanitizer sees any step beyond */
        memcpy(exact, b.data, n);
        ASSERT_EQ(tw_avro_plan_decode(plan, (tw_slice){exact, n}, arena, &e, &size), TW_REASON_TRUNCATED);
        ASSERT_EQ(tw_avro_plan_skip(plan, (tw_slice){exact, n}, &size), TW_REASON_TRUNCATED);
        free(exact);
    }
    tw_buf_done(&b);
    tw_avro_plan_free(plan);
}

TEST(another_order_unknown_fields_promotions_and_unions_are_read) {
    tw_avro_plan *plan =
        compile("{\"type\":\"record\",\"name\":\"R\",\"fields\":["
                "{\"name\":\"extra\",\"type\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":[\"null\","
                "\"string\",{\"type\":"
                "\"fixed\",\"name\":\"F\",\"size\":3}]}}},"
                "{\"name\":\"price\",\"type\":[\"float\",\"null\"]},{\"name\":\"item_id\",\"type\":\"int\"},"
                "{\"name\":\"nested\",\"type\":{\"type\":\"record\",\"name\":\"N\",\"fields\":[{\"name\":\"user_id\","
                "\"type\":\"string\"},"
                "{\"name\":\"more\",\"type\":[\"null\",\"N\"]}]}},"
                "{\"name\":\"user_id\",\"type\":\"bytes\"},{\"name\":\"quantity\",\"type\":\"int\"},"
                "{\"name\":\"ts_ms\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}},"
                "{\"name\":\"category\",\"type\":{\"type\":\"array\",\"items\":\"string\"}},{\"name\":\"kind\","
                "\"type\":\"string\"}]}");
    tw_buf b = {0};
    tw_event e;
    size_t size;
    put_long(&b, -1), put_long(&b, 14); /* a map block that says its size */
    put_text(&b, "k"), put_long(&b, 3), put_long(&b, 1), put_text(&b, "abc"), put_long(&b, 0), put_long(&b, 2),
        tw_buf_put(&b, "xyz", 3);
    put_long(&b, 0);
    ASSERT_EQ(b.size, 16);
    put_long(&b, 0);
    put_long(&b, 0), tw_buf_f32(&b, 2.5f);
    put_long(&b, -17);
    put_text(&b, "not this one"), put_long(&b, 1), put_text(&b, "nor this"), put_long(&b, 0);
    put_text(&b, "u");
    put_long(&b, 4), put_long(&b, 1700000000123456);
    put_long(&b, 2), put_text(&b, "a"), put_text(&b, "b"), put_long(&b, 1), put_text(&b, "c"), put_long(&b, 0);
    put_text(&b, "return");
    ASSERT_EQ(tw_avro_plan_decode(plan, tw_buf_slice(&b), arena, &e, &size), TW_REASON_NONE);
    ASSERT_EQ(size, b.size);
    ASSERT_TRUE(is(e.user_id, "u") && is(e.item_id, "-17") && is(e.category, "a|b|c"));
    ASSERT_EQ(e.event_ms, 1700000000123);
    ASSERT_EQ(e.kind, TW_KIND_RETURN);
    ASSERT_NEAR(e.price, 2.5, 0);
    ASSERT_NEAR(e.quantity, 4, 0);
    tw_buf_done(&b);
    tw_avro_plan_free(plan);
}

static tw_reason decode_bytes(const char *schema, const void *bytes, size_t size) {
    tw_avro_plan *plan = compile(schema);
    tw_event e;
    size_t taken;
    tw_reason reason = tw_avro_plan_decode(plan, (tw_slice){bytes, size}, arena, &e, &taken);
    tw_avro_plan_free(plan);
    return reason;
}

TEST(hostile_bytes_are_answered_in_bounded_work) {
    static const char text[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"user_id\",\"type\":\"string\"}]}";
    static const char nulls[] = "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":{\"type\":"
                                "\"array\",\"items\":\"null\"}}]}";
    static const char deep[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":[\"null\",\"R\"]}]}";
    ASSERT_EQ(decode_bytes(text, "\xfe\xff\xff\xff\x0f", 5), TW_REASON_TRUNCATED); /* says 2 GiB */
    ASSERT_EQ(decode_bytes(text, "\x01", 1), TW_REASON_MALFORMED);                 /* length -1 */
    ASSERT_EQ(decode_bytes(text, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11),
              TW_REASON_MALFORMED); /* over 64 bits */
    ASSERT_EQ(decode_bytes(nulls, "\x80\x80\x80\x80\x80\x80\x01\x00", 8),
              TW_REASON_MALFORMED);                                     /* 2^41 nulls in no bytes */
    ASSERT_EQ(decode_bytes(nulls, "\x01\x01", 2), TW_REASON_MALFORMED); /* a block of negative size */
    char path_down[200];
    memset(path_down, 2, sizeof path_down);
    ASSERT_EQ(decode_bytes(deep, path_down, sizeof path_down), TW_REASON_TOO_DEEP);
    ASSERT_EQ(decode_bytes(deep, "\x04", 1), TW_REASON_MALFORMED); /* a branch that is not there */
}

TEST(schemas_that_are_none_or_too_large_are_bad_files) {
    tw_avro_plan *plan;
    static char deep[2000];
    ASSERT_EQ(tw_avro_plan_create(TW_SLICE_LITERAL(""), NULL, &plan, &err), TW_E_BAD_FILE);
    ASSERT_EQ(tw_avro_plan_create(TW_SLICE_LITERAL("\"string\""), NULL, &plan, &err), TW_E_BAD_FILE);
    ASSERT_EQ(tw_avro_plan_create(TW_SLICE_LITERAL("{\"type\":\"record\"}"), NULL, &plan, &err), TW_E_BAD_FILE);
    memset(deep, '[', sizeof deep);
    ASSERT_EQ(tw_avro_plan_create((tw_slice){deep, sizeof deep}, NULL, &plan, &err), TW_E_BAD_FILE);
    char *large = calloc(1, 1 << 20);
    ASSERT_EQ(tw_avro_plan_create((tw_slice){large, 1 << 20}, NULL, &plan, &err), TW_E_BAD_FILE);
    free(large);
}

TEST(a_container_header_and_its_blocks_are_read_and_torn_ones_ask_for_more) {
    tw_buf b = {0}, inflated = {0};
    tw_avro_header header;
    tw_avro_block block;
    tw_slice data;
    size_t size, header_size;
    tw_buf_put(&b, "Obj\x01", 4);
    put_long(&b, 2), put_text(&b, "avro.schema"), put_text(&b, "\"int\""), put_text(&b, "avro.codec"),
        put_text(&b, "null");
    put_long(&b, 0);
    tw_buf_put(&b, "0123456789abcdef", 16);
    header_size = b.size;
    put_long(&b, 2), put_long(&b, 3), tw_buf_put(&b, "\x02\x04\x06", 3), tw_buf_put(&b, "0123456789abcdef", 16);
    for (size_t n = 0; n < header_size; n++)
        ASSERT_EQ(tw_avro_header_read((tw_slice){b.data, n}, &header, &size, &err), TW_E_AGAIN);
    ASSERT_OK(tw_avro_header_read(tw_buf_slice(&b), &header, &size, &err));
    ASSERT_EQ(size, header_size);
    ASSERT_TRUE(is(header.schema, "\"int\""));
    for (size_t n = header_size; n < b.size; n++)
        ASSERT_EQ(tw_avro_block_read((tw_slice){b.data + header_size, n - header_size}, &header, &block, &size, &err),
                  TW_E_AGAIN);
    ASSERT_OK(tw_avro_block_read((tw_slice){b.data + header_size, b.size - header_size}, &header, &block, &size, &err));
    ASSERT_EQ(block.count, 2);
    ASSERT_OK(tw_avro_block_data(&block, header.codec, &inflated, &data, &err));
    ASSERT_EQ(data.size, 3);
    ASSERT_EQ(tw_avro_block_data(&block, TW_AVRO_DEFLATE, &inflated, &data, &err), TW_E_BAD_FILE);
    b.data[b.size - 1] ^= 1; /* the marker is another's */
    ASSERT_EQ(tw_avro_block_read((tw_slice){b.data + header_size, b.size - header_size}, &header, &block, &size, &err),
              TW_E_BAD_FILE);
    tw_buf_done(&b);
    tw_buf_done(&inflated);
    arena = tw_arena_free(arena);
}
