#include "base/mapping.h"
#include "support/test.h"

#include <time.h>

static tw_err err;

static tw_mapping plain(void) {
    return (tw_mapping){.time_unit = TW_TIME_MS};
}

static tw_field field(const tw_mapping *m, const char *name) {
    return tw_mapping_field(m, tw_slice_of(name));
}

static tw_kind kind(const tw_mapping *m, const char *name) {
    return tw_mapping_kind(m, tw_slice_of(name));
}

TEST(our_own_names_and_those_of_csv_files_are_known_and_no_others) {
    tw_mapping m = plain();
    ASSERT_EQ(field(&m, "user_id"), TW_FIELD_USER_ID);
    ASSERT_EQ(field(&m, "event_ms"), TW_FIELD_TIME);
    ASSERT_EQ(field(&m, "ts_ms"), TW_FIELD_TIME);
    ASSERT_EQ(field(&m, "kind"), TW_FIELD_KIND);
    ASSERT_EQ(field(&m, "event_type"), TW_FIELD_KIND);
    ASSERT_EQ(field(&m, "text_or_title"), TW_FIELD_TITLE);
    static const char *const others[] = {"", "user", "user_id ", "USER_ID", "user_id\n", "user_ids", "_id"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ASSERT_EQ(field(&m, others[i]), TW_FIELD_COUNT);
    ASSERT_EQ(tw_mapping_field(&m, (tw_slice){0}), TW_FIELD_COUNT);
}

TEST(a_name_of_the_shop_takes_the_place_of_both_of_ours) {
    tw_mapping m = plain();
    tw_mapping_name(&m, TW_FIELD_TIME, TW_SLICE_LITERAL("created"));
    ASSERT_EQ(field(&m, "created"), TW_FIELD_TIME);
    ASSERT_EQ(field(&m, "event_ms"), TW_FIELD_COUNT);
    ASSERT_EQ(field(&m, "ts_ms"), TW_FIELD_COUNT);
    ASSERT_FALSE(m.nested);
    ASSERT_TRUE(tw_slice_equal(tw_mapping_name_of(&m, TW_FIELD_TIME), TW_SLICE_LITERAL("created")));
    ASSERT_TRUE(tw_slice_equal(tw_mapping_name_of(&m, TW_FIELD_KIND), TW_SLICE_LITERAL("event_type")));
    tw_mapping_name(&m, TW_FIELD_TIME, (tw_slice){0}); /* ours again */
    ASSERT_EQ(field(&m, "event_ms"), TW_FIELD_TIME);
}

TEST(two_names_may_be_swapped) {
    tw_mapping m = plain();
    tw_mapping_name(&m, TW_FIELD_USER_ID, TW_SLICE_LITERAL("item_id"));
    tw_mapping_name(&m, TW_FIELD_ITEM_ID, TW_SLICE_LITERAL("user_id"));
    ASSERT_EQ(field(&m, "item_id"), TW_FIELD_USER_ID);
    ASSERT_EQ(field(&m, "user_id"), TW_FIELD_ITEM_ID);
}

TEST(a_name_of_the_shop_goes_before_the_same_name_of_ours) {
    tw_mapping m = plain();
    tw_mapping_name(&m, TW_FIELD_TITLE, TW_SLICE_LITERAL("category"));
    tw_mapping_name(&m, TW_FIELD_PRICE, TW_SLICE_LITERAL("kind"));
    ASSERT_EQ(field(&m, "category"), TW_FIELD_TITLE);
    ASSERT_EQ(field(&m, "kind"), TW_FIELD_PRICE);
    ASSERT_EQ(field(&m, "event_type"), TW_FIELD_KIND); /* ours still, by its other name */
    ASSERT_EQ(field(&m, "title"), TW_FIELD_COUNT);
}

TEST(a_path_leads_through_each_object_on_its_way_and_no_other) {
    tw_mapping m = plain();
    tw_mapping_name(&m, TW_FIELD_USER_ID, TW_SLICE_LITERAL("who.account.id"));
    ASSERT_TRUE(m.nested);
    ASSERT_EQ(field(&m, "who.account.id"), TW_FIELD_USER_ID);
    ASSERT_EQ(field(&m, "id"), TW_FIELD_COUNT);
    ASSERT_TRUE(tw_mapping_leads_to(&m, TW_SLICE_LITERAL("who")));
    ASSERT_TRUE(tw_mapping_leads_to(&m, TW_SLICE_LITERAL("who.account")));
    static const char *const others[] = {"who.account.id",  "wh", "who.", "whom", "account", "who.acc",
                                         "who.account.id.x"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ASSERT_FALSE(tw_mapping_leads_to(&m, tw_slice_of(others[i])));
}

TEST(kinds_of_the_shop_stand_beside_ours) {
    tw_mapping m = plain();
    ASSERT_OK(tw_mapping_add_kinds(&m, TW_SLICE_LITERAL("view=click, add to basket = cart ,2=purchase"), &err));
    ASSERT_EQ(m.kinds_count, 3);
    ASSERT_EQ(kind(&m, "view"), TW_KIND_CLICK);
    ASSERT_EQ(kind(&m, "add to basket"), TW_KIND_CART);
    ASSERT_EQ(kind(&m, "2"), TW_KIND_PURCHASE);
    ASSERT_EQ(kind(&m, "return"), TW_KIND_RETURN);
    ASSERT_EQ(kind(&m, "View"), TW_KIND_COUNT);
    ASSERT_EQ(kind(&m, ""), TW_KIND_COUNT);
    ASSERT_OK(tw_mapping_add_kinds(&m, TW_SLICE_LITERAL("view=click"), &err)); /* said again, not another */
    ASSERT_OK(tw_mapping_add_kinds(&m, TW_SLICE_LITERAL(""), &err));
    ASSERT_OK(tw_mapping_add_kinds(&m, (tw_slice){0}, &err));
}

TEST(a_kind_of_ours_may_mean_another_in_the_shop) {
    tw_mapping m = plain();
    ASSERT_OK(tw_mapping_add_kinds(&m, TW_SLICE_LITERAL("review=click"), &err));
    ASSERT_EQ(kind(&m, "review"), TW_KIND_CLICK);
}

TEST(a_list_of_kinds_that_is_none_is_told_by_its_bad_part) {
    static const struct {
        const char *list, *part;
    } bad[] = {{"view", "\"view\""},
               {"view=", "\"view=\""},
               {"=click", "\"=click\""},
               {"  = click", "\"= click\""},
               {"view=dance", "\"view=dance\""},
               {"view=Click", "\"view=Click\""},
               {"view=click,,basket=cart", "\"\""},
               {"view=click,basket", "\"basket\""},
               {"a=b=click", "\"a=b=click\""},
               {"view=click,view=cart", "\"view\""},
               {",", "\"\""}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tw_mapping m = plain();
        ASSERT_EQ(tw_mapping_add_kinds(&m, tw_slice_of(bad[i].list), &err), TW_E_CONFIG);
        if (!strstr(err.text, bad[i].part))
            tw_test_fail(__FILE__, __LINE__, "%s: %s", bad[i].list, err.text);
    }
}

TEST(more_kinds_than_there_is_room_for_are_refused) {
    static char list[4000];
    tw_mapping m = plain();
    for (int i = 0; i < TW_MAPPED_KINDS_MAX; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "kind%d=click,", i);
    ASSERT_OK(tw_mapping_add_kinds(&m, tw_slice_of(list), &err));
    ASSERT_EQ(m.kinds_count, TW_MAPPED_KINDS_MAX);
    ASSERT_EQ(tw_mapping_add_kinds(&m, TW_SLICE_LITERAL("more=cart"), &err), TW_E_CONFIG);
}

TEST(each_unit_of_time_becomes_milliseconds_rounded_down) {
    int64_t ms;
    ASSERT_TRUE(tw_mapping_time(TW_TIME_MS, INT64_MIN, &ms) && ms == INT64_MIN);
    ASSERT_TRUE(tw_mapping_time(TW_TIME_S, 1700000000, &ms) && ms == 1700000000000);
    ASSERT_TRUE(tw_mapping_time(TW_TIME_S, -1, &ms) && ms == -1000);
    ASSERT_TRUE(tw_mapping_time(TW_TIME_US, 1999, &ms) && ms == 1);
    ASSERT_TRUE(tw_mapping_time(TW_TIME_US, -1, &ms) && ms == -1);
    ASSERT_TRUE(tw_mapping_time(TW_TIME_US, -1000, &ms) && ms == -1);
    ASSERT_TRUE(tw_mapping_time(TW_TIME_NS, 1700000000123999999, &ms) && ms == 1700000000123);
    ASSERT_TRUE(tw_mapping_time(TW_TIME_NS, INT64_MIN, &ms) && ms == -9223372036855);
}

TEST(seconds_beyond_what_milliseconds_can_hold_are_refused) {
    int64_t ms = 7;
    ASSERT_FALSE(tw_mapping_time(TW_TIME_S, INT64_MAX, &ms));
    ASSERT_FALSE(tw_mapping_time(TW_TIME_S, INT64_MIN, &ms));
    ASSERT_FALSE(tw_mapping_time(TW_TIME_S, INT64_MAX / 1000 + 1, &ms));
    ASSERT_EQ(ms, 7);
    ASSERT_TRUE(tw_mapping_time(TW_TIME_S, INT64_MAX / 1000, &ms));
}

TEST(times_as_real_numbers_keep_what_milliseconds_can_hold) {
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e19, -1e300};
    int64_t ms = 7;
    ASSERT_TRUE(tw_mapping_time_real(TW_TIME_S, 1700000000.123, &ms) && ms == 1700000000123);
    ASSERT_TRUE(tw_mapping_time_real(TW_TIME_S, -0.0015, &ms) && ms == -2);
    ASSERT_TRUE(tw_mapping_time_real(TW_TIME_MS, 1700000000123.9, &ms) && ms == 1700000000123);
    ASSERT_TRUE(tw_mapping_time_real(TW_TIME_MS, -0.5, &ms) && ms == -1);
    ASSERT_TRUE(tw_mapping_time_real(TW_TIME_US, 1700000000123000, &ms) && ms == 1700000000123);
    ASSERT_TRUE(tw_mapping_time_real(TW_TIME_NS, 1.7e18, &ms) && ms == 1700000000000);
    for (int unit = TW_TIME_MS; unit <= TW_TIME_S; unit++)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
            ASSERT_FALSE(tw_mapping_time_real((tw_time_unit)unit, bad[i], &ms));
}

static bool text_time(const char *text, int64_t *ms) {
    tw_mapping m = {.time_unit = TW_TIME_S};
    return tw_mapping_time_text(&m, tw_slice_of(text), ms);
}

TEST(times_of_iso_8601_are_read_in_every_usual_form) {
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"1970-01-01T00:00:00Z", 0},
                {"1970-01-01", 0},
                {"1969-12-31T23:59:59.999Z", -1},
                {"2023-11-14T22:13:20Z", 1700000000000},
                {"2023-11-14t22:13:20z", 1700000000000},
                {"2023-11-14 22:13:20", 1700000000000},
                {"2023-11-14T22:13Z", 1699999980000},
                {"2023-11-14T22:13:20.1Z", 1700000000100},
                {"2023-11-14T22:13:20.12Z", 1700000000120},
                {"2023-11-14T22:13:20,123Z", 1700000000123},
                {"2023-11-14T22:13:20.123999999Z", 1700000000123},
                {"2023-11-15T03:43:20+05:30", 1700000000000},
                {"2023-11-15T03:43:20+0530", 1700000000000},
                {"2023-11-14T20:13:20-02", 1700000000000},
                {"2000-02-29T00:00:00Z", 951782400000},
                {"2024-02-29", 1709164800000},
                {"2016-12-31T23:59:60Z", 1483228800000},
                {"0000-01-01T00:00:00Z", -62167219200000},
                {"9999-12-31T23:59:59.999Z", 253402300799999},
                {"1700000000", 1700000000000},
                {"-1", -1000},
                {"0", 0},
                {"1700000000.123", 1700000000123},
                {"1700000000.1239", 1700000000123},
                {"-1.5", -1500},
                {"-0.5", -500}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ms;
        if (!text_time(good[i].text, &ms) || ms != good[i].ms)
            tw_test_fail(__FILE__, __LINE__, "%s", good[i].text);
    }
}

