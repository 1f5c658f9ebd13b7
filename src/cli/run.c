/* `tailwater run --config FILE`: the stream, until a signal. What was read is learned, what was learned is published, and what was
 * acknowledged is committed; after a crash the same command goes on. */
#include "cli/cli.h"
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

static tw_code stream_until_stopped(tw_stream *stream, bool to_the_end, tw_err *err) {
    TW_TRY(tw_stream_connect(stream, err));
    while (!tw_stop_wanted() && !(to_the_end && tw_stream_caught_up(stream)))
        TW_TRY(tw_stream_step(stream, err));
    if (!tw_stop_wanted())
        TW_TRY(tw_engine_list_owed(tw_stream_engine(stream), err));
    tw_log_info("stopping", "text=\"waiting for acknowledgements\"");
    return tw_stream_drain(stream, err);
}

static tw_code run_once(const tw_config *config, bool to_the_end, tw_err *err) {
    tw_stream *stream;
    TW_TRY(tw_stream_open(&(tw_stream_options){.config = config}, &stream, err));
    if (tw_stream_url(stream))
        tw_log_info("serving", "url=%s", tw_stream_url(stream));
    tw_code code = stream_until_stopped(stream, to_the_end, err);
    if (code == TW_OK)
        report(tw_stream_engine(stream));
    else if (code == TW_E_INTERRUPTED) /* before a broker answered: nothing was begun */
        code = TW_OK;
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
    const char *state_dir = NULL;
    bool to_the_end = false;
    const tw_option options[] = {
        {.name = "state",
         .value = "DIR",
         .doc = "Directory of the durable state; created if missing (default state.dir)",
         .text = &state_dir},
        {.name = "to-the-end",
         .doc = "End by itself when what the topics held at the start is consumed and published",
         .flag = &to_the_end},
        {0}};
    tw_config config;
    tw_args args;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_run, options, argc, argv, &config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if (state_dir)
        config.state_dir = state_dir;
    if (!*config.state_dir) {
        code = tw_fail(err, TW_E_USAGE, "--state DIR (or state.dir in the configuration) is wanted");
        goto done;
    }
    tw_log_set((tw_log_level)config.log_level, (tw_log_format)config.log_format);
    tw_stop_catch();
    do {
        code = run_once(&config, to_the_end, err);
    } while (code == TW_E_ABORTED && may_go_on(err, &code));
done:
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_run = {"run", "--config FILE [--state DIR] [--to-the-end]",
                                   "Streams: Kafka topics in, fresh recommendations out, until a signal", run};
