#include "pipeline/ingest/file.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "support/test.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static tw_config config;
static tw_err err;
static char path[700];

static const char *write_file(const char *bytes, size_t size, bool zip) {
    snprintf(path, sizeof path, "%s/file", tw_test_dir());
    if (zip) {
        gzFile out = gzopen(path, "wb");
        ASSERT_EQ(gzwrite(out, bytes, (unsigned)size), size);
        gzclose(out);
    } else {
        FILE *out = fopen(path, "wb");
        ASSERT_EQ(fwrite(bytes, 1, size, out), size);
        fclose(out);
    }
    return path;
}

static tw_source *open_file(const char *file) {
    tw_source *source;
    tw_config_init(&config);
    config.ingest_record_max_bytes = 1000;
    ASSERT_OK(tw_source_file(file, &config, &source, &err));
    return source;
}

/* Everything that is left, records split by '\x1f'. */
static tw_code drain(tw_source *source, int max, tw_buf *out, int64_t *ret_count) {
    tw_record records[64];
    int count;
    tw_code code;
    *ret_count = 0;
    do {
        code = source->ops->poll(source, records, max, 0, &count, &err);
        for (int i = 0; code == TW_OK && i < count; i++) {
            ASSERT_TRUE(*ret_count == 0 || records[i].offset >= 0);
            tw_buf_put(out, records[i].value.data, records[i].value.size);
            tw_buf_u8(out, 0x1f);
            (*ret_count)++;
        }
    } while (code == TW_OK && count > 0);
    return code;
}

static void close_file(tw_source *source) {
    source->ops->close(source);
    tw_config_done(&config);
}

static void expect_records(const char *content, const char *expected) {
    for (int zip = 0; zip < 2; zip++) {
        tw_source *source = open_file(write_file(content, strlen(content), zip));
        tw_buf out = {0};
        int64_t count;
        ASSERT_OK(drain(source, 3, &out, &count));
        tw_buf_u8(&out, '\0');
        ASSERT_STR(out.data, expected);
        tw_buf_done(&out);
        close_file(source);
    }
}

TEST(rows_end_at_newlines_and_blank_lines_are_none) {
    expect_records("h\na,b\r\n\n\nc\nd", "a,b\x1f"
                                         "c\x1f"
                                         "d\x1f");
    expect_records("{\"a\":1}\n\n{\"b\":\"\\n\"}\n", "{\"a\":1}\x1f{\"b\":\"\\n\"}\x1f");
}

TEST(a_quoted_field_may_hold_newlines_and_a_stray_quote_costs_nothing) {
    expect_records("h\n1,\"two\nlines, \"\"q\"\"\",3\n5\" pipe,\"x\"\nlast\n", "1,\"two\nlines, \"\"q\"\"\",3\x1f"
                                                                               "5\" pipe,\"x\"\x1flast\x1f");
}

TEST(a_quote_that_is_never_closed_costs_its_own_line) {
    expect_records("h\n1,\"open\n2\n3\n", "1,\"open\x1f"
                                          "2\x1f"
                                          "3\x1f");
}

TEST(a_row_too_long_is_cut_and_reading_goes_on_at_the_next) {
    char content[5000] = "h\na\n";
    memset(content + 4, 'x', 3000);
    strcpy(content + 3004, "\nb\n");
    tw_source *source = open_file(write_file(content, strlen(content), false));
    tw_record records[8];
    int count = 0, n = 0;
    size_t sizes[8];
    do {
        ASSERT_OK(source->ops->poll(source, records, 8, 0, &count, &err));
        for (int i = 0; i < count; i++)
            sizes[n++] = records[i].value.size;
    } while (count);
    ASSERT_EQ(n, 3);
    ASSERT_EQ(sizes[0], 1);
    ASSERT_EQ(sizes[1], 1001);
    ASSERT_EQ(sizes[2], 1);
    close_file(source);
}

TEST(seeking_anywhere_gives_what_reading_through_gives) {
    tw_buf content = {0}, whole = {0};
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 3);
    int64_t rows, left;
    tw_buf_printf(&content, "h\n");
    for (int i = 0; i < 400; i++)
        tw_buf_printf(&content, "%d,\"%.*s\n\"\n%s", i, (int)tw_rng_below(&rng, 500),
                      "0123456789012345678901234567890123456789", i % 7 ? "" : "\n");
    const char *file = write_file(content.data, content.size, true);
    tw_source *source = open_file(file);
    ASSERT_OK(drain(source, 64, &whole, &rows));
    ASSERT_EQ(rows, 400);
    close_file(source);
    for (int64_t at = 0; at <= rows; at += 1 + tw_rng_below(&rng, 20)) {
        tw_buf rest = {0};
        source = open_file(path);
        ASSERT_OK(source->ops->seek(source, 0, 0, at, &err));
        ASSERT_OK(drain(source, 1 + (int)tw_rng_below(&rng, 64), &rest, &left));
        ASSERT_EQ(left, rows - at);
        ASSERT_TRUE(tw_slice_equal((tw_slice){whole.data + whole.size - rest.size, rest.size}, tw_buf_slice(&rest)));
        tw_buf_done(&rest);
        close_file(source);
    }
    source = open_file(path);
    ASSERT_EQ(source->ops->seek(source, 0, 0, rows + 1, &err), TW_E_BAD_FILE);
    close_file(source);
    tw_buf_done(&content);
    tw_buf_done(&whole);
}

TEST(a_torn_gzip_gives_its_whole_rows_and_then_says_so) {
    tw_buf content = {0}, out = {0};
    int64_t rows;
    tw_rng rng = tw_rng_at(7, 7, 7);
    for (int i = 0; i < 20000; i++)
        tw_buf_printf(&content, "%d,%u\n", i, tw_rng_below(&rng, 1000000));
    write_file(content.data, content.size, true);
    FILE *file = fopen(path, "rb+");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    ASSERT_EQ(truncate(path, size / 2), 0);
    tw_source *source = open_file(path);
    ASSERT_EQ(drain(source, 64, &out, &rows), TW_E_BAD_FILE);
    ASSERT_GT(rows, 1000);
    ASSERT_LT(rows, 19999);
    ASSERT_TRUE(strstr(err.text, "ends inside") != NULL);
    close_file(source);
    tw_buf_done(&content);
    tw_buf_done(&out);
}

TEST(the_same_content_has_the_same_identity_and_another_has_another) {
    tw_source *a = open_file(write_file("h\n1\n", 4, false));
    char first[64];
    strcpy(first, a->inputs[0].identity);
    close_file(a);
    a = open_file(write_file("h\n2\n", 4, false));
    ASSERT_TRUE(strcmp(first, a->inputs[0].identity) != 0);
    close_file(a);
    a = open_file(write_file("h\n1\n", 4, false));
    ASSERT_STR(a->inputs[0].identity, first);
    close_file(a);
}
