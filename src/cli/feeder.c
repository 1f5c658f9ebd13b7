/* The shop's producer. */
#include "cli/feeder.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "kafka/producer.h"

#include <stdlib.h>

#define FLUSH_WAIT_MS 100

struct tw_feeder {
    const tw_config *config;
    tw_shop_options options;
    tw_shop *shop;
    tw_kafka_producer *producer;
    tw_arena *arena;
    tw_buf value;
    uint64_t sent;
    bool ended;
};

static const char *topic_of(const tw_config *c, tw_kind kind) {
    const char *topic = "";
    switch (kind) {
    case TW_KIND_CLICK:
    case TW_KIND_CART:
        topic = c->input_clicks_topic;
        break;
    case TW_KIND_PURCHASE:
    case TW_KIND_RETURN:
        topic = c->input_purchases_topic;
        break;
    case TW_KIND_REVIEW:
        topic = c->input_reviews_topic;
        break;
    case TW_KIND_ITEM:
        return c->input_items_topic;
    case TW_KIND_COUNT:
        break;
    }
    return *topic ? topic : c->input_events_topic;
}

static tw_code check_config(const tw_config *c, tw_err *err) {
    static const tw_kind kinds[] = {TW_KIND_CLICK, TW_KIND_PURCHASE, TW_KIND_REVIEW};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!*topic_of(c, kinds[i]))
            return tw_fail(err, TW_E_CONFIG, "no topic for a %s: set input.%ss.topic or input.events.topic",
                           tw_kind_name(kinds[i]), tw_kind_name(kinds[i]));
    if (c->input_format != 0 || c->input_clicks_format > 1 || c->input_purchases_format > 1 ||
        c->input_reviews_format > 1 || c->input_events_format > 1 || c->input_items_format > 1)
        return tw_fail(err, TW_E_CONFIG, "the synthetic shop speaks JSON only: set input.format: json");
    return TW_OK;
}

tw_code tw_feeder_open(const tw_config *config, const tw_shop_options *shop, tw_feeder **ret_feeder, tw_err *err) {
    TW_TRY(check_config(config, err));
    tw_feeder *feeder = tw_zalloc(sizeof *feeder);
    tw_code code = tw_kafka_producer_open(config, &feeder->producer, err);
    if (code != TW_OK) {
        free(feeder);
        return code;
    }
    feeder->config = config;
    feeder->options = *shop;
    feeder->shop = tw_shop_create(shop);
    feeder->arena = tw_arena_create(1 << 14);
    *ret_feeder = feeder;
    return TW_OK;
}

tw_feeder *tw_feeder_close(tw_feeder *feeder) {
    if (feeder) {
        tw_kafka_producer_close(feeder->producer);
        tw_shop_free(feeder->shop);
        tw_arena_free(feeder->arena);
        tw_buf_done(&feeder->value);
        free(feeder);
    }
    return NULL;
}

static tw_code send(tw_feeder *feeder, const tw_event *event, tw_err *err) {
    tw_buf_clear(&feeder->value);
    tw_shop_write_json(event, &feeder->value);
    const tw_kafka_message message = {.topic = topic_of(feeder->config, event->kind),
                                      .key = event->kind == TW_KIND_ITEM ? event->item_id : event->user_id,
                                      .value = tw_buf_slice(&feeder->value),
                                      .timestamp_ms = -1};
    tw_code code;
    while ((code = tw_kafka_producer_send(feeder->producer, &message, err)) == TW_E_BUSY) {
        code = tw_kafka_producer_flush(feeder->producer, FLUSH_WAIT_MS, err);
        if (code != TW_OK && code != TW_E_BUSY)
            break;
    }
    feeder->sent += code == TW_OK;
    return code;
}

tw_code tw_feeder_send_items(tw_feeder *feeder, tw_err *err) {
    tw_event event;
    for (uint32_t item = 0; *feeder->config->input_items_topic && item < feeder->options.items; item++) {
        tw_arena_reset(feeder->arena);
        tw_shop_item(&feeder->options, item, feeder->arena, &event);
        TW_TRY(send(feeder, &event, err));
    }
    return TW_OK;
}

tw_code tw_feeder_send(tw_feeder *feeder, int max, int64_t until_ms, int *ret_count, tw_err *err) {
    int count = 0;
    tw_event event;
    bool broken;
    while (count < max && !feeder->ended && tw_shop_time_ms(feeder->shop) <= until_ms) {
        tw_arena_reset(feeder->arena);
        feeder->ended = !tw_shop_next(feeder->shop, feeder->arena, &event, &broken);
        if (feeder->ended)
            break;
        TW_TRY(send(feeder, &event, err));
        count++;
    }
    *ret_count = count;
    return TW_OK;
}

tw_code tw_feeder_flush(tw_feeder *feeder, int wait_ms, tw_err *err) {
    return tw_kafka_producer_flush(feeder->producer, wait_ms, err);
}

uint64_t tw_feeder_sent(const tw_feeder *feeder) {
    return feeder->sent;
}
bool tw_feeder_ended(const tw_feeder *feeder) {
    return feeder->ended;
}
