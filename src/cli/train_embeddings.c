/* `tailwater train embeddings FILE... --out FILE`: vectors of the items from what users met one after the other, by skip-gram with negative
 * sampling (src/train/skipgram.h has how), written in word2vec's or GloVe's form. */
#include "cli/history.h"
#include "cli/train.h"

#include "base/alloc.h"
#include "base/json.h"
#include "train/skipgram.h"

#include <inttypes.h>
#include <stdlib.h>

/* word2vec's own default. */
#define RATE 0.025

/* A pause that ends a sequence changes little (the next item among the ten nearest to the last one, on the tenth of 400,000 events behind what
 * was trained on, with 0, 30 and 240 minutes: .082, .082, .083 on ml1m_pos, .254, .255, .254 on online_retail, .354, .349, .354 on
 * yoochoose17d), so there is none by default. */

typedef struct request {
    tw_config config;
    tw_args args;
    int64_t size, window, negatives, epochs, count_min, session_minutes;
    const char *out, *form;
    bool json;
    tw_vectors_format format;
    tw_sequences sequences;
    tw_skipgram net;
    uint64_t events;
    double seconds;
} request;

static void take(void *self, tw_engine *engine, uint32_t task, const tw_event *event, int64_t offset) {
    request *r = self;
    (void)engine, (void)task, (void)offset;
    r->events++;
    tw_sequences_add(&r->sequences, event);
}

static tw_code read_events(request *r, tw_err *err) {
    const tw_train_inputs inputs = {.paths = r->args.positionals, .paths_count = r->args.positionals_count};
    TW_TRY(tw_train_read_events(&inputs, &r->config, false, take, r, err));
    tw_sequences_close(&r->sequences, (uint64_t)r->count_min);
    if (r->sequences.words_count == 0)
        return tw_fail(err, TW_E_NOT_FOUND, "no item is met %" PRId64 " times (--min-count)", r->count_min);
    if (r->sequences.sequences_count == 0)
        return tw_fail(err, TW_E_NOT_FOUND, "no user meets two of the %" PRIu32 " items that are met often enough",
                       r->sequences.words_count);
    return TW_OK;
}

static tw_code write_vectors(const request *r, tw_err *err) {
    tw_vectors_out *out;
    TW_TRY(tw_vectors_create(r->out, r->format, r->sequences.words_count, (int)r->size, &out, err));
    for (uint32_t word = 0; word < r->sequences.words_count; word++)
        tw_vectors_put(out, tw_sequences_word(&r->sequences, word), tw_skipgram_vector(&r->net, word));
    return tw_vectors_finish(out, err);
}

static void write_json(const request *r, tw_buf *buf) {
    tw_buf_printf(buf, "{\"file\":");
    tw_json_text(buf, tw_slice_of(r->out));
    tw_buf_printf(buf,
                  ",\"format\":\"%s\",\"events\":%" PRIu64 ",\"sequences\":%zu,\"words\":%zu,\"items\":%" PRIu32
                  ",\"rare\":%" PRIu32 ",\"size\":%" PRId64 ",\"window\":%" PRId64 ",\"negatives\":%" PRId64
                  ",\"seed\":%" PRId64 ",\"pairs\":%" PRIu64 ",\"loss\":[",
                  r->form, r->events, r->sequences.sequences_count, r->sequences.tokens_count, r->sequences.words_count,
                  r->sequences.rare_count, r->size, r->window, r->negatives, r->config.seed, r->net.pairs);
    for (int64_t epoch = 0; epoch < r->epochs; epoch++)
        tw_buf_printf(buf, "%s%.4f", epoch ? "," : "", r->net.loss[epoch]);
    tw_buf_printf(buf, "],\"seconds\":%.3f}", r->seconds);
}

static void write_text(const request *r, tw_buf *buf) {
    tw_buf_printf(buf,
                  "%" PRIu64 " events, %zu sequences of %zu words, %" PRIu32 " items (%" PRIu32
                  " met less than %" PRId64 " times left out)\n",
                  r->events, r->sequences.sequences_count, r->sequences.tokens_count, r->sequences.words_count,
                  r->sequences.rare_count, r->count_min);
    for (int64_t epoch = 0; epoch < r->epochs; epoch++)
        tw_buf_printf(buf, "epoch %2" PRId64 "  loss %.4f\n", epoch + 1, r->net.loss[epoch]);
    tw_buf_printf(buf, "%" PRIu32 " vectors of %" PRId64 " numbers to %s", r->sequences.words_count, r->size, r->out);
}

