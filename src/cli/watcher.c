/* Reading lists back from their topic. Called by watch and the demo. */
#include "cli/watcher.h"

#include "base/alloc.h"
#include "base/json_tree.h"
#include "kafka/consumer.h"
#include "kafka/topics.h"

#include <inttypes.h>
#include <stdlib.h>

#define ASK_WAIT_MS 5000

struct tw_watcher {
    tw_kafka_consumer *consumer;
    tw_record records[TW_WATCHER_RECORDS_MAX];
};

static tw_code partitions_of(const tw_config *config, int *ret_partitions, tw_err *err) {
    tw_kafka_topics *topics;
    TW_TRY(tw_kafka_topics_open(config, &topics, err));
    tw_code code = tw_kafka_topics_ask(topics, ASK_WAIT_MS, err);
    if (code == TW_OK)
        *ret_partitions = tw_kafka_topics_partitions(topics, config->output_recommendations_topic);
    tw_kafka_topics_close(topics);
    if (code == TW_OK && *ret_partitions == 0)
        return tw_fail(err, TW_E_CONFIG, "topic \"%s\" does not exist", config->output_recommendations_topic);
    return code;
}

tw_code tw_watcher_open(const tw_config *config, bool from_beginning, tw_watcher **ret_watcher, tw_err *err) {
    int partitions;
    if (config->output_format != 0)
        return tw_fail(err, TW_E_CONFIG, "lists can be watched as JSON only (output.format: json)");
    TW_TRY(partitions_of(config, &partitions, err));
    int64_t *offsets = tw_alloc((size_t)partitions * sizeof *offsets);
    for (int p = 0; p < partitions; p++)
        offsets[p] = from_beginning ? TW_KAFKA_BEGINNING : TW_KAFKA_END;
    tw_watcher *watcher = tw_zalloc(sizeof *watcher);
    const tw_kafka_topic topic = {.name = config->output_recommendations_topic, .partitions = partitions};
    tw_code code = tw_kafka_consumer_read(config, &topic, offsets, &watcher->consumer, err);
    free(offsets);
    if (code != TW_OK) {
        free(watcher);
        return code;
    }
    *ret_watcher = watcher;
    return TW_OK;
}

tw_watcher *tw_watcher_close(tw_watcher *watcher) {
    if (watcher) {
        tw_kafka_consumer_close(watcher->consumer);
        free(watcher);
    }
    return NULL;
}

tw_code tw_watcher_poll(tw_watcher *watcher, int wait_ms, const tw_record **ret_records, int *ret_count, tw_err *err) {
    *ret_records = watcher->records;
    return tw_kafka_consumer_poll(watcher->consumer, watcher->records, TW_WATCHER_RECORDS_MAX, wait_ms, ret_count, err);
}

static void put_name(const tw_json *item, const char *title, const char *id, tw_buf *out) {
    tw_slice text = tw_json_string(tw_json_get(item, title));
    if (text.size == 0)
        text = tw_json_string(tw_json_get(item, id));
    tw_buf_put(out, text.data, text.size);
}

static void put_items(const tw_json *items, int titles, tw_buf *out) {
    for (size_t i = 0; i < tw_json_count(items) && i < (size_t)titles; i++) {
        const tw_json *item = tw_json_at(items, i);
        const tw_json *reason = tw_json_at(tw_json_get(item, "reasons"), 0);
        tw_buf_printf(out, "%s", i ? "  |  " : "  ");
        put_name(item, "title", "item_id", out);
        if (i > 0 || tw_json_string(tw_json_get(reason, "because_item")).size == 0)
            continue;
        tw_buf_printf(out, " (because of ");
        put_name(reason, "because_title", "because_item", out);
        tw_buf_u8(out, ')');
    }
}

tw_code tw_watcher_write(const tw_record *record, int titles, tw_buf *out, tw_err *err) {
    tw_json *list;
    if (!record->value.data) {
        tw_buf_printf(out, TW_SLICE_FMT ": gone", TW_SLICE_ARG(record->key));
        return TW_OK;
    }
    TW_TRY(tw_json_parse(record->value, &list, err));
    tw_slice user = tw_json_string(tw_json_get(list, "user_id"));
    tw_buf_printf(out, "%-12.*s v%-7" PRId64, TW_SLICE_ARG(user),
                  tw_json_integer(tw_json_get(list, "list_version"), 0));
    put_items(tw_json_get(list, "items"), titles, out);
    tw_json_free(list);
    return TW_OK;
}
