/* `tailwater tune FILE...`: looks for better settings on a prefix of event files and writes them down (src/evaluate/tuning.h has how). This file
 * takes the command line apart and prints what the search says. */
#include "cli/cli.h"
#include "cli/history.h"

#include "base/alloc.h"
#include "config/tune.h"
#include "evaluate/tuning.h"

#include <stdlib.h>
#include <string.h>

typedef struct request {
    tw_config config;
    tw_args args;
    const char *out_path, *keys;
    int64_t settings, keep, prefix_percent, asks, jobs;
    bool json, exclude_consumed;
    tw_history histories[TW_POSITIONALS_MAX];
    tw_tuning_file files[TW_POSITIONALS_MAX];
    tw_config configs[TW_POSITIONALS_MAX];
    bool *moves;
} request;

static tw_code run_runs(void *self, const char *what, const tw_pool_run *runs, int count,
                        tw_evaluation *ret_evaluations, tw_err *err) {
    const request *r = self;
    return tw_judge(what, runs, count, (int)r->jobs, NULL, NULL, ret_evaluations, err);
}

static tw_code print_round(void *self, const tw_tuning *tuning, tw_err *err) {
    const request *r = self;
    tw_buf buf = {0};
    if (r->json)
        return TW_OK;
    tw_tuning_text_round(tuning, &buf);
    tw_code code = tw_print(&buf, err);
    tw_buf_done(&buf);
    return code;
}

/* Which keys may move: all that are marked and act under this model, or those of --keys. */
static tw_code choose_keys(request *r, tw_err *err) {
    char *names = tw_strdup(r->keys ? r->keys : ""), *rest = names;
    tw_code code = TW_OK;
    bool any = false;
    for (char *name; r->keys && code == TW_OK && (name = strsep(&rest, ","));) {
        int t = tw_tune_find(name);
        if (t < 0 || !tw_tune_applies(t, &r->config))
            code = tw_fail(err, TW_E_USAGE, "--keys %s: not a setting that can be tuned under this learn.model", name);
        else
            r->moves[t] = true;
    }
    free(names);
    for (int t = 0; code == TW_OK && t < tw_tune_count(); t++) {
        r->moves[t] = r->keys ? r->moves[t] : tw_tune_applies(t, &r->config);
        any |= r->moves[t];
    }
    return code != TW_OK || any ? code : tw_fail(err, TW_E_USAGE, "no setting to tune");
}

static tw_code search(request *r, tw_output *output, tw_err *err) {
    tw_tuning tuning;
    tw_buf buf = {0};
    const tw_tuning_ask ask = {.files = r->files,
                               .files_count = r->args.positionals_count,
                               .config = &r->config,
                               .configs = r->configs,
                               .moves = r->moves,
                               .settings = (int)r->settings,
                               .keep = (int)r->keep,
                               .prefix = (double)r->prefix_percent / 100,
                               .asks = r->asks,
                               .seed = (uint64_t)r->config.seed,
                               .run = run_runs,
                               .round_done = print_round,
                               .self = r};
    tw_code code = tw_tuning_search(&ask, &tuning, err);
    if (code == TW_OK) {
        tw_tuning_yaml(&tuning, &buf);
        code = tw_output_end(output, &buf, err);
        tw_buf_clear(&buf);
    }
    if (code == TW_OK) {
        (r->json ? tw_tuning_json : tw_tuning_text_end)(&tuning, &buf);
        code = tw_print(&buf, err);
    }
    tw_tuning_done(&tuning);
    tw_buf_done(&buf);
    return code;
}

static tw_code tune(request *r, tw_err *err) {
    int files = r->args.positionals_count;
    tw_output output;
    TW_TRY(tw_output_begin(&output, r->out_path, err));
    r->moves = tw_zalloc((size_t)tw_tune_count() * sizeof *r->moves);
    tw_code code = choose_keys(r, err);
    if (code == TW_OK)
        code = tw_histories_open(&r->args, &r->config, r->histories, err);
    for (int i = 0; code == TW_OK && i < files; i++) {
        r->files[i] = (tw_tuning_file){r->histories[i].path, r->histories[i].rows};
        code = tw_history_config(&r->histories[i], &r->config, "", &r->configs[i], err);
    }
    if (code == TW_OK)
        code = search(r, &output, err);
    tw_output_drop(&output);
    for (int i = 0; i < files; i++)
        tw_config_done(&r->configs[i]);
    tw_histories_done(r->histories, files);
    free(r->moves);
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    request r = {.settings = 27, .keep = 3, .prefix_percent = 30, .asks = 20000, .jobs = tw_pool_processors()};
    const tw_option options[] = {
        {.name = "out",
         .value = "FILE",
         .doc = "Where to write the settings that were found (YAML)",
         .text = &r.out_path},
        {.name = "settings",
         .value = "N",
         .doc = "So many are drawn and tried, beside the default (default 27)",
         .number = &r.settings,
         .number_min = 1,
         .number_max = 10000},
        {.name = "keep",
         .value = "K",
         .doc = "Each round keeps one of K, and the next one has K times the rows (default 3)",
         .number = &r.keep,
         .number_min = 2,
         .number_max = 100},
        {.name = "prefix",
         .value = "PERCENT",
         .doc = "How much of each file the search sees (default 30); what follows checks what it found",
         .number = &r.prefix_percent,
         .number_min = 1,
         .number_max = 100},
        {.name = "asks",
         .value = "N",
         .doc = "About so many events are asked in each run, a sample by the seed (default 20000)",
         .number = &r.asks,
         .number_min = 1,
         .number_max = INT64_MAX},
        {.name = "keys",
         .value = "KEY,KEY,...",
         .doc = "Move these settings only (default: all that `tailwater config` says a tuned range of)",
         .text = &r.keys},
        {.name = "exclude-consumed", .doc = "The same as --set rank.exclude=consumed", .flag = &r.exclude_consumed},
        {.name = "jobs",
         .value = "N",
         .doc = "So many runs at once (default: the processors); what is found does not depend on it",
         .number = &r.jobs,
         .number_min = 1,
         .number_max = 1024},
        {.name = "json", .doc = "One JSON object at the end", .flag = &r.json},
        {0}};
    tw_config_init(&r.config);
    tw_code code = tw_args_parse(&tw_command_tune, options, argc, argv, &r.config, 1, TW_POSITIONALS_MAX, &r.args, err);
    if (code != TW_OK || r.args.help)
        goto done;
    if (!r.out_path) {
        code = tw_fail(err, TW_E_USAGE, "--out FILE is wanted: where to write the settings");
        goto done;
    }
    if (r.exclude_consumed)
        r.config.rank_exclude = TW_EXCLUDE_CONSUMED;
    tw_stop_catch();
    code = tune(&r, err);
done:
    tw_config_done(&r.config);
    return code;
}

const tw_command tw_command_tune = {
    "tune", "FILE[::KEY=VALUE,...]... --out FILE.yaml [--settings N] [--prefix PERCENT] [--keys KEY,...] [--json]",
    "Looks for better settings on a prefix of event files, several files together", run};
