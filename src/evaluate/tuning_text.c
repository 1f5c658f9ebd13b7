/* What a search tried and left: lines, JSON, and the file of settings. */
#include "evaluate/tuning.h"

#include "base/json.h"
#include "config/tune.h"

#include <inttypes.h>

/* Each key in which a number differs from the default. */
static void put_moves(const tw_tuning *t, int number, bool json, tw_buf *out) {
    tw_config config, base;
    bool any = false;
    tw_tuning_config(t->ask, number, t->ask->config, &config);
    tw_config_copy(&base, t->ask->config);
    for (int k = 0; k < tw_tune_count(); k++) {
        tw_buf now = {0}, before = {0};
        tw_tune_show(k, &config, &now);
        tw_tune_show(k, &base, &before);
        if (!tw_slice_equal(tw_buf_slice(&now), tw_buf_slice(&before))) {
            tw_buf_printf(out, json ? "%s\"%s\":" TW_SLICE_FMT : "%s%s=" TW_SLICE_FMT, any ? "," : "", tw_tune_name(k),
                          TW_SLICE_ARG(tw_buf_slice(&now)));
            any = true;
        }
        tw_buf_done(&now);
        tw_buf_done(&before);
    }
    if (!any && !json)
        tw_buf_printf(out, "the default");
    tw_config_done(&config);
    tw_config_done(&base);
}

void tw_tuning_text_round(const tw_tuning *t, tw_buf *out) {
    const tw_tuning_round *round = &t->rounds[t->rounds_count - 1];
    tw_buf_printf(out,
                  "round %d of %d: %d settings and the default, %" PRId64 " rows, %" PRIu64 " asked of each, %d kept",
                  t->rounds_count, t->plan_count, round->count, round->rows, round->asked, round->kept);
    for (int i = 0; i < round->count; i++) {
        tw_buf_printf(out, "\n  %-5s %+6.2f %%  #%-3d ", i < round->kept ? "kept" : "",
                      100 * round->gains[round->order[i]], round->order[i]);
        put_moves(t, round->order[i], false, out);
    }
}

static void put_pair(const char *before, const tw_prequential *m, tw_buf *out) {
    tw_buf_printf(out, "%s%.4f / %.4f", before, tw_prequential_hr10(m), tw_prequential_ndcg10(m));
}

void tw_tuning_text_end(const tw_tuning *t, tw_buf *out) {
    if (t->best == 0) {
        tw_buf_printf(out, "no setting was better than the default");
        return;
    }
    tw_buf_printf(out, "best: #%d ", t->best);
    put_moves(t, t->best, false, out);
    if (!t->checked) {
        tw_buf_printf(out, "\nnothing follows the prefix: not checked");
        return;
    }
    tw_buf_printf(out, "\non what follows the prefix: %+.2f %%%s", 100 * t->gain_after,
                  t->gain_after > 0 ? "" : ": not better than the default there, so think twice");
    for (int file = 0; file < t->ask->files_count; file++) {
        tw_buf_printf(out, "\n  %s  asked %" PRIu64, t->ask->files[file].path, t->defaults[file].asked);
        put_pair("  HR@10 / NDCG@10 ", &t->ours[file], out);
        put_pair(", default ", &t->defaults[file], out);
    }
}

static void json_measures(const char *name, const tw_prequential *m, tw_buf *out) {
    tw_buf_printf(out, "\"%s\":{\"asked\":%" PRIu64 ",\"hr10\":%.5f,\"ndcg10\":%.5f}", name, m->asked,
                  tw_prequential_hr10(m), tw_prequential_ndcg10(m));
}

static void json_round(const tw_tuning *t, const tw_tuning_round *round, tw_buf *out) {
    tw_buf_printf(out, "{\"rows\":%" PRId64 ",\"asked\":%" PRIu64 ",\"kept\":%d,\"settings\":[", round->rows,
                  round->asked, round->kept);
    for (int i = 0; i < round->count; i++) {
        tw_buf_printf(out, "%s{\"number\":%d,\"gain\":%.6f,\"moves\":{", i ? "," : "", round->order[i],
                      round->gains[round->order[i]]);
        put_moves(t, round->order[i], true, out);
        tw_buf_printf(out, "}}");
    }
    tw_buf_printf(out, "]}");
}

void tw_tuning_json(const tw_tuning *t, tw_buf *out) {
    tw_buf_printf(out, "{\"files\":[");
    for (int file = 0; file < t->ask->files_count; file++) {
        tw_buf_printf(out, "%s", file ? "," : "");
        tw_json_text(out, tw_slice_of(t->ask->files[file].path));
    }
    tw_buf_printf(out, "],\"prefix\":%.4f,\"seed\":%" PRIu64 ",\"rounds\":[", t->ask->prefix, t->ask->seed);
    for (int i = 0; i < t->rounds_count; i++) {
        tw_buf_printf(out, "%s", i ? "," : "");
        json_round(t, &t->rounds[i], out);
    }
    tw_buf_printf(out, "],\"best\":{\"number\":%d,\"moves\":{", t->best);
    put_moves(t, t->best, true, out);
    tw_buf_printf(out, "}}");
    if (t->checked) {
        tw_buf_printf(out, ",\"after_prefix\":{\"gain\":%.6f,\"files\":[", t->gain_after);
        for (int file = 0; file < t->ask->files_count; file++) {
            tw_buf_printf(out, "%s{", file ? "," : "");
            json_measures("default", &t->defaults[file], out);
            tw_buf_u8(out, ',');
            json_measures("best", &t->ours[file], out);
            tw_buf_u8(out, '}');
        }
        tw_buf_printf(out, "]}");
    }
    tw_buf_u8(out, '}');
}

/* A line break in a path would end the comment. */
static void put_comment(const tw_buf *text, tw_buf *out) {
    tw_buf_printf(out, "# ");
    for (size_t i = 0; i < text->size; i++)
        if (text->data[i] == '\n')
            tw_buf_printf(out, "\n# ");
        else
            tw_buf_u8(out, (uint8_t)text->data[i]);
    tw_buf_u8(out, '\n');
}

void tw_tuning_yaml(const tw_tuning *t, tw_buf *out) {
    tw_config config;
    tw_buf end = {0};
    tw_tuning_text_end(t, &end);
    tw_buf_printf(
        out,
        "# Settings found by `tailwater tune`, to be given by --config, also beside another file. Seed %" PRIu64
        ", prefix %.4g.\n",
        t->ask->seed, t->ask->prefix);
    put_comment(&end, out);
    tw_buf_u8(out, '\n');
    tw_tuning_config(t->ask, t->best, t->ask->config, &config);
    tw_config_write_tuned(&config, out);
    tw_buf_done(&end);
    tw_config_done(&config);
}
