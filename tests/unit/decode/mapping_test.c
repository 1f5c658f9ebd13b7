/* JSON and CSV of topics that exist already: the shop's own names, paths, kinds and units of time. */
#include "pipeline/decode/decode.h"
#include "support/test.h"

#include <stdlib.h>

static tw_err err;
static tw_mapping mapping;
static tw_arena *arena;
static char *held; /* the bytes that the last event borrows from */

static void begin(tw_time_unit unit) {
    mapping = (tw_mapping){.time_unit = unit};
    arena = arena ? arena : tw_arena_create(4096);
}

static void name(tw_field field, const char *text) {
    tw_mapping_name(&mapping, field, tw_slice_of(text));
}

static tw_reason run(tw_decoder *d, const char *text, size_t size, tw_event *e) {
    free(held);
    held = malloc(size + 1);
    memcpy(held, text, size);
    tw_record record = {.value = {held, size}};
    tw_reason reason = d->ops->decode(d, &record, arena, e);
    d->ops->free(d);
    return reason;
}

static tw_reason json(const char *text, tw_event *e) {
    tw_decoder *d;
    ASSERT_OK(tw_decoder_json(&mapping, &d, &err));
    return run(d, text, strlen(text), e);
}

static tw_reason csv(const char *header, const char *row, tw_event *e) {
    tw_decoder *d;
    ASSERT_OK(tw_decoder_csv(tw_slice_of(header), &mapping, &d, &err));
    return run(d, row, strlen(row), e);
}

static bool is(tw_slice s, const char *text) {
    return tw_slice_equal(s, tw_slice_of(text));
}

TEST(a_mixed_topic_of_a_shop_is_read_by_its_own_names) {
    tw_event e;
    begin(TW_TIME_S);
    name(TW_FIELD_USER_ID, "visitor"), name(TW_FIELD_ITEM_ID, "sku"), name(TW_FIELD_TIME, "at");
    name(TW_FIELD_KIND, "action");
    ASSERT_OK(tw_mapping_add_kinds(&mapping, TW_SLICE_LITERAL("view=click,3=purchase"), &err));
    ASSERT_EQ(json("{\"action\":\"view\",\"visitor\":17,\"sku\":\"i\",\"at\":1700000000,\"user_id\":\"not this\"}", &e),
              TW_REASON_NONE);
    ASSERT_TRUE(is(e.user_id, "17") && is(e.item_id, "i"));
    ASSERT_EQ(e.kind, TW_KIND_CLICK);
    ASSERT_EQ(e.event_ms, 1700000000000);
    ASSERT_EQ(json("{\"action\":3}", &e), TW_REASON_NONE);
    ASSERT_EQ(e.kind, TW_KIND_PURCHASE);
    ASSERT_EQ(json("{\"action\":\"return\"}", &e), TW_REASON_NONE); /* ours stay */
    ASSERT_EQ(e.kind, TW_KIND_RETURN);
    ASSERT_EQ(json("{\"action\":\"View\"}", &e), TW_REASON_UNKNOWN_TYPE);
    ASSERT_EQ(json("{\"action\":4}", &e), TW_REASON_UNKNOWN_TYPE);
    ASSERT_EQ(json("{\"action\":null}", &e), TW_REASON_NONE);
    ASSERT_EQ(e.has & TW_HAS_KIND, 0);
    ASSERT_EQ(json("{\"action\":\"view\",\"action\":null}", &e), TW_REASON_NONE); /* the last counts, also as a guess */
    ASSERT_EQ(e.kind, TW_KIND_COUNT);
}

TEST(paths_reach_into_objects_and_their_neighbours_are_skipped) {
    tw_event e;
    begin(TW_TIME_MS);
    name(TW_FIELD_USER_ID, "who.account.id"), name(TW_FIELD_TIME, "who.at"), name(TW_FIELD_PRICE, "cart.total");
    ASSERT_EQ(json("{\"id\":\"no\",\"who\":{\"id\":\"no\",\"account\":{\"x\":[{\"id\":\"no\"}],\"id\":\"u\"},\"at\":5,"
                   "\"more\":{"
                   "\"id\":\"no\"}},\"account\":{\"id\":\"no\"},\"cart\":{},\"item_id\":\"i\"}",
                   &e),
              TW_REASON_NONE);
    ASSERT_TRUE(is(e.user_id, "u") && is(e.item_id, "i"));
    ASSERT_EQ(e.event_ms, 5);
    ASSERT_EQ(e.has, TW_HAS_TIME);
    ASSERT_EQ(json("{\"who.account.id\":\"flat\"}", &e), TW_REASON_NONE); /* a name with dots is the same path */
    ASSERT_TRUE(is(e.user_id, "flat"));
}

