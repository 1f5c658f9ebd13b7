/* `tailwater replay FILE --state DIR`: history from a file into a durable state, and the lists that it makes.
 *
 * The same file on the same state goes on where the last commit ended; another file continues the same model. Intervals run
 * on event time, so that the lists repeat as exactly as the state. */
#include "cli/cli.h"

#include "base/clock.h"
#include "engine/engine.h"
#include "pipeline/ingest/file.h"

#include <inttypes.h>
#include <stdio.h>

static tw_code lists_of(const char *text, bool has_out, tw_lists *ret_lists, tw_err *err) {
    if (!text)
        *ret_lists = has_out ? TW_LISTS_ALL : TW_LISTS_NONE;
    else if (strcmp(text, "all") == 0)
        *ret_lists = TW_LISTS_ALL;
    else if (strcmp(text, "final") == 0)
        *ret_lists = TW_LISTS_FINAL;
    else if (strcmp(text, "none") == 0)
        *ret_lists = TW_LISTS_NONE;
    else
        return tw_fail(err, TW_E_USAGE, "--lists %s: all, final or none", text);
    return TW_OK;
}

static tw_code replay(tw_engine *engine, tw_source *source, tw_err *err) {
    tw_progress progress;
    uint64_t records = 0;
    int count = 0;
    tw_code code = TW_OK;
    tw_progress_begin(&progress, "replay");
    do {
        code = tw_engine_step(engine, 0, &count, err);
        records += (uint64_t)(code == TW_OK ? count : 0);
        if (code == TW_OK)
            code = tw_engine_commit_due(engine, err);
        tw_progress_show(&progress, source->read_bytes, source->size_bytes, records);
    } while (code == TW_OK && count > 0 && !tw_stop_wanted());
    tw_progress_end(&progress);
    if (code == TW_E_BAD_FILE) { /* a torn file: what came before the tear is good and is kept */
        tw_err later = {0};
        if (tw_engine_commit(engine, &later) != TW_OK)
            *err = later;
        return code;
    }
    if (code != TW_OK)
        return code;
    if (tw_stop_wanted()) {
        TW_TRY(tw_engine_commit(engine, err));
        return tw_fail(err, TW_E_INTERRUPTED,
                       "stopped by a signal; what was read is committed, the same command goes on");
    }
    TW_TRY(tw_engine_list_owed(engine, err));
    return tw_engine_commit(engine, err);
}

static tw_code report(const tw_engine *engine, double seconds, bool json, bool to_stderr, tw_err *err) {
    tw_totals t;
    tw_buf buf = {0};
    tw_engine_totals(engine, &t);
    if (json)
        tw_buf_printf(&buf,
                      "{\"consumed\":%" PRIu64 ",\"applied\":%" PRIu64 ",\"duplicate\":%" PRIu64 ",\"late\":%" PRIu64
                      ",\"dead_lettered\":%" PRIu64 ",\"lists\":%" PRIu64 ",\"seconds\":%.3f}",
                      t.consumed, t.verdicts[TW_VERDICT_APPLIED], t.verdicts[TW_VERDICT_DUPLICATE],
                      t.verdicts[TW_VERDICT_LATE], t.verdicts[TW_VERDICT_DEAD], t.lists, seconds);
    else
        tw_buf_printf(&buf,
                      "consumed %" PRIu64 " = applied %" PRIu64 " + duplicate %" PRIu64 " + late %" PRIu64
                      " + dead-lettered %" PRIu64 "; lists %" PRIu64 "; %.1f s",
                      t.consumed, t.verdicts[TW_VERDICT_APPLIED], t.verdicts[TW_VERDICT_DUPLICATE],
                      t.verdicts[TW_VERDICT_LATE], t.verdicts[TW_VERDICT_DEAD], t.lists, seconds);
    tw_code code = TW_OK;
    if (to_stderr)
        fprintf(stderr, TW_SLICE_FMT "\n", TW_SLICE_ARG(tw_buf_slice(&buf)));
    else
        code = tw_print(&buf, err);
    tw_buf_done(&buf);
    return code;
}

static bool is_stdout(const char *path) {
    return path && strcmp(path, "-") == 0;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL, *lists = NULL;
    tw_sink_paths paths = {0};
    bool json = false;
    const tw_option options[] = {
        {.name = "state",
         .value = "DIR",
         .doc = "Directory of the durable state; created if missing",
         .text = &state_dir},
        {.name = "out",
         .value = "FILE",
         .doc = "Lists as JSON lines; - is stdout (the summary then goes to stderr)",
         .text = &paths.lists},
        {.name = "lists",
         .value = "WHICH",
         .doc = "all: as refresh intervals say in event time (default with --out or --profiles); final: one per "
                "user at the end; none (default without --out)",
         .text = &lists},
        {.name = "dead-letters",
         .value = "FILE",
         .doc = "Bad rows with their reasons, as JSON lines",
         .text = &paths.dead},
        {.name = "profiles",
         .value = "FILE",
         .doc = "Users' profiles as JSON lines, written with their lists (wants profile.enabled)",
         .text = &paths.profiles},
        {.name = "drift", .value = "FILE", .doc = "Changes that are noticed, as JSON lines", .text = &paths.drift},
        {.name = "json", .doc = "The summary as one JSON object", .flag = &json},
        {0}};
    tw_config config;
    tw_args args;
    tw_source *source = NULL;
    tw_sink *sink = NULL;
    tw_engine *engine = NULL;
    tw_engine_options opening = {.config = &config};
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_replay, options, argc, argv, &config, 1, 1, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    opening.state_dir = state_dir ? state_dir : config.state_dir;
    if (!*opening.state_dir) {
        code = tw_fail(err, TW_E_USAGE, "--state DIR (or state.dir in the configuration) is wanted");
        goto done;
    }
    if ((code = lists_of(lists, paths.lists || paths.profiles, &opening.lists, err)) != TW_OK)
        goto done;
    if (paths.profiles && !config.profile_enabled) {
        code = tw_fail(err, TW_E_USAGE, "--profiles wants profile.enabled: true (--set profile.enabled=true)");
        goto done;
    }
    if ((code = tw_source_file(args.positionals[0], &config, &source, err)) != TW_OK)
        goto done;
    if ((code = tw_sink_file(&paths, &sink, err)) != TW_OK)
        goto done;
    opening.sink = sink;
    tw_stop_catch();
    if ((code = tw_engine_open(&opening, &engine, err)) != TW_OK)
        goto done;
    if ((code = tw_engine_attach(engine, source, err)) != TW_OK)
        goto done;
    code = replay(engine, source, err);
    if (code == TW_OK)
        code = report(engine, (double)(tw_clock_steady_ns(&tw_clock_system) - start_ns) * 1e-9, json,
                      is_stdout(paths.lists) || is_stdout(paths.profiles), err);
done:
    tw_engine_close(engine);
    if (sink)
        sink->ops->close(sink);
    if (source)
        source->ops->close(source);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_replay = {"replay", "FILE --state DIR [--out FILE] [--lists all|final|none]",
                                      "Takes a file of events (CSV, JSON lines, Avro; gzip too) into a durable state",
                                      run};
