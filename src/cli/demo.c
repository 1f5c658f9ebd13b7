/* `tailwater demo`: a whole shop on one machine. The embedded broker, a producer that makes the shop's events, the stream as `run`
 * has it, and a reader of the recommendations topic that shows lists in the terminal, all in one process: three threads beside
 * librdkafka's and the server's. */
#include "cli/cli.h"
#include "cli/feeder.h"
#include "cli/stream.h"
#include "cli/watcher.h"

#include "base/clock.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/metrics.h"
#include "kafka/broker.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define USER_PARTITIONS 2
#define PORTS_TRIED 50

/* The embedded broker keeps about 5 MiB a partition and drops what is older without a word: so many records may be on their way. */
#define AHEAD_MAX 5000

#define LIST_EVERY_MS 1000
#define STATUS_EVERY_MS 5000
#define LAST_WAIT_MS 10000 /* for what was sent to be consumed, at the end */

typedef struct demo {
    tw_config config;
    char folder[256]; /* empty: the user's own state.dir */
    int64_t seconds, rate;
    tw_kafka_broker *broker;
    tw_stream *stream;
    _Atomic bool stopping; /* no more events */
    _Atomic bool ended;    /* no more lists */
    _Atomic uint64_t sent;
    tw_err feeder_err, watcher_err; /* of the threads; read after they are joined */
} demo;

static uint64_t consumed(void) {
    static const char *const verdicts[] = {"applied", "duplicate", "late", "dead_lettered"};
    double sum = 0;
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        sum += tw_metric_get(tw_metric_find("tailwater_records_total", verdicts[i]));
    return (uint64_t)sum;
}

static void nap(int ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/* ---- the shop's side ---------------------------------------------------------------------------------------------- */

static tw_code send_events(demo *d, tw_feeder *feeder, uint64_t consumed_before, tw_err *err) {
    tw_code code = tw_feeder_send_items(feeder, err);
    while (code == TW_OK && !d->stopping) {
        int count = 0;
        uint64_t on_their_way = tw_feeder_sent(feeder) - (consumed() - consumed_before);
        if (on_their_way < AHEAD_MAX)
            code = tw_feeder_send(feeder, 100, tw_clock_wall_ms(&tw_clock_system), &count, err);
        d->sent = tw_feeder_sent(feeder);
        if (code == TW_OK && (code = tw_feeder_flush(feeder, 0, err)) == TW_E_BUSY)
            code = TW_OK;
        if (count < 100)
            nap(5);
    }
    while (code == TW_OK && (code = tw_feeder_flush(feeder, 200, err)) == TW_E_BUSY)
        code = TW_OK;
    return code;
}

static void *feed(void *self) {
    demo *d = self;
    tw_feeder *feeder;
    tw_shop_options shop;
    tw_shop_defaults(&shop);
    shop.seed = (uint64_t)d->config.seed;
    shop.events_per_s = (double)d->rate;
    shop.end_ms = tw_clock_wall_ms(&tw_clock_system);
    if (tw_feeder_open(&d->config, &shop, &feeder, &d->feeder_err) == TW_OK) {
        send_events(d, feeder, consumed(), &d->feeder_err);
        tw_feeder_close(feeder);
    }
    return NULL;
}

/* ---- the reader's side -------------------------------------------------------------------------------------------- */

static tw_code show_lists(demo *d, tw_watcher *watcher, tw_buf *line, tw_err *err) {
    int64_t shown_ms = 0;
    while (!d->ended) {
        const tw_record *records;
        int count;
        TW_TRY(tw_watcher_poll(watcher, 50, &records, &count, err));
        int64_t now_ms = tw_clock_wall_ms(&tw_clock_system);
        if (count == 0 || now_ms < shown_ms + LIST_EVERY_MS)
            continue;
        shown_ms = now_ms;
        tw_buf_printf(line, "  list for ");
        TW_TRY(tw_watcher_write(&records[count - 1], 3, line, err));
        TW_TRY(tw_print(line, err));
    }
    return TW_OK;
}

static void *watch(void *self) {
    demo *d = self;
    tw_watcher *watcher;
    tw_buf line = {0};
    if (tw_watcher_open(&d->config, true, &watcher, &d->watcher_err) == TW_OK) {
        show_lists(d, watcher, &line, &d->watcher_err);
        tw_watcher_close(watcher);
    }
    tw_buf_done(&line);
    return NULL;
}

/* ---- the stream's side -------------------------------------------------------------------------------------------- */

static void print_status(const demo *d, tw_engine *engine, int64_t start_ns) {
    tw_totals t;
    double seconds = (double)(tw_clock_steady_ns(&tw_clock_system) - start_ns) * 1e-9;
    const tw_metric *freshness = tw_metric_find("tailwater_list_freshness_seconds", NULL);
    tw_engine_totals(engine, &t);
    printf("%4.0f s  sent %" PRIu64 "  consumed %" PRIu64 "  duplicates %" PRIu64 "  late %" PRIu64
           "  dead letters %" PRIu64 "  lists %" PRIu64 "  event to list p50 %.1f s\n",
           seconds, d->sent, t.consumed, t.verdicts[TW_VERDICT_DUPLICATE], t.verdicts[TW_VERDICT_LATE],
           t.verdicts[TW_VERDICT_DEAD], t.lists, tw_metric_quantile(freshness, 0.5));
    fflush(stdout);
}

static tw_code stream_for_a_while(demo *d, tw_err *err) {
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system), now_ns = start_ns, status_ns = start_ns;
    while (!tw_stop_wanted() && (d->seconds == 0 || now_ns - start_ns < d->seconds * 1000000000)) {
        TW_TRY(tw_stream_step(d->stream, err));
        now_ns = tw_clock_steady_ns(&tw_clock_system);
        if (now_ns - status_ns < STATUS_EVERY_MS * 1000000LL)
            continue;
        status_ns = now_ns;
        print_status(d, tw_stream_engine(d->stream), start_ns);
    }
    return TW_OK;
}

