/* Bytes that fastavro and Apache Avro for Java wrote once (tests/support/golden makes them; golden/ keeps them): schemas of ours and of
 * writers that went their own way, read as the events that are written beside them. */
#include "avro/fingerprint.h"
#include "avro/schemas.h"
#include "pipeline/decode/decode.h"
#include "support/test.h"

#include <stdlib.h>

typedef struct golden { /* the case that is read */
    char name[64];
    tw_buf schema, mapping_text;
    tw_mapping mapping;
    tw_avro_schemas *schemas;
    tw_decoder *decoders[3]; /* plain, Confluent, single object */
    tw_buf datum, blocks, single;
    int events;
} golden;

static tw_arena *arena;
static tw_err err;

static void keep(tw_buf *buf, const char *text) {
    tw_buf_clear(buf);
    tw_buf_put(buf, text, strlen(text));
}

static void keep_hex(tw_buf *buf, const char *hex) {
    tw_buf_clear(buf);
    for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        tw_buf_u8(buf, (uint8_t)byte);
}

static tw_slice member(const golden *g, const char *name) { /* of the mapping, {"name": "value", ...} */
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    tw_slice text = tw_buf_slice(&g->mapping_text);
    const char *at = text.size ? memmem(text.data, text.size, quoted, strlen(quoted)) : NULL;
    if (!at)
        return (tw_slice){0};
    at = strchr(at + strlen(quoted), '"') + 1;
    return (tw_slice){at, (size_t)(strchr(at, '"') - at)};
}

static void read_mapping(golden *g) {
    static const struct {
        const char *name;
        tw_field field;
    } fields[] = {{"user_id", TW_FIELD_USER_ID},
                  {"item_id", TW_FIELD_ITEM_ID},
                  {"event_ms", TW_FIELD_TIME},
                  {"kind", TW_FIELD_KIND}};
    tw_buf_u8(&g->mapping_text, '\0');
    g->mapping =
        (tw_mapping){.time_unit = tw_slice_equal(member(g, "unit"), TW_SLICE_LITERAL("s")) ? TW_TIME_S : TW_TIME_MS};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        tw_mapping_name(&g->mapping, fields[i].field, member(g, fields[i].name));
    ASSERT_OK(tw_mapping_add_kinds(&g->mapping, member(g, "kinds"), &err));
}

static void close_case(golden *g) {
    for (int d = 0; d < 3; d++)
        g->decoders[d] = g->decoders[d] ? g->decoders[d]->ops->free(g->decoders[d]) : NULL;
    g->schemas = tw_avro_schemas_free(g->schemas);
    tw_buf_clear(&g->mapping_text);
    tw_buf_clear(&g->blocks);
    tw_buf_clear(&g->single);
}

static void open_decoders(golden *g) {
    tw_slice schema = tw_buf_slice(&g->schema);
    read_mapping(g);
    g->schemas = tw_avro_schemas_create(&g->mapping);
    ASSERT_OK(tw_avro_schemas_add(g->schemas, 258, schema, &err));
    ASSERT_OK(tw_decoder_avro(schema, &g->mapping, &g->decoders[0], &err));
    ASSERT_OK(tw_decoder_framed(TW_FRAMING_CONFLUENT, g->schemas, &g->decoders[1], &err));
    ASSERT_OK(tw_decoder_framed(TW_FRAMING_SINGLE_OBJECT, g->schemas, &g->decoders[2], &err));
}

static void expect_canonical(const golden *g, const char *form) {
    tw_buf ours = {0};
    ASSERT_OK(tw_avro_canonical(tw_buf_slice(&g->schema), &ours, &err));
    tw_buf_u8(&ours, '\0');
    ASSERT_STR(ours.data, form);
    tw_buf_done(&ours);
}

static void expect_fingerprint(const golden *g, const char *hex) {
    uint64_t ours;
    ASSERT_OK(tw_avro_fingerprint(tw_buf_slice(&g->schema), &ours, &err));
    ASSERT_EQ(ours, strtoull(hex, NULL, 16));
}

static void same_text(tw_slice a, tw_slice b) {
    if (!tw_slice_equal(a, b))
        tw_test_fail(__FILE__, __LINE__, "\"" TW_SLICE_FMT "\" and \"" TW_SLICE_FMT "\"", TW_SLICE_ARG(a),
                     TW_SLICE_ARG(b));
}

static void same_event(const tw_event *e, const tw_event *want) {
    ASSERT_EQ(e->has, want->has);
    if (want->has & TW_HAS_KIND)
        ASSERT_EQ(e->kind, want->kind);
    same_text(e->event_id, want->event_id);
    same_text(e->user_id, want->user_id);
    same_text(e->item_id, want->item_id);
    same_text(e->category, want->category);
    same_text(e->title, want->title);
    if (want->has & TW_HAS_TIME)
        ASSERT_EQ(e->event_ms, want->event_ms);
    ASSERT_NEAR(e->price, want->price, 0);
    ASSERT_NEAR(e->quantity, want->quantity, 0);
    ASSERT_NEAR(e->rating, want->rating, 0);
    ASSERT_EQ(e->in_stock, want->in_stock);
    ASSERT_EQ(e->retired, want->retired);
}

