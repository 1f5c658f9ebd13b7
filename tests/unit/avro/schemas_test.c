#include "avro/schemas.h"
#include "avro/fingerprint.h"
#include "support/test.h"

#include <sys/stat.h>

static tw_err err;

#define CLICK "{\"type\":\"record\",\"name\":\"Click\",\"fields\":[{\"name\":\"user_id\",\"type\":\"string\"}]}"
#define SHORT "{\"type\":\"record\",\"name\":\"Short\",\"fields\":[{\"name\":\"item_id\",\"type\":\"string\"}]}"
#define TIMED(unit)                                                                         \
    "{\"type\":\"record\",\"name\":\"Timed\",\"fields\":[{\"name\":\"event_ms\",\"type\":{" \
    "\"type\":\"long\",\"logicalType\":\"timestamp-" unit "\"}}]}"

static void write_file(const char *path, const char *text, size_t size) {
    FILE *file = fopen(path, "wb");
    ASSERT_TRUE(file != NULL);
    ASSERT_EQ(fwrite(text, 1, size, file), size);
    fclose(file);
}

/* A folder with the schemas click and sub/short, and a map of that text. */
static const char *write_map(const char *text, size_t size) {
    static char map[800];
    char path[800];
    const char *dir = tw_test_dir();
    snprintf(path, sizeof path, "%s/click", dir);
    write_file(path, CLICK, strlen(CLICK));
    snprintf(path, sizeof path, "%s/sub", dir);
    ASSERT_EQ(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/sub/short", dir);
    write_file(path, SHORT, strlen(SHORT));
    snprintf(map, sizeof map, "%s/ids", dir);
    write_file(map, text, size);
    return map;
}

TEST(a_map_gives_ids_their_schemas_past_comments_and_blank_lines) {
    static const char text[] = "# ids of the shop\n"
                               "\n"
                               "   \t\r\n"
                               "7 click\n"
                               "  8\tsub/short  # renamed\r\n"
                               "0 click\n"
                               "4294967295 click";
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_OK(tw_avro_schemas_add_map(s, write_map(text, sizeof text - 1), &err));
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 7) != NULL);
    ASSERT_EQ(tw_avro_plan_kind(tw_avro_schemas_by_id(s, 7)), TW_KIND_CLICK);
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 7) == tw_avro_schemas_by_id(s, 0)); /* compiled once */
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 7) == tw_avro_schemas_by_id(s, UINT32_MAX));
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 8) != NULL && tw_avro_schemas_by_id(s, 8) != tw_avro_schemas_by_id(s, 7));
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 9) == NULL);
    tw_avro_schemas_free(s);
}

TEST(an_absolute_path_is_not_looked_up_beside_the_map) {
    char text[1000], path[800];
    snprintf(path, sizeof path, "%s/there", tw_test_dir());
    write_file(path, CLICK, strlen(CLICK));
    snprintf(text, sizeof text, "3 %s\n", path);
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_OK(tw_avro_schemas_add_map(s, write_map(text, strlen(text)), &err));
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 3) != NULL);
    tw_avro_schemas_free(s);
}

TEST(an_empty_map_is_one) {
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_OK(tw_avro_schemas_add_map(s, write_map("", 0), &err));
    ASSERT_OK(tw_avro_schemas_add_map(s, write_map("# none yet", 10), &err));
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 0) == NULL);
    tw_avro_schemas_free(s);
}