/* What was sent is still taken in, so that the numbers of the summary agree. */
static tw_code take_the_rest(demo *d, uint64_t consumed_before, tw_err *err) {
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + LAST_WAIT_MS * 1000000LL;
    while (consumed() - consumed_before < d->sent && tw_clock_steady_ns(&tw_clock_system) < until_ns)
        TW_TRY(tw_stream_step(d->stream, err));
    return tw_stream_drain(d->stream, err);
}

static tw_code stream(demo *d, tw_err *err) {
    pthread_t feeder, watcher;
    uint64_t consumed_before = consumed();
    if (pthread_create(&feeder, NULL, feed, d) != 0)
        return tw_fail(err, TW_E_NO_MEMORY, "no thread to be had");
    bool watching = pthread_create(&watcher, NULL, watch, d) == 0;
    tw_code code = stream_for_a_while(d, err);
    d->stopping = true;
    pthread_join(feeder, NULL);
    if (code == TW_OK)
        code = take_the_rest(d, consumed_before, err);
    d->ended = true;
    if (watching)
        pthread_join(watcher, NULL);
    const tw_err *threads[] = {&d->feeder_err, &d->watcher_err};
    for (size_t i = 0; code == TW_OK && i < sizeof threads / sizeof threads[0]; i++)
        if (threads[i]->code != TW_OK && threads[i]->code != TW_E_BUSY) {
            *err = *threads[i];
            code = err->code;
        }
    return code;
}

static void print_summary(const demo *d) {
    tw_totals t;
    const tw_metric *freshness = tw_metric_find("tailwater_list_freshness_seconds", NULL);
    tw_engine_totals(tw_stream_engine(d->stream), &t);
    printf("\nsent %" PRIu64 "; consumed %" PRIu64 " = applied %" PRIu64 " + duplicate %" PRIu64 " + late %" PRIu64
           " + dead-lettered %" PRIu64 "\n"
           "lists %" PRIu64
           "; from a user's newest event to the list that knows it: half within %.1f s, 99 %% within %.1f s\n\n"
           "What to try next, with T=%s\n"
           "  $T demo --rate 2000                       a busier shop\n"
           "  $T demo --set rank.min.interval.ms=0      every event makes a list at once\n"
           "  $T demo --state /tmp/shop                 keeps what was learned: $T recommend user-1 --state /tmp/shop\n"
           "  $T replay FILE --state DIR                your own history: CSV, JSON lines or Avro\n"
           "  $T run --config FILE                      your own Kafka: config/tailwater.yaml has every setting\n",
           d->sent, t.consumed, t.verdicts[TW_VERDICT_APPLIED], t.verdicts[TW_VERDICT_DUPLICATE],
           t.verdicts[TW_VERDICT_LATE], t.verdicts[TW_VERDICT_DEAD], t.lists, tw_metric_quantile(freshness, 0.5),
           tw_metric_quantile(freshness, 0.99), program_invocation_name);
}

/* ---- putting it together ------------------------------------------------------------------------------------------ */

