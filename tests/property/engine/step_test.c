/* The engine on a seeded shop: its result does not depend on how records fell into batches, on when it committed or on whether
 * it was closed and opened again in between. */
#include "base/rng.h"
#include "engine/engine.h"
#include "pipeline/ingest/shop.h"
#include "support/quiet.h"
#include "support/test.h"

#define EVENTS 8000

static tw_config config;
static tw_shop_options shop;
static tw_err err;

static void settings(void) {
    tw_config_init(&config);
    config.learn_dim = 16;
    config.learn_negatives = 32;
    config.rank_list_size = 3;
    config.store_journal_max_bytes = 1 << 20;
    tw_shop_defaults(&shop);
    shop.seed = tw_test_seed();
    shop.users = 200;
    shop.items = 300;
    shop.events = EVENTS;
    shop.events_per_s = 0.1;
    shop.broken = 0.01;
    shop.end_ms = 1700000000000;
}

/* A sink that hashes what it is given, up to the last flush. */
typedef struct hashing_sink {
    tw_sink sink;
    tw_hasher *lists;
    uint64_t lists_count, dead_count;
} hashing_sink;

static tw_code take_list(tw_sink *sink, const tw_list *list, tw_err *e) {
    (void)e;
    hashing_sink *self = (hashing_sink *)sink;
    tw_buf buf = {0};
    tw_list_write_json(list, &buf);
    tw_hasher_add(self->lists, buf.data, buf.size);
    tw_buf_done(&buf);
    self->lists_count++;
    return TW_OK;
}
static tw_code take_gone(tw_sink *sink, uint32_t task, tw_slice user_id, tw_err *e) {
    (void)sink, (void)task, (void)user_id, (void)e;
    return TW_OK;
}
static tw_code take_dead(tw_sink *sink, const char *name, const tw_record *record, tw_reason reason, tw_err *e) {
    (void)name, (void)record, (void)reason, (void)e;
    ((hashing_sink *)sink)->dead_count++;
    return TW_OK;
}
static const tw_sink_ops hashing_ops = {.list = take_list,
                                        .gone = take_gone,
                                        .dead = take_dead,
                                        .flush = quiet_flush,
                                        .position = quiet_position,
                                        .resume = quiet_resume};

typedef struct outcome {
    tw_hash128 state, lists;
    tw_totals totals;
    uint64_t lists_count, dead_count;
    uint64_t marks; /* first and each N-th applied event of all users, where rank.every.events is N */
} outcome;

static uint64_t marks_of(tw_engine *engine) {
    const tw_model *model = tw_engine_model(engine);
    uint64_t marks = 0, every = (uint64_t)config.rank_every_events;
    for (uint32_t user = 0; every && user < tw_model_user_slots(model); user++)
        if (tw_model_user_live(model, user))
            marks += (every > 1) + tw_model_user_events(model, user) / every;
    return marks;
}

/* Runs the shop through; restarts: how often, on the mean, the engine is closed after a commit and opened again. */
static outcome run(const char *dir, int batch, uint32_t restart_every, uint64_t seed) {
    outcome result = {0};
    hashing_sink sink = {.sink = {&hashing_ops}, .lists = tw_hasher_create()};
    tw_rng rng = tw_rng_at(seed, 3, 3);
    config.ingest_batch_max = batch;
    for (bool done = false; !done;) {
        tw_engine *engine;
        tw_engine_options options = {.config = &config, .state_dir = dir, .lists = TW_LISTS_ALL, .sink = &sink.sink};
        tw_source *source = tw_source_shop(&shop);
        ASSERT_OK(tw_engine_open(&options, &engine, &err));
        ASSERT_OK(tw_engine_attach(engine, source, &err));
        for (;;) {
            int count;
            ASSERT_OK(tw_engine_step(engine, 0, &count, &err));
            if (count == 0) {
                ASSERT_OK(tw_engine_list_owed(engine, &err));
                ASSERT_OK(tw_engine_commit(engine, &err));
                done = true;
                break;
            }
            if (restart_every && tw_rng_below(&rng, restart_every) == 0) {
                ASSERT_OK(tw_engine_commit(engine, &err));
                break;
            }
        }
        result.state = tw_engine_digest(engine);
        tw_engine_totals(engine, &result.totals);
        result.marks = marks_of(engine);
        tw_engine_close(engine);
        source->ops->close(source);
    }
    result.lists = tw_hasher_value(sink.lists);
    result.lists_count = sink.lists_count;
    result.dead_count = sink.dead_count;
    tw_hasher_free(sink.lists);
    return result;
}

