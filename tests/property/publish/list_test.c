/* A list on its way out, read back by readers of other make: its Avro by avro-c with the schema that we publish, its JSON by
 * jansson. */
#include "avro/schema_files.h"
#include "base/rng.h"
#include "pipeline/publish/sink.h"
#include "support/test.h"

#include <avro.h>
#include <jansson.h>

#define LISTS 2000
#define ITEMS_MAX 12

typedef struct drawn {
    tw_list list;
    tw_list_item items[ITEMS_MAX];
    char texts[ITEMS_MAX * (3 + 2 * TW_REASONS_MAX) + 2][64];
    int texts_count;
} drawn;

/* Up to 15 characters of any plane, with what JSON has to escape among them; empty one time in four when it may be. */
static tw_slice draw_text(tw_rng *rng, drawn *d, bool may_be_empty) {
    static const char *const pieces[] = {
        "a", "Z", "0", "\"", "\\", "/", "\n", "\t", "\x01", "\x7f", " ", "\xc3\xa9", "\xe4\xbd\xa0", "\xf0\x9f\x98\x80",
        "|"};
    char *text = d->texts[d->texts_count++];
    *text = '\0';
    if (may_be_empty && tw_rng_below(rng, 4) == 0)
        return (tw_slice){0};
    for (uint32_t n = 1 + tw_rng_below(rng, 15); n > 0; n--)
        strcat(text, pieces[tw_rng_below(rng, sizeof pieces / sizeof pieces[0])]);
    return tw_slice_of(text);
}

static void draw(tw_rng *rng, drawn *d) {
    static const char *const sources[] = {"context", "transitions", "repeat", "popular"};
    memset(d, 0, sizeof *d);
    tw_list *l = &d->list;
    bool dated = tw_rng_below(rng, 4) != 0;
    l->user_id = draw_text(rng, d, false);
    l->task = tw_rng_below(rng, 1000);
    l->known = tw_rng_below(rng, 2);
    l->list_version = tw_rng_next(rng) >> (1 + tw_rng_below(rng, 63));
    l->event_ms = dated ? (int64_t)tw_rng_next(rng) >> tw_rng_below(rng, 60) : INT64_MIN;
    l->topic = dated ? draw_text(rng, d, true) : (tw_slice){0};
    l->partition = dated ? (int32_t)tw_rng_below(rng, 100) : -1;
    l->offset = dated ? (int64_t)(tw_rng_next(rng) >> (1 + tw_rng_below(rng, 63))) : -1;
    l->count = (int)tw_rng_below(rng, ITEMS_MAX + 1);
    l->items = d->items;
    for (int i = 0; i < l->count; i++) {
        tw_list_item *item = &d->items[i];
        item->item_id = draw_text(rng, d, false);
        item->title = draw_text(rng, d, true);
        item->category = draw_text(rng, d, true);
        item->score = (float)(tw_rng_normal(rng) * 1000);
        item->propensity = tw_rng_below(rng, 2) ? 1.0f - (float)tw_rng_unit(rng) : 0;
        item->reasons_count = (int)tw_rng_below(rng, TW_REASONS_MAX + 1);
        for (int r = 0; r < item->reasons_count; r++)
            item->reasons[r] = (tw_list_reason){.source = sources[tw_rng_below(rng, 4)],
                                                .share = (float)tw_rng_unit(rng),
                                                .because_item = draw_text(rng, d, true),
                                                .because_title = draw_text(rng, d, true)};
    }
}

/* ---- by avro-c ---------------------------------------------------------------------------------------------------- */

static avro_value_t field(const avro_value_t *record, const char *name) {
    avro_value_t value;
    ASSERT_EQ(avro_value_get_by_name(record, name, &value, NULL), 0);
    return value;
}

static void same_avro_text(const avro_value_t *record, const char *name, tw_slice want) {
    avro_value_t value = field(record, name), branch = value;
    const char *text;
    size_t size;
    if (avro_value_get_type(&value) == AVRO_UNION)
        ASSERT_EQ(avro_value_get_current_branch(&value, &branch), 0);
    if (avro_value_get_type(&branch) == AVRO_NULL) {
        ASSERT_EQ(want.size, 0);
        return;
    }
    ASSERT_EQ(avro_value_get_string(&branch, &text, &size), 0);
    ASSERT_TRUE(tw_slice_equal((tw_slice){text, size - 1}, want)); /* avro-c counts the terminator */
}