/* One value through one decoder; and each beginning of it, which must be told from the whole. */
static void expect_value(tw_decoder *decoder, tw_slice value, const tw_event *want) {
    tw_event e;
    for (size_t n = 0; n < value.size; n++) {
        char *exact = malloc(n + 1); /* so that a sanitizer sees any step beyond */
        memcpy(exact + 1, value.data, n);
        tw_record cut = {.value = {exact + 1, n}};
        ASSERT_EQ(decoder->ops->decode(decoder, &cut, arena, &e), TW_REASON_TRUNCATED);
        free(exact);
    }
    tw_record record = {.value = value};
    ASSERT_EQ(decoder->ops->decode(decoder, &record, arena, &e), TW_REASON_NONE);
    same_event(&e, want);
    tw_buf longer = {0};
    tw_buf_put(&longer, value.data, value.size);
    tw_buf_u8(&longer, 0);
    record.value = tw_buf_slice(&longer);
    ASSERT_EQ(decoder->ops->decode(decoder, &record, arena, &e), TW_REASON_MALFORMED);
    tw_buf_done(&longer);
}

static void expect_event(golden *g, const char *json) {
    tw_decoder *reader;
    tw_event want;
    tw_buf framed = {0};
    tw_record text = {.value = tw_slice_of(json)};
    ASSERT_OK(tw_decoder_json(NULL, &reader, &err));
    ASSERT_EQ(reader->ops->decode(reader, &text, arena, &want), TW_REASON_NONE);
    expect_value(g->decoders[0], tw_buf_slice(&g->datum), &want);
    if (g->blocks.size)
        expect_value(g->decoders[0], tw_buf_slice(&g->blocks), &want);
    tw_buf_put(&framed, "\0\0\0\1\2", 5); /* 258 */
    tw_buf_put(&framed, g->datum.data, g->datum.size);
    expect_value(g->decoders[1], tw_buf_slice(&framed), &want);
    if (g->single.size)
        expect_value(g->decoders[2], tw_buf_slice(&g->single), &want);
    tw_buf_done(&framed);
    tw_buf_clear(&g->blocks);
    tw_buf_clear(&g->single);
    tw_arena_reset(arena);
    reader->ops->free(reader);
    g->events++;
}

static void read_line(golden *g, char *line) {
    char *rest = line + strcspn(line, " ");
    rest += *rest == ' ';
    if (strncmp(line, "case ", 5) == 0) {
        close_case(g);
        snprintf(g->name, sizeof g->name, "%s", rest);
    } else if (strncmp(line, "schema ", 7) == 0) {
        keep(&g->schema, rest);
    } else if (strncmp(line, "mapping ", 8) == 0) {
        keep(&g->mapping_text, rest);
    } else if (strncmp(line, "canonical ", 10) == 0) {
        open_decoders(g);
        expect_canonical(g, rest);
    } else if (strncmp(line, "fingerprint ", 12) == 0) {
        expect_fingerprint(g, rest);
    } else if (strncmp(line, "datum ", 6) == 0) {
        keep_hex(&g->datum, rest);
    } else if (strncmp(line, "blocks ", 7) == 0) {
        keep_hex(&g->blocks, rest);
    } else if (strncmp(line, "single ", 7) == 0) {
        keep_hex(&g->single, rest);
    } else if (strncmp(line, "expect ", 7) == 0) {
        printf("  %s\n", g->name);
        expect_event(g, rest);
    } else {
        ASSERT_EQ(*line, '#');
    }
}

static void expect_all(const char *file_name) {
    char path[700], *line = NULL;
    size_t capacity = 0;
    golden g = {0};
    snprintf(path, sizeof path, "%s/tests/unit/decode/golden/%s", TW_SOURCE_DIR, file_name);
    FILE *file = fopen(path, "r");
    ASSERT_TRUE(file != NULL);
    arena = tw_arena_create(4096);
    while (getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        read_line(&g, line);
    }
    ASSERT_EQ(g.events, 40);
    close_case(&g);
    tw_buf_done(&g.schema);
    tw_buf_done(&g.mapping_text);
    tw_buf_done(&g.datum);
    tw_buf_done(&g.blocks);
    tw_buf_done(&g.single);
    free(line);
    fclose(file);
    arena = tw_arena_free(arena);
}

TEST(what_fastavro_wrote_is_read_as_what_it_meant) {
    expect_all("fastavro.txt");
}

TEST(what_java_wrote_is_read_as_what_it_meant_in_blocks_and_single_objects_too) {
    expect_all("java.txt");
}
