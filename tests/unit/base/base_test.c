#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/event.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/rng.h"
#include "base/log.h"
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <errno.h>

TEST(every_code_has_a_name_a_class_and_a_sentence) {
    ASSERT_STR(tw_code_name(TW_E_CORRUPT), "TW_E_CORRUPT");
    ASSERT_EQ(tw_code_class(TW_E_CORRUPT), TW_CLASS_DROP);
    ASSERT_EQ(tw_code_class(TW_E_BUSY), TW_CLASS_RETRY);
    ASSERT_EQ(tw_code_class(TW_E_DIVERGED), TW_CLASS_FATAL);
    ASSERT_TRUE(strlen(tw_code_text(TW_E_FULL)) > 0);
}

TEST(errors_gather_what_each_caller_knows) {
    tw_err err;
    ASSERT_EQ(tw_fail(&err, TW_E_IO, "page %d", 7), TW_E_IO);
    ASSERT_EQ(tw_wrap(&err, "file %s", "x"), TW_E_IO);
    ASSERT_STR(err.text, "file x: page 7");
    ASSERT_EQ(tw_fail(NULL, TW_E_IO, "nobody listens"), TW_E_IO);
    errno = ENOSPC;
    ASSERT_EQ(tw_fail_errno(&err, TW_E_IO, "write"), TW_E_FULL);
    ASSERT_TRUE(strstr(err.text, "write: ") == err.text);
}

TEST(utf8_is_told_from_what_only_looks_like_it) {
    static const struct {
        const char *bytes;
        size_t size;
        bool good;
    } cases[] = {{"", 0, true},
                 {"plain ascii text", 16, true},
                 {"\xc3\xa9", 2, true},
                 {"\xf0\x9f\x98\x80", 4, true},
                 {"\xc3", 1, false},
                 {"\x80", 1, false},
                 {"\xc0\x80", 2, false},
                 {"\xe0\x80\x80", 3, false},
                 {"\xed\xa0\x80", 3, false},
                 {"\xf4\x90\x80\x80", 4, false},
                 {"\xf8\x88\x80\x80\x80", 5, false},
                 {"12345678\xff", 9, false},
                 {"\xef\xbf\xbd", 3, true},
                 {"\xf0\x8f\xbf\xbf", 4, false},
                 {"a\0b", 3, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ASSERT_EQ(tw_slice_is_utf8((tw_slice){cases[i].bytes, cases[i].size}), cases[i].good);
}

TEST(what_is_written_to_a_buffer_reads_back_and_ends_are_kept) {
    tw_buf buf = {0};
    tw_buf_u8(&buf, 200);
    tw_buf_u16(&buf, 60000);
    tw_buf_u32(&buf, 4000000000u);
    tw_buf_u64(&buf, UINT64_MAX);
    tw_buf_f32(&buf, 1.5f);
    tw_buf_f64(&buf, -2.25);
    tw_buf_text(&buf, TW_SLICE_LITERAL("text"));
    tw_cursor c = tw_cursor_of(tw_buf_slice(&buf));
    ASSERT_EQ(tw_cursor_u8(&c), 200);
    ASSERT_EQ(tw_cursor_u16(&c), 60000);
    ASSERT_EQ(tw_cursor_u32(&c), 4000000000u);
    ASSERT_TRUE(tw_cursor_u64(&c) == UINT64_MAX);
    ASSERT_NEAR(tw_cursor_f32(&c), 1.5, 0);
    ASSERT_NEAR(tw_cursor_f64(&c), -2.25, 0);
    ASSERT_TRUE(tw_slice_equal(tw_cursor_text(&c), TW_SLICE_LITERAL("text")));
    ASSERT_FALSE(c.bad);
    ASSERT_EQ(tw_cursor_u8(&c), 0);
    ASSERT_TRUE(c.bad);
    for (size_t size = 0; size < buf.size; size++) { /* cut anywhere, it is bad and stays inside */
        c = tw_cursor_of((tw_slice){buf.data, size});
        tw_cursor_u8(&c), tw_cursor_u16(&c), tw_cursor_u32(&c), tw_cursor_u64(&c), tw_cursor_f32(&c), tw_cursor_f64(&c);
        tw_cursor_text(&c);
        ASSERT_TRUE(c.bad);
    }
    tw_buf_done(&buf);
}

TEST(numbers_in_json_are_as_printf_writes_them) {
    static const double edges[] = {0,         -0.0,   1,          -1,       0.1,       0.5,         0.0005,
                                   0.0015,    1e-4,   9.99999e-5, 9.999995, 9.9999949, 99999.95,    99999.4,
                                   99999.96,  1e5,    123456.5,   1e9,      1e300,     0.000123456, 0.99999949,
                                   0.9999995, 0.0625, 2.5,        1234.5,   12345.65,  NAN,         INFINITY};
    tw_buf buf = {0};
    char wanted[400];
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 1);
    for (int i = 0; i < 200000; i++) {
        double x = i < (int)(sizeof edges / sizeof edges[0]) ? edges[i]
                   : i % 2 ? (double)(float)(tw_rng_normal(&rng) * pow(10, 12 * tw_rng_unit(&rng) - 6))
                           : (double)tw_rng_below(&rng, 2000000) / 2000.0;
        tw_buf_clear(&buf);
        tw_json_real(&buf, x);
        tw_buf_u8(&buf, 0);
        snprintf(wanted, sizeof wanted, "%.6g", x);
        ASSERT_STR(buf.data, wanted);
        tw_buf_clear(&buf);
        tw_json_thousandths(&buf, x / 1e6);
        tw_buf_u8(&buf, 0);
        snprintf(wanted, sizeof wanted, "%.3f", x / 1e6);
        ASSERT_STR(buf.data, wanted);
    }
    static const int64_t whole[] = {0, 1, -1, 10, INT64_MAX, INT64_MIN, 1234567890123};
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        tw_buf_clear(&buf);
        tw_json_whole(&buf, whole[i]);
        tw_buf_u8(&buf, 0);
        snprintf(wanted, sizeof wanted, "%lld", (long long)whole[i]);
        ASSERT_STR(buf.data, wanted);
    }
    tw_buf_done(&buf);
}

