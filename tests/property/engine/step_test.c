/* The engine on a seeded shop: its result does not depend on how records fell into batches, on when it committed or on whether
 * it was closed and opened again in between. */
#include "property/engine/course.h"
#include "support/test.h"

static tw_err err;

static void check_batches_commits_and_restarts(int every_events) {
    course_begin();
    course_config.rank_every_events = every_events;
    char dir[600];
    const char *root = tw_test_dir();
    snprintf(dir, sizeof dir, "%s/whole", root);
    outcome whole = course_run(dir, &(course){.batch = 256, .lists = TW_LISTS_ALL});
    uint64_t sum = 0;
    for (int v = 0; v < TW_VERDICT_COUNT; v++) {
        sum += whole.totals.verdicts[v];
        ASSERT_GT(whole.totals.verdicts[v], 0); /* the shop has some of each */
    }
    ASSERT_EQ(sum, COURSE_EVENTS);
    ASSERT_EQ(whole.totals.consumed, COURSE_EVENTS);
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
        const course how = {ways[i].batch, ways[i].restart_every, tw_test_seed() + i, TW_LISTS_ALL, {0}};
        outcome other = course_run(dir, &how);
        course_same(&whole, &other);
    }
    course_end();
}

TEST(batches_commits_and_restarts_change_neither_state_nor_lists) {
    check_batches_commits_and_restarts(0);
}

TEST(lists_by_events_come_at_the_first_and_each_nth_event_of_a_user) {
    check_batches_commits_and_restarts(1);
    check_batches_commits_and_restarts(5);
}

TEST(a_debt_outlives_the_run_that_made_no_lists) {
    course_begin();
    const char *dir = tw_test_dir();
    tw_engine *engine;
    int count;
    tw_engine_options options = {.config = &course_config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_source *source = tw_source_shop(&course_shop);
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    ASSERT_OK(tw_engine_attach(engine, source, &err));
    do
        ASSERT_OK(tw_engine_step(engine, 0, &count, &err));
    while (count);
    ASSERT_OK(tw_engine_commit(engine, &err));
    uint64_t owed = tw_engine_users_owed(engine);
    ASSERT_EQ(owed, tw_model_user_count(tw_engine_model(engine)));
    tw_engine_close(engine);

    hashing_sink sink = hashing_sink_make();
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
    hashing_sink_done(&sink);
    course_end();
}