static tw_code train(request *r, tw_err *err) {
    const tw_skipgram_options options = {.size = (int)r->size,
                                         .window = (int)r->window,
                                         .negatives = (int)r->negatives,
                                         .epochs = (int)r->epochs,
                                         .rate = RATE,
                                         .seed = (uint64_t)r->config.seed};
    tw_progress bar;
    tw_output output = {0};
    tw_buf buf = {0};
    tw_code code = tw_output_begin(&output, r->out, err); /* that it can be written is seen before long work */
    if (code == TW_OK)
        code = read_events(r, err);
    if (code == TW_OK) {
        int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
        tw_skipgram_init(&r->net, r->sequences.counts, r->sequences.words_count, &options);
        code = tw_skipgram_train(&r->net, &r->sequences, &options, tw_train_bar(&bar, "train"), err);
        tw_progress_end(&bar);
        r->seconds = (double)(tw_clock_steady_ns(&tw_clock_system) - start_ns) * 1e-9;
    }
    if (code == TW_OK)
        code = write_vectors(r, err);
    if (code == TW_OK) {
        (r->json ? write_json : write_text)(r, &buf);
        code = tw_print(&buf, err);
    }
    tw_output_drop(&output);
    tw_buf_done(&buf);
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    request r = {.size = 100, .window = 5, .negatives = 5, .epochs = 5, .count_min = 5, .form = "word2vec"};
    const tw_option options[] = {
        {.name = "out", .value = "FILE", .doc = "Where the vectors go", .text = &r.out},
        {.name = "format", .value = "FORM", .doc = TW_VECTORS_FORM_DOC, .text = &r.form},
        {.name = "size",
         .value = "N",
         .doc = "Numbers of a vector (default 100)",
         .number = &r.size,
         .number_min = 1,
         .number_max = 4096},
        {.name = "window",
         .value = "N",
         .doc = "Items to either side that an item is near to, at most (default 5)",
         .number = &r.window,
         .number_min = 1,
         .number_max = 1000},
        {.name = "negatives",
         .value = "N",
         .doc = "Items drawn beside each that was met (default 5)",
         .number = &r.negatives,
         .number_min = 1,
         .number_max = TW_SKIPGRAM_NEGATIVES_MAX},
        {.name = "epochs",
         .value = "N",
         .doc = "Times that all sequences are learned from (default 5)",
         .number = &r.epochs,
         .number_min = 1,
         .number_max = TW_SKIPGRAM_EPOCHS_MAX},
        {.name = "min-count",
         .value = "N",
         .doc = "Items met less often are left out (default 5)",
         .number = &r.count_min,
         .number_min = 1,
         .number_max = INT64_MAX},
        {.name = "session",
         .value = "MINUTES",
         .doc = "A longer pause of a user begins a new sequence (default 0: all that a user met is one)",
         .number = &r.session_minutes,
         .number_min = 0,
         .number_max = 1000000000},
        {.name = "json", .doc = "One JSON object", .flag = &r.json},
        {0}};
    tw_config_init(&r.config);
    tw_code code =
        tw_args_parse(&tw_train_embeddings, options, argc, argv, &r.config, 1, TW_POSITIONALS_MAX, &r.args, err);
    if (code != TW_OK || r.args.help)
        goto done;
    if (!r.out) {
        code = tw_fail(err, TW_E_USAGE, "--out FILE is wanted: where the vectors go");
        goto done;
    }
    if ((code = tw_vectors_form_wanted(r.form, &r.format, err)) != TW_OK)
        goto done;
    tw_stop_catch();
    tw_sequences_init(&r.sequences, r.session_minutes * 60000);
    code = train(&r, err);
    tw_skipgram_done(&r.net);
    tw_sequences_done(&r.sequences);
done:
    tw_config_done(&r.config);
    return code;
}

const tw_command tw_train_embeddings = {
    "train embeddings", "FILE... --out FILE [--format FORM] [--size N] [--window N] [--epochs N] [--json]",
    "Vectors of the items by skip-gram with negative sampling over what users met, in word2vec's or GloVe's form", run};
