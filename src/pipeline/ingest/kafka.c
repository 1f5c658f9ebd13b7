/* The Kafka source: a group member for what users did, a reader for the items. Called by the engine; engine thread.
 *
 * Without a changelog the state of all tasks is in one process, so one member must hold all partitions: whoever joins a group that already
 * has a member stops, and the member that was there goes on when it has them back. */
#include "pipeline/ingest/kafka.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "kafka/consumer.h"
#include "pipeline/ingest/inputs.h"
#include "pipeline/ingest/resolver.h"

#include <stdio.h>
#include <stdlib.h>

#define LAG_EVERY_NS 1000000000

/* A batch that waits for a schema is waited for; the group can do without us so long. Beyond it partitions are paused, which throws away
 * what was fetched ahead. */
#define HELD_MS_MAX 100

typedef struct kafka_source {
    tw_source source; /* first */
    const tw_config *config;
    tw_inputs inputs;
    tw_kafka_topic topics[TW_INPUTS_MAX]; /* of users, then the items */
    int topics_count;                     /* of users */
    bool has_items;
    int items_at; /* place in topics */
    tw_kafka_consumer *member, *reader;
    tw_resolver *resolver; /* NULL: no schema is asked for */
    int held_items;        /* of the batch that it holds: these first, then events */
    bool paused;           /* by the engine */
    bool had_all;          /* held every partition once */
    int64_t lag_ns;        /* when it was last looked at */
} kafka_source;

static tw_metric lag = {"tailwater_input_lag_records", "Records in the input topics that were not polled yet",
                        TW_GAUGE};
static tw_metric topic_lags[TW_INPUTS_MAX]; /* by place in the inputs */
static char topic_names[TW_INPUTS_MAX][256];
static tw_metric rebalances = {"tailwater_rebalances_total", "Times that partitions were given to this process",
                               TW_COUNTER};

/* With a changelog each process may have some of the tasks: their state comes first, then their offsets. */
static tw_code take_over(kafka_source *self, tw_kafka_partition *partitions, int count, tw_err *err) {
    const tw_source_hooks *hooks = &self->source.hooks;
    for (int p = 0; p < self->source.partitions; p++) {
        bool ours = false;
        for (int i = 0; i < count; i++)
            ours |= partitions[i].partition == p;
        if (ours)
            TW_TRY(hooks->take_over(hooks->self, p, err));
    }
    for (int i = 0; i < count; i++)
        partitions[i].offset = hooks->assigned(hooks->self, partitions[i].input, partitions[i].partition);
    return TW_OK;
}

/* Once a process, under the names of its first source. */
static void register_metrics(const tw_inputs *inputs) {
    static bool registered;
    if (registered)
        return;
    registered = true;
    tw_metric_register(&lag);
    tw_metric_register(&rebalances);
    for (int i = 0; i < inputs->count; i++) {
        snprintf(topic_names[i], sizeof topic_names[i], "%s", inputs->list[i].name);
        topic_lags[i] = (tw_metric){.name = "tailwater_topic_lag_records",
                                    .help = "Records in one input topic that were not polled yet",
                                    .type = TW_GAUGE,
                                    .label = "topic",
                                    .label_value = topic_names[i]};
        tw_metric_register(&topic_lags[i]);
    }
}

static tw_code on_assigned(void *self_, tw_kafka_partition *partitions, int count, tw_err *err) {
    kafka_source *self = self_;
    int all = self->topics_count * self->source.partitions;
    tw_metric_add(&rebalances, 1);
    self->source.idle = count == 0;
    if (self->source.hooks.take_over) {
        self->source.caught_up = false;
        return take_over(self, partitions, count, err);
    }
    if (count < all && !self->had_all)
        return tw_fail(
            err, TW_E_LOCKED,
            "group \"%s\" already has a member: %d of %d partitions are left for this one, and one process must "
            "hold them all; stop the other, or give this one another application.id and state.dir",
            self->config->application_id, count, all);
    if (count < all)
        tw_log_warn("partitions", "have=%d all=%d text=\"another member joined the group; waiting for it to leave\"",
                    count, all);
    self->had_all |= count == all;
    for (int i = 0; i < count; i++)
        partitions[i].offset =
            self->source.hooks.assigned(self->source.hooks.self, partitions[i].input, partitions[i].partition);
    return TW_OK;
}

