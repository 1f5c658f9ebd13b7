#include "pipeline/decode/decode.h"
#include "support/test.h"

static tw_arena *arena;

static tw_reason decode(const char *text, tw_event *e) {
    tw_decoder *d;
    tw_err err;
    ASSERT_OK(tw_decoder_json(NULL, &d, &err));
    arena = arena ? arena : tw_arena_create(4096);
    tw_record record = {.value = tw_slice_of(text)};
    tw_reason reason = d->ops->decode(d, &record, arena, e);
    d->ops->free(d);
    return reason;
}

static bool is(tw_slice s, const char *text) {
    return tw_slice_equal(s, tw_slice_of(text));
}

TEST(an_object_gives_its_fields_by_either_name) {
    tw_event e;
    ASSERT_EQ(
        decode("{\"kind\":\"purchase\",\"event_ms\":1700000000123,\"user_id\":\"u\",\"item_id\":17,\"price\":2.55,"
               "\"category\":[\"a\",\"b\"],\"in_stock\":false,\"title\":null}",
               &e),
        TW_REASON_NONE);
    ASSERT_EQ(e.kind, TW_KIND_PURCHASE);
    ASSERT_EQ(e.event_ms, 1700000000123);
    ASSERT_TRUE(is(e.user_id, "u") && is(e.item_id, "17") && is(e.category, "a|b"));
    ASSERT_NEAR(e.price, 2.55, 0);
    ASSERT_EQ(e.has, TW_HAS_KIND | TW_HAS_TIME | TW_HAS_PRICE | TW_HAS_IN_STOCK);
    ASSERT_EQ(decode(" { \"event_type\" : \"click\" , \"ts_ms\" : -1 } ", &e), TW_REASON_NONE);
    ASSERT_EQ(e.event_ms, -1);
}

TEST(escapes_are_undone_and_unknown_fields_skipped) {
    tw_event e;
    ASSERT_EQ(
        decode(
            "{\"x\":{\"a\":[1,{\"b\":[]},\"]\"],\"c\":{}},\"user_id\":\"\\u00e9\\ud83d\\ude00\\n\\\"\",\"y\":[[],[]]}",
            &e),
        TW_REASON_NONE);
    ASSERT_TRUE(is(e.user_id, "\xc3\xa9\xf0\x9f\x98\x80\n\""));
}

TEST(of_two_equal_names_the_last_counts) {
    tw_event e;
    ASSERT_EQ(decode("{\"price\":1,\"price\":null,\"user_id\":\"a\",\"user_id\":\"b\"}", &e), TW_REASON_NONE);
    ASSERT_EQ(e.has & TW_HAS_PRICE, 0);
    ASSERT_TRUE(is(e.user_id, "b"));
}

TEST(what_is_not_json_is_told_apart_from_what_ends_too_soon) {
    static const char *const malformed[] = {"[]",
                                            "x",
                                            "{\"a\":1}x",
                                            "{\"a\":1,}",
                                            "{a:1}",
                                            "{\"a\":01}",
                                            "{\"a\":.5}",
                                            "{\"a\":1.}",
                                            "{\"a\":nan}",
                                            "{\"a\":tru}",
                                            "{\"a\":\"\\x\"}",
                                            "{\"a\":\"\\ud800\"}",
                                            "{\"a\" 1}",
                                            "{\"a\":[1 2]}",
                                            "{\"a\":[1,]}",
                                            "{\"a\":{\"b\"}}",
                                            "{\"a\":}",
                                            "{\"a\":\"\x01\"}",
                                            "{\"user_id\":true}",
                                            "{\"in_stock\":1}"};
    static const char *const cut[] = {
        "", "{", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":[1", "{\"a\":\"x\\", "{\"user_id\":\"abc"};
    tw_event e;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        if (decode(malformed[i], &e) != TW_REASON_MALFORMED)
            tw_test_fail(__FILE__, __LINE__, "%s: %s", malformed[i], tw_reason_name(decode(malformed[i], &e)));
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++)
        if (decode(cut[i], &e) != TW_REASON_TRUNCATED)
            tw_test_fail(__FILE__, __LINE__, "%s: %s", cut[i], tw_reason_name(decode(cut[i], &e)));
}

TEST(numbers_that_cannot_be_held_have_their_own_reason) {
    tw_event e;
    ASSERT_EQ(decode("{\"event_ms\":1.5}", &e), TW_REASON_BAD_NUMBER);
    ASSERT_EQ(decode("{\"event_ms\":99999999999999999999}", &e), TW_REASON_BAD_NUMBER);
    ASSERT_EQ(decode("{\"price\":\"1\"}", &e), TW_REASON_MALFORMED);
    ASSERT_EQ(decode("{\"kind\":\"dance\"}", &e), TW_REASON_UNKNOWN_TYPE);
}

TEST(nesting_is_bounded) {
    char deep[400] = "{\"a\":";
    tw_event e;
    for (int i = 0; i < 100; i++)
        strcat(deep, "[");
    ASSERT_EQ(decode(deep, &e), TW_REASON_TOO_DEEP);
    arena = tw_arena_free(arena);
}
