#include "property/engine/life.h"

#include "pipeline/ingest/shop.h"
#include "support/test.h"

#define COMMIT_EVENTS 150

static tw_config config;
static tw_shop_options shop;

void life_begin(int events, bool bounded) {
    tw_config_init(&config);
    config.commit_interval_ms = 600000; /* none by the clock */
    config.learn_dim = 8;
    config.learn_negatives = 8;
    config.ingest_batch_max = bounded ? 3 : 50;
    config.state_map_max_bytes = 1 << 26;
    config.store_journal_max_bytes = 1 << 13; /* folds often */
    config.store_fold_rows_max = 30;
    tw_shop_defaults(&shop);
    shop.seed = 5;
    shop.users = 60;
    shop.items = 30;
    shop.events = (uint64_t)events;
    shop.events_per_s = 0.1;
    shop.broken = 0.02;
    shop.end_ms = 1700000000000;
    if (bounded)
        config.state_memory_max = tw_model_memory_least(&config);
}

void life_end(void) {
    tw_config_done(&config);
}

static void keep_digest(life *one, tw_engine *engine) {
    if (!one->no_digests)
        one->digests[one->commits] = tw_engine_digest(engine);
}

/* A bound makes commits of its own; between one and the end of its step nothing is learned. */
static void note_commits(life *one, tw_engine *engine) {
    tw_store_stats stats;
    tw_engine_store_stats(engine, &stats);
    ASSERT_LE(stats.commits, LIFE_COMMITS_MAX);
    if (one->commits == (int)stats.commits)
        return;
    one->commits = (int)stats.commits;
    keep_digest(one, engine);
}

tw_code life_go_on(const char *dir, life *one, tw_err *err) {
    tw_engine *engine = NULL;
    tw_engine_options options = {.config = &config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_source *source = tw_source_shop(&shop);
    tw_code code = tw_engine_open(&options, &engine, err);
    one->opened = code == TW_OK;
    if (code == TW_OK) {
        keep_digest(one, engine);
        code = tw_engine_attach(engine, source, err);
    }
    int commit_steps = COMMIT_EVENTS / (int)config.ingest_batch_max;
    for (int steps = 1, count = 1; code == TW_OK && count > 0; steps++) {
        code = tw_engine_step(engine, 0, &count, err);
        if (code == TW_OK)
            code = tw_engine_commit_due(engine, err);
        if (code == TW_OK && (count == 0 || steps % commit_steps == 0))
            code = tw_engine_commit(engine, err);
        note_commits(one, engine);
    }
    if (one->opened && code != TW_OK) { /* stopped: it says so again, and writes nothing */
        tw_err again = {0};
        ASSERT_NE(tw_engine_commit(engine, &again), TW_OK);
    }
    tw_engine_close(engine);
    source->ops->close(source);
    return code;
}

tw_hash128 life_state(const char *dir) {
    tw_engine *engine;
    tw_err err = {0};
    tw_engine_options options = {.config = &config, .state_dir = dir, .lists = TW_LISTS_NONE};
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    tw_hash128 state = tw_engine_digest(engine);
    tw_engine_close(engine);
    return state;
}

bool life_same(tw_hash128 a, tw_hash128 b) {
    return a.lo == b.lo && a.hi == b.hi;
}
