/* How long after an event its list is out, with 100,000 items and every event owed a list at once, beside a loop that only echoes records at
 * the same rate, linger and broker. The rate is half of the highest at which each event gets its list. Both are measured in turn, from
 * handing the event to a producer to the list (or the echo) at a reader. */
#include "cli/bench_kafka.h"

#include "base/alloc.h"
#include "base/folder.h"
#include "cli/cli.h"
#include "cli/stream.h"
#include "kafka/consumer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PARTITIONS 4
#define ITEMS 100000
#define USERS 100000
#define CLICKS 300000 /* before the stream begins */
#define FLOOD 2000    /* events at once, to find the highest rate */
#define PHASE_NS ((int64_t)6 * 1000000000)
#define LAST_WAIT_NS ((int64_t)10 * 1000000000)
#define EVENTS_MAX ((size_t)4000000)
#define BATCH 256
#define START_MS 1700100000000 /* after what the state has seen */

typedef struct flow { /* from one topic to another */
    const tw_config *config;
    const char *in, *out;
    bool lists;                           /* out holds lists, which name their event; else echoes, in order */
    _Atomic int64_t *sent_ns[PARTITIONS]; /* by offset */
    size_t sent;                          /* all phases */
    tw_kafka_producer *producer;
    tw_kafka_consumer *reader;
    /* Of a phase. */
    size_t phase_from, phase_count;
    double rate; /* events/s; 0: at once */
    double *waits_ms;
    _Atomic size_t arrived;
    _Atomic bool ended;
    tw_err feeder_err, reader_err;
} flow;

static tw_code open_reader(const tw_config *config, const char *topic, tw_kafka_consumer **ret, tw_err *err) {
    int64_t offsets[PARTITIONS];
    for (int p = 0; p < PARTITIONS; p++)
        offsets[p] = TW_KAFKA_BEGINNING;
    const tw_kafka_topic of = {.name = topic, .partitions = PARTITIONS};
    return tw_kafka_consumer_read(config, &of, offsets, ret, err);
}

static tw_code flow_open(flow *f, tw_err *err) {
    for (int p = 0; p < PARTITIONS; p++)
        f->sent_ns[p] = tw_zalloc((EVENTS_MAX / PARTITIONS + 1) * sizeof(int64_t));
    f->waits_ms = tw_alloc(EVENTS_MAX * sizeof *f->waits_ms);
    TW_TRY(tw_kafka_producer_open(f->config, &f->producer, err));
    return open_reader(f->config, f->out, &f->reader, err);
}

static void flow_done(flow *f) {
    tw_kafka_producer_close(f->producer);
    tw_kafka_consumer_close(f->reader);
    for (int p = 0; p < PARTITIONS; p++)
        free(f->sent_ns[p]);
    free(f->waits_ms);
}

/* The n-th event belongs to partition n modulo 4, and no user comes twice soon. */
static tw_code send_event(flow *f, size_t n, tw_buf *value, tw_err *err) {
    tw_bench_click text;
    tw_event event;
    int32_t partition = (int32_t)(n % PARTITIONS);
    uint32_t user = (uint32_t)(n / PARTITIONS * 7919 % (USERS / PARTITIONS)) * PARTITIONS + (uint32_t)partition;
    tw_bench_click_make(&text, n + ((uint64_t)1 << 40), user, (uint32_t)(n * 7907 % ITEMS), START_MS + (int64_t)n,
                        &event);
    tw_buf_clear(value);
    tw_bench_write_click(&event, value);
    const tw_kafka_message message = {.topic = f->in,
                                      .key = event.user_id,
                                      .value = tw_buf_slice(value),
                                      .timestamp_ms = event.event_ms,
                                      .to_partition = &partition};
    f->sent_ns[partition][n / PARTITIONS] = tw_bench_now_ns();
    return tw_bench_send(f->producer, &message, err);
}

static void *feed(void *self) {
    flow *f = self;
    tw_buf value = {0};
    tw_code code = TW_OK;
    int64_t start_ns = tw_bench_now_ns();
    for (size_t i = 0; code == TW_OK && i < f->phase_count && !tw_stop_wanted(); i++) {
        int64_t at_ns = f->rate > 0 ? start_ns + (int64_t)((double)i * 1e9 / f->rate) : 0;
        while (tw_bench_now_ns() < at_ns)
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
        code = send_event(f, f->phase_from + i, &value, &f->feeder_err);
        if (code == TW_OK && tw_kafka_producer_flush(f->producer, 0, &f->feeder_err) == TW_E_KAFKA)
            code = TW_E_KAFKA;
    }
    if (code == TW_OK)
        tw_bench_flush(f->producer, &f->feeder_err);
    tw_buf_done(&value);
    return NULL;
}

