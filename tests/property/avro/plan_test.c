/* The plan against avro-c: random clicks, encoded by avro-c through its generic values, read by both, and whole container files
 * written by avro-c in both codecs, read by the file source's parts. */
#include "avro/container.h"
#include "avro/plan.h"
#include "base/rng.h"
#include "support/test.h"

#include <avro.h>
#include <stdlib.h>

static const char schema_text[] =
    "{\"type\":\"record\",\"name\":\"C\",\"fields\":[{\"name\":\"flag\",\"type\":\"boolean\"},"
    "{\"name\":\"user_id\",\"type\":\"string\"},{\"name\":\"score\",\"type\":[\"null\",\"double\"]},"
    "{\"name\":\"item_id\",\"type\":\"string\"},{\"name\":\"event_ms\",\"type\":\"long\"},"
    "{\"name\":\"price\",\"type\":[\"double\",\"null\"]},{\"name\":\"kind\",\"type\":{\"type\":\"enum\",\"name\":\"K\","
    "\"symbols\":"
    "[\"purchase\",\"click\"]}}]}";

typedef struct plain {
    char user[40], item[40];
    int64_t ms;
    double price;
    bool has_price;
    int kind;
} plain;

static void draw(tw_rng *rng, plain *p) {
    snprintf(p->user, sizeof p->user, "%.*s%u", (int)tw_rng_below(rng, 20), "uuuuuuuuuuuuuuuuuuuu",
             tw_rng_below(rng, 1000));
    snprintf(p->item, sizeof p->item, "i%u", tw_rng_below(rng, 1000000));
    p->ms = (int64_t)(tw_rng_next(rng) >> tw_rng_below(rng, 64));
    p->has_price = tw_rng_below(rng, 2);
    p->price = tw_rng_normal(rng);
    p->kind = (int)tw_rng_below(rng, 2);
}

static void fill(avro_value_t *value, const plain *p, tw_rng *rng) {
    avro_value_t field, branch;
    avro_value_get_by_name(value, "flag", &field, NULL);
    avro_value_set_boolean(&field, tw_rng_below(rng, 2) != 0);
    avro_value_get_by_name(value, "user_id", &field, NULL);
    avro_value_set_string(&field, p->user);
    avro_value_get_by_name(value, "item_id", &field, NULL);
    avro_value_set_string(&field, p->item);
    avro_value_get_by_name(value, "score", &field, NULL);
    if (tw_rng_below(rng, 2)) {
        avro_value_set_branch(&field, 1, &branch);
        avro_value_set_double(&branch, 3.0);
    } else {
        avro_value_set_branch(&field, 0, &branch);
        avro_value_set_null(&branch);
    }
    avro_value_get_by_name(value, "event_ms", &field, NULL);
    avro_value_set_long(&field, p->ms);
    avro_value_get_by_name(value, "price", &field, NULL);
    avro_value_set_branch(&field, p->has_price ? 0 : 1, &branch);
    if (p->has_price)
        avro_value_set_double(&branch, p->price);
    else
        avro_value_set_null(&branch);
    avro_value_get_by_name(value, "kind", &field, NULL);
    avro_value_set_enum(&field, p->kind);
}

static void expect(const tw_event *e, const plain *p) {
    ASSERT_TRUE(tw_slice_equal(e->user_id, tw_slice_of(p->user)));
    ASSERT_TRUE(tw_slice_equal(e->item_id, tw_slice_of(p->item)));
    ASSERT_EQ(e->event_ms, p->ms);
    ASSERT_EQ((e->has & TW_HAS_PRICE) != 0, p->has_price);
    if (p->has_price)
        ASSERT_NEAR(e->price, p->price, 0);
    ASSERT_EQ(e->kind, p->kind ? TW_KIND_CLICK : TW_KIND_PURCHASE);
}

