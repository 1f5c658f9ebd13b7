#include "serve/request.h"

#include "base/event.h"
#include "support/test.h"

#include <stdlib.h>

static tw_request request; /* 8 KB of text: not for the stack of a recursive test */

static tw_code parse(const char *target, tw_err *err) {
    return tw_request_parse(target, &request, err);
}

static const char *text_of(tw_slice s) {
    static char text[TW_TARGET_SIZE_MAX + 1];
    if (s.size)
        memcpy(text, s.data, s.size);
    text[s.size] = '\0';
    return text;
}

TEST(a_target_is_its_segments_and_parameters) {
    tw_err err;
    ASSERT_OK(parse("/api/v1/users/u-17/recommendations?top=5&category=tea", &err));
    ASSERT_EQ(request.segments_count, 5);
    ASSERT_STR(text_of(request.segments[0]), "api");
    ASSERT_STR(text_of(request.segments[3]), "u-17");
    ASSERT_EQ(request.parameters_count, 2);
    ASSERT_STR(text_of(request.parameters[1].name), "category");
    ASSERT_STR(text_of(request.parameters[1].value), "tea");
}

TEST(the_root_has_no_segments) {
    tw_err err;
    ASSERT_OK(parse("/", &err));
    ASSERT_EQ(request.segments_count, 0);
    ASSERT_TRUE(tw_request_matches(&request, "/"));
    ASSERT_FALSE(tw_request_matches(&request, "/*"));
    ASSERT_OK(parse("/?top=1", &err));
    ASSERT_TRUE(tw_request_matches(&request, "/"));
}

TEST(escapes_are_decoded_within_a_segment_and_never_split_it) {
    tw_err err;
    ASSERT_OK(parse("/api/v1/users/a%2Fb%3fc%25%C3%A4+/recommendations", &err));
    ASSERT_TRUE(tw_request_matches(&request, "/api/v1/users/*/recommendations"));
    ASSERT_STR(text_of(request.segments[3]), "a/b?c%\xc3\xa4+");
    ASSERT_OK(parse("/api/v1/users/a%252Fb/recommendations", &err)); /* decoded once, not twice */
    ASSERT_STR(text_of(request.segments[3]), "a%2Fb");
}

TEST(an_escaped_zero_byte_is_a_byte_of_the_id) {
    tw_err err;
    ASSERT_OK(parse("/api/v1/users/a%00b/recommendations", &err));
    ASSERT_EQ(request.segments[3].size, 3);
    ASSERT_EQ(memcmp(request.segments[3].data, "a\0b", 3), 0);
}

TEST(plus_is_a_space_in_the_query_only) {
    tw_err err;
    tw_slice category;
    ASSERT_OK(parse("/a+b?category=green+tea%2B", &err));
    ASSERT_STR(text_of(request.segments[0]), "a+b");
    ASSERT_TRUE(tw_request_text(&request, "category", &category));
    ASSERT_STR(text_of(category), "green tea+");
}

TEST(odd_queries_mean_what_they_say) {
    tw_err err;
    tw_slice value;
    ASSERT_OK(parse("/a?&&top=1&&", &err));
    ASSERT_EQ(request.parameters_count, 1);
    ASSERT_OK(parse("/a?top", &err));
    ASSERT_TRUE(tw_request_text(&request, "top", &value));
    ASSERT_EQ(value.size, 0);
    ASSERT_OK(parse("/a?category=x=y?z", &err));
    ASSERT_TRUE(tw_request_text(&request, "category", &value));
    ASSERT_STR(text_of(value), "x=y?z");
    ASSERT_OK(parse("/a?", &err));
    ASSERT_EQ(request.parameters_count, 0);
}

TEST(an_escape_cut_short_anywhere_is_refused) {
    static const char *const bad[] = {"/%",       "/%4",   "/%4/x",  "/%zz",    "/%4g",    "/a%",
                                      "/a%2",     "/a?%",  "/a?b=%", "/a?b=%2", "/a?%4=1", "/a?b=%g0",
                                      "/a?b=%&c", "/%%41", "/a%-1",  "/a% 1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tw_err err = {0};
        ASSERT_EQ(parse(bad[i], &err), TW_E_USAGE);
        ASSERT_TRUE(err.text[0]);
    }
}

TEST(targets_that_are_no_paths_are_refused) {
    static const char *const bad[] = {"",      "*",      "x",      "http://elsewhere/", "?top=1", "/a b",
                                      "/a\tb", "/a\x01", "/a\x7f", "/a?b=\x1f",         "\\",     "/a\r\nHost: x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tw_err err;
        ASSERT_EQ(parse(bad[i], &err), TW_E_USAGE);
    }
}

