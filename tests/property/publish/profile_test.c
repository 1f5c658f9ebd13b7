/* A profile on its way out, read back by readers of other make: its Avro by avro-c with the schema that we publish, its JSON by jansson. */
#include "avro/schema_files.h"
#include "base/rng.h"
#include "pipeline/publish/sink.h"
#include "support/test.h"

#include <avro.h>
#include <jansson.h>
#include <math.h>

#define PROFILES 2000

static const char *const names[] = {"Tea & coffee", "b\"\\", "\xc3\xa9\n", "other", "\xf0\x9f\x98\x80", "f", "g", "h"};

static tw_slice draw_name(tw_rng *rng) {
    return tw_slice_of(names[tw_rng_below(rng, sizeof names / sizeof names[0])]);
}

static void draw_shares(tw_rng *rng, tw_profile_shares *shares) {
    shares->count = (int)tw_rng_below(rng, TW_PROFILE_SHARES_MAX + 1);
    for (int i = 0; i < shares->count; i++)
        shares->shares[i] = (tw_profile_share){draw_name(rng), (float)tw_rng_unit(rng)};
}

static void draw(tw_rng *rng, tw_user_profile *p) {
    *p = (tw_user_profile){.user_id = draw_name(rng),
                           .task = tw_rng_below(rng, 1000),
                           .profile_version = tw_rng_next(rng) >> (1 + tw_rng_below(rng, 63)),
                           .event_ms = tw_rng_below(rng, 4) ? (int64_t)tw_rng_next(rng) >> 20 : INT64_MIN,
                           .price = tw_rng_below(rng, 2) ? tw_rng_unit(rng) * 1000 : NAN,
                           .price_band = (tw_price_band)tw_rng_below(rng, 3),
                           .events = (uint32_t)tw_rng_next(rng),
                           .events_per_day = tw_rng_unit(rng) * 100,
                           .first_ms = (int64_t)tw_rng_next(rng) >> 22,
                           .last_ms = (int64_t)tw_rng_next(rng) >> 21,
                           .segment = (tw_segment)tw_rng_below(rng, 4),
                           .propensity = tw_rng_below(rng, 2) ? (float)tw_rng_unit(rng) : NAN,
                           .distance = tw_rng_below(rng, 2) ? tw_rng_unit(rng) : NAN};
    draw_shares(rng, &p->categories);
    draw_shares(rng, &p->interests_short);
    draw_shares(rng, &p->interests_long);
    p->moves_count = isfinite(p->distance) ? (int)tw_rng_below(rng, TW_PROFILE_MOVES_MAX + 1) : 0;
    for (int i = 0; i < p->moves_count; i++)
        p->moves[i] = (tw_profile_move){draw_name(rng), (float)tw_rng_unit(rng), (float)tw_rng_unit(rng)};
}

/* The field of a JSON object, and through the branch of a union as avro-c writes it ({"float": 1}). */
static const json_t *field(const json_t *record, const char *name, const char *branch) {
    const json_t *value = json_object_get(record, name);
    return branch && json_is_object(value) && json_object_get(value, branch) ? json_object_get(value, branch) : value;
}

static void assert_text(const json_t *value, tw_slice text) {
    ASSERT_TRUE(value && tw_slice_equal((tw_slice){json_string_value(value), json_string_length(value)}, text));
}

static void assert_number(const json_t *value, double expected, double tolerance) {
    ASSERT_TRUE(json_is_number(value));
    ASSERT_NEAR(json_number_value(value), expected, tolerance);
}

static bool is_there(const json_t *value, bool expected) {
    ASSERT_EQ(value && !json_is_null(value), expected);
    return expected;
}

static void assert_shares(const json_t *array, const tw_profile_shares *shares, double tolerance) {
    ASSERT_EQ(json_array_size(array), shares->count);
    for (int i = 0; i < shares->count; i++) {
        const json_t *one = json_array_get(array, (size_t)i);
        assert_text(field(one, "category", NULL), shares->shares[i].category);
        assert_number(field(one, "share", NULL), (double)shares->shares[i].share, tolerance);
    }
}

