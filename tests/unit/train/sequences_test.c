#include "train/sequences.h"
#include "base/vectors.h"
#include "support/test.h"

#define MINUTE 60000

static void meet(tw_sequences *s, tw_kind kind, const char *user, const char *item, int64_t event_ms) {
    tw_event event = {.kind = kind, .user_id = tw_slice_of(user), .item_id = tw_slice_of(item), .event_ms = event_ms};
    tw_sequences_add(s, &event);
}

static void rate(tw_sequences *s, const char *user, const char *item, double rating) {
    tw_event event = {.kind = TW_KIND_REVIEW,
                      .has = TW_HAS_RATING,
                      .user_id = tw_slice_of(user),
                      .item_id = tw_slice_of(item),
                      .rating = rating};
    tw_sequences_add(s, &event);
}

/* Sequence i as text: words split by a blank. */
static const char *text_of(const tw_sequences *s, size_t i) {
    static tw_buf buf;
    tw_buf_clear(&buf);
    for (size_t at = s->starts[i]; at < s->starts[i + 1]; at++) {
        tw_slice word = tw_sequences_word(s, s->tokens[at]);
        tw_buf_printf(&buf, "%s%.*s", at > s->starts[i] ? " " : "", (int)word.size, word.data);
    }
    tw_buf_u8(&buf, '\0');
    return buf.data;
}

TEST(each_user_is_a_sequence_in_the_order_of_event_time_and_a_long_pause_begins_another) {
    tw_sequences s;
    tw_sequences_init(&s, 30 * MINUTE);
    meet(&s, TW_KIND_CLICK, "u", "b", 2 * MINUTE);
    meet(&s, TW_KIND_PURCHASE, "v", "x", 0);
    meet(&s, TW_KIND_CLICK, "u", "a", MINUTE);
    meet(&s, TW_KIND_CART, "u", "c", 32 * MINUTE); /* the edge: still the same */
    meet(&s, TW_KIND_CLICK, "v", "y", MINUTE);
    meet(&s, TW_KIND_CLICK, "u", "x", 62 * MINUTE + 1);
    meet(&s, TW_KIND_CLICK, "u", "y", 62 * MINUTE + 1); /* equal times stay in the order of the stream */
    meet(&s, TW_KIND_CLICK, "w", "z", 0);               /* alone */
    tw_sequences_close(&s, 1);
    ASSERT_EQ(s.sequences_count, 3);
    ASSERT_STR(text_of(&s, 0), "a b c");
    ASSERT_STR(text_of(&s, 1), "x y");
    ASSERT_STR(text_of(&s, 2), "x y");
    ASSERT_EQ(s.tokens_count, 7);
    ASSERT_EQ(s.words_count, 6);
    tw_sequences_done(&s);
}

TEST(without_a_gap_all_that_a_user_met_is_one_sequence) {
    tw_sequences s;
    tw_sequences_init(&s, 0);
    meet(&s, TW_KIND_CLICK, "u", "a", 0);
    meet(&s, TW_KIND_CLICK, "u", "b", INT64_MAX / 2);
    tw_sequences_close(&s, 1);
    ASSERT_EQ(s.sequences_count, 1);
    ASSERT_STR(text_of(&s, 0), "a b");
    tw_sequences_done(&s);
}

TEST(what_was_not_liked_and_news_of_items_leave_no_word) {
    tw_sequences s;
    tw_sequences_init(&s, 0);
    rate(&s, "u", "good", 5);
    rate(&s, "u", "so-so", 3);
    rate(&s, "u", "bad", 1);
    meet(&s, TW_KIND_REVIEW, "u", "words", 1); /* without stars */
    meet(&s, TW_KIND_RETURN, "u", "back", 2);
    meet(&s, TW_KIND_ITEM, "", "news", 3);
    tw_sequences_close(&s, 1);
    ASSERT_EQ(s.words_count, 2);
    ASSERT_STR(text_of(&s, 0), "good words");
    tw_sequences_done(&s);
}

TEST(rare_items_go_before_neighbours_are_looked_for_and_numbers_follow_the_counts) {
    tw_sequences s;
    tw_sequences_init(&s, 0);
    const char *items[] = {"a", "rare", "b", "b", "b", "a", "once", "a", "b"};
    for (int i = 0; i < 9; i++)
        meet(&s, TW_KIND_CLICK, "u", items[i], i);
    meet(&s, TW_KIND_CLICK, "v", "rare", 0); /* twice, and still less than three times */
    meet(&s, TW_KIND_CLICK, "v", "a", 1);
    tw_sequences_close(&s, 3);
    ASSERT_EQ(s.words_count, 2);
    ASSERT_EQ(s.rare_count, 2);
    ASSERT_EQ(s.counts[0], 4);
    ASSERT_EQ(s.counts[1], 4);
    ASSERT_EQ(s.sequences_count, 1);       /* of v one word is left */
    ASSERT_STR(text_of(&s, 0), "a b a b"); /* in a row once, also over a rare one */
    ASSERT_TRUE(tw_slice_equal(tw_sequences_word(&s, 0), TW_SLICE_LITERAL("a"))); /* equal counts: met first */
    tw_sequences_done(&s);
}

TEST(ids_that_no_file_could_tell_apart_are_one_word) {
    tw_sequences s;
    tw_sequences_init(&s, 0);
    meet(&s, TW_KIND_CLICK, "u", "red shoe", 0);
    meet(&s, TW_KIND_CLICK, "u", "hat", 1);
    meet(&s, TW_KIND_CLICK, "u", "red_shoe", 2);
    tw_sequences_close(&s, 1);
    ASSERT_EQ(s.words_count, 2);
    ASSERT_STR(text_of(&s, 0), "red_shoe hat red_shoe");
    tw_sequences_done(&s);
}

TEST(nothing_makes_nothing) {
    tw_sequences s;
    tw_sequences_init(&s, 0);
    tw_sequences_close(&s, 1);
    ASSERT_EQ(s.words_count, 0);
    ASSERT_EQ(s.sequences_count, 0);
    tw_sequences_done(&s);
    tw_sequences_init(&s, 0);
    meet(&s, TW_KIND_CLICK, "u", "a", 0);
    meet(&s, TW_KIND_CLICK, "u", "a", 1);
    tw_sequences_close(&s, 3);
    ASSERT_EQ(s.words_count, 0);
    ASSERT_EQ(s.rare_count, 1);
    ASSERT_EQ(s.sequences_count, 0);
    tw_sequences_done(&s);
}
