/* Users beyond memory (state.memory.max): the store as the shelf of the model's cold rows, and what is done when memory is full of rows that
 * changed since the last commit. Called at the start, by commits, lists and restores; engine thread. model/seats.h tells which rows go.
 *
 * Rows may go once they are in place. While most of them are, nothing here happens. Else a commit is made before its time, and then as many
 * rows are put in place as frees an eighth of the bound: the fold grows with the pressure. When that commit has to wait for the outputs,
 * inputs wait too. One batch may exceed the bound by the users that it changes, a silent replay by those of the commits it repeats. */
#include "engine/internal.h"

#include <inttypes.h>

static bool in_place(void *self, tw_table table, uint32_t row) {
    return tw_store_in_place(((tw_engine *)self)->store, table, row);
}
static tw_code read_row(void *self, tw_table table, uint32_t row, tw_buf *out, tw_err *err) {
    return tw_store_read(((tw_engine *)self)->store, table, row, out, err);
}
static tw_code settle(void *self, tw_table table, const uint32_t *rows, size_t count, tw_err *err) {
    return tw_store_settle(((tw_engine *)self)->store, table, rows, count, err);
}

tw_row_shelf tw_engine_shelf(tw_engine *engine) {
    return (tw_row_shelf){engine, in_place, read_row, settle};
}

tw_code tw_engine_check_memory(const tw_config *config, tw_err *err) {
    int64_t least = tw_model_memory_least(config);
    if (config->state_memory_max == 0 || config->state_memory_max >= least)
        return TW_OK;
    return tw_fail(err, TW_E_CONFIG,
                   "state.memory.max is %" PRId64 " bytes: with ingest.batch.max %" PRId64 " and learn.dim %" PRId64
                   " the least is %" PRId64 " (0: no bound)",
                   config->state_memory_max, config->ingest_batch_max, config->learn_dim, least);
}

/* Puts rows in place until there is room again; the last commit has all that memory holds. */
static tw_code make_room(tw_engine *engine, tw_err *err) {
    tw_code code = tw_model_relieve(engine->model, err);
    engine->failed |= code != TW_OK;
    return code;
}

tw_code tw_engine_relieve(tw_engine *engine, tw_err *err) {
    engine->pressed = false;
    if (!tw_model_tight(engine->model) || engine->options.read_only)
        return TW_OK;
    if (engine->changed) {
        if (!engine->prepared && !engine->unflushed)
            tw_engine_count_memory_commit();
        tw_code code = tw_engine_commit(engine, err);
        engine->pressed = code == TW_E_BUSY;
        TW_TRY(code);
    }
    return engine->changed ? TW_OK
                           : make_room(engine, err); /* changed: learned again silently, which no commit takes */
}

tw_code tw_engine_relieve_restore(tw_engine *engine, tw_err *err) {
    tw_model_cool(engine->model);
    if (!engine->store || !tw_model_tight(engine->model))
        return tw_model_sound(engine->model, err);
    TW_TRY(tw_engine_commit_store(engine, err));
    TW_TRY(make_room(engine, err));
    tw_store_begin(engine->store);
    return TW_OK;
}