/* The number behind the first such name in a list's JSON; -1: none. */
static int64_t field(tw_slice text, const char *name) {
    const char *at = memmem(text.data, text.size, name, strlen(name));
    return at ? strtoll(at + strlen(name), NULL, 10) : -1; /* a brace ends it within the text */
}

static void arrive(flow *f, const tw_record *record, int64_t now_ns) {
    int64_t partition = f->lists ? field(record->value, "\"partition\":") : record->partition;
    int64_t offset = f->lists ? field(record->value, "\"offset\":") : record->offset;
    if (partition < 0 || partition >= PARTITIONS || offset < 0)
        return;
    size_t n = (size_t)offset * PARTITIONS + (size_t)partition;
    if (n >= f->phase_from && n < f->phase_from + f->phase_count)
        f->waits_ms[f->arrived++] = (double)(now_ns - f->sent_ns[partition][offset]) * 1e-6;
}

static void *read_back(void *self) {
    flow *f = self;
    tw_record records[BATCH];
    int count;
    while (!f->ended && tw_kafka_consumer_poll(f->reader, records, BATCH, 20, &count, &f->reader_err) == TW_OK) {
        int64_t now_ns = tw_bench_now_ns();
        for (int i = 0; i < count && f->arrived < EVENTS_MAX; i++)
            arrive(f, &records[i], now_ns);
    }
    return NULL;
}

/* Sends count events and does `drive` until each has come out, or nothing more comes. *ret_s: from the first event to the last arrival. */
static tw_code phase(flow *f, size_t count, double rate, tw_code (*drive)(void *self, tw_err *err), void *self,
                     double *ret_s, tw_err *err) {
    pthread_t feeder, reader;
    size_t seen = 0;
    f->phase_from = f->sent;
    f->phase_count = count;
    f->rate = rate;
    f->arrived = 0;
    f->ended = false;
    if (f->sent + count > EVENTS_MAX || pthread_create(&reader, NULL, read_back, f) != 0)
        return tw_fail(err, TW_E_NO_MEMORY, "no more events or no thread");
    int64_t start_ns = tw_bench_now_ns(), moved_ns = start_ns, wait_ns = LAST_WAIT_NS;
    if (pthread_create(&feeder, NULL, feed, f) != 0)
        abort();
    tw_code code = TW_OK;
    while (code == TW_OK && f->arrived < count && tw_bench_now_ns() - moved_ns < wait_ns && !tw_stop_wanted()) {
        code = drive(self, err);
        if (f->arrived != seen) {
            seen = f->arrived;
            moved_ns = tw_bench_now_ns();
        }
    }
    pthread_join(feeder, NULL);
    f->ended = true;
    pthread_join(reader, NULL);
    f->sent += count;
    *ret_s = (double)(moved_ns - start_ns) * 1e-9;
    if (code == TW_OK && f->feeder_err.code != TW_OK && f->feeder_err.code != TW_E_BUSY)
        code = tw_fail(err, f->feeder_err.code, "%s", f->feeder_err.text);
    if (code == TW_OK && f->arrived < count - count / 100)
        code = tw_fail(err, TW_E_KAFKA, "%s: %zu of %zu events came out", f->out, (size_t)f->arrived, count);
    return code;
}

static tw_code drive_stream(void *self, tw_err *err) {
    return tw_stream_step(self, err);
}

typedef struct echo {
    tw_kafka_consumer *consumer;
    tw_kafka_producer *producer;
} echo;

static tw_code drive_echo(void *self, tw_err *err) {
    echo *e = self;
    tw_record records[BATCH];
    int count;
    TW_TRY(tw_kafka_consumer_poll(e->consumer, records, BATCH, 20, &count, err));
    for (int i = 0; i < count; i++) {
        const tw_kafka_message message = {.topic = "echo-out",
                                          .key = records[i].key,
                                          .value = records[i].value,
                                          .timestamp_ms = -1,
                                          .to_partition = &records[i].partition};
        TW_TRY(tw_bench_send(e->producer, &message, err));
    }
    tw_code code = tw_kafka_producer_flush(e->producer, 0, err);
    return code == TW_E_BUSY ? TW_OK : code;
}

static void quantiles(flow *f, double *p50, double *p99) {
    tw_bench_median(f->waits_ms, (int)f->arrived);
    *p50 = f->waits_ms[f->arrived / 2];
    *p99 = f->waits_ms[f->arrived * 99 / 100];
}

