/* Lists of a small shop under rules: files of ids, what was bought, a cap on categories, places for new items. The shop has 30 items in
 * categories "even" and "odd" (item 0: both, item 1: none), the last ten of them new. */
#include "pipeline/rank/list.h"
#include "support/test.h"

#define ITEMS 30
#define NEW_FROM 20
#define HOUR_MS 3600000LL
#define NOW_MS (1000 * TW_DAY_MS)

static tw_err err;
static tw_config config;
static tw_model *model;
static tw_ranker *ranker;
static uint32_t user;

static void learn(tw_kind kind, int item, int64_t event_ms) {
    static int64_t offset;
    char id[16];
    snprintf(id, sizeof id, "i%d", item);
    const char *category = item == 0 ? "even|odd" : item == 1 ? "" : item % 2 ? "odd" : "even";
    const tw_event event = {.kind = kind,
                            .event_ms = event_ms,
                            .user_id = TW_SLICE_LITERAL("u"),
                            .item_id = tw_slice_of(id),
                            .category = tw_slice_of(category)};
    ASSERT_EQ(tw_model_learn(model, 0, &event, 0, offset++, &user, &err), TW_OK);
}

static void open_shop(void) {
    tw_config_init(&config);
    config.learn_dim = 8;
    config.learn_negatives = 8;
    model = tw_model_create(&config, NULL, NULL);
    for (int item = 0; item < ITEMS; item++)
        learn(TW_KIND_CLICK, item, item < NEW_FROM ? NOW_MS - 10 * TW_DAY_MS : NOW_MS - HOUR_MS);
    ranker = tw_ranker_create(model, &config);
}

static void close_shop(void) {
    tw_ranker_free(ranker);
    tw_model_free(model);
    tw_config_done(&config);
}

static tw_list list_of(int top, uint64_t version) {
    tw_list list = {.user_id = TW_SLICE_LITERAL("u"), .list_version = version};
    tw_ranker_list(ranker, user, NOW_MS, top, (tw_slice){0}, &list);
    return list;
}

static int item_of(const tw_list_item *item) {
    int number = 0;
    for (size_t i = 1; i < item->item_id.size; i++)
        number = 10 * number + item->item_id.data[i] - '0';
    return number;
}

static bool holds(const tw_list *list, int item) {
    for (int i = 0; i < list->count; i++)
        if (item_of(&list->items[i]) == item)
            return true;
    return false;
}

static const char *file_with(const char *name, const char *text) {
    static char path[2][4096];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", tw_test_dir(), name);
    FILE *file = fopen(path[turn], "w");
    ASSERT_TRUE(file != NULL);
    fputs(text, file);
    fclose(file);
    return path[turn];
}

/* ---- files of ids ------------------------------------------------------------------------------------------------- */

static void take(const char *allow, const char *deny) {
    tw_rank_ids *ids;
    config.rank_allow = allow;
    config.rank_deny = deny;
    ASSERT_EQ(tw_rank_ids_open(&config, &ids, &err), TW_OK);
    tw_ranker_take_ids(ranker, ids);
}

TEST(only_allowed_items_are_shown_and_denied_wins) {
    open_shop();
    take(file_with("allow", "# ours\ni3\n  i4\t\r\n\ni5\ni5\nnever seen"), file_with("deny", "i4\n"));
    tw_list list = list_of(ITEMS, 1);
    ASSERT_EQ(list.count, 2);
    ASSERT_TRUE(holds(&list, 3));
    ASSERT_TRUE(holds(&list, 5));
    ASSERT_EQ(tw_ranker_place(ranker, user, NOW_MS, 1, tw_model_item_find(model, TW_SLICE_LITERAL("i4"))), 0);
    take("", "");
    ASSERT_EQ(list_of(ITEMS, 1).count, ITEMS);
    close_shop();
}

TEST(denied_items_stay_out_of_what_is_similar) {
    open_shop();
    take("", file_with("deny", "i7\n#i8\n"));
    tw_list list = {0};
    tw_ranker_similar(ranker, tw_model_item_find(model, TW_SLICE_LITERAL("i9")), ITEMS, &list);
    ASSERT_FALSE(holds(&list, 7));
    ASSERT_TRUE(holds(&list, 8));
    close_shop();
}

TEST(a_new_item_is_held_against_the_files_too) {
    open_shop();
    take("", file_with("deny", "i30\n"));
    ASSERT_EQ(list_of(100, 1).count, ITEMS);
    learn(TW_KIND_CLICK, 30, NOW_MS);
    learn(TW_KIND_CLICK, 31, NOW_MS);
    tw_list list = list_of(100, 2);
    ASSERT_FALSE(holds(&list, 30));
    ASSERT_TRUE(holds(&list, 31));
    close_shop();
}

