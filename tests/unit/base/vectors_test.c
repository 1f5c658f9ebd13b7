#include "base/vectors.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static tw_vectors *good(tw_slice bytes, tw_vectors_format format) {
    tw_vectors *v;
    tw_err err;
    ASSERT_OK(tw_vectors_of(bytes, "bytes", format, &v, &err));
    return v;
}

static void has(const tw_vectors *v, const char *word, float first, float last) {
    float x[8];
    uint32_t index = tw_vectors_find(v, tw_slice_of(word));
    ASSERT_TRUE(index != TW_VECTORS_NONE);
    ASSERT_TRUE(tw_slice_equal(tw_vectors_word(v, index), tw_slice_of(word)));
    tw_vectors_get(v, index, x);
    ASSERT_NEAR(x[0], first, 0);
    ASSERT_NEAR(x[tw_vectors_dim(v) - 1], last, 0);
}

static const char two_words[] =
    "2 4\ncat \0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\ndog \0\0\0\xbf\0\0\0\0\0\0\0\0\0\0\0\x3f\n";
#define TWO_WORDS ((tw_slice){two_words, sizeof two_words - 1})

TEST(each_form_is_known_by_its_content) {
    static const struct {
        tw_slice bytes;
        tw_vectors_format form;
    } cases[] = {{TW_SLICE_LITERAL("2 4\ncat 1 2 3 4\ndog -0.5 0 0 5e-1\n"), TW_VECTORS_WORD2VEC_TEXT},
                 {TW_SLICE_LITERAL("cat 1 2 3 4\ndog -0.5 0 0 .5"), TW_VECTORS_GLOVE},
                 {{two_words, sizeof two_words - 1}, TW_VECTORS_WORD2VEC_BINARY}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tw_vectors *v = good(cases[i].bytes, TW_VECTORS_AUTO), *named = good(cases[i].bytes, cases[i].form);
        ASSERT_EQ(tw_vectors_form(v), cases[i].form);
        ASSERT_EQ(tw_vectors_dim(v), 4);
        ASSERT_EQ(tw_vectors_count(v), 2);
        ASSERT_EQ(tw_vectors_duplicates(v), 0);
        has(v, "cat", 1, 4);
        has(v, "dog", -0.5f, 0.5f);
        has(named, "dog", -0.5f, 0.5f);
        ASSERT_EQ(tw_vectors_find(v, TW_SLICE_LITERAL("cow")), TW_VECTORS_NONE);
        ASSERT_EQ(tw_vectors_find(v, TW_SLICE_LITERAL("")), TW_VECTORS_NONE);
        tw_vectors_close(v);
        tw_vectors_close(named);
    }
}

TEST(what_other_programs_write_is_read) {
    tw_vectors *v =
        good(TW_SLICE_LITERAL("2 2\r\ncat 1 2 \r\n\r\ndog\t3\t4 \r\n\n"), TW_VECTORS_AUTO); /* fastText's blank */
    has(v, "cat", 1, 2);
    has(v, "dog", 3, 4);
    tw_vectors_close(v);
    v = good(TW_SLICE_LITERAL("cat 7 8 9\n. . . 1 2 3\nat name@host 4 5 6\n"),
             TW_VECTORS_AUTO); /* as in GloVe's 840B */
    has(v, ". . .", 1, 3);
    has(v, "at name@host", 4, 6);
    tw_vectors_close(v);
    tw_slice no_breaks = {"1 1\nx \0\0\x80\x3f", 10};
    v = good(no_breaks, TW_VECTORS_WORD2VEC_BINARY); /* gensim writes no line break behind a vector */
    has(v, "x", 1, 1);
    tw_vectors_close(v);
    v = good(TW_SLICE_LITERAL("7 3\n8 4\n"), TW_VECTORS_GLOVE); /* would be a header */
    has(v, "7", 3, 3);
    tw_vectors_close(v);
}

TEST(of_a_word_that_stands_twice_the_first_is_kept_and_the_others_are_counted) {
    tw_vectors *v = good(TW_SLICE_LITERAL("4 1\na 1\nb 2\na 3\na 4\n"), TW_VECTORS_AUTO);
    ASSERT_EQ(tw_vectors_count(v), 2);
    ASSERT_EQ(tw_vectors_duplicates(v), 2);
    has(v, "a", 1, 1);
    has(v, "b", 2, 2);
    tw_vectors_close(v);
}

