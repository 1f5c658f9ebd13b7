/* Forms on the wire: Avro of every framing and the shop's own JSON in, lists of every format out. */
#include "avro/fingerprint.h"
#include "avro/schema_files.h"
#include "avro/write.h"
#include "support/house.h"

#include <avro.h>

/* A click as the shop writes it: fields of its own names and order, one of which nobody knows. */
static const char shop_schema[] =
    "{\"type\":\"record\",\"name\":\"View\",\"fields\":["
    "{\"name\":\"product\",\"type\":\"string\"},{\"name\":\"note\",\"type\":[\"null\",\"string\"]},"
    "{\"name\":\"customer\",\"type\":\"string\"},{\"name\":\"at\",\"type\":\"long\"}]}";

static void put_view(tw_buf *out, const char *customer, const char *product, int64_t at_s) {
    tw_avro_put_text(out, tw_slice_of(product));
    tw_avro_put_optional(out, tw_slice_of("a note"));
    tw_avro_put_text(out, tw_slice_of(customer));
    tw_avro_put_long(out, at_s);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ASSERT_TRUE(file);
    fputs(text, file);
    fclose(file);
}

static void send_bytes(house *h, const char *topic, const char *key, tw_buf *value) {
    cluster_send_message(
        &h->c,
        &(tw_kafka_message){.topic = topic, .key = tw_slice_of(key), .value = tw_buf_slice(value), .timestamp_ms = -1});
    tw_buf_clear(value);
}

TEST(a_shops_own_forms_are_read_topic_by_topic) {
    house h;
    tw_buf value = {0};
    tw_totals t;
    tw_list list;
    tw_err err;
    uint64_t fingerprint;
    char dir[600], path[700], setting[800];
    house_open(&h);
    house_topics(&h, 1);
    cluster_topic(&h.c, "shop.events", 1);
    snprintf(dir, sizeof dir, "%s", tw_test_dir());
    snprintf(path, sizeof path, "%s/view.avsc", dir);
    write_file(path, shop_schema);
    snprintf(setting, sizeof setting, "input.clicks.schema=%s", path);
    cluster_set(&h.c, setting);
    snprintf(path, sizeof path, "%s/ids", dir);
    write_file(path, "# of the registry\n77 view.avsc\n");
    snprintf(setting, sizeof setting, "input.schemas=%s", path);
    cluster_set(&h.c, setting);
    cluster_set(&h.c, "input.clicks.format=avro");
    cluster_set(&h.c, "input.purchases.format=confluent");
    cluster_set(&h.c, "input.reviews.format=single_object");
    cluster_set(&h.c, "input.events.topic=shop.events"); /* JSON, of several kinds */
    cluster_set(&h.c, "input.field.user.id=customer");
    cluster_set(&h.c, "input.field.item.id=product");
    cluster_set(&h.c, "input.field.time=at");
    cluster_set(&h.c, "input.field.kind=what.name");
    cluster_set(&h.c, "input.time.unit=s");
    cluster_set(&h.c, "input.kinds=viewed=click,ordered=purchase,sent_back=return");
    cluster_set(&h.c, "rank.exclude=purchased");
    int64_t at_s = h.now_ms / 1000;

    put_view(&value, "ann", "p1", at_s);
    send_bytes(&h, "clicks", "ann", &value);
    tw_buf_put(&value, "\0\0\0\0\x4d", 5);
    put_view(&value, "ann", "p2", at_s);
    send_bytes(&h, "purchases", "ann", &value);
    tw_buf_put(&value, "\0\0\0\0\x4e", 5); /* no such id */
    put_view(&value, "ann", "p2", at_s);
    send_bytes(&h, "purchases", "ann", &value);
    ASSERT_OK(tw_avro_fingerprint(tw_slice_of(shop_schema), &fingerprint, &err));
    tw_buf_put(&value, "\xc3\x01", 2);
    tw_buf_u64(&value, fingerprint);
    put_view(&value, "bob", "p3", at_s);
    send_bytes(&h, "reviews", "bob", &value); /* a review without a rating */
    tw_buf_put(&value, "\xc3\x01", 2);
    tw_buf_u64(&value, fingerprint + 1);
    put_view(&value, "bob", "p3", at_s);
    send_bytes(&h, "reviews", "bob", &value);
    static const char *const kinds[] = {"viewed", "ordered", "sent_back", "ordered", "eaten"};
    for (int i = 0; i < 5; i++) {
        tw_buf_printf(&value,
                      "{\"customer\":\"ann\",\"product\":\"p%d\",\"at\":%" PRId64 ",\"what\":{\"name\":\"%s\"}}",
                      i == 2 ? 5 : 4 + i, at_s + i, kinds[i]);
        send_bytes(&h, "shop.events", "ann", &value);
    }
    cluster_settle(&h.c);

    house_start(&h);
    AWAIT(house_consumed(&h) == 10, house_step(&h));
    tw_engine_totals(h.engine, &t);
    ASSERT_EQ(t.reasons[TW_REASON_UNKNOWN_SCHEMA], 2);
    ASSERT_EQ(t.reasons[TW_REASON_UNKNOWN_TYPE], 1);
    ASSERT_EQ(t.reasons[TW_REASON_MISSING_FIELD], 1); /* the review's rating */
    ASSERT_EQ(t.verdicts[TW_VERDICT_APPLIED], 6);
    /* What ann bought is left out: p2 and p7; p5 was sent back. */
    ASSERT_OK(tw_engine_recommend(h.engine, tw_slice_of("ann"), 10, (tw_slice){0}, &list, &err));
    ASSERT_TRUE(list.known);
    ASSERT_EQ(list.event_ms, (at_s + 3) * 1000);
    bool found[8] = {0};
    for (int i = 0; i < list.count; i++)
        found[list.items[i].item_id.data[1] - '0'] = true;
    ASSERT_TRUE(found[1] && found[4] && found[5]);
    ASSERT_FALSE(found[2] || found[7]);
    house_stop(&h);
    tw_buf_done(&value);
    house_close(&h);
}