static void refuse(const char *allow, const char *deny, const char *why) {
    tw_rank_ids *ids;
    config.rank_allow = allow;
    config.rank_deny = deny;
    ASSERT_EQ(tw_rank_ids_open(&config, &ids, &err), TW_E_CONFIG);
    if (!strstr(err.text, why))
        tw_test_fail(__FILE__, __LINE__, "\"%s\" is not in: %s", why, err.text);
}

TEST(files_of_ids_that_cannot_be_used_are_refused_with_the_key_and_the_place) {
    static char long_id[TW_ID_SIZE_MAX + 20];
    tw_config_init(&config);
    memset(long_id, 'x', sizeof long_id - 2);
    refuse("", "/nowhere/ids", "rank.deny: /nowhere/ids: No such file");
    refuse("/nowhere/ids", "", "rank.allow: /nowhere/ids: No such file");
    refuse(tw_test_dir(), "", "rank.allow: ");
    refuse(file_with("none", "# nothing\n\n"), "", "names no item");
    refuse("", file_with("bytes", "good\n\xff\xfe\n"), "bytes:2: no item can have this id");
    refuse("", file_with("long", long_id), "long:1: no item can have this id");
    tw_config_done(&config);
}

/* ---- what was bought ---------------------------------------------------------------------------------------------- */

TEST(what_was_bought_is_hidden_until_the_time_is_over_and_a_return_shows_it_again) {
    open_shop();
    learn(TW_KIND_PURCHASE, 5, NOW_MS - 1000);
    learn(TW_KIND_PURCHASE, 6, NOW_MS - 5000);
    learn(TW_KIND_PURCHASE, 7, NOW_MS - 1000);
    learn(TW_KIND_RETURN, 7, NOW_MS);
    tw_list list = list_of(ITEMS, 1);
    ASSERT_EQ(list.count, ITEMS); /* off: all are shown */
    config.rank_hide_bought_ms = 5000;
    list = list_of(ITEMS, 1);
    ASSERT_FALSE(holds(&list, 5));
    ASSERT_TRUE(holds(&list, 6)); /* edge: exactly so long ago */
    ASSERT_TRUE(holds(&list, 7));
    ASSERT_TRUE(holds(&list, 8)); /* clicked only */
    close_shop();
}

TEST(before_the_first_event_no_time_is_short_enough) {
    open_shop();
    config.rank_hide_bought_ms = 3650 * TW_DAY_MS;
    config.rank_explore_share = 0.5;
    tw_list list = {0};
    tw_ranker_list(ranker, TW_SLOT_NONE, INT64_MIN, 5, (tw_slice){0}, &list);
    ASSERT_EQ(list.count, 5);
    close_shop();
}

/* ---- the cap ------------------------------------------------------------------------------------------------------ */

static int count_odd(const tw_list *list, int from, int to) {
    int count = 0;
    for (int i = from; i < to; i++)
        count += item_of(&list->items[i]) != 1 && (item_of(&list->items[i]) % 2 || item_of(&list->items[i]) == 0);
    return count;
}

static int count_even(const tw_list *list, int from, int to) {
    int count = 0;
    for (int i = from; i < to; i++)
        count += item_of(&list->items[i]) % 2 == 0;
    return count;
}

TEST(a_category_has_at_most_so_many_items_while_others_can_fill_the_list) {
    open_shop();
    config.rank_category_max = 2;
    tw_list list = list_of(4, 1);
    ASSERT_EQ(list.count, 4);
    ASSERT_TRUE(count_odd(&list, 0, 4) <= 2);
    ASSERT_TRUE(count_even(&list, 0, 4) <= 2);
    close_shop();
}

TEST(what_the_cap_held_back_fills_the_list_in_order_of_score) {
    open_shop();
    config.rank_category_max = 2;
    tw_list list = list_of(ITEMS, 1);
    int open = 0;
    ASSERT_EQ(list.count, ITEMS);
    while (count_odd(&list, 0, open + 1) <= 2 && count_even(&list, 0, open + 1) <= 2)
        open++;
    ASSERT_TRUE(open >= 4 && open <= 5); /* two of each, and item 1 of none; item 0 counts in both */
    for (int i = open + 1; i < list.count; i++)
        ASSERT_TRUE(list.items[i - 1].score >= list.items[i].score);
    close_shop();
}

