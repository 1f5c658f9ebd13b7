/* Which field of a writer's schema is which of ours, and what is refused before a record is read. */
#include "avro/plan.h"
#include "avro/write.h"
#include "support/test.h"

static tw_err err;

#define RECORD(fields) "{\"type\":\"record\",\"name\":\"R\",\"fields\":[" fields "]}"
#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type "}"

static tw_reason read_one(const char *schema, const tw_mapping *mapping, const tw_buf *bytes, tw_event *ret_event) {
    tw_avro_plan *plan;
    size_t size = 0, skipped;
    tw_arena *arena = tw_arena_create(256);
    ASSERT_OK(tw_avro_plan_create(tw_slice_of(schema), mapping, &plan, &err));
    tw_reason reason = tw_avro_plan_decode(plan, tw_buf_slice(bytes), arena, ret_event, &size);
    if (reason == TW_REASON_NONE) {
        ASSERT_EQ(size, bytes->size);
        ASSERT_EQ(tw_avro_plan_skip(plan, tw_buf_slice(bytes), &skipped), TW_REASON_NONE);
        ASSERT_EQ(skipped, size);
    }
    tw_avro_plan_free(plan);
    tw_arena_free(arena); /* the texts of these tests lie in the bytes */
    return reason;
}

static bool is(tw_slice s, const char *text) {
    return tw_slice_equal(s, tw_slice_of(text));
}

static const char *refused(const char *schema, const tw_mapping *mapping) {
    tw_avro_plan *plan;
    ASSERT_EQ(tw_avro_plan_create(tw_slice_of(schema), mapping, &plan, &err), TW_E_BAD_FILE);
    return err.text;
}

TEST(a_name_goes_before_an_alias_and_the_first_alias_before_the_next) {
    static const char schema[] =
        RECORD("{\"name\":\"a\",\"type\":\"string\",\"aliases\":[\"user_id\",\"item_id\"]},"
               "{\"name\":\"b\",\"type\":\"string\",\"aliases\":[\"category\"]},"
               "{\"name\":\"c\",\"type\":\"string\",\"aliases\":[\"category\"]}," FIELD("user_id", "\"string\""));
    tw_buf b = {0};
    tw_event e;
    for (const char *text = "abcd"; *text; text++)
        tw_avro_put_text(&b, (tw_slice){text, 1});
    ASSERT_EQ(read_one(schema, NULL, &b, &e), TW_REASON_NONE);
    ASSERT_TRUE(is(e.user_id, "d") && is(e.item_id, "a") && is(e.category, "b"));
    tw_buf_done(&b);
}

TEST(two_fields_that_are_one_to_us_are_refused_by_name) {
    const char *text = refused(RECORD(FIELD("ts_ms", "\"long\"") "," FIELD("event_ms", "\"long\"")), NULL);
    ASSERT_TRUE(strstr(text, "\"ts_ms\"") && strstr(text, "\"event_ms\""));
    tw_mapping mapping = {.time_unit = TW_TIME_MS};
    tw_mapping_name(&mapping, TW_FIELD_TIME, TW_SLICE_LITERAL("ts_ms")); /* now it is said which */
    tw_buf b = {0};
    tw_event e;
    tw_avro_put_long(&b, 5), tw_avro_put_long(&b, 6);
    ASSERT_EQ(read_one(RECORD(FIELD("ts_ms", "\"long\"") "," FIELD("event_ms", "\"long\"")), &mapping, &b, &e),
              TW_REASON_NONE);
    ASSERT_EQ(e.event_ms, 5);
    tw_buf_done(&b);
}

