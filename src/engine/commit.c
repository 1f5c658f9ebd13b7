/* The commit: first the outputs are durable or acknowledged, then state, positions and what is still owed go into one LMDB
 * transaction, then the source hears of it. Engine thread.
 *
 * A crash between the first and the second repeats outputs (a file is cut back to the committed length, so there it repeats
 * nothing); a crash after the second repeats nothing. */
#include "engine/internal.h"

#include "base/failpoint.h"

tw_code tw_engine_commit(tw_engine *engine, tw_err *err) {
    if (engine->failed)
        return tw_fail(err, TW_E_STORE, "an earlier failure left memory ahead of the store: start again");
    int64_t start_ns = tw_clock_steady_ns(&engine->clock);
    engine->commit_ns = start_ns;
    if (engine->changed) {
        if (engine->options.sink) {
            tw_code code = engine->options.sink->ops->flush(engine->options.sink, err);
            engine->unflushed = code == TW_E_BUSY;
            if (code != TW_OK)
                return code;
        }
        (void)TW_FAILPOINT(ENGINE_FLUSHED);
        if (engine->store) {
            tw_store_begin(engine->store);
            tw_engine_put_state(engine);
            tw_code code = tw_store_commit(engine->store, err);
            if (code != TW_OK) {
                engine->failed = true;
                return code;
            }
        }
        (void)TW_FAILPOINT(ENGINE_COMMITTED);
        engine->changed = false;
        for (size_t i = 0; i < engine->routes_count; i++) {
            const tw_position *position = &engine->positions[engine->routes[i].position];
            if (position->offset >= 0)
                engine->source->ops->ack(engine->source, engine->routes[i].input, position->partition,
                                         position->offset);
        }
        engine->commit_ns = tw_clock_steady_ns(&engine->clock);
        tw_engine_count_commit((double)(engine->commit_ns - start_ns) * 1e-9);
    }
    tw_engine_gauge(engine);
    engine->end_committed = engine->source_ended;
    return TW_OK;
}

tw_code tw_engine_commit_due(tw_engine *engine, tw_err *err) {
    int64_t waited_ns = tw_clock_steady_ns(&engine->clock) - engine->commit_ns;
    if (!engine->unflushed && waited_ns < engine->config->commit_interval_ms * 1000000)
        return TW_OK;
    tw_code code = tw_engine_commit(engine, err);
    return code == TW_E_BUSY ? TW_OK : code; /* the step stalls until it is through */
}