static void same_avro_float(const avro_value_t *record, const char *name, float want) {
    avro_value_t value = field(record, name);
    float got;
    ASSERT_EQ(avro_value_get_float(&value, &got), 0);
    ASSERT_TRUE(got == want);
}

static int64_t avro_long(const avro_value_t *record, const char *name) {
    avro_value_t value = field(record, name);
    int64_t number;
    int32_t small;
    if (avro_value_get_type(&value) == AVRO_INT32) {
        ASSERT_EQ(avro_value_get_int(&value, &small), 0);
        return small;
    }
    ASSERT_EQ(avro_value_get_long(&value, &number), 0);
    return number;
}

static void same_avro_time(const avro_value_t *record, int64_t want) {
    avro_value_t value = field(record, "event_ms"), branch;
    int64_t ms = INT64_MIN;
    ASSERT_EQ(avro_value_get_current_branch(&value, &branch), 0);
    if (avro_value_get_type(&branch) != AVRO_NULL)
        ASSERT_EQ(avro_value_get_long(&branch, &ms), 0);
    ASSERT_EQ(ms, want);
}

static void same_avro_propensity(const avro_value_t *record, float propensity) {
    avro_value_t value = field(record, "log_propensity"), branch;
    float got = 0;
    ASSERT_EQ(avro_value_get_current_branch(&value, &branch), 0);
    ASSERT_EQ(avro_value_get_type(&branch) == AVRO_NULL, propensity == 0);
    if (propensity > 0) {
        ASSERT_EQ(avro_value_get_float(&branch, &got), 0);
        ASSERT_TRUE(got == logf(propensity));
    }
}

static void same_avro_item(const avro_value_t *value, const tw_list_item *item) {
    avro_value_t reasons = field(value, "reasons");
    size_t count;
    same_avro_text(value, "item_id", item->item_id);
    same_avro_text(value, "title", item->title);
    same_avro_text(value, "category", item->category);
    same_avro_float(value, "score", item->score);
    same_avro_propensity(value, item->propensity);
    ASSERT_EQ(avro_value_get_size(&reasons, &count), 0);
    ASSERT_EQ(count, item->reasons_count);
    for (size_t r = 0; r < count; r++) {
        avro_value_t reason;
        ASSERT_EQ(avro_value_get_by_index(&reasons, r, &reason, NULL), 0);
        same_avro_text(&reason, "source", tw_slice_of(item->reasons[r].source));
        same_avro_float(&reason, "share", item->reasons[r].share);
        same_avro_text(&reason, "because_item", item->reasons[r].because_item);
        same_avro_text(&reason, "because_title", item->reasons[r].because_title);
    }
}

static void same_avro_list(const avro_value_t *value, const tw_list *list) {
    avro_value_t items = field(value, "items"), known = field(value, "known");
    size_t count;
    int flag;
    same_avro_text(value, "user_id", list->user_id);
    ASSERT_EQ(avro_long(value, "task"), list->task);
    ASSERT_EQ(avro_value_get_boolean(&known, &flag), 0);
    ASSERT_EQ(flag != 0, list->known);
    ASSERT_EQ(avro_long(value, "list_version"), list->list_version);
    same_avro_time(value, list->event_ms);
    same_avro_text(value, "topic", list->topic);
    ASSERT_EQ(avro_long(value, "partition"), list->partition);
    ASSERT_EQ(avro_long(value, "offset"), list->offset);
    ASSERT_EQ(avro_value_get_size(&items, &count), 0);
    ASSERT_EQ(count, list->count);
    for (size_t i = 0; i < count; i++) {
        avro_value_t item;
        ASSERT_EQ(avro_value_get_by_index(&items, i, &item, NULL), 0);
        same_avro_item(&item, &list->items[i]);
    }
}

