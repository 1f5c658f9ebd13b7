/* The whole pipeline from a topic to a topic, beside a loop that only polls the same one: the factor model, a durable commit each second, and one
 * list per hundred events. The broker is the embedded one; with --peers the same is measured on a real one (bench_peers.c). */
#include "cli/bench_kafka.h"

#include "base/alloc.h"
#include "base/folder.h"
#include "cli/cli.h"
#include "cli/stream.h"
#include "kafka/consumer.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS 1500000
#define PARTITIONS 32 /* the embedded broker keeps about 5 MiB of each */
#define ITEMS 20000
/* A list at a user's first event and each 130th: where the shop's users come 200 times each on the mean, that is one list per hundred events. */
#define EVENTS_PER_USER 200
#define BATCH 256

static tw_code fill_topic(tw_bench *bench, const tw_config *config, size_t *ret_count, tw_err *err) {
    tw_bench_events events;
    tw_kafka_producer *producer = NULL;
    size_t count = tw_bench_size(bench, EVENTS), users = count / EVENTS_PER_USER + 1;
    tw_buf value = {0};
    tw_code code = tw_bench_events_draw(count, (uint32_t)users, ITEMS, config, &events, err);
    if (code == TW_OK)
        code = tw_kafka_producer_open(config, &producer, err);
    double bytes = 0;
    for (size_t i = 0; code == TW_OK && i < events.count; i++) {
        const tw_event *e = &events.events[i];
        tw_buf_clear(&value);
        tw_bench_write_click(e, &value);
        bytes += (double)value.size;
        const tw_kafka_message message = {
            .topic = "clicks", .key = e->user_id, .value = tw_buf_slice(&value), .timestamp_ms = e->event_ms};
        code = tw_bench_send(producer, &message, err);
    }
    if (code == TW_OK)
        code = tw_bench_flush(producer, err);
    *ret_count = events.count;
    if (code == TW_OK) {
        tw_bench_say(bench, "pipeline.events", "", (double)events.count);
        tw_bench_say(bench, "pipeline.value_bytes", "bytes", bytes / (double)events.count);
    }
    tw_kafka_producer_close(producer);
    tw_bench_events_done(&events);
    tw_buf_done(&value);
    return code;
}

static tw_code bare_poll(const tw_config *config, size_t count, double *ret_rate, tw_err *err) {
    tw_kafka_consumer *consumer;
    tw_record records[BATCH];
    int64_t offsets[PARTITIONS], start_ns = 0;
    size_t taken = 0;
    int got;
    for (int p = 0; p < PARTITIONS; p++)
        offsets[p] = TW_KAFKA_BEGINNING;
    const tw_kafka_topic topic = {.name = "clicks", .partitions = PARTITIONS};
    TW_TRY(tw_kafka_consumer_read(config, &topic, offsets, &consumer, err));
    tw_code code = TW_OK;
    while (code == TW_OK && taken < count && !tw_stop_wanted()) {
        code = tw_kafka_consumer_poll(consumer, records, BATCH, 100, &got, err);
        if (taken == 0 && got > 0)
            start_ns = tw_bench_now_ns();
        taken += (size_t)got;
    }
    *ret_rate = (double)taken * 1e9 / (double)(tw_bench_now_ns() - start_ns);
    tw_kafka_consumer_close(consumer);
    return code;
}

static uint64_t consumed(tw_stream *stream, uint64_t *ret_lists) {
    tw_totals totals;
    tw_engine_totals(tw_stream_engine(stream), &totals);
    *ret_lists = totals.lists;
    return totals.consumed;
}

/* From the first record to the commit of the last. */
static tw_code take_all(tw_stream *stream, size_t count, double *ret_rate, double *ret_lists, tw_err *err) {
    int64_t start_ns = 0;
    uint64_t taken = 0, lists;
    while (taken < count && !tw_stop_wanted()) {
        int64_t before_ns = tw_bench_now_ns();
        TW_TRY(tw_stream_step(stream, err));
        taken = consumed(stream, &lists);
        if (start_ns == 0 && taken > 0)
            start_ns = before_ns;
    }
    TW_TRY(tw_stream_drain(stream, err));
    *ret_rate = (double)taken * 1e9 / (double)(tw_bench_now_ns() - start_ns);
    consumed(stream, &lists);
    *ret_lists = (double)lists / (double)taken;
    return TW_OK;
}

static tw_code whole(const tw_bench_broker *broker, const tw_bench *bench, int run, size_t count, double *ret_rate,
                     double *ret_lists, tw_err *err) {
    char dir[512], state[600], id[64];
    tw_config config;
    tw_stream *stream = NULL;
    TW_TRY(tw_folder_temporary("tailwater-bench", dir, sizeof dir, err));
    snprintf(state, sizeof state, "state.dir=%s", dir);
    snprintf(id, sizeof id, "application.id=bench-%d", run);
    const char *const settings[] = {id,
                                    state,
                                    "learn.model=mf",
                                    "rank.list.size=10",
                                    "rank.every.events=130",
                                    "input.format=single_object",
                                    "clean.lateness.click.ms=86400000",
                                    NULL};
    tw_code code = tw_bench_broker_config(broker, bench, settings, &config, err);
    if (code == TW_OK) {
        code = tw_stream_open(&(tw_stream_options){.config = &config}, &stream, err);
        if (code == TW_OK)
            code = tw_stream_connect(stream, err);
        if (code == TW_OK)
            code = take_all(stream, count, ret_rate, ret_lists, err);
        tw_stream_close(stream);
        tw_config_done(&config);
    }
    tw_folder_remove(dir);
    return code;
}

static tw_code measure(tw_bench *bench, const tw_bench_broker *broker, const tw_config *config, tw_err *err) {
    double poll[TW_BENCH_RUNS_MAX], rate[TW_BENCH_RUNS_MAX], lists[TW_BENCH_RUNS_MAX];
    size_t count;
    TW_TRY(fill_topic(bench, config, &count, err));
    for (int i = 0; i < bench->runs; i++) {
        TW_TRY(bare_poll(config, count, &poll[i], err));
        TW_TRY(whole(broker, bench, i, count, &rate[i], &lists[i], err));
    }
    tw_bench_add_ratio(bench, "pipeline.vs_bare_poll", rate, poll, bench->runs);
    tw_bench_add(bench, "pipeline.events_per_s", "events/s", rate, bench->runs);
    tw_bench_add(bench, "pipeline.bare_poll_per_s", "records/s", poll, bench->runs);
    tw_bench_add(bench, "pipeline.lists_per_event", "", lists, bench->runs);
    return TW_OK;
}

tw_code tw_bench_pipeline_run(tw_bench *bench, tw_err *err) {
    char clicks[32];
    snprintf(clicks, sizeof clicks, "clicks:%d", PARTITIONS);
    const char *const topics[] = {clicks, "lists:4", "dead:1", NULL};
    const char *const settings[] = {"kafka.linger.ms=50", NULL};
    tw_bench_broker broker;
    tw_config config;
    TW_TRY(tw_bench_broker_start(&broker, topics, err));
    tw_code code = tw_bench_broker_config(&broker, bench, settings, &config, err);
    if (code == TW_OK) {
        code = measure(bench, &broker, &config, err);
        tw_config_done(&config);
    }
    tw_bench_broker_stop(&broker);
    return code;
}
