/* An engine that watches for changes (drift.enabled): what it knows of them is part of the state like all else, teaches nothing, and outlives a
 * time in which it does not watch. */
#include "property/engine/course.h"
#include "support/test.h"

#define HALF_STEPS (COURSE_EVENTS / 2 / 100)

static tw_err err;

/* Users come and go, so that their slots are others'. */
static void begin(void) {
    course_begin();
    course_config.drift_enabled = true;
    course_config.learn_blend_every = 2;
    course_config.state_users_max = 60;
}

static bool same(tw_hash128 a, tw_hash128 b) {
    return a.lo == b.lo && a.hi == b.hi;
}

TEST(what_is_known_of_changes_is_the_same_in_other_batches_and_after_restarts_and_teaches_nothing) {
    begin();
    char dir[600];
    const char *root = tw_test_dir();
    snprintf(dir, sizeof dir, "%s/whole", root);
    outcome whole = course_run(dir, &(course){.batch = 256, .lists = TW_LISTS_ALL});
    snprintf(dir, sizeof dir, "%s/restarts", root);
    outcome other =
        course_run(dir, &(course){.batch = 70, .restart_every = 5, .seed = tw_test_seed(), .lists = TW_LISTS_ALL});
    course_same(&whole, &other);
    course_config.drift_enabled = false;
    snprintf(dir, sizeof dir, "%s/blind", root);
    outcome blind = course_run(dir, &(course){.batch = 256, .lists = TW_LISTS_ALL});
    ASSERT_FALSE(same(whole.state, blind.state));
    blind.state = whole.state; /* all else is the same */
    course_same(&whole, &blind);
    course_end();
}

static tw_hash128 opened(const char *dir, bool read_only) {
    tw_engine *engine;
    const tw_engine_options options = {.config = &course_config, .state_dir = dir, .read_only = read_only};
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    tw_hash128 digest = tw_engine_digest(engine);
    tw_engine_close(engine);
    return digest;
}

/* The next steps of the shop, each with a commit of its own; the digest after the last one. */
static tw_hash128 go_on(const char *dir, int steps) {
    tw_engine *engine;
    const tw_engine_options options = {.config = &course_config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_source *source = tw_source_shop(&course_shop);
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    ASSERT_OK(tw_engine_attach(engine, source, &err));
    for (int count = 1; count > 0 && steps > 0; steps--) {
        ASSERT_OK(tw_engine_step(engine, 0, &count, &err));
        ASSERT_OK(tw_engine_commit(engine, &err));
    }
    tw_hash128 digest = tw_engine_digest(engine);
    tw_engine_close(engine);
    source->ops->close(source);
    return digest;
}

TEST(what_is_known_of_changes_stays_while_nobody_watches) {
    begin();
    const char *dir = tw_test_dir();
    course_config.ingest_batch_max = 100;
    course_config.store_journal_max_bytes = 1 << 16; /* rows of the first half are put in place in the second */
    tw_hash128 half = go_on(dir, HALF_STEPS);
    course_config.drift_enabled = false;
    ASSERT_TRUE(same(half, opened(dir, true)));
    tw_hash128 end = go_on(dir, COURSE_EVENTS);
    ASSERT_FALSE(same(half, end));
    ASSERT_TRUE(same(end, opened(dir, true)));
    course_config.drift_enabled = true;
    ASSERT_TRUE(same(end, opened(dir, false)));
    course_end();
}