TEST(more_than_fits_is_refused_and_what_just_fits_is_not) {
    static char target[TW_TARGET_SIZE_MAX + 2];
    tw_err err;
    memset(target, 'a', TW_TARGET_SIZE_MAX);
    target[0] = '/';
    target[TW_TARGET_SIZE_MAX] = '\0';
    ASSERT_OK(parse(target, &err));
    ASSERT_EQ(request.segments[0].size, TW_TARGET_SIZE_MAX - 1);
    target[TW_TARGET_SIZE_MAX] = 'a';
    ASSERT_EQ(parse(target, &err), TW_E_USAGE);

    ASSERT_OK(parse("/1/2/3/4/5/6/7/8", &err));
    ASSERT_EQ(parse("/1/2/3/4/5/6/7/8/9", &err), TW_E_USAGE);
    ASSERT_EQ(parse("/////////", &err), TW_E_USAGE);
    ASSERT_OK(parse("/a?1&2&3&4&5&6&7&8", &err));
    ASSERT_EQ(parse("/a?1&2&3&4&5&6&7&8&9", &err), TW_E_USAGE);
}

TEST(patterns_match_whole_paths_segment_by_segment) {
    tw_err err;
    ASSERT_OK(parse("/api/v1/stats", &err));
    ASSERT_TRUE(tw_request_matches(&request, "/api/v1/stats"));
    ASSERT_FALSE(tw_request_matches(&request, "/api/v1"));
    ASSERT_FALSE(tw_request_matches(&request, "/api/v1/stats/*"));
    ASSERT_FALSE(tw_request_matches(&request, "/"));
    ASSERT_OK(parse("/api/v1/stats/", &err)); /* a slash at the end is another path */
    ASSERT_FALSE(tw_request_matches(&request, "/api/v1/stats"));
    ASSERT_OK(parse("/API/v1/stats", &err));
    ASSERT_FALSE(tw_request_matches(&request, "/api/v1/stats"));
    ASSERT_OK(parse("/api/v1/../v1/stats", &err)); /* dots are names like others */
    ASSERT_FALSE(tw_request_matches(&request, "/api/v1/stats"));
    ASSERT_OK(parse("/api/v1/users//recommendations", &err));
    ASSERT_TRUE(tw_request_matches(&request, "/api/v1/users/*/recommendations"));
    ASSERT_EQ(request.segments[3].size, 0);
}

TEST(unknown_and_repeated_parameters_are_named) {
    static const char *const names[] = {"top", "category", NULL};
    tw_err err;
    ASSERT_OK(parse("/a?category=x&top=1", &err));
    ASSERT_OK(tw_request_only(&request, names, &err));
    ASSERT_OK(parse("/a?topp=1", &err));
    ASSERT_EQ(tw_request_only(&request, names, &err), TW_E_USAGE);
    ASSERT_TRUE(strstr(err.text, "topp"));
    ASSERT_OK(parse("/a?top=1&top=2", &err));
    ASSERT_EQ(tw_request_only(&request, names, &err), TW_E_USAGE);
    ASSERT_TRUE(strstr(err.text, "top"));
    ASSERT_OK(parse("/a?%0a%ff%22=1", &err)); /* what is named back is printable */
    ASSERT_EQ(tw_request_only(&request, names, &err), TW_E_USAGE);
    for (const char *c = err.text; *c; c++)
        ASSERT_TRUE(*c >= ' ' && *c < 0x7f);
}