TEST(a_path_that_meets_something_else_is_absent_and_a_broken_object_is_told) {
    static const char *const absent[] = {"{\"who\":null}",
                                         "{\"who\":5}",
                                         "{\"who\":\"text\"}",
                                         "{\"who\":[{\"account\":1}]}",
                                         "{\"who\":{}}",
                                         "{\"who\":{\"account\":{}}}",
                                         "{\"who\":{\"account\":[]}}",
                                         "{}"};
    static const char *const malformed[] = {
        "{\"who\":{\"account\":{\"id\":\"u\"}}",   "{\"who\":{\"account\":{\"id\":}}}",
        "{\"who\":{\"account\":{\"id\":{}}}}",     "{\"who\":{,}}",
        "{\"who\":{\"account\":{\"id\":\"u\",}}}", "{\"who\":{\"account\" {}}}"};
    tw_event e;
    begin(TW_TIME_MS);
    name(TW_FIELD_USER_ID, "who.account.id");
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        ASSERT_EQ(json(absent[i], &e), TW_REASON_NONE);
        ASSERT_EQ(e.user_id.size, 0);
    }
    ASSERT_EQ(json(malformed[0], &e), TW_REASON_TRUNCATED);
    for (size_t i = 1; i < sizeof malformed / sizeof malformed[0]; i++)
        if (json(malformed[i], &e) != TW_REASON_MALFORMED)
            tw_test_fail(__FILE__, __LINE__, "%s", malformed[i]);
}

TEST(a_path_deeper_than_its_names_goes_no_further) {
    char text[3000] = "";
    tw_event e;
    begin(TW_TIME_MS);
    name(TW_FIELD_USER_ID, "a.a.a.a");
    for (int i = 0; i < 60; i++)
        strcat(text, "{\"a\":");
    strcat(text, "1");
    for (int i = 0; i < 60; i++)
        strcat(text, "}");
    ASSERT_EQ(json(text, &e), TW_REASON_MALFORMED); /* an object where the id should be */
    name(TW_FIELD_USER_ID, "a.a.a.b");
    ASSERT_EQ(json(text, &e), TW_REASON_NONE);
    ASSERT_EQ(e.user_id.size, 0);
}

TEST(names_longer_than_any_path_are_skipped) {
    char text[2000];
    tw_event e;
    begin(TW_TIME_MS);
    name(TW_FIELD_USER_ID, "a.b");
    memset(text, 'x', sizeof text);
    snprintf(text, 10, "{\"a\":{\"");
    text[strlen(text)] = 'x';
    strcpy(text + 1500, "\":1,\"b\":\"u\"}}");
    ASSERT_EQ(json(text, &e), TW_REASON_NONE);
    ASSERT_TRUE(is(e.user_id, "u"));
}

TEST(times_come_in_every_unit_and_as_iso_8601) {
    static const struct {
        tw_time_unit unit;
        const char *text;
    } good[] = {{TW_TIME_S, "1700000000"},
                {TW_TIME_S, "1700000000.0009"},
                {TW_TIME_MS, "1700000000000"},
                {TW_TIME_US, "1700000000000999"},
                {TW_TIME_NS, "1700000000000999999"},
                {TW_TIME_NS, "\"1700000000000000000\""},
                {TW_TIME_US, "\"2023-11-14T22:13:20Z\""},
                {TW_TIME_S, "\"2023-11-14T23:13:20+01:00\""}};
    static const char *const bad[] = {"1.5e3",
                                      "1e3",
                                      "true",
                                      "\"\"",
                                      "\"yesterday\"",
                                      "\"2023-02-29\"",
                                      "99999999999999999999",
                                      "9223372036854775807"};
    tw_event e;
    char text[100];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        begin(good[i].unit);
        snprintf(text, sizeof text, "{\"event_ms\":%s}", good[i].text);
        ASSERT_EQ(json(text, &e), TW_REASON_NONE);
        ASSERT_EQ(e.event_ms, 1700000000000);
    }
    begin(TW_TIME_S);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "{\"event_ms\":%s}", bad[i]);
        if (json(text, &e) != TW_REASON_BAD_NUMBER)
            tw_test_fail(__FILE__, __LINE__, "%s", text);
    }
}