TEST(what_avro_c_writes_the_plan_reads) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 4, 0);
    avro_schema_t schema;
    avro_value_t value;
    tw_avro_plan *plan;
    tw_err err;
    tw_arena *arena = tw_arena_create(4096);
    ASSERT_EQ(avro_schema_from_json_length(schema_text, sizeof schema_text - 1, &schema), 0);
    ASSERT_OK(tw_avro_plan_create((tw_slice){schema_text, sizeof schema_text - 1}, NULL, &plan, &err));
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_generic_value_new(class, &value);
    for (int i = 0; i < 20000; i++) {
        char bytes[400];
        plain p;
        tw_event e;
        size_t size;
        avro_writer_t writer = avro_writer_memory(bytes, sizeof bytes);
        draw(&rng, &p);
        fill(&value, &p, &rng);
        ASSERT_EQ(avro_value_write(writer, &value), 0);
        int64_t written = avro_writer_tell(writer);
        avro_writer_free(writer);
        ASSERT_EQ(tw_avro_plan_decode(plan, (tw_slice){bytes, (size_t)written}, arena, &e, &size), TW_REASON_NONE);
        ASSERT_EQ(size, written);
        expect(&e, &p);
        size_t cut = tw_rng_below(&rng, (uint32_t)written); /* any bit may turn: an answer, never more than that */
        bytes[cut] = (char)(bytes[cut] ^ (1 << tw_rng_below(&rng, 8)));
        if (tw_avro_plan_decode(plan, (tw_slice){bytes, (size_t)written}, arena, &e, &size) == TW_REASON_NONE)
            ASSERT_LE(size, written);
        tw_arena_reset(arena);
    }
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    tw_avro_plan_free(plan);
    tw_arena_free(arena);
}

TEST(containers_that_avro_c_writes_are_read_in_both_codecs) {
    static const char *const codecs[] = {"null", "deflate"};
    static plain written[3000];
    tw_rng rng = tw_rng_at(tw_test_seed(), 5, 0);
    char path[700];
    for (int c = 0; c < 2; c++) {
        avro_schema_t schema;
        avro_value_t value;
        avro_file_writer_t writer;
        snprintf(path, sizeof path, "%s/events.avro", tw_test_dir());
        ASSERT_EQ(avro_schema_from_json_length(schema_text, sizeof schema_text - 1, &schema), 0);
        avro_value_iface_t *class = avro_generic_class_from_schema(schema);
        avro_generic_value_new(class, &value);
        ASSERT_EQ(avro_file_writer_create_with_codec(path, schema, &writer, codecs[c], 8192), 0);
        for (int i = 0; i < 3000; i++) {
            draw(&rng, &written[i]);
            fill(&value, &written[i], &rng);
            ASSERT_EQ(avro_file_writer_append_value(writer, &value), 0);
        }
        avro_file_writer_close(writer);
        avro_value_decref(&value);
        avro_value_iface_decref(class);
        avro_schema_decref(schema);

        FILE *file = fopen(path, "rb");
        char *bytes = malloc(1 << 20);
        size_t left = fread(bytes, 1, 1 << 20, file), size;
        fclose(file);
        tw_err err;
        tw_avro_header header;
        tw_avro_plan *plan;
        tw_buf inflated = {0};
        tw_arena *arena = tw_arena_create(4096);
        char *at = bytes;
        int n = 0;
        ASSERT_OK(tw_avro_header_read((tw_slice){at, left}, &header, &size, &err));
        ASSERT_OK(tw_avro_plan_create(header.schema, NULL, &plan, &err));
        for (at += size, left -= size; left > 0; at += size, left -= size) {
            tw_avro_block block;
            tw_slice data;
            ASSERT_OK(tw_avro_block_read((tw_slice){at, left}, &header, &block, &size, &err));
            ASSERT_OK(tw_avro_block_data(&block, header.codec, &inflated, &data, &err));
            for (int64_t i = 0; i < block.count; i++) {
                tw_event e;
                size_t taken, skipped;
                ASSERT_EQ(tw_avro_plan_decode(plan, data, arena, &e, &taken), TW_REASON_NONE);
                ASSERT_EQ(tw_avro_plan_skip(plan, data, &skipped), TW_REASON_NONE);
                ASSERT_EQ(taken, skipped);
                expect(&e, &written[n++]);
                data = (tw_slice){data.data + taken, data.size - taken};
            }
            ASSERT_EQ(data.size, 0);
        }
        ASSERT_EQ(n, 3000);
        tw_avro_plan_free(plan);
        tw_arena_free(arena);
        tw_buf_done(&inflated);
        free(bytes);
    }
}