TEST(text_in_json_is_quoted_and_escaped) {
    tw_buf buf = {0};
    tw_json_text(&buf, tw_slice_of("a\"b\\c\n\x01\xc3\xa9"));
    tw_json_text(&buf, (tw_slice){0});
    tw_buf_u8(&buf, 0);
    ASSERT_STR(buf.data, "\"a\\\"b\\\\c\\u000a\\u0001\xc3\xa9\"\"\"");
    tw_buf_done(&buf);
}

TEST(an_arena_keeps_what_it_gave_until_the_reset) {
    tw_arena *arena = tw_arena_create(256);
    char *blocks[100];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 100; i++) {
            blocks[i] = tw_arena_alloc(arena, i * 7);
            ASSERT_EQ((uintptr_t)blocks[i] % 16, 0);
            memset(blocks[i], (int)i, i * 7);
        }
        for (size_t i = 0; i < 100; i++)
            for (size_t j = 0; j < i * 7; j++)
                ASSERT_EQ((unsigned char)blocks[i][j], i);
        size_t held = tw_arena_size(arena);
        tw_arena_reset(arena);
        ASSERT_EQ(tw_arena_size(arena), held);
    }
    tw_arena_free(arena);
}

TEST(kinds_and_reasons_are_known_by_name) {
    for (int k = 0; k < TW_KIND_COUNT; k++)
        ASSERT_EQ(tw_kind_of(tw_slice_of(tw_kind_name((tw_kind)k))), k);
    ASSERT_EQ(tw_kind_of(TW_SLICE_LITERAL("clic")), TW_KIND_COUNT);
    ASSERT_STR(tw_reason_name(TW_REASON_RATING_RANGE), "rating_range");
}

