#include "property/engine/course.h"

#include "support/quiet.h"
#include "support/test.h"

#define ASKED 40

tw_config course_config;
tw_shop_options course_shop;
static tw_err err;

void course_begin(void) {
    tw_config_init(&course_config);
    course_config.learn_dim = 16;
    course_config.learn_negatives = 32;
    course_config.rank_list_size = 3;
    course_config.store_journal_max_bytes = 1 << 20;
    course_config.commit_interval_ms = 600000; /* commits are made by the test, or because there is too little memory */
    tw_shop_defaults(&course_shop);
    course_shop.seed = tw_test_seed();
    course_shop.users = 200;
    course_shop.items = 300;
    course_shop.events = COURSE_EVENTS;
    course_shop.events_per_s = 0.1;
    course_shop.broken = 0.01;
    course_shop.end_ms = 1700000000000;
}

void course_end(void) {
    tw_config_done(&course_config);
}

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
    (void)task, (void)e;
    tw_hasher_add(((hashing_sink *)sink)->gone, user_id.data, user_id.size);
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

hashing_sink hashing_sink_make(void) {
    return (hashing_sink){.sink = {&hashing_ops}, .lists = tw_hasher_create(), .gone = tw_hasher_create()};
}
void hashing_sink_done(hashing_sink *sink) {
    tw_hasher_free(sink->lists);
    tw_hasher_free(sink->gone);
}

static uint64_t marks_of(tw_engine *engine) {
    const tw_model *model = tw_engine_model(engine);
    uint64_t marks = 0, every = (uint64_t)course_config.rank_every_events;
    for (uint32_t user = 0; every && user < tw_model_user_slots(model); user++)
        if (tw_model_user_live(model, user))
            marks += (every > 1) + tw_model_user_events(model, user) / every;
    return marks;
}

/* Lists of users of the shop, most of whom are there. */
static tw_hash128 ask(tw_engine *engine) {
    tw_hasher *hasher = tw_hasher_create();
    for (int i = 0; i < ASKED; i++) {
        char id[32];
        tw_list list;
        tw_buf buf = {0};
        snprintf(id, sizeof id, "user-%" PRIu64, (uint64_t)i * course_shop.users / ASKED);
        ASSERT_OK(tw_engine_recommend(engine, tw_slice_of(id), 5, (tw_slice){0}, &list, &err));
        tw_list_write_json(&list, &buf);
        tw_hasher_add(hasher, buf.data, buf.size);
        tw_buf_done(&buf);
    }
    tw_hash128 value = tw_hasher_value(hasher);
    tw_hasher_free(hasher);
    return value;
}

outcome course_run(const char *dir, const course *how) {
    outcome result = {0};
    hashing_sink sink = hashing_sink_make();
    tw_rng rng = tw_rng_at(how->seed, 3, 3);
    course_config.ingest_batch_max = how->batch;
    uint64_t read_back = 0;
    for (int turn = 0, done = 0; !done; turn++) {
        tw_engine *engine;
        tw_engine_options options = {
            .config = &course_config, .state_dir = dir, .lists = how->lists, .sink = &sink.sink};
        tw_source *source = tw_source_shop(&course_shop);
        course_config.state_memory_max = how->memory_max[turn % 2];
        ASSERT_OK(tw_engine_open(&options, &engine, &err));
        ASSERT_OK(tw_engine_attach(engine, source, &err));
        for (;;) {
            int count;
            ASSERT_OK(tw_engine_step(engine, 0, &count, &err));
            ASSERT_OK(tw_engine_commit_due(engine, &err));
            if (count == 0) {
                ASSERT_OK(tw_engine_list_owed(engine, &err));
                ASSERT_OK(tw_engine_commit(engine, &err));
                done = 1;
                break;
            }
            if (how->restart_every && tw_rng_below(&rng, how->restart_every) == 0) {
                ASSERT_OK(tw_engine_commit(engine, &err));
                break;
            }
        }
        result.state = tw_engine_digest(engine);
        tw_engine_totals(engine, &result.totals);
        result.marks = marks_of(engine);
        result.asked = ask(engine);
        ASSERT_OK(tw_engine_sound(engine, &err));
        tw_model_stats_get(tw_engine_model(engine), &result.stats);
        read_back += result.stats.users_read_back;
        tw_engine_close(engine);
        source->ops->close(source);
    }
    result.stats.users_read_back = read_back;
    result.lists = tw_hasher_value(sink.lists);
    result.gone = tw_hasher_value(sink.gone);
    result.lists_count = sink.lists_count;
    result.dead_count = sink.dead_count;
    hashing_sink_done(&sink);
    course_config.state_memory_max = 0;
    return result;
}

static bool same(tw_hash128 a, tw_hash128 b) {
    return a.lo == b.lo && a.hi == b.hi;
}

void course_same(const outcome *a, const outcome *b) {
    ASSERT_TRUE(same(a->state, b->state));
    ASSERT_TRUE(same(a->lists, b->lists));
    ASSERT_TRUE(same(a->gone, b->gone));
    ASSERT_TRUE(same(a->asked, b->asked));
    ASSERT_TRUE(memcmp(&a->totals, &b->totals, sizeof a->totals) == 0);
}
