#include "pipeline/decode/decode.h"
#include "support/test.h"

#define HEADER "ts_ms,event_type,user_id,item_id,category,rating,price,text_or_title"

static tw_arena *arena;

static tw_reason decode(const char *row, tw_event *e) {
    tw_decoder *d;
    tw_err err;
    ASSERT_OK(tw_decoder_csv(tw_slice_of(HEADER), NULL, &d, &err));
    arena = arena ? arena : tw_arena_create(4096);
    tw_record record = {.value = tw_slice_of(row)};
    tw_reason reason = d->ops->decode(d, &record, arena, e);
    d->ops->free(d);
    return reason;
}

static bool is(tw_slice s, const char *text) {
    return tw_slice_equal(s, tw_slice_of(text));
}

TEST(a_row_gives_its_fields_and_empty_is_absent) {
    tw_event e;
    ASSERT_EQ(decode("956703932000,review,6040,858,Action|Crime,4,,\"Godfather, The \"\"I\"\" (1972)\"", &e),
              TW_REASON_NONE);
    ASSERT_EQ(e.kind, TW_KIND_REVIEW);
    ASSERT_EQ(e.event_ms, 956703932000);
    ASSERT_TRUE(is(e.user_id, "6040") && is(e.item_id, "858") && is(e.category, "Action|Crime"));
    ASSERT_TRUE(is(e.title, "Godfather, The \"I\" (1972)"));
    ASSERT_EQ(e.has, TW_HAS_KIND | TW_HAS_TIME | TW_HAS_RATING);
}

TEST(bad_rows_answer_with_a_reason) {
    tw_event e;
    ASSERT_EQ(decode("1,click,u", &e), TW_REASON_TRUNCATED);
    ASSERT_EQ(decode("1,click,u,i,,,,,more", &e), TW_REASON_MALFORMED);
    ASSERT_EQ(decode("1,click,u,i,,,,\"open", &e), TW_REASON_MALFORMED);
    ASSERT_EQ(decode("1,click,\"u\"x,i,,,,", &e), TW_REASON_MALFORMED);
    ASSERT_EQ(decode("one,click,u,i,,,,", &e), TW_REASON_BAD_NUMBER);
    ASSERT_EQ(decode("99999999999999999999,click,u,i,,,,", &e), TW_REASON_BAD_NUMBER);
    ASSERT_EQ(decode("1,dance,u,i,,,,", &e), TW_REASON_UNKNOWN_TYPE);
    ASSERT_EQ(decode("1,click,u,i,,,0x10,", &e), TW_REASON_BAD_NUMBER);
    ASSERT_EQ(decode("1,click,u,i,,,nan,", &e), TW_REASON_NONE); /* clean refuses it by name */
    ASSERT_TRUE(isnan(e.price));
}

TEST(a_header_without_a_required_column_or_with_one_twice_is_a_bad_file) {
    tw_decoder *d;
    tw_err err;
    ASSERT_EQ(tw_decoder_csv(TW_SLICE_LITERAL("ts_ms,user_id,item_id"), NULL, &d, &err), TW_E_BAD_FILE);
    ASSERT_TRUE(strstr(err.text, "event_type") != NULL);
    ASSERT_EQ(tw_decoder_csv(TW_SLICE_LITERAL(HEADER ",price"), NULL, &d, &err), TW_E_BAD_FILE);
    ASSERT_EQ(tw_decoder_csv(TW_SLICE_LITERAL("\x1f\x8b\x08"), NULL, &d, &err), TW_E_BAD_FILE);
    ASSERT_EQ(tw_decoder_csv(TW_SLICE_LITERAL(""), NULL, &d, &err), TW_E_BAD_FILE);
}

TEST(columns_may_come_in_any_order_and_unknown_ones_are_ignored) {
    tw_decoder *d;
    tw_err err;
    tw_event e;
    tw_arena *own = tw_arena_create(4096);
    ASSERT_OK(tw_decoder_csv(TW_SLICE_LITERAL("colour,item_id,user_id,event_type,ts_ms"), NULL, &d, &err));
    tw_record record = {.value = TW_SLICE_LITERAL("red,i,u,cart,5")};
    ASSERT_EQ(d->ops->decode(d, &record, own, &e), TW_REASON_NONE);
    ASSERT_TRUE(is(e.item_id, "i") && is(e.user_id, "u"));
    ASSERT_EQ(e.kind, TW_KIND_CART);
    ASSERT_EQ(e.event_ms, 5);
    d->ops->free(d);
    tw_arena_free(own);
    arena = tw_arena_free(arena);
}