TEST(words_that_only_begin_as_numbers_are_not_json) {
    static const char *const bad[] = {"1abc", "1-2",   "1.2.3", "1e",  "1e+",  "-", "1.e3",
                                      "0x10", "1_000", "00",    "-01", "1E5E", "+1"};
    static const char *const good[] = {"0", "-0", "1e5", "1E+5", "1.25e-10", "-0.5", "10"};
    char text[60];
    tw_event e;
    begin(TW_TIME_MS);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(text, sizeof text, "{\"other\":%s}", bad[i]);
        ASSERT_EQ(json(text, &e), TW_REASON_MALFORMED);
        snprintf(text, sizeof text, "{\"user_id\":%s}", bad[i]);
        ASSERT_EQ(json(text, &e), TW_REASON_MALFORMED);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(text, sizeof text, "{\"other\":[%s],\"user_id\":%s}", good[i], good[i]);
        ASSERT_EQ(json(text, &e), TW_REASON_NONE);
        ASSERT_TRUE(is(e.user_id, good[i]));
    }
    tw_decoder *d;
    ASSERT_OK(tw_decoder_json(&mapping, &d, &err));
    ASSERT_EQ(run(d, "{\0}", 3, &e), TW_REASON_MALFORMED); /* a zero byte is not the end */
}

TEST(a_category_again_and_again_takes_no_more_memory_than_its_bytes) {
    size_t count = 20000, size = 1;
    char *text = malloc(count * 18 + 2);
    tw_event e;
    begin(TW_TIME_MS);
    text[0] = '{';
    for (size_t i = 0; i < count; i++)
        size += (size_t)sprintf(text + size, "%s\"category\":[\"a\"]", i ? "," : "");
    text[size++] = '}';
    text[size] = '\0';
    ASSERT_EQ(json(text, &e), TW_REASON_NONE);
    ASSERT_TRUE(is(e.category, "a"));
    ASSERT_LT(tw_arena_size(arena), 4 * size);
    ASSERT_EQ(json("{\"category\":[\"a]\\\"\",\"b\"]}", &e), TW_REASON_NONE); /* a bracket in a string ends nothing */
    ASSERT_TRUE(is(e.category, "a]\"|b"));
    free(text);
    tw_arena_reset(arena);
}

TEST(csv_columns_go_by_the_shops_names) {
    tw_event e;
    begin(TW_TIME_S);
    name(TW_FIELD_TIME, "when"), name(TW_FIELD_KIND, "what"), name(TW_FIELD_USER_ID, "customer.id"),
        name(TW_FIELD_ITEM_ID, "sku");
    ASSERT_OK(tw_mapping_add_kinds(&mapping, TW_SLICE_LITERAL("bought=purchase"), &err));
    ASSERT_EQ(csv("sku,customer.id,what,when,user_id", "i,u,bought,1700000000,no", &e), TW_REASON_NONE);
    ASSERT_TRUE(is(e.user_id, "u") && is(e.item_id, "i"));
    ASSERT_EQ(e.kind, TW_KIND_PURCHASE);
    ASSERT_EQ(e.event_ms, 1700000000000);
    ASSERT_EQ(csv("sku,customer.id,what,when", "i,u,click,2023-11-14 22:13:20", &e), TW_REASON_NONE);
    ASSERT_EQ(e.event_ms, 1700000000000);
    ASSERT_EQ(csv("sku,customer.id,what,when", "i,u,sold,1", &e), TW_REASON_UNKNOWN_TYPE);
    ASSERT_EQ(csv("sku,customer.id,what,when", "i,u,bought,9223372036854775807", &e), TW_REASON_BAD_NUMBER);
    ASSERT_EQ(csv("sku,customer.id,what,when", "i,u,bought,soon", &e), TW_REASON_BAD_NUMBER);
}

TEST(a_header_without_a_mapped_column_names_it_as_the_shop_does) {
    tw_decoder *d;
    begin(TW_TIME_MS);
    name(TW_FIELD_USER_ID, "customer");
    ASSERT_EQ(tw_decoder_csv(TW_SLICE_LITERAL("ts_ms,event_type,user_id,item_id"), &mapping, &d, &err), TW_E_BAD_FILE);
    ASSERT_TRUE(strstr(err.text, "\"customer\"") != NULL);
    ASSERT_EQ(tw_decoder_csv(TW_SLICE_LITERAL("ts_ms,event_type,customer,item_id,customer"), &mapping, &d, &err),
              TW_E_BAD_FILE);
    ASSERT_EQ(tw_decoder_csv(TW_SLICE_LITERAL("ts_ms,event_type,customer,item_id,event_ms"), &mapping, &d, &err),
              TW_E_BAD_FILE);
    free(held);
    held = NULL;
    arena = tw_arena_free(arena);
}
