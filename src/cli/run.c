/* `tailwater run --config FILE`: the stream, until a signal. What was read is learned, what was learned is published, and what was
 * acknowledged is committed; after a crash the same command goes on. */
#include "cli/cli.h"
#include "cli/service.h"
#include "cli/stream.h"

#include "base/clock.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

/* A stream that is undone more often than this is not going on: another process may have the same instance file. */
#define ABORTS_MAX 20
#define ABORTS_WITHIN_NS 60000000000

static void report(tw_engine *engine) {
    tw_totals t;
    tw_engine_totals(engine, &t);
    printf("consumed %" PRIu64 " = applied %" PRIu64 " + duplicate %" PRIu64 " + late %" PRIu64
           " + dead-lettered %" PRIu64 "; lists %" PRIu64 "\n",
           t.consumed, t.verdicts[TW_VERDICT_APPLIED], t.verdicts[TW_VERDICT_DUPLICATE], t.verdicts[TW_VERDICT_LATE],
           t.verdicts[TW_VERDICT_DEAD], t.lists);
}

/* The command line, read at the start and again on SIGHUP. */
typedef struct settings {
    int argc;
    char **argv;
    const char *state_dir, *reset_to;
    bool to_the_end, publish_all;
    tw_args args;
} settings;

static tw_code read_settings(void *self, tw_config *config, tw_err *err) {
    settings *s = self;
    const tw_option options[] = {
        {.name = "state",
         .value = "DIR",
         .doc = "Directory of the durable state; created if missing (default state.dir)",
         .text = &s->state_dir},
        {.name = "to-the-end",
         .doc = "End by itself when what the topics held at the start is consumed and published",
         .flag = &s->to_the_end},
        {.name = "publish-all",
         .doc = "Make every user's list once, beside the stream: for a new consumer of the lists",
         .flag = &s->publish_all},
        {.name = "reset-to",
         .value = "WHERE",
         .doc = "Where a stored position is outside of what its topic has, go on from earliest or latest "
                "(input.offset.reset)",
         .text = &s->reset_to},
        {0}};
    TW_TRY(tw_args_parse(&tw_command_run, options, s->argc, s->argv, config, 0, 0, &s->args, err));
    if (s->state_dir)
        config->state_dir = s->state_dir;
    if (!s->reset_to)
        return TW_OK;
    char assignment[64];
    snprintf(assignment, sizeof assignment, "input.offset.reset=%s", s->reset_to);
    return tw_config_set(config, assignment, err) == TW_OK
               ? TW_OK
               : tw_fail(err, TW_E_USAGE, "--reset-to %s: earliest or latest", s->reset_to);
}

static tw_code stream_until_stopped(tw_stream *stream, const settings *s, tw_service *service, tw_err *err) {
    tw_engine *engine = tw_stream_engine(stream);
    TW_TRY(tw_stream_connect(stream, err));
    bool publish_all = s->publish_all, caught_up = false;
    uint64_t owed;
    while (!tw_stop_wanted() && (publish_all || !(s->to_the_end && tw_stream_caught_up(stream)))) {
        TW_TRY(tw_stream_step(stream, err));
        caught_up |= tw_stream_caught_up(stream); /* the users are here: a changelog may still have to bring them */
        if (!publish_all || !caught_up || !tw_engine_owe_all(engine, &owed))
            continue;
        publish_all = false;
        tw_log_info("publish_all", "users=%" PRIu64, owed);
    }
    tw_code code = TW_OK;
    while (!tw_stop_wanted() && (code = tw_engine_list_owed(engine, err)) == TW_E_BUSY)
        tw_engine_serve(engine);
    if (code != TW_OK && code != TW_E_BUSY)
        return code;
    tw_log_info("stopping", "text=\"waiting for acknowledgements\"");
    tw_service_stop(service);
    TW_TRY(tw_stream_drain(stream, err));
    tw_service_committed();
    return TW_OK;
}

static tw_code run_once(const tw_config *config, const settings *s, tw_service *service, tw_err *err) {
    const tw_stream_options opening = {.config = config, .beat = tw_service_beat, .beat_self = service};
    tw_stream *stream;
    TW_TRY(tw_stream_open(&opening, &stream, err));
    service->engine = tw_stream_engine(stream);
    if (tw_stream_url(stream))
        tw_log_info("serving", "url=%s", tw_stream_url(stream));
    tw_code code = stream_until_stopped(stream, s, service, err);
    if (code == TW_OK)
        report(tw_stream_engine(stream));
    else if (code == TW_E_INTERRUPTED) /* before a broker answered: nothing was begun */
        code = TW_OK;
    if (code != TW_E_ABORTED || tw_stop_wanted())
        tw_service_stop(service);
    service->engine = NULL;
    tw_stream_close(stream);
    return code;
}

/* After a transaction was undone, memory is ahead of everything durable: all is opened again from the last commit. An end only if it
 * happens over and over; a stop that somebody wants is a good end all the same. */
static bool may_go_on(const tw_err *err, tw_code *ret_code) {
    static int64_t first_ns;
    static int times;
    int64_t now_ns = tw_clock_steady_ns(&tw_clock_system);
    if (now_ns - first_ns > ABORTS_WITHIN_NS) {
        first_ns = now_ns;
        times = 0;
    }
    if (tw_stop_wanted()) {
        tw_log_info("stopped", "why=\"%s\" text=\"what was not committed is done again by whoever goes on\"",
                    err->text);
        *ret_code = TW_OK;
        return false;
    }
    if (++times > ABORTS_MAX)
        return false;
    tw_log_warn("reopening", "why=\"%s\" text=\"going on from the last commit\"", err->text);
    return true;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    settings s = {.argc = argc, .argv = argv};
    tw_config config;
    tw_service service = {.config = &config, .read = read_settings, .read_self = &s};
    tw_config_init(&config);
    tw_code code = read_settings(&s, &config, err);
    if (code != TW_OK || s.args.help)
        goto done;
    if (!*config.state_dir) {
        code = tw_fail(err, TW_E_USAGE, "--state DIR (or state.dir in the configuration) is wanted");
        goto done;
    }
    tw_log_set((tw_log_level)config.log_level, (tw_log_format)config.log_format);
    tw_stop_catch();
    tw_service_begin(&service);
    do {
        code = run_once(&config, &s, &service, err);
    } while (code == TW_E_ABORTED && may_go_on(err, &code));
done:
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_run = {"run", "--config FILE [--state DIR] [--to-the-end]",
                                   "Streams: Kafka topics in, fresh recommendations out, until a signal", run};