static void bad(tw_slice bytes, tw_vectors_format format, const char *says) {
    tw_vectors *v = NULL;
    tw_err err = {0};
    tw_code code = tw_vectors_of(bytes, "bytes", format, &v, &err);
    if (code != TW_E_BAD_FILE || !strstr(err.text, says) || strncmp(err.text, "bytes: ", 7) != 0)
        tw_test_fail(__FILE__, __LINE__, "code %d \"%s\", wanted \"%s\"", (int)code, err.text, says);
    ASSERT_TRUE(v == NULL);
    ASSERT_EQ(tw_vectors_of(bytes, "bytes", format, &v, NULL), TW_E_BAD_FILE); /* nobody has to listen */
}

TEST(a_text_that_is_broken_is_refused_with_its_line) {
    static const struct {
        tw_slice bytes;
        const char *says;
    } cases[] = {{TW_SLICE_LITERAL(""), "empty"},
                 {TW_SLICE_LITERAL("\n\n"), "no word"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 2\ndog 3\n"), "line 3: 2 fields, where a word and 2 numbers"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 2\ndog 3 4 5\n"), "line 3: 4 fields, where a word and 2 numbers"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 2\n3 4\n"), "line 3: 2 fields"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 x\ndog 3 4\n"), "line 2: number 2 is not a number"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 2\ndog nan 4\n"), "line 3: number 1 is not finite"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 2\ndog 3 -inf\n"), "line 3: number 2 is not finite"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 2\ndog 3 1e39\n"), "line 3: number 2 is not finite"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 2\ndog 3 0x4\n"), "line 3: number 2 is not a number"},
                 {TW_SLICE_LITERAL("2 2\ncat 1 2\n"), "2 words of 2 numbers; 8 bytes cannot hold them"},
                 {TW_SLICE_LITERAL("2 2\ncat 1.00000 2.0000\n"), "ends after 1 words of the 2"},
                 {TW_SLICE_LITERAL("1 2\ncat 1 2\ndog 3 4\n"), "line 3: one word more than the 1"},
                 {TW_SLICE_LITERAL("0 2\n"), "no word"},
                 {TW_SLICE_LITERAL("2 0\ncat\ndog\n"), "vectors of 0 numbers"},
                 {TW_SLICE_LITERAL("1 99999\ncat 1\n"), "vectors of 99999 numbers"},
                 {TW_SLICE_LITERAL("18446744073709551617 2\ncat 1 2\n"), "cannot hold them"},
                 {TW_SLICE_LITERAL("1 99999999999999999999999\ncat 1 2\n"), "numbers; 1 to"},
                 {TW_SLICE_LITERAL("4000000000 16384\ncat 1 2\n"), "cannot hold them"},
                 {TW_SLICE_LITERAL("cat 1 2\ndog 1 2 3\n"), "line 2: 4 fields"},
                 {TW_SLICE_LITERAL("cat 1 2\ndog 1\n"), "line 2: 2 fields"},
                 {TW_SLICE_LITERAL("cat\n"), "line 1: a word without a number"},
                 {TW_SLICE_LITERAL("cat 1 2\n\ndog 1 y\n"), "line 3: number 2 is not a number"},
                 {TW_SLICE_LITERAL("\x1f\x8b\x08"), "gzipped"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        bad(cases[i].bytes, TW_VECTORS_AUTO, cases[i].says);
    bad(TW_SLICE_LITERAL("cat 1 2\n"), TW_VECTORS_WORD2VEC_TEXT, "line 1: not a header");
    bad(TW_SLICE_LITERAL("cat 1 2\n"), TW_VECTORS_WORD2VEC_BINARY, "line 1: not a header");
    char *lone = malloc(TW_VECTORS_WORD_MAX + 4);
    memset(lone, 'a', TW_VECTORS_WORD_MAX + 1);
    memcpy(lone + TW_VECTORS_WORD_MAX + 1, " 1\n", 3);
    bad((tw_slice){lone, TW_VECTORS_WORD_MAX + 4}, TW_VECTORS_AUTO, "line 1: a word of more than");
    free(lone);
}

