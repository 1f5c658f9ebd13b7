#include "property/engine/life.h"

#include "pipeline/ingest/shop.h"
#include "support/test.h"

#define COMMIT_STEPS 3

static tw_config config;
static tw_shop_options shop;

void life_begin(int events) {
    tw_config_init(&config);
    config.learn_dim = 8;
    config.learn_negatives = 8;
    config.ingest_batch_max = 50;
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
}

void life_end(void) {
    tw_config_done(&config);
}

static void keep_digest(life *one, tw_engine *engine) {
    ASSERT_LE(one->commits, LIFE_COMMITS_MAX);
    if (!one->no_digests)
        one->digests[one->commits] = tw_engine_digest(engine);
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
    for (int steps = 1, count = 1; code == TW_OK && count > 0; steps++) {
        code = tw_engine_step(engine, 0, &count, err);
        if (code != TW_OK || (count > 0 && steps % COMMIT_STEPS))
            continue;
        code = tw_engine_commit(engine, err);
        if (code == TW_OK) {
            one->commits++;
            keep_digest(one, engine);
        }
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
