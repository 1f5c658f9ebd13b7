/* The engine on a small shop, with every call of its store made to fail once, one after another: it stops with a sentence, what
 * it had committed is what a new one opens with, and that one ends where an undisturbed run ends. */
#include "base/failpoint.h"
#include "engine/engine.h"
#include "pipeline/ingest/shop.h"
#include "support/test.h"

#define EVENTS 1500
#define COMMIT_STEPS 3

static tw_config config;
static tw_shop_options shop;
static tw_err err;

static void settings(void) {
    tw_config_init(&config);
    config.learn_dim = 8;
    config.learn_negatives = 8;
    config.ingest_batch_max = 50;
    config.store_journal_max_bytes = 1 << 13; /* folds often */
    config.store_fold_rows_max = 30;
    tw_shop_defaults(&shop);
    shop.seed = 5;
    shop.users = 60;
    shop.items = 30;
    shop.events = EVENTS;
    shop.events_per_s = 0.1;
    shop.broken = 0.02;
    shop.end_ms = 1700000000000;
}

/* Goes on from what is there to the end of the shop, or to the first failure. *ret_state: as of the last commit, or as opened. */
static tw_code go_on(const char *dir, tw_hash128 *ret_state, bool *ret_opened) {
    tw_engine *engine = NULL;
    tw_engine_options options = {.config = &config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_source *source = tw_source_shop(&shop);
    tw_code code = tw_engine_open(&options, &engine, &err);
    *ret_opened = code == TW_OK;
    if (code == TW_OK) {
        *ret_state = tw_engine_digest(engine);
        code = tw_engine_attach(engine, source, &err);
    }
    for (int steps = 1, count = 1; code == TW_OK && count > 0; steps++) {
        code = tw_engine_step(engine, 0, &count, &err);
        if (code != TW_OK || (count > 0 && steps % COMMIT_STEPS))
            continue;
        code = tw_engine_commit(engine, &err);
        if (code == TW_OK)
            *ret_state = tw_engine_digest(engine);
    }
    if (*ret_opened && code != TW_OK) { /* stopped: it says so again, and writes nothing */
        tw_err again = {0};
        ASSERT_NE(tw_engine_commit(engine, &again), TW_OK);
    }
    tw_engine_close(engine);
    source->ops->close(source);
    return code;
}

static tw_hash128 state_of(const char *dir) {
    tw_engine *engine;
    tw_engine_options options = {.config = &config, .state_dir = dir, .lists = TW_LISTS_NONE};
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    tw_hash128 state = tw_engine_digest(engine);
    tw_engine_close(engine);
    return state;
}

static bool same(tw_hash128 a, tw_hash128 b) {
    return a.lo == b.lo && a.hi == b.hi;
}

TEST(each_call_of_the_store_that_fails_stops_the_engine_and_loses_nothing) {
    settings();
    char dir[700];
    const char *root = tw_test_dir();
    tw_hash128 whole, state, last = {0};
    bool opened;
    long n = 1, kept = 0;
    snprintf(dir, sizeof dir, "%s/whole", root);
    ASSERT_OK(go_on(dir, &whole, &opened));
    for (;; n++) {
        snprintf(dir, sizeof dir, "%s/%ld", root, n);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, n);
        tw_code code = go_on(dir, &state, &opened);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, 0);
        if (code == TW_OK)
            break;
        if ((code != TW_E_STORE && code != TW_E_IO) || tw_code_class(code) != TW_CLASS_FATAL || !err.text[0])
            tw_test_fail(__FILE__, __LINE__, "call %ld: code %d: %s", n, code, err.text);
        if (opened) {
            ASSERT_TRUE(same(state_of(dir), state)); /* exactly what was committed */
            kept += !same(state, last);
            last = state;
        }
        ASSERT_OK(go_on(dir, &state, &opened));
        ASSERT_TRUE(same(state, whole));
    }
    printf("  %ld calls made to fail, between %ld different commits\n", n - 1, kept);
    ASSERT_GT(n, 300);
    ASSERT_GT(kept, 3);
    tw_config_done(&config);
}