static tw_code make_topics(const demo *d, tw_err *err) {
    const tw_config *c = &d->config;
    const struct {
        const char *name;
        int partitions;
    } topics[] = {{c->input_clicks_topic, USER_PARTITIONS},
                  {c->input_purchases_topic, USER_PARTITIONS},
                  {c->input_reviews_topic, USER_PARTITIONS},
                  {c->input_events_topic, USER_PARTITIONS},
                  {c->input_items_topic, 1},
                  {c->output_recommendations_topic, USER_PARTITIONS},
                  {c->output_profiles_topic, USER_PARTITIONS},
                  {c->output_dead_letters_topic, 1}};
    for (size_t i = 0; i < sizeof topics / sizeof topics[0]; i++)
        if (*topics[i].name)
            TW_TRY(tw_kafka_broker_create_topic(d->broker, topics[i].name, topics[i].partitions, err));
    return TW_OK;
}

static tw_code open_all(demo *d, tw_err *err) {
    char setting[300];
    TW_TRY(tw_kafka_broker_start(&d->broker, err));
    TW_TRY(make_topics(d, err));
    snprintf(setting, sizeof setting, "kafka.bootstrap.servers=%s", tw_kafka_broker_address(d->broker));
    TW_TRY(tw_config_set(&d->config, setting, err));
    if (!*d->config.state_dir) {
        TW_TRY(tw_folder_temporary("tailwater-demo", d->folder, sizeof d->folder, err));
        d->config.state_dir = d->folder;
    }
    TW_TRY(tw_stream_open(&(tw_stream_options){.config = &d->config, .ports_tried = PORTS_TRIED}, &d->stream, err));
    return tw_stream_connect(d->stream, err);
}

/* `make` dies of the Ctrl-C that ends the demo, unless the terminal's signals come to the demo alone. */
static void take_terminal(void) {
    int terminal = STDIN_FILENO;
    if (!isatty(terminal) || getpgrp() == getpid() || tcgetpgrp(terminal) != getpgrp())
        return;
    signal(SIGTTOU, SIG_IGN);
    if (setpgid(0, 0) == 0)
        tcsetpgrp(terminal, getpgrp());
}

static void give_terminal_back(pid_t group) {
    if (group != getpgrp() && isatty(STDIN_FILENO))
        tcsetpgrp(STDIN_FILENO, group);
}

/* What suits an embedded broker; anything can be set otherwise. */
static tw_code set_defaults(tw_config *config, tw_err *err) {
    static const char *const settings[] = {
        "application.id=tailwater-demo",  "log.level=warn",     "profile.enabled=true",
        "output.profiles.topic=profiles", "kafka.linger.ms=50", "kafka.fetch.wait.max.ms=10",
        "kafka.session.timeout.ms=6000"};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        TW_TRY(tw_config_set(config, settings[i], err));
    return TW_OK;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    static demo d; /* its threads may outlive a return by mistake: not on the stack */
    const char *state_dir = NULL;
    d.rate = 300;
    const tw_option options[] = {{.name = "seconds",
                                  .value = "N",
                                  .doc = "End after so long (default 0: at Ctrl-C)",
                                  .number = &d.seconds,
                                  .number_max = 1000000},
                                 {.name = "rate",
                                  .value = "N",
                                  .doc = "Events a second that the shop sends (default 300)",
                                  .number = &d.rate,
                                  .number_min = 1,
                                  .number_max = 20000},
                                 {.name = "state",
                                  .value = "DIR",
                                  .doc = "Keep the state there (default: gone with the demo)",
                                  .text = &state_dir},
                                 {0}};
    tw_args args;
    pid_t group = getpgrp();
    tw_config_init(&d.config);
    tw_code code = set_defaults(&d.config, err);
    if (code == TW_OK)
        code = tw_args_parse(&tw_command_demo, options, argc, argv, &d.config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if (state_dir)
        d.config.state_dir = state_dir;
    tw_log_set((tw_log_level)d.config.log_level, (tw_log_format)d.config.log_format);
    tw_stop_catch();
    take_terminal();
    if ((code = open_all(&d, err)) != TW_OK)
        goto done;
    printf("A shop of make-believe sends %" PRId64 " events a second through Kafka (embedded, %s)\n", d.rate,
           tw_kafka_broker_address(d.broker));
    if (tw_stream_url(d.stream))
        printf("Live page: %s   %s\n\n", tw_stream_url(d.stream), d.seconds ? "" : "Ctrl-C ends");
    fflush(stdout);
    code = stream(&d, err);
    if (code == TW_OK)
        print_summary(&d);
done:
    tw_stream_close(d.stream);
    tw_kafka_broker_stop(d.broker);
    if (*d.folder)
        tw_folder_remove(d.folder);
    tw_config_done(&d.config);
    give_terminal_back(group);
    return code;
}

const tw_command tw_command_demo = {"demo", "[--seconds N] [--rate N] [--state DIR]",
                                    "Streams a make-believe shop through an embedded broker, with a live page", run};