static const tw_list_reason example_reasons[] = {
    {"context", 0.75f, {"p9", 2}, {"Nine \"9\"", 8}},
    {"popular", 0.25f, {0}, {0}},
};

static tw_list example(tw_list_item items[2]) {
    items[0] = (tw_list_item){
        .item_id = {"p1", 2}, .title = {"Kettle", 6}, .category = {"tea|house", 9}, .score = 0.5f, .reasons_count = 2};
    memcpy(items[0].reasons, example_reasons, sizeof example_reasons);
    items[1] = (tw_list_item){.item_id = {"p2", 2}, .score = -1.25f};
    return (tw_list){.user_id = {"ann", 3},
                     .task = 3,
                     .known = true,
                     .list_version = 1234567,
                     .event_ms = 1700000000123,
                     .topic = {"clicks", 6},
                     .partition = 3,
                     .offset = 99,
                     .count = 2,
                     .items = items};
}

/* The field of that name, through the branch of a union. */
static avro_value_t field(const avro_value_t *record, const char *name) {
    avro_value_t value, branch;
    ASSERT_EQ(avro_value_get_by_name(record, name, &value, NULL), 0);
    if (avro_value_get_type(&value) != AVRO_UNION)
        return value;
    ASSERT_EQ(avro_value_get_current_branch(&value, &branch), 0);
    return branch;
}

static void assert_text(const avro_value_t *record, const char *name, tw_slice text) {
    avro_value_t value = field(record, name);
    const char *bytes;
    size_t size;
    ASSERT_EQ(avro_value_get_type(&value) == AVRO_NULL, text.size == 0);
    if (text.size) {
        ASSERT_EQ(avro_value_get_string(&value, &bytes, &size), 0);
        ASSERT_TRUE(tw_slice_equal((tw_slice){bytes, size - 1}, text));
    }
}

static void assert_long(const avro_value_t *record, const char *name, int64_t expected) {
    avro_value_t value = field(record, name);
    int64_t of_long = 0;
    int32_t of_int = 0;
    if (avro_value_get_type(&value) == AVRO_INT32) {
        ASSERT_EQ(avro_value_get_int(&value, &of_int), 0);
        of_long = of_int;
    } else {
        ASSERT_EQ(avro_value_get_long(&value, &of_long), 0);
    }
    ASSERT_EQ(of_long, expected);
}

