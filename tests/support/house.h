/* A whole stream in one process: the embedded broker, topics in and out, source, engine and sink, stepped by the test. */
#ifndef TW_TEST_HOUSE_H
#define TW_TEST_HOUSE_H

#include "base/buf.h"
#include "base/json_tree.h"
#include "engine/engine.h"
#include "pipeline/ingest/kafka.h"
#include "support/kafka.h"

typedef struct house {
    cluster c;
    char state_dir[600];
    tw_sink *sink;
    tw_source *source;
    tw_engine *engine;
    int64_t now_ms;    /* event time of the next event: shortly before the start, a millisecond each */
    unsigned event_id; /* of the next event */
} house;

/* Starts the broker; makes no topics. Commits and lists come quickly. */
static inline void house_open(house *h) {
    *h = (house){0};
    cluster_open(&h->c);
    cluster_set(&h->c, "state.users.max=1000");
    cluster_set(&h->c, "state.items.max=1000");
    cluster_set(&h->c, "state.map.max.bytes=256m");
    cluster_set(&h->c, "commit.interval.ms=20");
    cluster_set(&h->c, "rank.min.interval.ms=0");
    cluster_set(&h->c, "rank.list.size=10");
    snprintf(h->state_dir, sizeof h->state_dir, "%s", tw_test_dir());
    h->now_ms = tw_clock_wall_ms(&tw_clock_system) - 100000;
}

static inline void house_close(house *h) {
    cluster_close(&h->c);
}

/* clicks, purchases and reviews with so many partitions, items with 2, recommendations and dead-letters with 1. */
static inline void house_topics(house *h, int partitions) {
    cluster_topic(&h->c, "clicks", partitions);
    cluster_topic(&h->c, "purchases", partitions);
    cluster_topic(&h->c, "reviews", partitions);
    cluster_topic(&h->c, "items", 2);
    cluster_topic(&h->c, "recommendations", 1);
    cluster_topic(&h->c, "dead-letters", 1);
}

static inline void close_parts(house *h) {
    if (h->source)
        h->source->ops->close(h->source);
    tw_engine_close(h->engine);
    if (h->sink)
        h->sink->ops->close(h->sink);
    h->source = NULL;
    h->engine = NULL;
    h->sink = NULL;
}

static inline tw_code open_parts(house *h, tw_err *err) {
    tw_kafka_topics *topics;
    tw_code code = TW_E_BUSY;
    TW_TRY(tw_sink_kafka(&h->c.config, &h->sink, err));
    const tw_engine_options options = {.config = &h->c.config,
                                       .state_dir = h->state_dir,
                                       .lists = TW_LISTS_ALL,
                                       .wall_intervals = true,
                                       .sink = h->sink};
    TW_TRY(tw_engine_open(&options, &h->engine, err));
    TW_TRY(tw_kafka_topics_open(&h->c.config, &topics, err));
    AWAIT(code != TW_E_BUSY, code = tw_kafka_topics_ask(topics, 1000, err));
    if (code == TW_OK)
        code = tw_source_kafka(&h->c.config, topics, &h->source, err);
    tw_kafka_topics_close(topics);
    return code == TW_OK ? tw_engine_attach(h->engine, h->source, err) : code;
}

/* Opens sink, engine and source and attaches it, as `run` does. On failure everything is closed again. */
static inline tw_code house_try(house *h, tw_err *err) {
    tw_code code = open_parts(h, err);
    if (code != TW_OK)
        close_parts(h);
    return code;
}

static inline void house_start(house *h) {
    tw_err err;
    ASSERT_OK(house_try(h, &err));
}

/* One step, and a commit when it is due. */
static inline void house_step(house *h) {
    tw_err err;
    int count;
    ASSERT_OK(tw_engine_step(h->engine, 10, &count, &err));
    ASSERT_OK(tw_engine_commit_due(h->engine, &err));
}

/* Commits, waiting for acknowledgements, and closes. */
static inline void house_stop(house *h) {
    tw_err err;
    tw_code code = TW_E_BUSY;
    AWAIT(code != TW_E_BUSY, code = tw_engine_commit(h->engine, &err));
    ASSERT_OK(code);
    close_parts(h);
}

static inline tw_code without_commit(void *self, bool lost, tw_err *err) {
    (void)self, (void)lost, (void)err;
    return TW_OK;
}

/* Closes without a commit, as a crash would leave it. */
static inline void house_kill(house *h) {
    h->source->hooks.revoked = without_commit;
    close_parts(h);
}

/* Sends an event keyed by user, with an id and a time of its own and more fields ("" or ",\"rating\":5"). */
static inline void house_event(house *h, const char *topic, const char *user, const char *item, const char *more) {
    tw_buf value = {0};
    tw_buf_printf(&value, "{\"event_id\":\"e%u\",\"user_id\":\"%s\",\"item_id\":\"%s\",\"event_ms\":%" PRId64 "%s}",
                  h->event_id++, user, item, h->now_ms++, more);
    cluster_send_message(
        &h->c, &(tw_kafka_message){
                   .topic = topic, .key = tw_slice_of(user), .value = tw_buf_slice(&value), .timestamp_ms = -1});
    tw_buf_done(&value);
}

static inline void house_click(house *h, const char *user, const char *item) {
    house_event(h, "clicks", user, item, "");
}

static inline uint64_t house_consumed(const house *h) {
    tw_totals totals;
    tw_engine_totals(h->engine, &totals);
    return totals.consumed;
}

static inline uint64_t house_verdict(const house *h, tw_verdict verdict) {
    tw_totals totals;
    tw_engine_totals(h->engine, &totals);
    return totals.verdicts[verdict];
}

#endif