/* Every prefix of a good file but those that end behind the last word's last byte. */
TEST(a_binary_that_is_cut_anywhere_is_refused) {
    for (size_t size = 0; size < TWO_WORDS.size - 1; size++) {
        tw_vectors *v = NULL;
        tw_err err = {0};
        ASSERT_EQ(tw_vectors_of((tw_slice){two_words, size}, "cut", TW_VECTORS_WORD2VEC_BINARY, &v, &err),
                  TW_E_BAD_FILE);
        ASSERT_TRUE(err.text[0] != '\0');
    }
}

TEST(a_binary_that_is_broken_is_refused_with_its_offset) {
    char bytes[sizeof two_words + 16];
    size_t size = TWO_WORDS.size;
#define CHANGED(at, what, says)                                           \
    do {                                                                  \
        memcpy(bytes, two_words, size);                                   \
        memcpy(bytes + (at), (what), sizeof(what) - 1);                   \
        bad((tw_slice){bytes, size}, TW_VECTORS_WORD2VEC_BINARY, (says)); \
    } while (0)
    CHANGED(8, "\0\0\xc0\x7f", "offset 8: number 1 of word 1 is not finite");
    CHANGED(41, "\0\0\x80\xff", "offset 41: number 4 of word 2 is not finite");
    CHANGED(4, " ", "offset 4: word 1 of 2 is empty");
    CHANGED(0, "3 4", "cannot hold them");
    CHANGED(0, "1 4", "offset 25: more follows than the 1 words");
    CHANGED(0, "2 3", "offset");
    CHANGED(0, "2 0", "vectors of 0 numbers");
    memcpy(bytes, two_words, size);
    memcpy(bytes + size, "more", 4);
    bad((tw_slice){bytes, size + 4}, TW_VECTORS_WORD2VEC_BINARY, "more follows than the 2 words");
    size_t long_size = 8 + TW_VECTORS_WORD_MAX + 100;
    char *lone = malloc(long_size);
    memset(lone, 'a', long_size);
    memcpy(lone, "1 1\n", 4);
    bad((tw_slice){lone, long_size}, TW_VECTORS_WORD2VEC_BINARY, "offset 4: word 1 of 1 is longer than");
    bad((tw_slice){lone, 20}, TW_VECTORS_WORD2VEC_BINARY, "offset 4: ends inside word 1 of 1");
    free(lone);
}

static tw_code write_three(const char *path, tw_vectors_format format, tw_err *err) {
    static const float rows[3][2] = {{0.1f, -1e-30f}, {3.4e38f, 1.0f / 3}, {0, -0.0f}};
    tw_vectors_out *out;
    TW_TRY(tw_vectors_create(path, format, 3, 2, &out, err));
    tw_vectors_put(out, TW_SLICE_LITERAL("plain"), rows[0]);
    tw_vectors_put(out, TW_SLICE_LITERAL("with blanks 5"), rows[1]);
    tw_vectors_put(out, TW_SLICE_LITERAL("\xc3\xa9\n"), rows[2]);
    return tw_vectors_finish(out, err);
}

TEST(what_is_written_reads_back_bit_for_bit) {
    for (int format = TW_VECTORS_WORD2VEC_TEXT; format < TW_VECTORS_FORMATS; format++) {
        char path[600], part[640];
        tw_vectors *v;
        tw_err err;
        float x[2];
        tw_buf scratch = {0};
        snprintf(path, sizeof path, "%s/v%d", tw_test_dir(), format);
        snprintf(part, sizeof part, "%s.part", path);
        ASSERT_OK(write_three(path, (tw_vectors_format)format, &err));
        ASSERT_TRUE(access(part, F_OK) != 0);
        ASSERT_OK(tw_vectors_open(path, TW_VECTORS_AUTO, &v, &err));
        ASSERT_EQ(tw_vectors_form(v), format);
        ASSERT_EQ(tw_vectors_count(v), 3);
        tw_vectors_get(v, tw_vectors_find(v, TW_SLICE_LITERAL("plain")), x);
        ASSERT_TRUE(x[0] == 0.1f && x[1] == -1e-30f);
        tw_slice word = tw_vectors_word_of(TW_SLICE_LITERAL("with blanks 5"), &scratch);
        tw_vectors_get(v, tw_vectors_find(v, word), x);
        ASSERT_TRUE(x[0] == 3.4e38f && x[1] == 1.0f / 3);
        ASSERT_TRUE(tw_vectors_find(v, TW_SLICE_LITERAL("\xc3\xa9_")) != TW_VECTORS_NONE);
        tw_buf_done(&scratch);
        tw_vectors_close(v);
    }
}

