/* The commit: first the outputs are durable or acknowledged, then (with a changelog) the changes of the tasks are, with the positions and, under
 * exactly_once, with the outputs, then state, positions and what is still owed go into one LMDB transaction, then the source hears
 * of it. Engine thread.
 *
 * A crash after the outputs repeats them (a file is cut back to the committed length, so there it repeats nothing; under
 * exactly_once they were never visible). A crash after the changelog leaves the store behind by one commit, which the next start learns
 * again silently. A crash after the store repeats nothing. */
#include "engine/tasks.h"

#include "base/failpoint.h"

/* Between two commits under exactly_once; one takes 11 to 20 ms at 7,000 events/s (medians; 2 cores, broker beside, 2026-11-25). */
#define LEAST_INTERVAL_NS 10000000

/* Everything changed, into the changelog's open transaction and into the store's buffers: nothing may change until both are through. */
static tw_code prepare(tw_engine *engine, tw_err *err) {
    bool shared = engine->options.changelog != NULL;
    if (engine->prepared)
        return TW_OK;
    if (shared)
        TW_TRY(tw_engine_put_changes(engine, err));
    if (engine->store) {
        tw_store_begin(engine->store);
        TW_TRY(tw_engine_put_state(engine, shared, err));
    }
    if (shared)
        TW_TRY(tw_engine_put_model(engine, err));
    engine->prepared = true;
    return TW_OK;
}

static tw_code commit_outputs(tw_engine *engine, tw_err *err) {
    if (engine->options.sink && !engine->prepared)
        TW_TRY(engine->options.sink->ops->flush(engine->options.sink, err));
    (void)TW_FAILPOINT(ENGINE_FLUSHED);
    TW_TRY(prepare(engine, err));
    if (engine->options.changelog)
        TW_TRY(tw_engine_commit_changes(engine, err));
    (void)TW_FAILPOINT(ENGINE_SHARED);
    return TW_OK;
}

static void tell_source(tw_engine *engine) {
    for (size_t i = 0; i < engine->routes_count; i++) {
        const tw_position *position = &engine->positions[engine->routes[i].position];
        if (position->offset >= 0)
            engine->source->ops->ack(engine->source, engine->routes[i].input, position->partition, position->offset);
    }
}

static tw_code commit_all(tw_engine *engine, tw_err *err) {
    tw_code code = commit_outputs(engine, err);
    engine->unflushed = code == TW_E_BUSY;
    if (code == TW_OK && engine->store) {
        tw_engine_put_tasks(engine);
        code = tw_store_commit(engine->store, err);
    }
    if (code == TW_E_BUSY)
        return code;
    engine->prepared = false;
    if (code != TW_OK) {
        engine->failed = true;
        return code;
    }
    (void)TW_FAILPOINT(ENGINE_COMMITTED);
    engine->changed = false;
    tell_source(engine);
    return TW_OK;
}

tw_code tw_engine_commit(tw_engine *engine, tw_err *err) {
    if (engine->failed)
        return tw_fail(err, TW_E_STORE, "an earlier failure left memory ahead of the store: start again");
    int64_t start_ns = tw_clock_steady_ns(&engine->clock);
    engine->commit_ns = start_ns;
    if (engine->silent_lanes > 0) /* the store is still behind what the changelog says of it */
        return TW_OK;
    if (engine->changed) {
        tw_code code = tw_model_sound(engine->model, err);
        engine->failed |= code != TW_OK;
        TW_TRY(code);
        TW_TRY(commit_all(engine, err));
        engine->commit_ns = tw_clock_steady_ns(&engine->clock);
        engine->commit_took_ns = engine->commit_ns - start_ns;
        tw_engine_count_commit((double)engine->commit_took_ns * 1e-9);
    }
    tw_engine_gauge(engine);
    engine->end_committed = engine->source_ended;
    return TW_OK;
}

/* Under exactly_once a list is visible with the commit only. So, unless the user said how often, one that keeps up commits as often as leaves
 * half of its time for the events; one that is behind pays for a commit less often, because no list is waited for then. */
static int64_t interval_ns(const tw_engine *engine) {
    int64_t most_ns = tw_config_commit_interval_ms(engine->config) * 1000000;
    if (engine->config->processing_guarantee != TW_EXACTLY_ONCE || engine->config->commit_interval_ms || engine->behind)
        return most_ns;
    int64_t least_ns = engine->commit_took_ns > LEAST_INTERVAL_NS ? engine->commit_took_ns : LEAST_INTERVAL_NS;
    return least_ns < most_ns ? least_ns : most_ns;
}

tw_code tw_engine_commit_due(tw_engine *engine, tw_err *err) {
    int64_t waited_ns = tw_clock_steady_ns(&engine->clock) - engine->commit_ns;
    if (tw_model_tight(engine->model)) {
        tw_code code = tw_engine_relieve(engine, err);
        return code == TW_E_BUSY ? TW_OK : code;
    }
    if (!engine->unflushed && waited_ns < interval_ns(engine))
        return TW_OK;
    tw_code code = tw_engine_commit(engine, err);
    return code == TW_E_BUSY ? TW_OK : code; /* the step stalls until it is through */
}