TEST(a_field_of_a_type_that_cannot_be_read_as_it_is_refused_by_name) {
    static const struct {
        const char *name, *type;
    } bad[] = {{"user_id", "\"double\""},
               {"user_id", "\"boolean\""},
               {"item_id", "{\"type\":\"array\",\"items\":\"string\"}"},
               {"category", "{\"type\":\"array\",\"items\":\"int\"}"},
               {"category", "{\"type\":\"map\",\"values\":\"string\"}"},
               {"title", "{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"x\",\"type\":\"int\"}]}"},
               {"price", "\"string\""},
               {"price", "\"bytes\""},
               {"price", "[\"null\",\"boolean\"]"},
               {"rating", "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"good\"]}"},
               {"event_ms", "\"boolean\""},
               {"event_ms", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":12,\"logicalType\":\"duration\"}"},
               {"kind", "\"float\""},
               {"in_stock", "\"int\""},
               {"retired", "[\"null\",\"string\"]"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char schema[400], quoted[40];
        snprintf(schema, sizeof schema, RECORD(FIELD("%s", "%s")), bad[i].name, bad[i].type);
        snprintf(quoted, sizeof quoted, "\"%s\"", bad[i].name);
        if (!strstr(refused(schema, NULL), quoted))
            tw_test_fail(__FILE__, __LINE__, "%s: %s", schema, err.text);
    }
}

TEST(a_skipper_takes_any_record) {
    tw_avro_plan *plan;
    size_t size;
    ASSERT_OK(tw_avro_plan_create_skipper(
        TW_SLICE_LITERAL(RECORD(FIELD("price", "\"string\"") "," FIELD("kind", "\"float\""))), &plan, &err));
    ASSERT_EQ(tw_avro_plan_skip(plan, TW_SLICE_LITERAL("\x02x\0\0\0\0more"), &size), TW_REASON_NONE);
    ASSERT_EQ(size, 6);
    tw_avro_plan_free(plan);
    ASSERT_EQ(tw_avro_plan_create_skipper(TW_SLICE_LITERAL("\"string\""), &plan, &err), TW_E_BAD_FILE);
}

TEST(of_a_union_with_a_branch_that_can_be_read_another_is_malformed) {
    tw_buf b = {0};
    tw_event e;
    tw_avro_put_long(&b, 0), tw_buf_u8(&b, 1);
    ASSERT_EQ(read_one(RECORD(FIELD("user_id", "[\"boolean\",\"string\"]")), NULL, &b, &e), TW_REASON_MALFORMED);
    tw_buf_done(&b);
}

TEST(a_fixed_of_a_size_that_cannot_be_is_refused_and_not_cut_to_32_bits) {
    static const char *const sizes[] = {"4294967297", "-1", "9223372036854775807", "1073741825"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char schema[200];
        snprintf(schema, sizeof schema, RECORD(FIELD("f", "{\"type\":\"fixed\",\"name\":\"F\",\"size\":%s}")),
                 sizes[i]);
        refused(schema, NULL);
    }
}

TEST(a_union_in_another_form_of_the_same_branch_is_read) {
    tw_buf b = {0};
    tw_event e;
    tw_buf_put(&b, "\x82\x00", 2); /* branch 1 in two bytes, which no writer does and the specification allows */
    tw_avro_put_text(&b, TW_SLICE_LITERAL("u"));
    tw_buf_put(&b, "\x80\x00", 2);
    ASSERT_EQ(read_one(RECORD(FIELD("user_id", "[\"null\",\"string\"]") "," FIELD("price", "[\"null\",\"double\"]")),
                       NULL, &b, &e),
              TW_REASON_NONE);
    ASSERT_TRUE(is(e.user_id, "u"));
    ASSERT_EQ(e.has, 0);
    tw_buf_done(&b);
}

TEST(the_unit_of_time_is_found_wherever_it_is_written) {
    static const char *const schemas[] = {
        RECORD("{\"type\":{\"logicalType\":\"timestamp-micros\",\"type\":\"long\"},\"name\":\"event_ms\"}"),
        RECORD("{\"doc\":\"\\\"event_ms\\\", \\\"name\\\" [\",\"name\":\"event_ms\",\"type\":{\"type\":\"long\","
               "\"logicalType\":\"local-timestamp-micros\"}}"),
        RECORD("{\"name\":\"event_ms\",\"default\":{\"logicalType\":\"date\"},\"type\":[{\"type\":\"long\","
               "\"logicalType\":"
               "\"timestamp-micros\"},\"null\"]}"),
        RECORD(
            "{\"name\":\"event_ms\",\"logicalType\":\"timestamp-millis\",\"type\":{\"type\":\"long\",\"logicalType\":"
            "\"timestamp-micros\"}}")};
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        tw_buf b = {0};
        tw_event e;
        if (strstr(schemas[i], "\"null\""))
            tw_avro_put_long(&b, 0);
        tw_avro_put_long(&b, -1500);
        ASSERT_EQ(read_one(schemas[i], NULL, &b, &e), TW_REASON_NONE);
        ASSERT_EQ(e.event_ms, -2);
        tw_buf_done(&b);
    }
}

