/* `tailwater evaluate FILE...`: test, then learn, on each file under each setting (evaluation.h has the protocol). This file takes the
 * command line apart; src/evaluate runs, and knows how the figures look. */
#include "cli/cli.h"
#include "cli/history.h"

#include "base/alloc.h"
#include "evaluate/report.h"

#include <stdlib.h>

#define SETTINGS_MAX (1 + TW_TEXTS_MAX)

typedef struct request {
    tw_config config;
    tw_args args;
    const char *settings[SETTINGS_MAX]; /* the first is "": as configured */
    int withs_count;
    int64_t every, jobs;
    const char *report_path, *state_dir;
    bool ablate, profile, json, exclude_consumed;
    tw_history histories[TW_POSITIONALS_MAX];
    tw_config *configs; /* (files, settings), as runs */
    tw_evaluation *evaluations;
    tw_report report; /* of all of that */
} request;

/* Says what is through: a run as JSON at once, as text a file whose runs are all there. */
static tw_code print_run(void *self, int run, tw_err *err) {
    const request *r = self;
    int file = run / r->report.settings_count, setting = run % r->report.settings_count;
    tw_buf buf = {0};
    tw_code code = TW_OK;
    if (r->json)
        tw_report_json(&r->report, file, setting, &buf);
    else if (setting == r->report.settings_count - 1)
        tw_report_text(&r->report, file, &buf);
    if (buf.size)
        code = tw_print(&buf, err);
    tw_buf_done(&buf);
    return code;
}

static tw_code run_all(request *r, tw_err *err) {
    int settings = r->report.settings_count, count = r->report.files_count * settings;
    tw_pool_run *runs = tw_zalloc((size_t)count * sizeof *runs);
    tw_code code = TW_OK;
    for (int i = 0; code == TW_OK && i < count; i++) {
        const tw_history *history = &r->histories[i / settings];
        const char *with = r->settings[i % settings];
        code = tw_history_config(history, &r->config, with, &r->configs[i], err);
        if (code != TW_OK && *with)
            tw_wrap(err, "--with");
        runs[i].config = &r->configs[i];
        runs[i].ask = (tw_evaluation_ask){.path = history->path,
                                          .state_dir = r->state_dir,
                                          .asked_from = history->rows / 10,
                                          .rows_to = history->rows,
                                          .every = (uint64_t)r->every,
                                          .seed = (uint64_t)r->config.seed,
                                          .ablate = r->ablate,
                                          .profile = r->profile};
    }
    if (code == TW_OK)
        code = tw_judge("evaluate", runs, count, (int)r->jobs, print_run, r, r->evaluations, err);
    free(runs);
    return code;
}

static tw_code evaluate(request *r, tw_err *err) {
    int files = r->args.positionals_count, settings = 1 + r->withs_count;
    int64_t rows[TW_POSITIONALS_MAX];
    const char *paths[TW_POSITIONALS_MAX];
    tw_output output = {0};
    tw_buf page = {0};
    if (r->report_path)
        TW_TRY(tw_output_begin(&output, r->report_path, err));
    tw_code code = tw_histories_open(&r->args, &r->config, r->histories, err);
    for (int i = 0; i < files; i++) {
        rows[i] = r->histories[i].rows;
        paths[i] = r->histories[i].path;
    }
    r->configs = tw_zalloc((size_t)(files * settings) * sizeof *r->configs);
    r->evaluations = tw_zalloc((size_t)(files * settings) * sizeof *r->evaluations);
    r->report = (tw_report){.files = paths,
                            .settings = r->settings,
                            .files_count = files,
                            .settings_count = settings,
                            .rows = rows,
                            .runs = r->evaluations,
                            .every = (uint64_t)r->every,
                            .seed = (uint64_t)r->config.seed};
    if (code == TW_OK)
        code = run_all(r, err);
    if (code == TW_OK && r->report_path) {
        tw_report_page(&r->report, &page);
        code = tw_output_end(&output, &page, err);
    }
    tw_output_drop(&output);
    tw_buf_done(&page);
    for (int i = 0; i < files * settings; i++)
        tw_config_done(&r->configs[i]);
    free(r->configs);
    free(r->evaluations);
    tw_histories_done(r->histories, files);
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    request r = {.settings = {""}, .every = 1, .jobs = 1};
    const tw_option options[] = {
        {.name = "with",
         .value = "KEY=VALUE,...",
         .doc = "Also with these settings, in a column of their own; may be repeated",
         .texts = r.settings + 1,
         .texts_count = &r.withs_count},
        {.name = "every",
         .value = "K",
         .doc = "Ask about one event in K only, a sample by the seed (default: 1, all)",
         .number = &r.every,
         .number_min = 1,
         .number_max = 1000000000},
        {.name = "report",
         .value = "FILE.html",
         .doc = "Also one page with curves over the stream, for the blend and each scorer (asks as --ablate does)",
         .text = &r.report_path},
        {.name = "ablate",
         .doc = "Also each scorer alone, and what it adds: the measures when it says the same of every candidate",
         .flag = &r.ablate},
        {.name = "profile",
         .doc = "Also how well profiles foresee the categories of the next item: mean cross-entropy, first one right",
         .flag = &r.profile},
        {.name = "exclude-consumed", .doc = "The same as --set rank.exclude=consumed", .flag = &r.exclude_consumed},
        {.name = "jobs",
         .value = "N",
         .doc = "So many runs at once (default 1: times of ranking are then undisturbed)",
         .number = &r.jobs,
         .number_min = 1,
         .number_max = 1024},
        {.name = "state",
         .value = "DIR",
         .doc = "Keep what was learned in this directory (default: keep nothing)",
         .text = &r.state_dir},
        {.name = "json", .doc = "One JSON object a run, each in its line", .flag = &r.json},
        {0}};
    tw_config_init(&r.config);
    tw_code code =
        tw_args_parse(&tw_command_evaluate, options, argc, argv, &r.config, 1, TW_POSITIONALS_MAX, &r.args, err);
    if (code != TW_OK || r.args.help)
        goto done;
    if (r.state_dir && (r.args.positionals_count > 1 || r.withs_count)) {
        code = tw_fail(err, TW_E_USAGE, "--state keeps what was learned of one file under one setting");
        goto done;
    }
    if (r.exclude_consumed)
        r.config.rank_exclude = TW_EXCLUDE_CONSUMED;
    r.config.profile_enabled |= r.profile;
    r.ablate |= r.report_path != NULL;
    tw_stop_catch();
    code = evaluate(&r, err);
done:
    tw_config_done(&r.config);
    return code;
}

const tw_command tw_command_evaluate = {
    "evaluate",
    "FILE[::KEY=VALUE,...]... [--with KEY=VALUE,...]... [--every K] [--report FILE.html] [--ablate] [--profile] "
    "[--json]",
    "Measures how good the lists are, each file alone: ranks before it learns from each event", run};