/* Where one process holds all, even partitions that were lost (the broker was away for longer than the session) come back to this
 * process or to none: what it has learned stays good. */
static tw_code on_revoked(void *self_, bool lost, tw_err *err) {
    kafka_source *self = self_;
    return self->source.hooks.revoked(self->source.hooks.self, lost && self->source.hooks.take_over, err);
}

static tw_code open_reader(kafka_source *self, tw_err *err) {
    const tw_kafka_topic *items = &self->topics[self->items_at];
    int64_t *offsets = tw_alloc((size_t)items->partitions * sizeof *offsets);
    for (int p = 0; p < items->partitions; p++)
        offsets[p] = self->source.hooks.assigned(self->source.hooks.self, items->input, p);
    tw_code code = tw_kafka_consumer_read(self->config, items, offsets, &self->reader, err);
    free(offsets);
    return code;
}

static tw_code start(kafka_source *self, tw_err *err) {
    const tw_kafka_group group = {self, on_assigned, on_revoked};
    if (self->has_items)
        TW_TRY(open_reader(self, err));
    return tw_kafka_consumer_join(self->config, self->topics, self->topics_count, &group, &self->member, err);
}

static void look_at_lag(kafka_source *self) {
    int64_t now_ns = tw_clock_steady_ns(&tw_clock_system);
    if (now_ns - self->lag_ns < LAG_EVERY_NS)
        return;
    self->lag_ns = now_ns;
    int64_t all = 0;
    for (int i = 0; i < self->inputs.count; i++) {
        bool items = self->inputs.list[i].kind == TW_KIND_ITEM;
        int64_t here = tw_kafka_consumer_lag(items ? self->reader : self->member, (uint16_t)i);
        tw_metric_set(&topic_lags[i], (double)here);
        all += here;
    }
    tw_metric_set(&lag, (double)all);
}

static void pause_all(kafka_source *self, bool pause) {
    if (self->member)
        tw_kafka_consumer_pause(self->member, pause);
    if (self->reader)
        tw_kafka_consumer_pause(self->reader, pause);
}

/* The batch that waits for a schema, when its time has come; else the group is served, and what a rebalance takes is let go. */
static tw_code poll_held(kafka_source *self, tw_record *records, int wait_ms, int *ret_count, tw_err *err) {
    int items = 0, events;
    bool good = tw_resolver_resolve(self->resolver, wait_ms);
    *ret_count = 0;
    if (good && !self->paused) {
        pause_all(self, false);
        *ret_count = tw_resolver_take(self->resolver, records);
    } else if (good || tw_resolver_held_ms(self->resolver) > HELD_MS_MAX) {
        pause_all(self, true);
        if (self->reader)
            TW_TRY(tw_kafka_consumer_serve(self->reader, 0, &items, err));
        TW_TRY(tw_kafka_consumer_serve(self->member, good ? wait_ms : 0, &events, err));
        TW_ASSERT(items == self->held_items);
        tw_resolver_keep(self->resolver, items + events);
        pause_all(self, self->paused || tw_resolver_holds(self->resolver));
    }
    look_at_lag(self);
    return TW_OK;
}

/* Items first, but never more than half of a batch: the group must be polled too. */
static tw_code kafka_poll(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *err) {
    kafka_source *self = (kafka_source *)source;
    int items = 0, events = 0;
    if (!self->member)
        TW_TRY(start(self, err));
    if (tw_resolver_holds(self->resolver))
        return poll_held(self, records, wait_ms, ret_count, err);
    if (self->reader)
        TW_TRY(tw_kafka_consumer_poll(self->reader, records, (max + 1) / 2, 0, &items, err));
    if (max > items)
        TW_TRY(tw_kafka_consumer_poll(self->member, records + items, max - items, items ? 0 : wait_ms, &events, err));
    if (tw_resolver_hold(self->resolver, records, items + events)) {
        self->held_items = items;
        return poll_held(self, records, wait_ms, ret_count, err);
    }
    if (!source->caught_up) /* a process that the group has nothing for waits with what it has */
        source->caught_up = (source->idle || tw_kafka_consumer_caught_up(self->member)) &&
                            (!self->reader || tw_kafka_consumer_caught_up(self->reader));
    look_at_lag(self);
    *ret_count = items + events;
    return TW_OK;
}