TEST(a_unit_of_another_field_is_not_taken_for_that_of_the_time) {
    tw_buf b = {0};
    tw_event e;
    tw_mapping seconds = {.time_unit = TW_TIME_S};
    tw_avro_put_long(&b, 7), tw_avro_put_long(&b, 3);
    ASSERT_EQ(
        read_one(RECORD("{\"name\":\"other\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}}," FIELD(
                     "event_ms", "\"long\"")),
                 &seconds, &b, &e),
        TW_REASON_NONE);
    ASSERT_EQ(e.event_ms, 3000);
    tw_buf_done(&b);
}

TEST(times_that_no_event_can_hold_are_bad_numbers) {
    static const char *const types[] = {"{\"type\":\"long\",\"logicalType\":\"date\"}", "\"double\"", "\"string\""};
    tw_event e;
    tw_mapping seconds = {.time_unit = TW_TIME_S};
    for (size_t i = 0; i < 3; i++) {
        char schema[300];
        tw_buf b = {0};
        snprintf(schema, sizeof schema, RECORD(FIELD("event_ms", "%s")), types[i]);
        if (i == 0)
            tw_avro_put_long(&b, INT64_MAX / 2);
        else if (i == 1)
            tw_buf_f64(&b, NAN);
        else
            tw_avro_put_text(&b, TW_SLICE_LITERAL("2023-02-30"));
        ASSERT_EQ(read_one(schema, NULL, &b, &e), TW_REASON_BAD_NUMBER);
        tw_buf_done(&b);
    }
    tw_buf b = {0};
    tw_avro_put_long(&b, INT64_MIN);
    ASSERT_EQ(read_one(RECORD(FIELD("event_ms", "\"long\"")), &seconds, &b, &e), TW_REASON_BAD_NUMBER);
    tw_buf_done(&b);
}

TEST(a_decimal_wider_than_any_money_is_a_bad_number) {
    static const char schema[] =
        RECORD(FIELD("price", "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":40,\"scale\":30}"));
    static const char wide[17];
    tw_buf b = {0};
    tw_event e;
    tw_avro_put_text(&b, (tw_slice){wide, 16});
    ASSERT_EQ(read_one(schema, NULL, &b, &e), TW_REASON_NONE);
    tw_buf_clear(&b);
    tw_avro_put_text(&b, (tw_slice){wide, 17});
    ASSERT_EQ(read_one(schema, NULL, &b, &e), TW_REASON_BAD_NUMBER);
    tw_buf_done(&b);
}