/* share: how far a share may be off. */
static void assert_profile(const json_t *json, const tw_user_profile *p, double share) {
    const json_t *activity = field(json, "activity", NULL), *price = field(json, "price", "Price"),
                 *propensity = field(json, "propensity", "float"), *changed = field(json, "changed", "Change");
    assert_text(field(json, "user_id", NULL), p->user_id);
    ASSERT_EQ(json_integer_value(field(json, "task", NULL)), (int32_t)p->task);
    ASSERT_EQ(json_integer_value(field(json, "profile_version", NULL)), (int64_t)p->profile_version);
    if (is_there(field(json, "event_ms", "long"), p->event_ms != INT64_MIN))
        ASSERT_EQ(json_integer_value(field(json, "event_ms", "long")), p->event_ms);
    assert_shares(field(json, "categories", NULL), &p->categories, share);
    assert_shares(field(json, "interests_short", NULL), &p->interests_short, share);
    assert_shares(field(json, "interests_long", NULL), &p->interests_long, share);
    if (is_there(price, isfinite(p->price))) {
        assert_number(field(price, "typical", NULL), p->price, 1e-5 * p->price + 1e-5);
        assert_text(field(price, "band", NULL), tw_slice_of(tw_price_band_name(p->price_band)));
    }
    ASSERT_EQ(json_integer_value(field(activity, "events", NULL)), p->events);
    assert_number(field(activity, "events_per_day", NULL), p->events_per_day, 1e-5 * p->events_per_day + 1e-5);
    ASSERT_EQ(json_integer_value(field(activity, "first_seen_ms", NULL)), p->first_ms);
    ASSERT_EQ(json_integer_value(field(activity, "last_seen_ms", NULL)), p->last_ms);
    assert_text(field(json, "segment", NULL), tw_slice_of(tw_segment_name(p->segment)));
    if (is_there(propensity, isfinite(p->propensity)))
        assert_number(propensity, (double)p->propensity, share);
    if (!is_there(changed, isfinite(p->distance)))
        return;
    assert_number(field(changed, "distance", NULL), p->distance, share);
    const json_t *moves = field(changed, "categories", NULL);
    ASSERT_EQ(json_array_size(moves), p->moves_count);
    for (int i = 0; i < p->moves_count; i++) {
        const json_t *one = json_array_get(moves, (size_t)i);
        assert_text(field(one, "category", NULL), p->moves[i].category);
        assert_number(field(one, "from", NULL), (double)p->moves[i].from, share);
        assert_number(field(one, "to", NULL), (double)p->moves[i].to, share);
    }
}

static json_t *json_of_datum(avro_value_t *value, tw_slice bytes) {
    avro_reader_t in = avro_reader_memory(bytes.data, (int64_t)bytes.size);
    char rest, *text;
    avro_value_reset(value);
    ASSERT_EQ(avro_value_read(in, value), 0);
    ASSERT_NE(avro_read(in, &rest, 1), 0); /* nothing is left over */
    avro_reader_free(in);
    ASSERT_EQ(avro_value_to_json(value, 1, &text), 0);
    json_t *json = json_loads(text, 0, NULL);
    free(text);
    return json;
}

TEST(other_readers_find_in_a_profile_what_was_written) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 5, 1);
    tw_slice text = tw_schema_file("profile.avsc");
    avro_schema_t schema;
    avro_value_t value;
    tw_buf out = {0};
    ASSERT_EQ(avro_schema_from_json_length(text.data, text.size, &schema), 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    ASSERT_EQ(avro_generic_value_new(iface, &value), 0);
    for (int i = 0; i < PROFILES; i++) {
        tw_user_profile p;
        json_error_t error;
        draw(&rng, &p);
        tw_buf_clear(&out);
        tw_profile_write_avro(&p, &out);
        json_t *json = json_of_datum(&value, tw_buf_slice(&out));
        assert_profile(json, &p, 1e-6);
        json_decref(json);
        tw_buf_clear(&out);
        tw_profile_write_json(&p, &out);
        json = json_loadb(out.data, out.size, 0, &error);
        ASSERT_TRUE(json);
        assert_profile(json, &p, 5.1e-4); /* thousandths */
        json_decref(json);
    }
    tw_buf_done(&out);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
}