TEST(the_avro_of_a_list_is_read_back_by_avro_c_as_the_list) {
    static drawn d;
    tw_slice text = tw_schema_file("recommendation.avsc");
    tw_buf out = {0};
    avro_schema_t schema;
    avro_value_t value;
    avro_reader_t reader = avro_reader_memory("", 0);
    ASSERT_EQ(avro_schema_from_json_length(text.data, text.size, &schema), 0);
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_generic_value_new(class, &value);
    for (uint64_t i = 0; i < LISTS; i++) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 30, i);
        draw(&rng, &d);
        tw_buf_clear(&out);
        tw_list_write_avro(&d.list, &out);
        tw_buf_u8(&out, 0x55); /* one more, to see that it is left */
        avro_reader_memory_set_source(reader, out.data, (int64_t)out.size);
        avro_value_reset(&value);
        ASSERT_EQ(avro_value_read(reader, &value), 0);
        char rest[1];
        ASSERT_EQ(avro_read(reader, rest, 1), 0);
        ASSERT_EQ(rest[0], 0x55);
        same_avro_list(&value, &d.list);
    }
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_value_iface_decref(class);
    avro_schema_decref(schema);
    tw_buf_done(&out);
}

/* ---- by jansson --------------------------------------------------------------------------------------------------- */

/* An empty text is left out. */
static void same_json_text(const json_t *object, const char *name, tw_slice want) {
    const json_t *text = json_object_get(object, name);
    ASSERT_EQ(text != NULL, want.size > 0);
    if (text)
        ASSERT_TRUE(tw_slice_equal((tw_slice){json_string_value(text), json_string_length(text)}, want));
}

static void same_json_integer(const json_t *object, const char *name, bool there, int64_t want) {
    const json_t *number = json_object_get(object, name);
    ASSERT_EQ(json_is_integer(number), there);
    if (there)
        ASSERT_EQ(json_integer_value(number), want);
}

static void same_json_item(const json_t *object, const tw_list_item *item) {
    const json_t *reasons = json_object_get(object, "reasons");
    same_json_text(object, "item_id", item->item_id);
    same_json_text(object, "title", item->title);
    same_json_text(object, "category", item->category);
    ASSERT_NEAR(json_number_value(json_object_get(object, "score")), (double)item->score,
                fabs((double)item->score) * 1e-5);
    ASSERT_EQ(json_object_get(object, "log_propensity") != NULL, item->propensity > 0);
    if (item->propensity > 0)
        ASSERT_NEAR(json_number_value(json_object_get(object, "log_propensity")), log((double)item->propensity), 1e-4);
    ASSERT_EQ(json_array_size(reasons), item->reasons_count);
    for (int r = 0; r < item->reasons_count; r++) {
        const json_t *reason = json_array_get(reasons, (size_t)r);
        same_json_text(reason, "source", tw_slice_of(item->reasons[r].source));
        ASSERT_NEAR(json_number_value(json_object_get(reason, "share")), (double)item->reasons[r].share, 0.000501);
        same_json_text(reason, "because_item", item->reasons[r].because_item);
        same_json_text(reason, "because_title", item->reasons[r].because_title);
    }
}

static void same_json_list(const json_t *object, const tw_list *list) {
    bool dated = list->event_ms != INT64_MIN;
    const json_t *items = json_object_get(object, "items");
    same_json_text(object, "user_id", list->user_id);
    same_json_text(object, "topic", list->topic);
    ASSERT_EQ(json_is_true(json_object_get(object, "known")), list->known);
    same_json_integer(object, "list_version", true, (int64_t)list->list_version);
    same_json_integer(object, "event_ms", dated, list->event_ms);
    same_json_integer(object, "partition", dated, list->partition);
    same_json_integer(object, "offset", dated, list->offset);
    ASSERT_TRUE(json_is_array(items));
    ASSERT_EQ(json_array_size(items), list->count);
    for (int i = 0; i < list->count; i++)
        same_json_item(json_array_get(items, (size_t)i), &list->items[i]);
}

TEST(the_json_of_a_list_is_one_line_and_parses_back_to_the_list) {
    static drawn d;
    tw_buf out = {0};
    for (uint64_t i = 0; i < LISTS; i++) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 31, i);
        json_error_t error;
        draw(&rng, &d);
        tw_buf_clear(&out);
        tw_list_write_json(&d.list, &out);
        ASSERT_TRUE(memchr(out.data, '\n', out.size) == NULL);
        json_t *object = json_loadb(out.data, out.size, JSON_REJECT_DUPLICATES, &error);
        if (!object)
            tw_test_fail(__FILE__, __LINE__, "%s: " TW_SLICE_FMT, error.text, TW_SLICE_ARG(tw_buf_slice(&out)));
        same_json_list(object, &d.list);
        json_decref(object);
    }
    tw_buf_done(&out);
}
