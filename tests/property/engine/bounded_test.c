/* An engine whose users do not fit in memory (state.memory.max) beside one without a bound, on the same shop: the same state, the same lists,
 * the same goodbyes and the same counters, whatever else the settings say, across restarts, and with the bound changing at each. */
#include "property/engine/course.h"
#include "support/test.h"

#include <fcntl.h>
#include <unistd.h>

#define USERS 3000

static tw_err err;

static void begin(void) {
    course_begin();
    course_config.learn_dim = 8;
    course_shop.users = USERS;
    course_shop.items = 200;
}

/* The least bound that a batch can do with, and a few rows more. */
static int64_t bound_of(int batch, tw_rng *rng) {
    tw_config least = course_config;
    least.ingest_batch_max = batch;
    return tw_model_memory_least(&least) + (int64_t)tw_rng_below(rng, 20000);
}

static void compare(tw_lists lists, tw_rng *rng) {
    const char *root = tw_test_dir();
    char dir[700];
    snprintf(dir, sizeof dir, "%s/unbounded", root);
    const course whole_way = {.batch = 256, .lists = lists};
    outcome whole = course_run(dir, &whole_way);
    const struct {
        uint32_t restart_every;
        bool both; /* bounded at each start, or at every other one */
    } ways[] = {{0, true}, {150, true}, {100, false}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        course how = {.batch = 1 + (int)tw_rng_below(rng, 12),
                      .restart_every = ways[i].restart_every,
                      .seed = tw_test_seed() + i,
                      .lists = lists};
        how.memory_max[0] = bound_of(how.batch, rng);
        how.memory_max[1] = ways[i].both ? bound_of(how.batch, rng) : 0;
        snprintf(dir, sizeof dir, "%s/bounded-%zu", root, i);
        outcome bounded = course_run(dir, &how);
        course_same(&whole, &bounded);
        ASSERT_GT(bounded.stats.users_read_back, 500);
        if (ways[i].restart_every == 0) {
            ASSERT_LT(bounded.stats.users_in_memory * 4, whole.stats.users_in_memory);
            ASSERT_GT(bounded.stats.users_settled, 0);
        }
    }
}

TEST(a_bound_changes_neither_state_nor_lists) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 10, 1);
    begin();
    compare(TW_LISTS_ALL, &rng);
    course_end();
}

TEST(users_that_expire_or_are_evicted_are_the_same_with_a_bound) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 10, 2);
    begin();
    course_config.state_ttl_ms = (int64_t)(COURSE_EVENTS / course_shop.events_per_s * 1000 / 4);
    course_config.state_users_max = USERS / 3;
    compare(TW_LISTS_FINAL, &rng);
    course_end();
}

TEST(items_that_went_and_whose_slots_are_others_are_the_same_with_a_bound) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 10, 3);
    begin();
    course_config.state_items_max = 60;
    course_config.rank_exclude = TW_EXCLUDE_CONSUMED;
    compare(TW_LISTS_ALL, &rng);
    course_end();
}

TEST(the_factor_model_and_lists_by_events_are_the_same_with_a_bound) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 10, 4);
    begin();
    course_config.learn_model = TW_LEARN_MF;
    course_config.rank_every_events = 2;
    compare(TW_LISTS_ALL, &rng);
    course_end();
}

TEST(what_is_known_of_changes_is_the_same_with_a_bound) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 10, 5);
    begin();
    course_config.drift_enabled = true;
    compare(TW_LISTS_FINAL, &rng);
    course_end();
}

TEST(a_bound_below_what_a_batch_needs_is_refused_with_the_least) {
    char least[64];
    tw_engine *engine;
    begin();
    course_config.ingest_batch_max = 16;
    course_config.state_memory_max = tw_model_memory_least(&course_config) - 1;
    snprintf(least, sizeof least, "the least is %" PRId64, tw_model_memory_least(&course_config));
    tw_engine_options options = {.config = &course_config, .state_dir = tw_test_dir(), .lists = TW_LISTS_NONE};
    ASSERT_EQ(tw_engine_open(&options, &engine, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, least) != NULL);
    course_config.state_memory_max++;
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    tw_engine_close(engine);
    course_end();
}

static void read_to_the_end(tw_engine *engine) {
    for (int count = 1; count > 0;) {
        ASSERT_OK(tw_engine_step(engine, 0, &count, &err));
        ASSERT_OK(tw_engine_commit_due(engine, &err));
    }
    ASSERT_OK(tw_engine_commit(engine, &err));
}

/* Turns a byte of each place where this user's id stands in data.mdb. */
static int damage(const char *dir, const char *id) {
    char path[700];
    static char bytes[1 << 24];
    int found = 0;
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDWR);
    ssize_t size = read(fd, bytes, sizeof bytes);
    uint32_t length = (uint32_t)strlen(id);
    for (ssize_t at = 4; at + (ssize_t)length < size; at++)
        if (memcmp(bytes + at, id, length) == 0 && memcmp(bytes + at - 4, &length, 4) == 0) {
            char other = (char)(bytes[at + length + 20] ^ 1);
            found += pwrite(fd, &other, 1, at + length + 20) == 1;
        }
    close(fd);
    return found;
}

TEST(a_cold_row_that_was_damaged_since_the_start_ends_in_a_sentence_and_nothing_is_committed) {
    const char *dir = tw_test_dir();
    tw_engine *engine;
    tw_list list;
    begin();
    course_config.ingest_batch_max = 8;
    course_config.state_memory_max = tw_model_memory_least(&course_config);
    course_shop.events = 3000;
    tw_engine_options options = {.config = &course_config, .state_dir = dir, .lists = TW_LISTS_NONE};
    tw_source *source = tw_source_shop(&course_shop);
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    ASSERT_OK(tw_engine_attach(engine, source, &err));
    read_to_the_end(engine);
    tw_engine_close(engine);
    options.read_only = true; /* rows of the journal do not count: the engine reads what is in place */
    ASSERT_OK(tw_engine_open(&options, &engine, &err));
    tw_model *model = tw_engine_model(engine);
    char id[64] = "";
    tw_model_stats before, after;
    for (uint32_t user = 0; !*id && user < tw_model_user_slots(model); user++) {
        tw_model_stats_get(model, &before);
        tw_slice text = tw_model_user_look(model, user);
        tw_model_stats_get(model, &after);
        if (after.users_read_back > before.users_read_back)
            snprintf(id, sizeof id, TW_SLICE_FMT, TW_SLICE_ARG(text));
    }
    ASSERT_TRUE(*id);
    ASSERT_GT(damage(dir, id), 0);
    ASSERT_EQ(tw_engine_recommend(engine, tw_slice_of(id), 5, (tw_slice){0}, &list, &err), TW_E_STORE);
    ASSERT_TRUE(strstr(err.text, "of table user is damaged: bring back a copy") != NULL);
    tw_buf past = {0};
    ASSERT_EQ(tw_engine_past(engine, tw_slice_of(id), 5, &past, &err), TW_E_STORE);
    ASSERT_EQ(past.size, 0);
    tw_buf_done(&past);
    ASSERT_EQ(tw_engine_sound(engine, &err), TW_E_STORE); /* from now on */
    tw_engine_close(engine);
    source->ops->close(source);
    course_end();
}