TEST(a_bad_line_of_a_map_is_named_by_file_and_line) {
    static const char *const bad[] = {"7",           "click",
                                      "seven click", "-7 click",
                                      "+7 click",    "7.5 click",
                                      "0x7 click",   "4294967296 click",
                                      "7click",      "7, click",
                                      "7 no-click",  "7 click extra",
                                      "7 sub",       "99999999999999999999 click"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[200], where[900];
        snprintf(text, sizeof text, "# ids\n\n1 click\n%s\n2 click\n", bad[i]);
        const char *map = write_map(text, strlen(text));
        tw_avro_schemas *s = tw_avro_schemas_create(NULL);
        tw_code code = tw_avro_schemas_add_map(s, map, &err);
        snprintf(where, sizeof where, "%s:4: ", map);
        if (code == TW_OK || strncmp(err.text, where, strlen(where)) != 0)
            tw_test_fail(__FILE__, __LINE__, "%s: %s", bad[i], code == TW_OK ? "taken" : err.text);
        tw_avro_schemas_free(s);
    }
}

TEST(a_file_that_a_map_names_and_that_is_no_schema_is_named_too) {
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_EQ(tw_avro_schemas_add_map(s, write_map("5 ids\n", 6), &err), TW_E_BAD_FILE); /* itself */
    ASSERT_TRUE(strstr(err.text, "/ids:1: ") && strstr(err.text, "/ids: Avro schema"));
    tw_avro_schemas_free(s);
}

TEST(a_map_with_a_zero_byte_is_refused_and_not_read_up_to_it) {
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_EQ(tw_avro_schemas_add_map(s,
                                      write_map("1 click\n\0"
                                                "2 sub/short\n",
                                                21),
                                      &err),
              TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "zero byte") != NULL);
    tw_avro_schemas_free(s);
}

TEST(a_map_that_is_not_there_is_an_error_of_the_file) {
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_EQ(tw_avro_schemas_add_map(s, "/nonexistent/ids", &err), TW_E_IO);
    ASSERT_TRUE(strstr(err.text, "/nonexistent/ids") != NULL);
    ASSERT_EQ(tw_avro_schemas_add_map(s, tw_test_dir(), &err), TW_E_IO);
    tw_avro_schemas_free(s);
}

TEST(an_id_twice_is_taken_for_one_schema_and_refused_for_two) {
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_OK(tw_avro_schemas_add_map(s, write_map("7 click\n7 click\n", 16), &err));
    const char *map = write_map("7 click\n7 sub/short\n", 20);
    ASSERT_EQ(tw_avro_schemas_add_map(s, map, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, ":2: ") && strstr(err.text, "id 7"));
    ASSERT_EQ(tw_avro_plan_kind(tw_avro_schemas_by_id(s, 7)), TW_KIND_CLICK);
    tw_avro_schemas_free(s);
}

TEST(a_schema_is_known_by_its_fingerprint_with_or_without_an_id) {
    uint64_t click, other;
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_OK(tw_avro_fingerprint(TW_SLICE_LITERAL(CLICK), &click, &err));
    ASSERT_OK(tw_avro_fingerprint(TW_SLICE_LITERAL(SHORT), &other, &err));
    ASSERT_TRUE(tw_avro_schemas_by_fingerprint(s, click) == NULL);
    ASSERT_OK(tw_avro_schemas_add(s, TW_AVRO_NO_ID, TW_SLICE_LITERAL(CLICK), &err));
    ASSERT_TRUE(tw_avro_schemas_by_fingerprint(s, click) != NULL);
    ASSERT_TRUE(tw_avro_schemas_by_fingerprint(s, other) == NULL);
    ASSERT_TRUE(tw_avro_schemas_by_id(s, UINT32_MAX) == NULL); /* no id is no id */
    ASSERT_OK(tw_avro_schemas_add(s, 1, TW_SLICE_LITERAL(CLICK), &err));
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 1) == tw_avro_schemas_by_fingerprint(s, click));
    tw_avro_schemas_free(s);
}

static int64_t read_time(const tw_avro_plan *plan) {
    tw_event e;
    size_t size;
    ASSERT_EQ(tw_avro_plan_decode(plan, TW_SLICE_LITERAL("\x80\x89\x7a"), NULL, &e, &size),
              TW_REASON_NONE); /* 1000000 */
    return e.event_ms;
}

