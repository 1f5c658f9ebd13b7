/* Avro behind a header: every header that is none, and what is behind a good one. */
#include "avro/fingerprint.h"
#include "avro/schemas.h"
#include "pipeline/decode/decode.h"
#include "support/test.h"

#include <stdlib.h>

#define CLICK                                                                                                   \
    "{\"type\":\"record\",\"name\":\"Click\",\"fields\":[{\"name\":\"user_id\",\"type\":\"string\"},{\"name\":" \
    "\"item_id\",\"type\":\"string\"}]}"
#define OTHER                                                                                                    \
    "{\"type\":\"record\",\"name\":\"Bought\",\"fields\":[{\"name\":\"item_id\",\"type\":\"string\"},{\"name\":" \
    "\"user_id\",\"type\":\"string\"}]}"
#define DATUM "\x02u\x02i"
#define ID_CLICK 0x01020304
#define ID_OTHER 0xfffffffeu

typedef struct fixture {
    tw_avro_schemas *schemas;
    tw_decoder *decoders[2];
    tw_arena *arena;
    uint64_t fingerprint;
} fixture;

static tw_err err;
static tw_mapping mapping;

static fixture open_fixture(void) {
    fixture f = {.arena = tw_arena_create(256)};
    mapping = (tw_mapping){.time_unit = TW_TIME_MS};
    ASSERT_OK(tw_mapping_add_kinds(&mapping, TW_SLICE_LITERAL("Bought=purchase"), &err));
    f.schemas = tw_avro_schemas_create(&mapping);
    ASSERT_OK(tw_avro_schemas_add(f.schemas, ID_CLICK, TW_SLICE_LITERAL(CLICK), &err));
    ASSERT_OK(tw_avro_schemas_add(f.schemas, ID_OTHER, TW_SLICE_LITERAL(OTHER), &err));
    ASSERT_OK(tw_avro_fingerprint(TW_SLICE_LITERAL(CLICK), &f.fingerprint, &err));
    for (int framing = 0; framing < 2; framing++)
        ASSERT_OK(tw_decoder_framed((tw_framing)framing, f.schemas, &f.decoders[framing], &err));
    return f;
}

static void close_fixture(fixture *f) {
    for (int framing = 0; framing < 2; framing++)
        f->decoders[framing]->ops->free(f->decoders[framing]);
    tw_avro_schemas_free(f->schemas);
    tw_arena_free(f->arena);
}

static tw_reason decode(const fixture *f, tw_framing framing, const void *bytes, size_t size, tw_event *e) {
    char *exact = malloc(size + 1); /* so that a sanitizer sees any step beyond */
    memcpy(exact + 1, bytes, size);
    tw_record record = {.value = {exact + 1, size}};
    tw_reason reason = f->decoders[framing]->ops->decode(f->decoders[framing], &record, f->arena, e);
    if (reason == TW_REASON_NONE) /* before its bytes are gone */
        ASSERT_TRUE(tw_slice_equal(e->user_id, TW_SLICE_LITERAL("u")) &&
                    tw_slice_equal(e->item_id, TW_SLICE_LITERAL("i")));
    free(exact);
    return reason;
}

/* 0xC3 0x01, the fingerprint with its least byte first, a datum. */
static void put_single(tw_buf *b, uint64_t fingerprint) {
    tw_buf_clear(b);
    tw_buf_u8(b, 0xc3), tw_buf_u8(b, 0x01), tw_buf_u64(b, fingerprint);
    tw_buf_put(b, DATUM, 4);
}

TEST(a_confluent_id_is_big_endian_and_chooses_the_schema) {
    fixture f = open_fixture();
    tw_event e;
    ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, "\x00\x01\x02\x03\x04" DATUM, 9, &e), TW_REASON_NONE);
    ASSERT_EQ(e.kind, TW_KIND_CLICK); /* guessed from the record's name */
    ASSERT_EQ(e.has & TW_HAS_KIND, 0);
    ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, "\x00\xff\xff\xff\xfe\x02i\x02u", 9, &e), TW_REASON_NONE);
    ASSERT_EQ(e.kind, TW_KIND_PURCHASE);
    close_fixture(&f);
}