static void kafka_pause(tw_source *source, bool pause) {
    kafka_source *self = (kafka_source *)source;
    self->paused = pause;
    pause_all(self, pause || tw_resolver_holds(self->resolver));
}

/* Positions come through the hooks when partitions do. */
static tw_code kafka_seek(tw_source *source, uint16_t input, int32_t partition, int64_t offset, tw_err *err) {
    (void)source, (void)input, (void)partition, (void)offset;
    return tw_fail(err, TW_E_USAGE, "a group's partitions are sought when they are assigned");
}

static void *kafka_group(tw_source *source) {
    return ((kafka_source *)source)->member;
}

static void kafka_ack(tw_source *source, uint16_t input, int32_t partition, int64_t offset) {
    kafka_source *self = (kafka_source *)source;
    bool in_transaction = self->source.hooks.take_over != NULL; /* then the commit has told the group already */
    if (self->member && !in_transaction && self->inputs.list[input].kind != TW_KIND_ITEM)
        tw_kafka_consumer_commit(self->member, input, partition, offset);
}

static tw_source *kafka_close(tw_source *source) {
    kafka_source *self = (kafka_source *)source;
    tw_kafka_consumer_close(self->member);
    tw_kafka_consumer_close(self->reader);
    tw_resolver_close(self->resolver);
    tw_inputs_done(&self->inputs);
    free(self);
    return NULL;
}

/* What the cluster has must be what the settings say: every topic there, those of users equally partitioned. */
static tw_code check_topics(kafka_source *self, const tw_kafka_topics *topics, tw_err *err) {
    const char *first = NULL;
    for (int i = 0; i < self->inputs.count; i++) {
        const tw_input *input = &self->inputs.list[i];
        int partitions = tw_kafka_topics_partitions(topics, input->name);
        tw_kafka_topic topic = {input->name, (uint16_t)i, partitions};
        TW_TRY(tw_kafka_topics_want(topics, input->name, "its input.*.topic", "Read", err));
        if (input->kind == TW_KIND_ITEM) { /* the last one, so it stands behind those of users */
            self->has_items = true;
            self->items_at = self->topics_count;
            self->topics[self->items_at] = topic;
            continue;
        }
        if (first && partitions != self->source.partitions)
            return tw_fail(err, TW_E_CONFIG,
                           "\"%s\" has %d partitions and \"%s\" has %d: a user's events must meet in one task, so "
                           "these topics need "
                           "equal counts",
                           first, self->source.partitions, input->name, partitions);
        first = first ? first : input->name;
        self->source.partitions = partitions;
        self->topics[self->topics_count++] = topic;
    }
    return TW_OK;
}

tw_code tw_source_kafka(const tw_config *config, const tw_kafka_topics *topics, tw_source **ret_source, tw_err *err) {
    static const tw_source_ops ops = {.poll = kafka_poll,
                                      .pause = kafka_pause,
                                      .seek = kafka_seek,
                                      .group = kafka_group,
                                      .ack = kafka_ack,
                                      .close = kafka_close};
    kafka_source *self = tw_zalloc(sizeof *self);
    self->config = config;
    tw_code code = tw_inputs_init(&self->inputs, config, err);
    if (code == TW_OK && ((code = check_topics(self, topics, err)) != TW_OK ||
                          (code = tw_resolver_open(config, &self->inputs, &self->resolver, err)) != TW_OK))
        tw_inputs_done(&self->inputs);
    if (code != TW_OK) {
        free(self);
        return code;
    }
    self->source.ops = &ops;
    self->source.inputs = self->inputs.list;
    self->source.inputs_count = self->inputs.count;
    register_metrics(&self->inputs);
    *ret_source = &self->source;
    return TW_OK;
}