TEST(metrics_come_out_in_prometheus_text) {
    static tw_metric counter = {"tailwater_test_total", "Counts", TW_COUNTER, "kind", "a"};
    static tw_metric histogram = {"tailwater_test_seconds", "Lasts", TW_HISTOGRAM};
    tw_buf out = {0};
    tw_metric_register(&counter);
    tw_metric_register(&histogram);
    tw_metric_add(&counter, 2);
    tw_metric_add(&counter, 3);
    for (int i = 0; i < 100; i++)
        tw_metric_observe(&histogram, i < 90 ? 0.001 : 1.0);
    tw_metrics_write(&out);
    tw_buf_u8(&out, '\0');
    ASSERT_TRUE(strstr(out.data, "# TYPE tailwater_test_total counter\ntailwater_test_total{kind=\"a\"} 5\n") != NULL);
    ASSERT_TRUE(strstr(out.data, "tailwater_test_seconds_count 100\n") != NULL);
    ASSERT_TRUE(strstr(out.data, "tailwater_test_seconds_bucket{le=\"+Inf\"} 100\n") != NULL);
    double p50 = tw_metric_quantile(&histogram, 0.5), p99 = tw_metric_quantile(&histogram, 0.99);
    ASSERT_TRUE(p50 >= 0.001 && p50 <= 0.002048);
    ASSERT_TRUE(p99 >= 1.0 && p99 <= 2.1);
    int buckets = 0;
    for (const char *at = out.data; (at = strstr(at, "tailwater_test_seconds_bucket{")) != NULL; at++)
        buckets++;
    ASSERT_EQ(buckets, TW_METRIC_BUCKETS_SHOWN + 1); /* empty ones too, and +Inf */
    ASSERT_TRUE(strstr(out.data, "tailwater_test_seconds_bucket{le=\"1e-06\"} 0\n") != NULL);
    ASSERT_TRUE(strstr(out.data, "tailwater_test_seconds_bucket{le=\"1.09951e+06\"} 100\n") != NULL);
    tw_buf_done(&out);
}

TEST(what_no_bucket_of_the_text_reaches_is_in_the_last) {
    static tw_metric long_ago = {"tailwater_test_long_seconds", "Lasts long", TW_HISTOGRAM};
    tw_buf out = {0};
    tw_metric_register(&long_ago);
    tw_metric_observe(&long_ago, 1e8);
    tw_metrics_write(&out);
    tw_buf_u8(&out, '\0');
    ASSERT_TRUE(strstr(out.data, "tailwater_test_long_seconds_bucket{le=\"1.09951e+06\"} 0\n") != NULL);
    ASSERT_TRUE(strstr(out.data, "tailwater_test_long_seconds_bucket{le=\"+Inf\"} 1\n") != NULL);
    tw_buf_done(&out);
}

static void *log_lines(void *self) {
    (void)self;
    for (int i = 0; i < 200; i++)
        tw_log_error("crowd", "text=\"%s\" end=here", "a line of some length, that nobody may write into");
    return NULL;
}

TEST(lines_logged_by_several_threads_at_one_place_come_out_whole) {
    char path[700], line[512];
    pthread_t threads[4];
    int lines = 0, kept = dup(STDERR_FILENO);
    snprintf(path, sizeof path, "%s/log", tw_test_dir());
    FILE *log = freopen(path, "w+", stderr);
    ASSERT_TRUE(log != NULL);
    for (int t = 0; t < 4; t++)
        ASSERT_EQ(pthread_create(&threads[t], NULL, log_lines, NULL), 0);
    for (int t = 0; t < 4; t++)
        pthread_join(threads[t], NULL);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    FILE *read = fopen(path, "r");
    for (; fgets(line, sizeof line, read); lines++)
        ASSERT_TRUE(strncmp(line, "time=", 5) == 0 && strstr(line, " event=crowd text=") && strstr(line, " end=here"));
    fclose(read);
    ASSERT_GE(lines, 10); /* of 800: the others are held back */
    ASSERT_LT(lines, 200);
}