TEST(an_id_that_is_not_known_is_an_unknown_schema) {
    static const char *const ids[] = {"\x00\x04\x03\x02\x01" DATUM, "\x00\x01\x02\x03\x05" DATUM,
                                      "\x00\xff\xff\xff\xff" DATUM, "\x00\x00\x00\x00\x00" DATUM};
    fixture f = open_fixture();
    tw_event e;
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, ids[i], 9, &e), TW_REASON_UNKNOWN_SCHEMA);
    close_fixture(&f);
}

TEST(every_first_byte_but_zero_is_no_confluent_header) {
    fixture f = open_fixture();
    tw_event e;
    for (int byte = 1; byte < 256; byte++) {
        char bytes[9] = "\x00\x01\x02\x03\x04" DATUM;
        bytes[0] = (char)byte;
        for (size_t size = 1; size <= sizeof bytes; size++)
            ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, bytes, size, &e), TW_REASON_MALFORMED);
    }
    ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, "{\"user_id\":\"u\"}", 15, &e), TW_REASON_MALFORMED);
    close_fixture(&f);
}

TEST(a_confluent_record_cut_anywhere_is_truncated) {
    fixture f = open_fixture();
    tw_event e;
    for (size_t size = 0; size < 9; size++)
        ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, "\x00\x01\x02\x03\x04" DATUM, size, &e), TW_REASON_TRUNCATED);
    ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, "\x00\x01\x02\x03\x04" DATUM "\x00", 10, &e), TW_REASON_MALFORMED);
    close_fixture(&f);
}

TEST(a_fingerprint_is_little_endian_and_chooses_the_schema) {
    fixture f = open_fixture();
    tw_event e;
    tw_buf b = {0};
    put_single(&b, f.fingerprint);
    ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, b.data, b.size, &e), TW_REASON_NONE);
    ASSERT_EQ(e.kind, TW_KIND_CLICK);
    for (size_t size = 0; size < b.size; size++)
        ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, b.data, size, &e), TW_REASON_TRUNCATED);
    tw_buf_u8(&b, 0);
    ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, b.data, b.size, &e), TW_REASON_MALFORMED);
    put_single(&b, __builtin_bswap64(f.fingerprint)); /* the other way round */
    ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, b.data, b.size, &e), TW_REASON_UNKNOWN_SCHEMA);
    for (int bit = 0; bit < 64; bit++) {
        put_single(&b, f.fingerprint ^ (uint64_t)1 << bit);
        ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, b.data, b.size, &e), TW_REASON_UNKNOWN_SCHEMA);
    }
    tw_buf_done(&b);
    close_fixture(&f);
}

TEST(every_other_start_is_no_single_object) {
    fixture f = open_fixture();
    tw_event e;
    tw_buf b = {0};
    for (int marker = 0; marker < 65536; marker++) {
        put_single(&b, f.fingerprint);
        b.data[0] = (char)(marker >> 8), b.data[1] = (char)marker;
        if (marker != 0xc301)
            ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, b.data, b.size, &e), TW_REASON_MALFORMED);
    }
    ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, "\xc3", 1, &e), TW_REASON_TRUNCATED);
    ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, "\xc3\x02", 2, &e), TW_REASON_MALFORMED);
    ASSERT_EQ(decode(&f, TW_FRAMING_SINGLE_OBJECT, "\x00\x01\x02\x03\x04" DATUM, 9, &e), TW_REASON_MALFORMED);
    tw_buf_done(&b);
    close_fixture(&f);
}

TEST(bytes_of_another_schema_behind_a_good_header_are_told) {
    fixture f = open_fixture();
    tw_event e;
    ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, "\x00\x01\x02\x03\x04\x01", 6, &e), TW_REASON_MALFORMED); /* length -1 */
    ASSERT_EQ(decode(&f, TW_FRAMING_CONFLUENT, "\x00\x01\x02\x03\x04\xfe\xff\xff\xff\x0f", 10, &e),
              TW_REASON_TRUNCATED); /* says 2 GiB */
    close_fixture(&f);
}
