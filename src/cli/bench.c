/* `tailwater bench`: what each stage costs and what the whole reaches, beside this machine's own limits from the same run.
 *
 * Run it alone on a quiet machine and use the ratios: absolute figures move with the machine. A figure whose spread is
 * above a fifth says so. */
#include "cli/bench.h"

#include "base/file.h"
#include "base/json_tree.h"
#include "base/log.h"
#include "cli/cli.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNS_LEAST 5 /* a median of fewer says little */
#define OLD_BYTES_MAX (1 << 20)

typedef struct section {
    const char *name;
    tw_bench_section_fn run;
    bool peers; /* needs --peers */
} section;

/* In the order of an event's way. */
static const section sections[] = {
    {"machine", tw_bench_machine_run, false},   {"memory", tw_bench_memory_run, false},
    {"decode", tw_bench_decode_run, false},     {"dedup", tw_bench_dedup_run, false},
    {"learn", tw_bench_learn_run, false},       {"replay", tw_bench_replay_run, false},
    {"rank", tw_bench_rank_run, false},         {"recovery", tw_bench_recovery_run, false},
    {"growth", tw_bench_growth_run, false},     {"bounded", tw_bench_bounded_run, false},
    {"pipeline", tw_bench_pipeline_run, false}, {"freshness", tw_bench_freshness_run, false},
    {"kafka", tw_bench_kafka_run, true},
};
#define SECTIONS (sizeof sections / sizeof sections[0])

typedef struct asked {
    const char *data, *compare;
    const char *only[TW_TEXTS_MAX];
    int only_count;
    bool json;
} asked;

static bool wanted(const asked *a, const tw_bench *bench, const section *s) {
    bool named = a->only_count == 0;
    for (int i = 0; i < a->only_count; i++)
        named |= strcmp(a->only[i], s->name) == 0;
    return named && (!s->peers || bench->peers);
}

static tw_code check_names(const asked *a, tw_err *err) {
    for (int i = 0; i < a->only_count; i++) {
        size_t s = 0;
        while (s < SECTIONS && strcmp(sections[s].name, a->only[i]) != 0)
            s++;
        if (s < SECTIONS)
            continue;
        tw_buf names = {0};
        for (s = 0; s < SECTIONS; s++)
            tw_buf_printf(&names, "%s%s", s ? ", " : "", sections[s].name);
        tw_code code =
            tw_fail(err, TW_E_USAGE, "--only %s: one of " TW_SLICE_FMT, a->only[i], TW_SLICE_ARG(tw_buf_slice(&names)));
        tw_buf_done(&names);
        return code;
    }
    return TW_OK;
}

static tw_code find_files(const char *data, glob_t *ret_files, tw_err *err) {
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/*.csv.gz", data);
    return glob(pattern, 0, NULL, ret_files) == 0 ? TW_OK : tw_fail(err, TW_E_USAGE, "%s: no file", pattern);
}

static tw_code read_old(const char *path, tw_json **ret_before, tw_err *err) {
    tw_buf text = {0};
    tw_code code = tw_file_read(path, OLD_BYTES_MAX, &text, err);
    if (code == TW_OK && tw_json_parse(tw_buf_slice(&text), ret_before, err) != TW_OK)
        code = tw_fail(err, TW_E_BAD_FILE, "%s: not what `tailwater bench --json` wrote", path);
    tw_buf_done(&text);
    return code;
}

static tw_code measure(tw_bench *bench, const asked *a, tw_err *err) {
    for (size_t i = 0; i < SECTIONS && !tw_stop_wanted(); i++)
        if (wanted(a, bench, &sections[i])) {
            int64_t start_ns = tw_bench_now_ns();
            tw_code code = sections[i].run(bench, err);
            if (code != TW_OK)
                return code;
            tw_log_info("bench", "section=%s seconds=%.1f", sections[i].name,
                        (double)(tw_bench_now_ns() - start_ns) * 1e-9);
        }
    return TW_OK;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    asked a = {0};
    int64_t runs = RUNS_LEAST;
    tw_bench bench = {.smaller = 1};
    const tw_option options[] = {
        {.name = "data",
         .value = "DIR",
         .doc = "Replay every *.csv.gz there instead of the synthetic shop",
         .text = &a.data},
        {.name = "only",
         .value = "NAME",
         .doc = "Measure this section; may be given again (default: all)",
         .texts = a.only,
         .texts_count = &a.only_count},
        {.name = "runs",
         .value = "N",
         .doc = "Runs of each figure, whose median counts (default 5)",
         .number = &runs,
         .number_min = 1,
         .number_max = TW_BENCH_RUNS_MAX},
        {.name = "smaller",
         .value = "N",
         .doc = "Divide every size by this, for a try (default 1)",
         .number = &bench.smaller,
         .number_min = 1,
         .number_max = 1000000},
        {.name = "peers",
         .doc = "Also beside FAISS, Kafka Streams and Python (fetches packages, starts a broker)",
         .flag = &bench.peers},
        {.name = "compare",
         .value = "OLD.json",
         .doc = "Show what an older --json said beside each figure",
         .text = &a.compare},
        {.name = "json", .doc = "One JSON object", .flag = &a.json},
        {0}};
    tw_config config;
    tw_args args;
    tw_buf out = {0};
    glob_t files = {0};
    tw_json *before = NULL;
    tw_config_init(&config);
    bench.config = &config;
    tw_code code = tw_args_parse(&tw_command_bench, options, argc, argv, &config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if (a.json && a.compare) {
        code = tw_fail(err, TW_E_USAGE, "--compare makes a table: not beside --json");
        goto done;
    }
    if ((code = check_names(&a, err)) != TW_OK || (a.data && (code = find_files(a.data, &files, err)) != TW_OK) ||
        (a.compare && (code = read_old(a.compare, &before, err)) != TW_OK))
        goto done;
    bench.runs = (int)runs;
    bench.files = files.gl_pathv;
    bench.files_count = files.gl_pathc;
    tw_log_set((tw_log_level)config.log_level, (tw_log_format)config.log_format);
    tw_stop_catch();
    if ((code = measure(&bench, &a, err)) != TW_OK)
        goto done;
    if (a.json)
        tw_bench_write_json(&bench, &out);
    else
        tw_bench_write_table(&bench, before, &out);
    if (!a.json)
        out.size--; /* the last newline is tw_print's */
    code = tw_print(&out, err);
done:
    globfree(&files);
    tw_json_free(before);
    free(bench.figures);
    tw_buf_done(&out);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_bench = {"bench", "[--data DIR] [--only NAME]... [--peers] [--compare OLD.json] [--json]",
                                     "Measures the stages and the whole beside this machine's own limits", run};