static void check_batches_commits_and_restarts(int every_events) {
    settings();
    config.rank_every_events = every_events;
    char dir[600];
    const char *root = tw_test_dir();
    snprintf(dir, sizeof dir, "%s/whole", root);
    outcome whole = run(dir, 256, 0, 0);
    uint64_t sum = 0;
    for (int v = 0; v < TW_VERDICT_COUNT; v++) {
        sum += whole.totals.verdicts[v];
        ASSERT_GT(whole.totals.verdicts[v], 0); /* the shop has some of each */
    }
    ASSERT_EQ(sum, EVENTS);
    ASSERT_EQ(whole.totals.consumed, EVENTS);
    ASSERT_EQ(whole.totals.lists, whole.lists_count);
    ASSERT_EQ(whole.totals.verdicts[TW_VERDICT_DEAD], whole.dead_count);
    ASSERT_GT(whole.lists_count, 1000);
    if (every_events)
        ASSERT_EQ(whole.lists_count, whole.marks);
    const struct {
        int batch;
        uint32_t restart_every;
    } ways[] = {{1, 0}, {7, 0}, {1000, 0}, {100, 5}, {3, 300}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        snprintf(dir, sizeof dir, "%s/way-%zu", root, i);
        outcome other = run(dir, ways[i].batch, ways[i].restart_every, tw_test_seed() + i);
        ASSERT_TRUE(memcmp(&whole.state, &other.state, sizeof whole.state) == 0);
        ASSERT_TRUE(memcmp(&whole.lists, &other.lists, sizeof whole.lists) == 0);
        ASSERT_TRUE(memcmp(&whole.totals, &other.totals, sizeof whole.totals) == 0);
    }
    tw_config_done(&config);
}

TEST(batches_commits_and_restarts_change_neither_state_nor_lists) {
    check_batches_commits_and_restarts(0);
}

TEST(lists_by_events_come_at_the_first_and_each_nth_event_of_a_user) {
    check_batches_commits_and_restarts(1);
    check_batches_commits_and_restarts(5);
}

TEST(a_debt_outlives_the_run_that_made_no_lists) {
    settings();
    const char *dir = tw_test_dir();
    tw_engine *engine;
    int count;
    tw_engine_options options = {.config = &config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_source *source = tw_source_shop(&shop);
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    ASSERT_OK(tw_engine_attach(engine, source, &err));
    do
        ASSERT_OK(tw_engine_step(engine, 0, &count, &err));
    while (count);
    ASSERT_OK(tw_engine_commit(engine, &err));
    uint64_t owed = tw_engine_users_owed(engine);
    ASSERT_EQ(owed, tw_model_user_count(tw_engine_model(engine)));
    tw_engine_close(engine);

    hashing_sink sink = {.sink = {&hashing_ops}, .lists = tw_hasher_create()};
    options.lists = TW_LISTS_FINAL;
    options.sink = &sink.sink;
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    ASSERT_OK(tw_engine_list_owed(engine, &err));
    ASSERT_EQ(sink.lists_count, owed);
    ASSERT_EQ(tw_engine_users_owed(engine), 0);
    tw_engine_close(engine); /* not committed: the debts stand again */
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    ASSERT_EQ(tw_engine_users_owed(engine), owed);
    tw_engine_close(engine);
    source->ops->close(source);
    tw_hasher_free(sink.lists);
    tw_config_done(&config);
}