TEST(a_list_of_one_category_is_not_capped) {
    open_shop();
    config.rank_category_max = 1;
    tw_list list = {.user_id = TW_SLICE_LITERAL("u")};
    tw_ranker_list(ranker, user, NOW_MS, 8, TW_SLICE_LITERAL("odd"), &list);
    ASSERT_EQ(list.count, 8);
    ASSERT_EQ(count_odd(&list, 0, 8), 8);
    for (int i = 1; i < 8; i++)
        ASSERT_TRUE(list.items[i - 1].score >= list.items[i].score);
    close_shop();
}

/* ---- places for new items ----------------------------------------------------------------------------------------- */

TEST(without_exploration_nothing_is_drawn_and_with_it_a_version_draws_the_same_list_again) {
    open_shop();
    tw_list list = list_of(10, 1);
    for (int i = 0; i < 10; i++)
        ASSERT_TRUE(list.items[i].propensity == 0);
    config.rank_explore_share = 0.5;
    int first[10], others = 0;
    list = list_of(10, 7);
    for (int i = 0; i < 10; i++) {
        first[i] = item_of(&list.items[i]);
        ASSERT_TRUE(list.items[i].propensity > 0 && list.items[i].propensity <= 1);
    }
    for (uint64_t version = 0; version < 20; version++) {
        bool same = true;
        list = list_of(10, version);
        for (int i = 0; i < 10; i++)
            same &= item_of(&list.items[i]) == first[i];
        if (version == 7)
            ASSERT_TRUE(same);
        others += !same;
    }
    ASSERT_TRUE(others > 10);
    close_shop();
}

TEST(all_places_go_to_new_items_while_there_are_any) {
    open_shop();
    config.rank_explore_share = 1;
    tw_list list = list_of(15, 3);
    ASSERT_EQ(list.count, 15);
    for (int i = 0; i < 15; i++)
        ASSERT_EQ(item_of(&list.items[i]) >= NEW_FROM, i < ITEMS - NEW_FROM);
    ASSERT_NEAR(list.items[0].propensity, 0.1, 1e-6);
    ASSERT_NEAR(list.items[9].propensity, 1, 1e-6); /* the last one that is new */
    close_shop();
}

/* At the first place nothing goes before, so that each item has one propensity there: how often it is seen in the long run. */
TEST(propensity_is_how_often_an_item_gets_its_place) {
    enum { LISTS = 40000 };
    int seen[ITEMS] = {0};
    double expected[ITEMS] = {0};
    open_shop();
    config.rank_explore_share = 0.3;
    config.rank_category_max = 2;
    for (uint64_t version = 1; version <= LISTS; version++) {
        tw_list list = list_of(1, version);
        seen[item_of(&list.items[0])]++;
        expected[item_of(&list.items[0])] = list.items[0].propensity;
    }
    double sum = 0;
    for (int item = 0; item < ITEMS; item++) {
        double p = expected[item];
        sum += p;
        ASSERT_NEAR(seen[item], p * LISTS, 5 * sqrt(LISTS * p * (1 - p)) + 1);
    }
    ASSERT_NEAR(sum, 1, 1e-5);
    close_shop();
}

/* Horvitz & Thompson: lists that have an item at a place, each weighed by 1 / propensity, add up to the lists where it could be. */
TEST(inverse_propensity_counts_every_list_once_at_each_place) {
    enum { LISTS = 40000, PLACES = 3 };
    open_shop();
    config.rank_explore_share = 0.3;
    config.rank_category_max = 2;
    for (int place = 1; place < PLACES; place++) { /* new item 25: where it is not taken yet, and is open */
        double weight = 0, could = 0;
        for (uint64_t version = 1; version <= LISTS; version++) {
            tw_list list = list_of(PLACES, version);
            bool before = false;
            for (int i = 0; i < place; i++)
                before |= item_of(&list.items[i]) == 25;
            could += !before && count_odd(&list, 0, place) < 2;
            weight += item_of(&list.items[place]) == 25 ? 1 / (double)list.items[place].propensity : 0;
        }
        ASSERT_TRUE(could > LISTS / 4);
        ASSERT_NEAR(weight / could, 1, 0.15);
    }
    close_shop();
}

TEST(excluded_items_are_never_drawn) {
    open_shop();
    config.rank_explore_share = 0.7;
    config.rank_category_max = 3;
    config.rank_exclude = TW_EXCLUDE_PURCHASED;
    learn(TW_KIND_PURCHASE, 25, NOW_MS);
    learn(TW_KIND_PURCHASE, 2, NOW_MS);
    take("", file_with("deny", "i26\n"));
    for (uint64_t version = 0; version < 500; version++) {
        tw_list list = list_of(ITEMS, version);
        ASSERT_EQ(list.count, ITEMS - 3);
        ASSERT_FALSE(holds(&list, 25) || holds(&list, 26) || holds(&list, 2));
    }
    close_shop();
}