static void assert_float(const avro_value_t *record, const char *name, float expected) {
    avro_value_t value = field(record, name);
    float number;
    ASSERT_EQ(avro_value_get_float(&value, &number), 0);
    ASSERT_NEAR(number, expected, 0);
}

static avro_value_t element(const avro_value_t *record, const char *name, size_t index, size_t count) {
    avro_value_t array = field(record, name), value;
    size_t size;
    ASSERT_EQ(avro_value_get_size(&array, &size), 0);
    ASSERT_EQ(size, count);
    ASSERT_EQ(avro_value_get_by_index(&array, index, &value, NULL), 0);
    return value;
}

/* The datum, read by avro-c, is the list. */
static void assert_datum(tw_slice bytes, const tw_list *list) {
    tw_slice text = tw_schema_file("recommendation.avsc");
    avro_schema_t schema;
    avro_value_t value;
    ASSERT_EQ(avro_schema_from_json_length(text.data, text.size, &schema), 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(schema);
    ASSERT_EQ(avro_generic_value_new(iface, &value), 0);
    avro_reader_t in = avro_reader_memory(bytes.data, (int64_t)bytes.size);
    ASSERT_EQ(avro_value_read(in, &value), 0);
    char rest;
    ASSERT_NE(avro_read(in, &rest, 1), 0); /* nothing is left over */
    assert_text(&value, "user_id", list->user_id);
    assert_long(&value, "task", list->task);
    assert_long(&value, "list_version", (int64_t)list->list_version);
    assert_long(&value, "event_ms", list->event_ms);
    assert_text(&value, "topic", list->topic);
    assert_long(&value, "partition", list->partition);
    assert_long(&value, "offset", list->offset);
    for (int i = 0; i < list->count; i++) {
        const tw_list_item *item = &list->items[i];
        avro_value_t of = element(&value, "items", (size_t)i, (size_t)list->count);
        assert_text(&of, "item_id", item->item_id);
        assert_float(&of, "score", item->score);
        assert_text(&of, "title", item->title);
        assert_text(&of, "category", item->category);
        for (int r = 0; r < item->reasons_count; r++) {
            avro_value_t reason = element(&of, "reasons", (size_t)r, (size_t)item->reasons_count);
            assert_text(&reason, "source", tw_slice_of(item->reasons[r].source));
            assert_float(&reason, "share", item->reasons[r].share);
            assert_text(&reason, "because_item", item->reasons[r].because_item);
            assert_text(&reason, "because_title", item->reasons[r].because_title);
        }
    }
    avro_reader_free(in);
    avro_value_decref(&value);
    avro_value_iface_decref(iface);
    avro_schema_decref(schema);
}

static void assert_json(tw_slice bytes, const tw_list *list) {
    tw_json *json;
    tw_err err;
    ASSERT_OK(tw_json_parse(bytes, &json, &err));
    ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(json, "user_id")), list->user_id));
    ASSERT_TRUE(tw_json_is_true(tw_json_get(json, "known")));
    ASSERT_EQ(tw_json_integer(tw_json_get(json, "list_version"), -1), list->list_version);
    ASSERT_EQ(tw_json_integer(tw_json_get(json, "event_ms"), -1), list->event_ms);
    ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(json, "topic")), list->topic));
    ASSERT_EQ(tw_json_integer(tw_json_get(json, "partition"), -1), list->partition);
    ASSERT_EQ(tw_json_integer(tw_json_get(json, "offset"), -1), list->offset);
    const tw_json *items = tw_json_get(json, "items");
    ASSERT_EQ(tw_json_count(items), list->count);
    for (int i = 0; i < list->count; i++) {
        const tw_json *item = tw_json_at(items, (size_t)i), *reasons = tw_json_get(item, "reasons");
        ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(item, "item_id")), list->items[i].item_id));
        ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(item, "title")), list->items[i].title));
        ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(item, "category")), list->items[i].category));
        ASSERT_NEAR(tw_json_number(tw_json_get(item, "score"), 0), list->items[i].score, 1e-6);
        ASSERT_EQ(tw_json_count(reasons), list->items[i].reasons_count);
        for (int r = 0; r < list->items[i].reasons_count; r++) {
            const tw_list_reason *reason = &list->items[i].reasons[r];
            const tw_json *of = tw_json_at(reasons, (size_t)r);
            ASSERT_TRUE(slice_is(tw_json_string(tw_json_get(of, "source")), reason->source));
            ASSERT_NEAR(tw_json_number(tw_json_get(of, "share"), 0), reason->share, 1e-3);
            ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(of, "because_item")), reason->because_item));
            ASSERT_TRUE(tw_slice_equal(tw_json_string(tw_json_get(of, "because_title")), reason->because_title));
        }
    }
    tw_json_free(json);
}