TEST(texts_that_are_no_time_are_refused) {
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1.5.5",
                                      "1.5e3",
                                      "1,5",
                                      "-.5",
                                      "9223372036854775.999",
                                      "now",
                                      " 1",
                                      "1 ",
                                      "0x10",
                                      "99999999999999999999",
                                      "9223372036854775807", /* in seconds: beyond */
                                      "2023-11-",
                                      "2023-11",
                                      "2023-1-1",
                                      "23-11-14",
                                      "2023/11/14",
                                      "2023-00-01",
                                      "2023-13-01",
                                      "2023-01-00",
                                      "2023-01-32",
                                      "2023-02-29",
                                      "1900-02-29",
                                      "2023-04-31",
                                      "2023-11-14T",
                                      "2023-11-14T22",
                                      "2023-11-14T22:13:",
                                      "2023-11-14T24:00:00Z",
                                      "2023-11-14T22:60:00Z",
                                      "2023-11-14T22:13:61Z",
                                      "2023-11-14T22:13:20.Z",
                                      "2023-11-14T22:13:20.5.5Z",
                                      "2023-11-14T22:13:20Zulu",
                                      "2023-11-14T22:13:20+",
                                      "2023-11-14T22:13:20+5",
                                      "2023-11-14T22:13:20+24:00",
                                      "2023-11-14T22:13:20+01:60",
                                      "2023-11-14T22:13:20+01:",
                                      "2023-11-14T22:13:20+01:00x",
                                      "2023-11-14X22:13:20Z",
                                      "20231114T221320Z",
                                      "-2023-11-14"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms;
        if (text_time(bad[i], &ms))
            tw_test_fail(__FILE__, __LINE__, "\"%s\" is read as %" PRId64, bad[i], ms);
    }
}

TEST(a_fraction_is_one_of_seconds_only) {
    for (int unit = TW_TIME_MS; unit <= TW_TIME_NS; unit++) {
        tw_mapping m = {.time_unit = (tw_time_unit)unit};
        int64_t ms;
        ASSERT_EQ(tw_mapping_time_text(&m, TW_SLICE_LITERAL("1.5"), &ms), unit == TW_TIME_S);
    }
}

TEST(every_day_of_four_centuries_is_what_the_c_library_says) {
    for (int64_t day = -150000; day < 150000; day += 7) {
        time_t seconds = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        char text[80];
        int64_t ms;
        gmtime_r(&seconds, &tm);
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (!text_time(text, &ms) || ms != (int64_t)seconds * 1000)
            tw_test_fail(__FILE__, __LINE__, "%s", text);
    }
}