TEST(schemas_that_differ_only_in_the_unit_of_time_are_not_taken_for_one_another) {
    uint64_t both, again;
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_OK(tw_avro_fingerprint(TW_SLICE_LITERAL(TIMED("millis")), &both, &err));
    ASSERT_OK(tw_avro_fingerprint(TW_SLICE_LITERAL(TIMED("micros")), &again, &err));
    ASSERT_TRUE(both == again);
    ASSERT_OK(tw_avro_schemas_add(s, 1, TW_SLICE_LITERAL(TIMED("millis")), &err));
    ASSERT_TRUE(tw_avro_schemas_by_fingerprint(s, both) != NULL);
    ASSERT_OK(tw_avro_schemas_add(s, 2, TW_SLICE_LITERAL(TIMED("micros")), &err));
    ASSERT_EQ(read_time(tw_avro_schemas_by_id(s, 1)), 1000000);
    ASSERT_EQ(read_time(tw_avro_schemas_by_id(s, 2)), 1000);
    ASSERT_TRUE(tw_avro_schemas_by_fingerprint(s, both) == NULL); /* which of them cannot be told */
    ASSERT_EQ(tw_avro_schemas_add(s, 1, TW_SLICE_LITERAL(TIMED("micros")), &err), TW_E_CONFIG);
    tw_avro_schemas_free(s);
}

TEST(text_that_is_no_schema_adds_nothing) {
    tw_avro_schemas *s = tw_avro_schemas_create(NULL);
    ASSERT_EQ(tw_avro_schemas_add(s, 1, TW_SLICE_LITERAL("{"), &err), TW_E_BAD_FILE);
    ASSERT_EQ(tw_avro_schemas_add(s, 1, TW_SLICE_LITERAL("\"string\""), &err), TW_E_BAD_FILE);
    ASSERT_TRUE(tw_avro_schemas_by_id(s, 1) == NULL);
    tw_avro_schemas_free(s);
}

TEST(the_fingerprint_of_nothing_and_of_a_name_is_as_the_specification_says) {
    uint64_t fingerprint;
    ASSERT_TRUE(tw_avro_crc64((tw_slice){0}) == 0xc15d213aa4d7a795u);
    ASSERT_OK(
        tw_avro_fingerprint(TW_SLICE_LITERAL("\"null\""), &fingerprint, &err)); /* share/test/data/schema-tests.txt */
    ASSERT_TRUE(fingerprint == 7195948357588979594u);
    ASSERT_OK(tw_avro_fingerprint(TW_SLICE_LITERAL("{\"type\":\"boolean\"}"), &fingerprint, &err));
    ASSERT_TRUE(fingerprint == (uint64_t)-6970731678124411036);
}

TEST(what_the_canonical_form_leaves_out_does_not_change_the_fingerprint) {
    static const char *const same[] = {
        CLICK,
        "{ \"fields\" : [ { \"type\" : { \"type\" : \"string\" } , \"name\" : \"user_id\" } "
        "],\n\"name\":\"Click\",\"type\":\"record\"}",
        "{\"type\":\"record\",\"name\":\"Click\",\"doc\":\"d\",\"aliases\":[\"A\"],\"fields\":[{\"name\":\"user_id\","
        "\"type\":"
        "\"string\",\"default\":\"x\",\"order\":\"ignore\",\"aliases\":[\"b\"],\"doc\":\"\"}],\"more\":{}}"};
    uint64_t first, other;
    ASSERT_OK(tw_avro_fingerprint(TW_SLICE_LITERAL(CLICK), &first, &err));
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        ASSERT_OK(tw_avro_fingerprint(tw_slice_of(same[i]), &other, &err));
        ASSERT_TRUE(first == other);
    }
    ASSERT_EQ(tw_avro_fingerprint(TW_SLICE_LITERAL("[]"), &other, &err), TW_E_BAD_FILE);
    ASSERT_EQ(tw_avro_fingerprint(TW_SLICE_LITERAL(""), &other, &err), TW_E_BAD_FILE);
}