static tw_code measure(tw_bench *bench, flow *lists, flow *echoes, tw_stream *stream, echo *e, tw_err *err) {
    double ours50[TW_BENCH_RUNS_MAX], ours99[TW_BENCH_RUNS_MAX], echo50[TW_BENCH_RUNS_MAX], echo99[TW_BENCH_RUNS_MAX];
    double highest[TW_BENCH_RUNS_MAX], s;
    TW_TRY(phase(lists, 200, 100, drive_stream, stream, &s, err)); /* joins the group, warms up */
    for (int i = 0; i < bench->runs; i++) {
        size_t count = tw_bench_size(bench, FLOOD) + 200;
        TW_TRY(phase(lists, count, 0, drive_stream, stream, &s, err));
        highest[i] = (double)count / s;
    }
    double rate = tw_bench_median(highest, bench->runs) / 2;
    size_t count = (size_t)(rate * (double)(PHASE_NS / bench->smaller) * 1e-9) + 100;
    for (int i = 0; i < bench->runs; i++) {
        TW_TRY(phase(lists, count, rate, drive_stream, stream, &s, err));
        quantiles(lists, &ours50[i], &ours99[i]);
        TW_TRY(phase(echoes, count, rate, drive_echo, e, &s, err));
        quantiles(echoes, &echo50[i], &echo99[i]);
    }
    tw_bench_add_ratio(bench, "freshness.p50_vs_echo", ours50, echo50, bench->runs);
    tw_bench_add_ratio(bench, "freshness.p99_vs_echo", ours99, echo99, bench->runs);
    tw_bench_add(bench, "freshness.highest_events_per_s", "events/s", highest, bench->runs);
    tw_bench_say(bench, "freshness.events_per_s", "events/s", rate);
    tw_bench_add(bench, "freshness.p50_ms", "ms", ours50, bench->runs);
    tw_bench_add(bench, "freshness.p99_ms", "ms", ours99, bench->runs);
    tw_bench_add(bench, "freshness.echo_p50_ms", "ms", echo50, bench->runs);
    tw_bench_add(bench, "freshness.echo_p99_ms", "ms", echo99, bench->runs);
    return TW_OK;
}

/* The items are known before the first event comes; one user met them all, so that few lists are owed from before. */
static tw_code make_state(const tw_bench *bench, const tw_config *config, tw_err *err) {
    tw_bench_clicks clicks = {.users = 1, .items = ITEMS, .end = tw_bench_size(bench, CLICKS)};
    tw_source *source = tw_bench_clicks_source(&clicks);
    const tw_engine_options options = {.config = config, .state_dir = config->state_dir, .lists = TW_LISTS_NONE};
    tw_engine *engine = NULL;
    tw_code code = tw_engine_open(&options, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    if (code == TW_OK)
        code = tw_bench_clicks_take(engine, 0, err);
    if (code == TW_OK)
        code = tw_engine_commit(engine, err);
    tw_engine_close(engine);
    source->ops->close(source);
    return code;
}

static tw_code stream_and_echo(tw_bench *bench, const tw_config *config, tw_err *err) {
    flow lists = {.config = config, .in = "clicks", .out = "lists", .lists = true};
    flow echoes = {.config = config, .in = "echo-in", .out = "echo-out"};
    tw_stream *stream = NULL;
    echo e = {0};
    tw_code code = flow_open(&lists, err);
    if (code == TW_OK)
        code = flow_open(&echoes, err);
    if (code == TW_OK)
        code = tw_kafka_producer_open(config, &e.producer, err);
    if (code == TW_OK)
        code = open_reader(config, "echo-in", &e.consumer, err);
    if (code == TW_OK)
        code = tw_stream_open(&(tw_stream_options){.config = config}, &stream, err);
    if (code == TW_OK)
        code = tw_stream_connect(stream, err);
    if (code == TW_OK)
        code = measure(bench, &lists, &echoes, stream, &e, err);
    tw_stream_close(stream);
    tw_kafka_consumer_close(e.consumer);
    tw_kafka_producer_close(e.producer);
    flow_done(&lists);
    flow_done(&echoes);
    return code;
}

tw_code tw_bench_freshness_run(tw_bench *bench, tw_err *err) {
    static const char *const topics[] = {"clicks:4", "lists:4", "echo-in:4", "echo-out:4", "dead:1", NULL};
    char dir[512], state[600];
    tw_bench_broker broker;
    tw_config config;
    TW_TRY(tw_folder_temporary("tailwater-bench", dir, sizeof dir, err));
    snprintf(state, sizeof state, "state.dir=%s", dir);
    const char *const settings[] = {state,
                                    "application.id=bench",
                                    "rank.min.interval.ms=0",
                                    "rank.list.size=10",
                                    "input.format=single_object",
                                    "kafka.linger.ms=5",
                                    NULL};
    tw_code code = tw_bench_broker_start(&broker, topics, err);
    if (code == TW_OK) {
        code = tw_bench_broker_config(&broker, bench, settings, &config, err);
        if (code == TW_OK) {
            code = make_state(bench, &config, err);
            if (code == TW_OK)
                code = stream_and_echo(bench, &config, err);
            tw_config_done(&config);
        }
        tw_bench_broker_stop(&broker);
    }
    tw_folder_remove(dir);
    return code;
}