TEST(a_number_is_digits_within_its_range) {
    static const struct {
        const char *target;
        int number; /* -1: refused */
    } cases[] = {{"/a", 20},
                 {"/a?top=1", 1},
                 {"/a?top=1000", 1000},
                 {"/a?top=007", 7},
                 {"/a?top=0", -1},
                 {"/a?top=1001", -1},
                 {"/a?top=", -1},
                 {"/a?top", -1},
                 {"/a?top=-1", -1},
                 {"/a?top=%2B1", -1},
                 {"/a?top=+1", -1},
                 {"/a?top=1.5", -1},
                 {"/a?top=1e2", -1},
                 {"/a?top=0x10", -1},
                 {"/a?top=99999999999", -1},
                 {"/a?top=18446744073709551617", -1},
                 {"/a?top=1%00", -1},
                 {"/a?top=ten", -1},
                 {"/a?top=%D9%A1", -1},
                 {"/a?top=1;drop", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tw_err err;
        int top = 20;
        ASSERT_OK(parse(cases[i].target, &err));
        tw_code code = tw_request_number(&request, "top", 1, 1000, &top, &err);
        ASSERT_EQ(code, cases[i].number < 0 ? TW_E_USAGE : TW_OK);
        ASSERT_EQ(top, cases[i].number < 0 ? 20 : cases[i].number);
        if (code != TW_OK)
            ASSERT_TRUE(strstr(err.text, "\"top\""));
    }
}

TEST(an_id_is_1_to_1024_bytes_of_utf8) {
    char id[TW_ID_SIZE_MAX + 1];
    tw_err err;
    memset(id, 'x', sizeof id);
    ASSERT_OK(tw_request_check_text((tw_slice){id, TW_ID_SIZE_MAX}, "the user id", &err));
    ASSERT_EQ(tw_request_check_text((tw_slice){id, TW_ID_SIZE_MAX + 1}, "the user id", &err), TW_E_USAGE);
    ASSERT_TRUE(strstr(err.text, "the user id"));
    ASSERT_EQ(tw_request_check_text((tw_slice){id, 0}, "the user id", &err), TW_E_USAGE);
    ASSERT_EQ(tw_request_check_text(TW_SLICE_LITERAL("\xc0\xaf"), "the user id", &err), TW_E_USAGE);
    ASSERT_EQ(tw_request_check_text(TW_SLICE_LITERAL("\xed\xa0\x80"), "the user id", &err), TW_E_USAGE);
    ASSERT_OK(tw_request_check_text(TW_SLICE_LITERAL("\xf0\x9f\x8d\xb5"), "the user id", &err));
}

TEST(the_longest_id_fits_when_every_byte_is_escaped) {
    static char target[TW_TARGET_SIZE_MAX + 1];
    tw_err err;
    char *at = target + sprintf(target, "/api/v1/users/");
    for (int i = 0; i < TW_ID_SIZE_MAX; i++)
        at += sprintf(at, "%%41");
    sprintf(at, "/recommendations?top=1000");
    ASSERT_OK(parse(target, &err));
    ASSERT_EQ(request.segments[3].size, TW_ID_SIZE_MAX);
    ASSERT_OK(tw_request_check_text(request.segments[3], "the user id", &err));
}

TEST(only_names_of_this_machine_are_local) {
    static const char *const local[] = {"localhost",   "LocalHost:8080", "127.0.0.1",  "127.0.0.1:8080",
                                        "127.9.8.7:1", "[::1]",          "[::1]:8080", "shop.localhost",
                                        "myhost:80",   "MYHOST"};
    static const char *const foreign[] = {"",
                                          "elsewhere.example",
                                          "localhost.example",
                                          "127.0.0.1.example",
                                          "128.0.0.1",
                                          "127.0.0",
                                          "127.0.0.1.1",
                                          "127.0.0.256",
                                          "127.0.0.1:80a",
                                          "127.0.0.1:80:80",
                                          "[::1",
                                          "[::2]",
                                          "[::1]x",
                                          "localhost:80@x",
                                          "notlocalhost",
                                          ".localhost",
                                          "127..0.1",
                                          "0.0.0.0",
                                          "1270.0.0.1",
                                          "127.0.0.1 "};
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        if (!tw_request_host_is_local(local[i], "myhost"))
            tw_test_fail(__FILE__, __LINE__, "%s is foreign", local[i]);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (tw_request_host_is_local(foreign[i], "127.0.0.1"))
            tw_test_fail(__FILE__, __LINE__, "%s is local", foreign[i]);
}

/* Any bytes at all: no read outside, and what is accepted points into its own text. */
TEST(any_target_is_answered_and_never_grows) {
    static const char alphabet[] = "/?&=%+a0F.-%%//\xc3\xa4\x01 ";
    srand((unsigned)tw_test_seed());
    for (int round = 0; round < 200000; round++) {
        char target[64];
        tw_err err;
        int size = rand() % 63;
        for (int i = 0; i < size; i++)
            target[i] = alphabet[(size_t)rand() % (sizeof alphabet - 1)];
        target[size] = '\0';
        if (size && rand() % 4)
            target[0] = '/';
        char *copy = strdup(target); /* on the heap, so that a sanitizer sees a read behind its end */
        if (parse(copy, &err) == TW_OK) {
            size_t sum = 0;
            for (int i = 0; i < request.segments_count; i++)
                sum += request.segments[i].size;
            for (int i = 0; i < request.parameters_count; i++)
                sum += request.parameters[i].name.size + request.parameters[i].value.size;
            ASSERT_LE(sum, size);
        }
        free(copy);
    }
}
