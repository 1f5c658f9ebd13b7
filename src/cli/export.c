/* `tailwater export vectors FILE --state DIR`: what was learned of the items, for programs that read word vectors. Main thread.
 *
 * The vector is the item's as a target (tw_model_item_vector), by which the live page finds items alike; its word is the item's id. Left out
 * and counted: items of which nothing was learned yet, whose vector is zero, and ids that become the word of another item (blanks become
 * '_'), which no reader could tell apart. The same state gives the same file. */
#include "cli/cli.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/map.h"

#include <inttypes.h>
#include <stdlib.h>

typedef struct chosen {
    const tw_model *model;
    uint32_t *items; /* (count) those that are written */
    uint32_t count;
    uint64_t unlearned, same_word;
    tw_buf word, other; /* scratch */
} chosen;

static bool same_word(const void *owner, uint32_t index, tw_slice word, uint32_t salt) {
    chosen *c = (chosen *)(uintptr_t)owner; /* its scratch alone is written */
    (void)salt;
    return tw_slice_equal(tw_vectors_word_of(tw_model_item_id(c->model, c->items[index]), &c->other), word);
}

static bool is_zero(const float *vector, int D) {
    for (int d = 0; d < D; d++)
        if (vector[d] != 0)
            return false;
    return true;
}

static void choose(chosen *c, int D) {
    tw_map *words = tw_map_create(same_word, c);
    c->items = tw_alloc(((size_t)tw_model_item_count(c->model) + 1) * sizeof *c->items);
    for (uint32_t item = 0; item < tw_model_item_slots(c->model); item++) {
        if (!tw_model_item_live(c->model, item))
            continue;
        if (is_zero(tw_model_item_vector(c->model, item), D)) {
            c->unlearned++;
            continue;
        }
        tw_slice word = tw_vectors_word_of(tw_model_item_id(c->model, item), &c->word);
        uint64_t hash = tw_map_hash(word, 0);
        if (tw_map_find(words, word, 0, hash) != TW_MAP_NONE) {
            c->same_word++;
            continue;
        }
        c->items[c->count] = item;
        tw_map_insert(words, hash, c->count++);
    }
    tw_map_free(words);
}

tw_code tw_vectors_form_wanted(const char *name, tw_vectors_format *ret_format, tw_err *err) {
    if (tw_vectors_format_named(name, ret_format) && *ret_format != TW_VECTORS_AUTO)
        return TW_OK;
    return tw_fail(err, TW_E_USAGE, "--format %s: word2vec, word2vec-binary or glove is wanted", name);
}

static tw_code write_file(const chosen *c, const char *path, tw_vectors_format format, int D, tw_err *err) {
    tw_vectors_out *out;
    if (c->count == 0)
        return tw_fail(err, TW_E_NOT_FOUND, "the state holds no item of which anything was learned");
    TW_TRY(tw_vectors_create(path, format, c->count, D, &out, err));
    for (uint32_t i = 0; i < c->count; i++)
        tw_vectors_put(out, tw_model_item_id(c->model, c->items[i]), tw_model_item_vector(c->model, c->items[i]));
    return tw_vectors_finish(out, err);
}

static tw_code tell(const chosen *c, const char *path, const char *form, int D, bool json, tw_err *err) {
    tw_buf buf = {0};
    if (json) {
        tw_buf_printf(&buf, "{\"file\":");
        tw_json_text(&buf, tw_slice_of(path));
        tw_buf_printf(&buf,
                      ",\"format\":\"%s\",\"vectors\":%" PRIu32 ",\"dim\":%d,\"unlearned\":%" PRIu64
                      ",\"same_word\":%" PRIu64 "}",
                      form, c->count, D, c->unlearned, c->same_word);
    } else {
        tw_buf_printf(&buf, "%" PRIu32 " vectors of %d numbers to %s", c->count, D, path);
        if (c->unlearned)
            tw_buf_printf(&buf, "; left out %" PRIu64 " items of which nothing was learned", c->unlearned);
        if (c->same_word)
            tw_buf_printf(&buf, "; left out %" PRIu64 " items whose id is the word of another", c->same_word);
    }
    tw_code code = tw_print(&buf, err);
    tw_buf_done(&buf);
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL, *form = "word2vec";
    bool json = false;
    const tw_option options[] = {
        {.name = "state", .value = "DIR", .doc = "Directory of the durable state", .text = &state_dir},
        {.name = "format", .value = "FORM", .doc = TW_VECTORS_FORM_DOC, .text = &form},
        {.name = "json", .doc = "One JSON object", .flag = &json},
        {0}};
    tw_config config;
    tw_args args;
    tw_vectors_format format;
    tw_engine *engine = NULL;
    chosen c = {.model = NULL};
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_export, options, argc, argv, &config, 2, 2, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if (strcmp(args.positionals[0], "vectors") != 0) {
        code = tw_fail(err, TW_E_USAGE, "\"%s\" cannot be exported: vectors can", args.positionals[0]);
        goto done;
    }
    if ((code = tw_vectors_form_wanted(form, &format, err)) != TW_OK ||
        (code = tw_open_state(&config, state_dir, &engine, err)) != TW_OK)
        goto done;
    c.model = tw_engine_model(engine);
    int D = tw_model_dim(c.model);
    choose(&c, D);
    code = write_file(&c, args.positionals[1], format, D, err);
    if (code == TW_OK)
        code = tell(&c, args.positionals[1], form, D, json, err);
done:
    free(c.items);
    tw_buf_done(&c.word);
    tw_buf_done(&c.other);
    tw_engine_close(engine);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_export = {"export", "vectors FILE --state DIR [--format FORM] [--json]",
                                      "Writes the items' learned vectors for programs that read word vectors", run};