static void publish(cluster *c, const tw_list *list) {
    tw_sink *sink;
    tw_err err;
    ASSERT_OK(tw_sink_kafka(&c->config, &sink, &err));
    ASSERT_OK(sink->ops->list(sink, list, &err));
    ASSERT_OK(sink->ops->gone(sink, list->task, list->user_id, &err));
    tw_code code = TW_E_BUSY;
    AWAIT(code != TW_E_BUSY, code = sink->ops->flush(sink, &err));
    ASSERT_OK(code);
    sink->ops->close(sink);
}

TEST(a_list_is_the_same_in_every_format) {
    cluster c;
    reader r;
    tw_list_item items[2];
    tw_list lists[2] = {example(items), example(items)};
    uint64_t fingerprint;
    tw_err err;
    char prefix[10] = "\xc3\x01";
    lists[1].topic = (tw_slice){0}; /* an event from a file, and nothing to recommend */
    lists[1].count = 0;
    ASSERT_OK(tw_avro_fingerprint(tw_schema_file("recommendation.avsc"), &fingerprint, &err));
    memcpy(prefix + 2, &fingerprint, 8); /* little-endian, as x86 and arm are */
    const struct {
        const char *name;
        tw_slice prefix;
    } formats[] = {
        {"json", {0}}, {"avro", {0}}, {"confluent", {"\0\xfe\xdc\xba\x98", 5}}, {"single_object", {prefix, 10}}};
    cluster_open(&c);
    cluster_topic(&c, "recommendations", 1);
    cluster_set(&c, "output.schema.id=4275878552"); /* 0xfedcba98 */
    for (size_t f = 0; f < 4; f++) {
        char setting[64];
        snprintf(setting, sizeof setting, "output.format=%s", formats[f].name);
        cluster_set(&c, setting);
        for (int l = 0; l < 2; l++)
            publish(&c, &lists[l]);
    }
    reader_open(&r, &c, "recommendations", 1, TW_KAFKA_BEGINNING);
    for (size_t f = 0; f < 4; f++)
        for (int l = 0; l < 2; l++) {
            const tw_record *record = reader_next(&r);
            tw_slice value = record->value;
            size_t skip = formats[f].prefix.size;
            ASSERT_TRUE(slice_is(record->key, "ann"));
            ASSERT_GT(value.size, skip);
            ASSERT_TRUE(tw_slice_equal((tw_slice){value.data, skip}, formats[f].prefix));
            if (f == 0)
                assert_json(value, &lists[l]);
            else
                assert_datum((tw_slice){value.data + skip, value.size - skip}, &lists[l]);
            record = reader_next(&r);
            ASSERT_TRUE(slice_is(record->key, "ann") && !record->value.data);
        }
    reader_close(&r);
    cluster_close(&c);
}

TEST(confluent_lists_want_the_id_of_their_schema) {
    cluster c;
    tw_sink *sink;
    tw_err err = {0};
    cluster_open(&c);
    cluster_set(&c, "output.format=confluent");
    ASSERT_EQ(tw_sink_kafka(&c.config, &sink, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "wants schema.registry.url, or output.schema.id"));
    cluster_close(&c);
}
