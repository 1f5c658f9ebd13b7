/* A change on its way out, read back by readers of other make: its Avro by avro-c with the schema that we publish, its JSON by jansson. */
#include "avro/schema_files.h"
#include "base/rng.h"
#include "pipeline/publish/sink.h"
#include "support/test.h"

#include <avro.h>
#include <jansson.h>

static void draw(tw_rng *rng, tw_drift_record *r, int i) {
    static const char *const names[] = {"tea", "a \"quoted\" one", "\xc3\xa9t\xc3\xa9", "16 to 22.63"};
    *r = (tw_drift_record){.scope = "population",
                           .subject = "prices",
                           .task = tw_rng_below(rng, 9),
                           .event_ms = (int64_t)tw_rng_next(rng) >> 20,
                           .number = tw_rng_below(rng, 100000),
                           .from = {INT64_MIN, 1 + tw_rng_unit(rng), NAN},
                           .to = {(int64_t)tw_rng_below(rng, 1000), 5, tw_rng_unit(rng)},
                           .size = tw_rng_unit(rng),
                           .bound = 1e-9,
                           .is_p = i % 2 == 0};
    if (i % 3 == 0)
        r->user_id = TW_SLICE_LITERAL("user \"7\"");
    r->evidence_count = (int)tw_rng_below(rng, TW_DRIFT_EVIDENCE_MAX + 1);
    for (int e = 0; e < r->evidence_count; e++)
        r->evidence[e] = (tw_drift_share){tw_slice_of(names[e % 4]), tw_rng_unit(rng), 0.25};
}

static avro_value_t field(const avro_value_t *of, const char *name) {
    avro_value_t value, branch;
    ASSERT_EQ(avro_value_get_by_name(of, name, &value, NULL), 0);
    return avro_value_get_type(&value) == AVRO_UNION && avro_value_get_current_branch(&value, &branch) == 0 ? branch
                                                                                                            : value;
}

static double number(const avro_value_t *of, const char *name) {
    avro_value_t value = field(of, name);
    double result = 0;
    if (avro_value_get_type(&value) == AVRO_NULL)
        return NAN;
    ASSERT_EQ(avro_value_get_double(&value, &result), 0);
    return result;
}

static void check_avro(const tw_drift_record *r) {
    static avro_value_iface_t *iface;
    tw_buf bytes = {0};
    avro_value_t value, share;
    const char *text;
    size_t size;
    int64_t at;
    if (!iface) {
        tw_slice json = tw_schema_file("drift.avsc");
        avro_schema_t schema;
        ASSERT_EQ(avro_schema_from_json_length(json.data, json.size, &schema), 0);
        iface = avro_generic_class_from_schema(schema);
    }
    tw_drift_write_avro(r, &bytes);
    ASSERT_EQ(avro_generic_value_new(iface, &value), 0);
    avro_reader_t in = avro_reader_memory(bytes.data, (int64_t)bytes.size);
    ASSERT_EQ(avro_value_read(in, &value), 0);
    char rest;
    ASSERT_NE(avro_read(in, &rest, 1), 0); /* nothing is left over */
    avro_value_t from = field(&value, "from"), to = field(&value, "to"), event = field(&value, "event_ms");
    avro_value_t evidence = field(&value, "evidence"), user = field(&value, "user_id"),
                 since = field(&from, "since_ms");
    ASSERT_NEAR(number(&from, "count"), r->from.count, 0);
    ASSERT_TRUE(isnan(number(&from, "mean")));
    ASSERT_NEAR(number(&to, "mean"), r->to.mean, 0);
    ASSERT_NEAR(number(&value, "bound"), r->bound, 0);
    ASSERT_EQ(avro_value_get_type(&since), AVRO_NULL);
    ASSERT_EQ(avro_value_get_long(&event, &at), 0);
    ASSERT_EQ(at, r->event_ms);
    ASSERT_EQ(avro_value_get_type(&user), r->user_id.size ? AVRO_STRING : AVRO_NULL);
    ASSERT_EQ(avro_value_get_size(&evidence, &size), 0);
    ASSERT_EQ(size, r->evidence_count);
    for (size_t i = 0; i < size; i++) {
        ASSERT_EQ(avro_value_get_by_index(&evidence, i, &share, NULL), 0);
        avro_value_t name = field(&share, "name");
        ASSERT_EQ(avro_value_get_string(&name, &text, NULL), 0);
        ASSERT_STR(text, r->evidence[i].name.data);
        ASSERT_NEAR(number(&share, "from"), r->evidence[i].from, 0);
    }
    avro_reader_free(in);
    avro_value_decref(&value);
    tw_buf_done(&bytes);
}

static void check_json(const tw_drift_record *r) {
    tw_buf text = {0};
    tw_drift_write_json(r, &text);
    json_t *root = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, NULL);
    ASSERT_TRUE(root);
    ASSERT_STR(json_string_value(json_object_get(root, "scope")), r->scope);
    ASSERT_EQ(json_integer_value(json_object_get(root, "event_ms")), r->event_ms);
    ASSERT_EQ(json_object_get(root, "user_id") != NULL, r->user_id.size > 0);
    ASSERT_TRUE(json_object_get(root, r->is_p ? "p" : "bound"));
    ASSERT_FALSE(json_object_get(root, r->is_p ? "bound" : "p"));
    ASSERT_FALSE(json_object_get(json_object_get(root, "from"), "mean"));
    ASSERT_EQ(json_integer_value(json_object_get(json_object_get(root, "to"), "since_ms")), r->to.since_ms);
    ASSERT_EQ(json_array_size(json_object_get(root, "evidence")), r->evidence_count);
    for (int i = 0; i < r->evidence_count; i++)
        ASSERT_STR(
            json_string_value(json_object_get(json_array_get(json_object_get(root, "evidence"), (size_t)i), "name")),
            r->evidence[i].name.data);
    json_decref(root);
    tw_buf_done(&text);
}

TEST(a_change_is_read_back_by_avro_c_and_by_jansson_as_it_was) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 0);
    tw_drift_record record;
    for (int i = 0; i < 500; i++) {
        draw(&rng, &record, i);
        check_avro(&record);
        check_json(&record);
    }
}

TEST(a_change_is_keyed_by_its_user_or_by_what_has_changed) {
    tw_drift_record record = {.scope = "model", .subject = "loss"};
    char text[64];
    ASSERT_TRUE(tw_slice_equal(tw_drift_key(&record, text, sizeof text), TW_SLICE_LITERAL("model/loss")));
    record.user_id = TW_SLICE_LITERAL("u1");
    ASSERT_TRUE(tw_slice_equal(tw_drift_key(&record, text, sizeof text), record.user_id));
}
