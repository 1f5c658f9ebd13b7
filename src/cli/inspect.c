/* `tailwater inspect --state DIR`: what a state holds, or its digest, from the last commit beside a running writer. */
#include "cli/cli.h"

#include "engine/engine.h"

#include <inttypes.h>

static void write_digest(tw_engine *engine, tw_buf *buf) {
    tw_hash128 digest = tw_engine_digest(engine);
    tw_buf_printf(buf, "%016" PRIx64 "%016" PRIx64, digest.hi, digest.lo);
}

static void write_json(tw_engine *engine, tw_buf *buf) {
    tw_totals t;
    tw_store_stats store;
    tw_model_stats model;
    tw_model_hits hits;
    tw_model *m = tw_engine_model(engine);
    tw_engine_totals(engine, &t);
    tw_engine_store_stats(engine, &store);
    tw_model_stats_get(m, &model);
    tw_buf_printf(buf,
                  "{\"consumed\":%" PRIu64 ",\"applied\":%" PRIu64 ",\"duplicate\":%" PRIu64 ",\"late\":%" PRIu64
                  ",\"dead_lettered\":%" PRIu64 ",\"lists\":%" PRIu64,
                  t.consumed, t.verdicts[TW_VERDICT_APPLIED], t.verdicts[TW_VERDICT_DUPLICATE],
                  t.verdicts[TW_VERDICT_LATE], t.verdicts[TW_VERDICT_DEAD], t.lists);
    tw_buf_printf(buf, ",\"reasons\":{");
    bool first = true;
    for (int r = TW_REASON_NONE + 1; r < TW_REASON_COUNT; r++)
        if (t.reasons[r]) {
            tw_buf_printf(buf, "%s\"%s\":%" PRIu64, first ? "" : ",", tw_reason_name((tw_reason)r), t.reasons[r]);
            first = false;
        }
    tw_buf_printf(buf, "},\"users\":%" PRIu32 ",\"items\":%" PRIu32 ",\"users_owed\":%" PRIu64, tw_model_user_count(m),
                  tw_model_item_count(m), tw_engine_users_owed(engine));
    if (tw_engine_watermark_ms(engine) != INT64_MIN)
        tw_buf_printf(buf, ",\"watermark_ms\":%" PRId64, tw_engine_watermark_ms(engine));
    if (tw_engine_vectors_hits(engine, &hits))
        tw_buf_printf(buf, ",\"vectors\":{\"by_id\":%" PRIu32 ",\"by_words\":%" PRIu32 ",\"unknown\":%" PRIu32 "}",
                      hits.by_id, hits.by_words, hits.unknown);
    tw_buf_printf(buf,
                  ",\"memory_bytes\":{\"users\":%" PRIu64 ",\"items\":%" PRIu64 ",\"pairs\":%" PRIu64
                  ",\"fixed\":%" PRIu64 "},\"store\":{\"journal_commits\":%" PRIu64 ",\"journal_bytes\":%" PRIu64
                  ",\"used_bytes\":%" PRIu64 ",\"max_bytes\":%" PRIu64 "},\"digest\":\"",
                  model.user_bytes, model.item_bytes, model.pair_bytes, model.fixed_bytes, store.journal_commits,
                  store.journal_bytes, store.map_used_bytes, store.map_max_bytes);
    write_digest(engine, buf);
    tw_buf_printf(buf, "\"}");
}

static void write_table(tw_engine *engine, tw_buf *buf) {
    tw_totals t;
    tw_store_stats store;
    tw_model_hits hits;
    tw_model *m = tw_engine_model(engine);
    tw_engine_totals(engine, &t);
    tw_engine_store_stats(engine, &store);
    tw_buf_printf(buf,
                  "consumed      %12" PRIu64 "\n  applied     %12" PRIu64 "\n  duplicate   %12" PRIu64
                  "\n  late        %12" PRIu64 "\n  dead letter %12" PRIu64 "\n",
                  t.consumed, t.verdicts[TW_VERDICT_APPLIED], t.verdicts[TW_VERDICT_DUPLICATE],
                  t.verdicts[TW_VERDICT_LATE], t.verdicts[TW_VERDICT_DEAD]);
    for (int r = TW_REASON_NONE + 1; r < TW_REASON_COUNT; r++)
        if (t.reasons[r])
            tw_buf_printf(buf, "    %-17s %5" PRIu64 "\n", tw_reason_name((tw_reason)r), t.reasons[r]);
    if (tw_engine_vectors_hits(engine, &hits))
        tw_buf_printf(buf,
                      "from vectors\n  by id       %12" PRIu32 "\n  by words    %12" PRIu32 "\n  unknown     %12" PRIu32
                      "\n",
                      hits.by_id, hits.by_words, hits.unknown);
    tw_buf_printf(buf,
                  "lists         %12" PRIu64 "\nusers         %12" PRIu32 "\nitems         %12" PRIu32
                  "\nusers owed    %12" PRIu64 "\njournal       %12" PRIu64 " bytes in %" PRIu64
                  " commits\nstore         %12" PRIu64 " of %" PRIu64 " bytes\ndigest        ",
                  t.lists, tw_model_user_count(m), tw_model_item_count(m), tw_engine_users_owed(engine),
                  store.journal_bytes, store.journal_commits, store.map_used_bytes, store.map_max_bytes);
    write_digest(engine, buf);
}

typedef struct wanted {
    bool json, digest;
} wanted;

static tw_code answer(void *self, tw_engine *engine, const tw_config *config, const tw_args *args, tw_buf *out,
                      tw_err *err) {
    const wanted *w = self;
    (void)config, (void)args;
    (w->digest ? write_digest : w->json ? write_json : write_table)(engine, out);
    return tw_engine_sound(engine, err);
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL;
    wanted w = {0};
    const tw_option options[] = {
        {.name = "state", .value = "DIR", .doc = "Directory of the durable state", .text = &state_dir},
        {.name = "digest", .doc = "Only the digest of the logical rows, one line", .flag = &w.digest},
        {.name = "json", .doc = "One JSON object", .flag = &w.json},
        {0}};
    const tw_state_question question = {&tw_command_inspect, options, 0, &state_dir, answer, &w};
    return tw_ask_state(&question, argc, argv, err);
}

const tw_command tw_command_inspect = {"inspect", "--state DIR [--digest] [--json]",
                                       "Prints what a state holds: counters, sizes, digest", run};
