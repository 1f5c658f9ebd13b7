/* `tailwater bench`: what each stage costs and what the whole reaches, beside this machine's own limits from the same run.
 *
 * Run it alone on a quiet machine and use the ratios: absolute figures move with the machine. A figure whose spread is
 * above a fifth says so. */
#include "cli/bench.h"

#include "cli/cli.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>

#define SHOP_EVENTS 500000

static void write_replay(const char *model, const tw_bench_events *events, const tw_bench_replay *r, bool json,
                         tw_buf *buf) {
    if (json) {
        tw_buf_printf(
            buf,
            "\"%s\":{\"events\":%zu,\"events_per_s\":%.0f,\"spread\":%.3f,\"runs\":%d,\"ns_per_event\":{\"clean\":%.1f,"
            "\"learn\":%.1f,\"commit\":%.1f,\"other\":%.1f},\"store_bytes_per_event\":%.1f}",
            events->stem, events->count, r->events_per_s, r->spread, r->runs, r->clean_ns, r->learn_ns, r->commit_ns,
            r->other_ns, r->written_bytes);
        return;
    }
    tw_buf_printf(buf,
                  "replay %-8s %-16s %9zu events %10.0f events/s%s   clean %5.0f ns  learn %6.0f ns  commit %5.0f ns  "
                  "other %5.0f "
                  "ns   %6.0f B/event to the store\n",
                  model, events->stem, events->count, r->events_per_s, r->spread > 0.2 ? " (spread above a fifth)" : "",
                  r->clean_ns, r->learn_ns, r->commit_ns, r->other_ns, r->written_bytes);
}

/* The plan beside avro-c. Cheap, so that at least five runs are made of it. */
static tw_code bench_decode(const tw_config *config, int runs, bool json, tw_buf *buf, tw_err *err) {
    tw_bench_decode d;
    TW_TRY(tw_bench_decode_run((uint64_t)config->seed, runs < 5 ? 5 : runs, &d, err));
    if (json)
        tw_buf_printf(buf,
                      "\"decode\":{\"ns\":%.1f,\"avro_c_ns\":%.1f,\"speedup_avro_c\":%.2f,\"spread\":%.3f,"
                      "\"avro_c_spread\":%.3f,\"datum_bytes\":%.1f,\"runs\":%d},",
                      d.ns, d.avro_c_ns, d.avro_c_ns / d.ns, d.spread, d.avro_c_spread, d.datum_bytes, d.runs);
    else
        tw_buf_printf(
            buf,
            "decode a click of %.0f bytes: %.1f ns by plan (spread %.0f %%), %.1f ns by avro-c (%.0f %%): %.1f times\n",
            d.datum_bytes, d.ns, d.spread * 100, d.avro_c_ns, d.avro_c_spread * 100, d.avro_c_ns / d.ns);
    return TW_OK;
}

/* The streams to measure: every file of the folder, or one draw from the synthetic shop. */
static tw_code next_stream(const glob_t *files, size_t i, const tw_config *config, tw_bench_events *ret_events,
                           tw_err *err) {
    return files->gl_pathc ? tw_bench_events_read(files->gl_pathv[i], config, ret_events, err)
                           : tw_bench_events_draw(SHOP_EVENTS, config, ret_events, err);
}

static tw_code bench_replays(const glob_t *files, const tw_config *config, int runs, bool json, tw_buf *buf,
                             tw_err *err) {
    static const char *const models[] = {[TW_LEARN_DEFAULT] = "default", [TW_LEARN_MF] = "mf"};
    size_t streams = files->gl_pathc ? files->gl_pathc : 1;
    tw_buf parts[2] = {0};
    tw_code code = TW_OK;
    for (size_t i = 0; code == TW_OK && i < streams; i++) {
        tw_bench_events events;
        code = next_stream(files, i, config, &events, err);
        for (int model = 0; code == TW_OK && model < 2; model++) {
            tw_config chosen = *config;
            tw_bench_replay result;
            chosen.learn_model = model;
            code = tw_bench_replay_run(&events, &chosen, runs, &result, err);
            if (code == TW_OK && json && parts[model].size)
                tw_buf_u8(&parts[model], ',');
            if (code == TW_OK)
                write_replay(models[model], &events, &result, json, &parts[model]);
        }
        tw_bench_events_done(&events);
    }
    for (int model = 0; model < 2; model++) {
        if (json)
            tw_buf_printf(buf, "%s\"%s\":{", model ? "," : "", models[model]);
        tw_buf_put(buf, parts[model].data, parts[model].size);
        if (json)
            tw_buf_u8(buf, '}');
        tw_buf_done(&parts[model]);
    }
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *data = NULL;
    int64_t runs = 0;
    bool json = false;
    const tw_option options[] = {{.name = "data",
                                  .value = "DIR",
                                  .doc = "Measure on every *.csv.gz there instead of the synthetic shop",
                                  .text = &data},
                                 {.name = "runs",
                                  .value = "N",
                                  .doc = "Runs of each figure, the median counts (default 3; 1 with --data)",
                                  .number = &runs,
                                  .number_min = 1,
                                  .number_max = TW_BENCH_RUNS_MAX},
                                 {.name = "json", .doc = "One JSON object", .flag = &json},
                                 {0}};
    tw_config config;
    tw_args args;
    tw_buf buf = {0};
    glob_t files = {0};
    tw_bench_machine machine;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_bench, options, argc, argv, &config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if (data) {
        char pattern[4096];
        snprintf(pattern, sizeof pattern, "%s/*.csv.gz", data);
        if (glob(pattern, 0, NULL, &files) != 0) {
            code = tw_fail(err, TW_E_USAGE, "%s: no file", pattern);
            goto done;
        }
    }
    tw_bench_machine_measure(&machine);
    tw_buf_printf(&buf,
                  json ? "{\"machine\":{\"stream_gb_per_s\":%.1f,\"random_independent_ns\":%.1f,\"random_dependent_"
                         "ns\":%.1f},"
                       : "machine: %.1f GB/s in order, %.1f ns a random line (independent), %.1f ns (dependent)\n",
                  machine.stream_gb_per_s, machine.random_independent_ns, machine.random_dependent_ns);
    code = bench_decode(&config, (int)runs, json, &buf, err);
    if (code != TW_OK)
        goto done;
    if (json)
        tw_buf_printf(&buf, "\"replay\":{");
    code = bench_replays(&files, &config, runs ? (int)runs : data ? 1 : 3, json, &buf, err);
    if (code != TW_OK)
        goto done;
    if (json)
        tw_buf_printf(&buf, "}}");
    else
        buf.size--; /* the last newline is tw_print's */
    code = tw_print(&buf, err);
done:
    globfree(&files);
    tw_buf_done(&buf);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_bench = {"bench", "[--data DIR] [--runs N] [--json]",
                                     "Measures the stages and the whole beside this machine's own limits", run};