TEST(the_hash_is_of_the_bytes_and_of_nothing_else) {
    char path[600];
    tw_vectors *mapped, *held;
    tw_err err;
    snprintf(path, sizeof path, "%s/v", tw_test_dir());
    FILE *file = fopen(path, "wb");
    ASSERT_TRUE(file && fwrite(two_words, 1, TWO_WORDS.size, file) == TWO_WORDS.size && fclose(file) == 0);
    ASSERT_OK(tw_vectors_open(path, TW_VECTORS_AUTO, &mapped, &err));
    held = good(TWO_WORDS, TW_VECTORS_WORD2VEC_BINARY);
    ASSERT_TRUE(tw_vectors_hash(mapped).lo == tw_vectors_hash(held).lo &&
                tw_vectors_hash(mapped).hi == tw_vectors_hash(held).hi);
    has(mapped, "cat", 1, 4);
    tw_vectors_close(mapped);
    tw_vectors_close(held);
}

TEST(a_path_that_holds_no_file_says_so) {
    tw_vectors *v = NULL;
    tw_vectors_out *out = NULL;
    tw_err err = {0};
    char path[600];
    ASSERT_EQ(tw_vectors_open("/nonexistent/v", TW_VECTORS_AUTO, &v, &err), TW_E_IO);
    ASSERT_TRUE(strstr(err.text, "No such file") != NULL);
    ASSERT_EQ(tw_vectors_open(tw_test_dir(), TW_VECTORS_AUTO, &v, &err), TW_E_IO);
    ASSERT_TRUE(strstr(err.text, "not a regular file") != NULL);
    snprintf(path, sizeof path, "%s/empty", tw_test_dir());
    fclose(fopen(path, "wb"));
    ASSERT_EQ(tw_vectors_open(path, TW_VECTORS_AUTO, &v, &err), TW_E_BAD_FILE);
    ASSERT_TRUE(strstr(err.text, "/empty: the file is empty") != NULL);
    ASSERT_EQ(tw_vectors_create("/nonexistent/v", TW_VECTORS_WORD2VEC_TEXT, 1, 2, &out, &err), TW_E_IO);
    ASSERT_EQ(tw_vectors_create(tw_test_dir(), TW_VECTORS_WORD2VEC_TEXT, 1, 2, &out, &err), TW_E_IO);
    ASSERT_TRUE(strstr(err.text, "Is a directory") != NULL);
}

TEST(a_writer_that_is_dropped_leaves_what_was_there) {
    char path[600], part[640];
    tw_vectors_out *out;
    tw_vectors *v;
    tw_err err;
    snprintf(path, sizeof path, "%s/v", tw_test_dir());
    snprintf(part, sizeof part, "%s.part", path);
    ASSERT_OK(write_three(path, TW_VECTORS_WORD2VEC_TEXT, &err));
    ASSERT_OK(tw_vectors_create(path, TW_VECTORS_WORD2VEC_TEXT, 7, 2, &out, &err));
    tw_vectors_put(out, TW_SLICE_LITERAL("x"), (const float[2]){1, 2});
    ASSERT_TRUE(tw_vectors_drop(out) == NULL);
    ASSERT_TRUE(access(part, F_OK) != 0);
    ASSERT_OK(tw_vectors_open(path, TW_VECTORS_AUTO, &v, &err));
    ASSERT_EQ(tw_vectors_count(v), 3);
    tw_vectors_close(v);
}

TEST(a_full_disk_is_told_and_leaves_nothing) {
    tw_vectors_out *out;
    tw_err err = {0};
    if (access("/dev/full", W_OK) != 0)
        tw_test_skip("no /dev/full here");
    char path[600], part[640];
    snprintf(path, sizeof path, "%s/v", tw_test_dir());
    snprintf(part, sizeof part, "%s.part", path);
    ASSERT_EQ(symlink("/dev/full", part), 0);
    ASSERT_OK(tw_vectors_create(path, TW_VECTORS_WORD2VEC_BINARY, 1, 2, &out, &err));
    tw_vectors_put(out, TW_SLICE_LITERAL("x"), (const float[2]){1, 2});
    ASSERT_EQ(tw_vectors_finish(out, &err), TW_E_FULL);
    ASSERT_TRUE(access(path, F_OK) != 0 && access(part, F_OK) != 0);
}
