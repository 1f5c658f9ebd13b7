/* Labels and histories of the examples. */
#include "train/examples.h"

#include "support/test.h"

static tw_examples examples;

static void add(const char *user, tw_kind kind, int64_t ms) {
    const tw_event event = {
        .kind = kind, .event_ms = ms, .user_id = tw_slice_of(user), .item_id = tw_slice_of("i"), .has = TW_HAS_TIME};
    tw_examples_add(&examples, &event);
}

TEST(who_buys_within_the_horizon_is_told_of_every_moment_before_it) {
    tw_examples_init(&examples, 100);
    add("a", TW_KIND_CLICK, 10);
    add("b", TW_KIND_CLICK, 15);
    add("a", TW_KIND_CLICK, 50);
    add("a", TW_KIND_PURCHASE, 150); /* 100 after the second, 140 after the first */
    add("a", TW_KIND_CLICK, 160);
    tw_examples_close(&examples);
    ASSERT_EQ(examples.count, 5);
    const bool bought[] = {false, false, true, false, false};
    for (int i = 0; i < 5; i++)
        ASSERT_EQ(examples.rows[i].bought, bought[i]);
    ASSERT_EQ(examples.rows[2].before, 0);
    ASSERT_EQ(examples.rows[3].before, 2);
    ASSERT_EQ(examples.rows[1].before, TW_EXAMPLE_NONE);
    ASSERT_EQ(examples.last_ms, 160);
    tw_examples_done(&examples);
}

TEST(a_purchase_does_not_foretell_itself_nor_the_rest_of_its_basket) {
    tw_examples_init(&examples, 100);
    add("a", TW_KIND_PURCHASE, 10);
    add("a", TW_KIND_PURCHASE, 10);
    add("a", TW_KIND_PURCHASE, 60);
    tw_examples_close(&examples);
    ASSERT_EQ(examples.count, 2);
    ASSERT_TRUE(examples.rows[0].bought);
    ASSERT_FALSE(examples.rows[1].bought);
    tw_examples_done(&examples);
}

TEST(a_late_event_belongs_to_the_newest_moment) {
    float x[TW_MOMENT_FEATURES];
    tw_examples_init(&examples, 100);
    add("a", TW_KIND_CLICK, 50);
    add("a", TW_KIND_CART, 40);
    tw_examples_close(&examples);
    ASSERT_EQ(examples.count, 1);
    ASSERT_EQ(examples.rows[0].ms, 50);
    memcpy(x, examples.features, sizeof x);
    ASSERT_NEAR(x[TW_KIND_CLICK], 0.5, 0);
    ASSERT_NEAR(x[TW_KIND_CART], 0.5, 0);
    tw_examples_done(&examples);
}

TEST(news_of_items_is_no_example) {
    tw_examples_init(&examples, 100);
    add("", TW_KIND_ITEM, 50);
    tw_examples_close(&examples);
    ASSERT_EQ(examples.count, 0);
    tw_examples_done(&examples);
}

TEST(many_users_are_kept_apart) {
    char user[16];
    tw_examples_init(&examples, 1000000);
    for (int round = 0; round < 3; round++)
        for (int u = 0; u < 3000; u++) {
            snprintf(user, sizeof user, "u%d", u);
            add(user, round == 2 && u % 2 ? TW_KIND_PURCHASE : TW_KIND_CLICK, round * 10000 + u);
        }
    tw_examples_close(&examples);
    ASSERT_EQ(examples.count, 9000);
    for (uint32_t i = 0; i < 9000; i++) {
        ASSERT_EQ(examples.rows[i].bought, i < 6000 && i % 3000 % 2);
        ASSERT_EQ(examples.rows[i].before, i < 3000 ? TW_EXAMPLE_NONE : i - 3000);
    }
    tw_examples_done(&examples);
}
