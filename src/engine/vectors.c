/* The file of word vectors that new items start from (learn.vectors.file): opened before the state, held against the file that the state was
 * made with, and what it knew of the items. Called by open, load and commit; engine thread.
 *
 *   meta "vectors"     hash of the file, items that it knew by their id, by words, and not at all; not there without a file
 *
 * A state belongs to one file or to none: what is learned from an item's first event on depends on where it started, so another file would
 * break that the same input gives the same state. */
#include "engine/internal.h"

#include "base/log.h"

#include <inttypes.h>

/* Does this engine learn? A reader takes what was learned as it is, and so does who only moves positions. */
static bool learns(const tw_engine *engine) {
    return !engine->options.read_only && !engine->options.adopt_settings &&
           engine->config->learn_model == TW_LEARN_DEFAULT;
}

tw_code tw_engine_vectors_open(tw_engine *engine, tw_err *err) {
    const char *path = engine->config->learn_vectors_file;
    if (!*path || !learns(engine))
        return TW_OK;
    tw_vectors_format format = (tw_vectors_format)engine->config->learn_vectors_format;
    if (tw_vectors_open(path, format, &engine->vectors, err) != TW_OK)
        return tw_wrap(err, "learn.vectors.file");
    tw_log_info("vectors", "words=%" PRIu32 " dim=%d form=%s duplicates=%" PRIu32, tw_vectors_count(engine->vectors),
                tw_vectors_dim(engine->vectors), tw_vectors_format_name(tw_vectors_form(engine->vectors)),
                tw_vectors_duplicates(engine->vectors));
    return TW_OK;
}

static bool same(tw_hash128 a, tw_hash128 b) {
    return a.hi == b.hi && a.lo == b.lo;
}

bool tw_engine_vectors_used(const tw_engine *engine) {
    return !same(engine->vectors_hash, (tw_hash128){0});
}

tw_code tw_engine_vectors_agree(tw_engine *engine, tw_err *err) {
    tw_hash128 own = engine->vectors ? tw_vectors_hash(engine->vectors) : (tw_hash128){0};
    if (!learns(engine))
        return TW_OK;
    if (!engine->fresh && !same(own, engine->vectors_hash))
        return tw_fail(err, TW_E_MISMATCH, "%s",
                       !tw_engine_vectors_used(engine)
                           ? "the state was made without vectors: learn.vectors.file wants a fresh state.dir"
                       : engine->vectors
                           ? "learn.vectors.file is not the file that the state was made with (its content "
                             "is another): give that one, or a fresh state.dir"
                           : "the state was made with a file of vectors: learn.vectors.file must name it");
    engine->vectors_hash = own;
    return TW_OK;
}

void tw_engine_vectors_put(tw_engine *engine, tw_buf *buf) {
    if (engine->vectors)
        tw_model_vectors_hits(engine->model, &engine->hits);
    tw_buf_u64(buf, engine->vectors_hash.hi);
    tw_buf_u64(buf, engine->vectors_hash.lo);
    tw_buf_u32(buf, engine->hits.by_id);
    tw_buf_u32(buf, engine->hits.by_words);
    tw_buf_u32(buf, engine->hits.unknown);
}

void tw_engine_vectors_load(tw_engine *engine, tw_cursor *c) {
    engine->vectors_hash.hi = tw_cursor_u64(c);
    engine->vectors_hash.lo = tw_cursor_u64(c);
    engine->hits.by_id = tw_cursor_u32(c);
    engine->hits.by_words = tw_cursor_u32(c);
    engine->hits.unknown = tw_cursor_u32(c);
}

bool tw_engine_vectors_hits(const tw_engine *engine, tw_model_hits *ret_hits) {
    *ret_hits = engine->hits;
    if (engine->vectors)
        tw_model_vectors_hits(engine->model, ret_hits);
    return tw_engine_vectors_used(engine);
}

void tw_engine_vectors_tell(tw_engine *engine) {
    if (!engine->vectors || !engine->model)
        return;
    tw_model_hits hits;
    tw_model_vectors_hits(engine->model, &hits);
    tw_log_info("vectors_hits", "items_by_id=%" PRIu32 " items_by_words=%" PRIu32 " items_unknown=%" PRIu32, hits.by_id,
                hits.by_words, hits.unknown);
}