TEST(kinds_may_be_numbers_and_unknown_ones_are_told) {
    tw_mapping mapping = {.time_unit = TW_TIME_MS};
    tw_buf b = {0};
    tw_event e;
    ASSERT_OK(tw_mapping_add_kinds(&mapping, TW_SLICE_LITERAL("-3=purchase"), &err));
    tw_avro_put_long(&b, -3);
    ASSERT_EQ(read_one(RECORD(FIELD("kind", "\"int\"")), &mapping, &b, &e), TW_REASON_NONE);
    ASSERT_EQ(e.kind, TW_KIND_PURCHASE);
    ASSERT_EQ(read_one(RECORD(FIELD("kind", "\"int\"")), NULL, &b, &e), TW_REASON_UNKNOWN_TYPE);
    tw_buf_clear(&b);
    tw_avro_put_long(&b, 0);
    ASSERT_EQ(
        read_one(RECORD(FIELD("kind", "{\"type\":\"enum\",\"name\":\"K\",\"symbols\":[\"dance\"]}")), NULL, &b, &e),
        TW_REASON_UNKNOWN_TYPE);
    tw_buf_done(&b);
}

TEST(a_path_is_read_where_its_record_is_and_left_out_where_it_is_null) {
    static const char schema[] = RECORD(FIELD("a", "[\"string\",{\"type\":\"record\",\"name\":\"A\",\"fields\":[" FIELD(
                                                       "b", "\"string\"") "," FIELD("c", "[\"null\",\"A\"]") "]}]"));
    tw_mapping mapping = {.time_unit = TW_TIME_MS};
    tw_buf b = {0};
    tw_event e;
    tw_mapping_name(&mapping, TW_FIELD_USER_ID, TW_SLICE_LITERAL("a.b"));
    tw_mapping_name(&mapping, TW_FIELD_ITEM_ID, TW_SLICE_LITERAL("a.c.c.b"));
    for (int depth = 1; depth <= 4; depth++) {
        tw_buf_clear(&b);
        for (int d = 0; d < depth; d++)
            tw_avro_put_long(&b, 1), tw_avro_put_text(&b, (tw_slice){&"abcd"[d], 1});
        tw_avro_put_long(&b, 0);
        ASSERT_EQ(read_one(schema, &mapping, &b, &e), TW_REASON_NONE);
        ASSERT_TRUE(is(e.user_id, "a") && is(e.item_id, depth > 2 ? "c" : ""));
    }
    tw_buf_clear(&b);
    tw_avro_put_long(&b, 0), tw_avro_put_text(&b, TW_SLICE_LITERAL("no record"));
    ASSERT_EQ(read_one(schema, &mapping, &b, &e), TW_REASON_NONE);
    ASSERT_EQ(e.user_id.size + e.item_id.size, 0);
    tw_buf_done(&b);
}

TEST(skipping_costs_no_more_than_its_bytes_whatever_the_schema_multiplies) {
    char schema[20000] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"x\",\"type\":{\"type\":\"array\",\"items\":";
    for (int level = 0; level < 12; level++) { /* 20 fields at each of twelve levels: 20^12 nulls an element */
        snprintf(schema + strlen(schema), sizeof schema - strlen(schema),
                 "{\"type\":\"record\",\"name\":\"L%d\",\"fields\":[{\"name\":\"f0\",\"type\":", level);
    }
    strcat(schema, "\"null\"");
    for (int level = 11; level >= 0; level--) {
        for (int f = 1; f < 20; f++)
            if (level < 11)
                snprintf(schema + strlen(schema), sizeof schema - strlen(schema),
                         "},{\"name\":\"f%d\",\"type\":\"L%d\"", f, level + 1);
        strcat(schema, "}]}");
    }
    strcat(schema, "}}]}");
    tw_buf b = {0};
    tw_event e;
    tw_avro_put_long(&b, 60000), tw_avro_put_long(&b, 0);
    ASSERT_EQ(read_one(schema, NULL, &b, &e), TW_REASON_NONE);
    tw_buf_clear(&b);
    tw_avro_put_long(&b, 60000), tw_avro_put_long(&b, 60000), tw_avro_put_long(&b, 0);
    ASSERT_EQ(read_one(schema, NULL, &b, &e), TW_REASON_MALFORMED);
    tw_buf_done(&b);
}
