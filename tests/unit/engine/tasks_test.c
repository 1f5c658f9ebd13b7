/* Tasks that move between processes, with a changelog in memory and a source that hands partitions out as the test says. */
#include "engine/engine.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/log.h"
#include "support/quiet.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static tw_err err;

/* ---- a changelog in memory ---------------------------------------------------------------------------------------- */

#define TASKS 2

typedef struct row {
    uint32_t task;
    tw_slice key, value;
    int64_t *ret_offset;
} row;

typedef struct record_log {
    row *rows;
    size_t count, capacity;
} record_log;

/* What all processes share: the committed rows of each task and of the model, last. */
typedef struct topics {
    record_log committed[TASKS + 1];
} topics;

typedef struct memory {
    tw_changelog changelog; /* first */
    topics *shared;
    record_log open; /* of the transaction */
    int busy;        /* so many commits answer BUSY first */
    bool die;        /* commits, but its caller hears of an abort: the store stays behind */
    uint64_t puts;   /* ever */
    int read_fails;  /* reading a task fails after so many rows; 0: it does not */
} memory;

static tw_slice copy(tw_slice s) {
    char *bytes = tw_alloc(s.size + 1);
    if (s.size)
        memcpy(bytes, s.data, s.size);
    return (tw_slice){s.data ? bytes : (free(bytes), NULL), s.size};
}

static row *add(record_log *to, uint32_t task, tw_slice key, tw_slice value) {
    to->rows = tw_grow(to->rows, &to->capacity, to->count + 1, sizeof *to->rows);
    to->rows[to->count] = (row){.task = task, .key = copy(key), .value = copy(value)};
    return &to->rows[to->count++];
}

static void empty(record_log *l) {
    for (size_t i = 0; i < l->count; i++) {
        free((char *)l->rows[i].key.data);
        free((char *)l->rows[i].value.data);
    }
    l->count = 0;
}

static record_log *log_of(memory *m, uint32_t task) {
    return &m->shared->committed[task == TW_CHANGELOG_MODEL ? TASKS : task];
}

static tw_code memory_put(tw_changelog *changelog, uint32_t task, tw_slice key, tw_slice value, int64_t *ret_offset,
                          tw_err *e) {
    memory *m = (memory *)changelog;
    (void)e;
    add(&m->open, task, key, value)->ret_offset = ret_offset;
    m->puts++;
    return TW_OK;
}

static tw_code memory_commit(tw_changelog *changelog, void *group, const tw_changelog_position *positions, int count,
                             tw_err *e) {
    memory *m = (memory *)changelog;
    (void)group, (void)positions, (void)count;
    if (m->busy > 0) {
        m->busy--;
        return tw_fail(e, TW_E_BUSY, "not yet");
    }
    for (size_t i = 0; i < m->open.count; i++) {
        const row *r = &m->open.rows[i];
        record_log *to = log_of(m, r->task);
        if (r->ret_offset)
            *r->ret_offset = (int64_t)to->count;
        add(to, r->task, r->key, r->value);
    }
    empty(&m->open);
    return m->die ? tw_fail(e, TW_E_ABORTED, "dead before the store") : TW_OK;
}

static tw_code memory_read(tw_changelog *changelog, uint32_t task, int64_t from,
                           tw_code (*take)(void *self, const tw_changelog_row *row, tw_err *err), void *self,
                           int64_t *ret_next, tw_err *e) {
    memory *m = (memory *)changelog;
    const record_log *l = log_of(m, task);
    for (size_t i = from > 0 ? (size_t)from : 0; i < l->count; i++) {
        if (m->read_fails && task != TW_CHANGELOG_MODEL && --m->read_fails == 0)
            return tw_fail(e, TW_E_IO, "the topic is away");
        TW_TRY(
            take(self, &(tw_changelog_row){l->rows[i].key, l->rows[i].value, tw_clock_wall_ms(&tw_clock_system)}, e));
    }
    *ret_next = (int64_t)l->count;
    return TW_OK;
}

static const tw_changelog_ops memory_ops = {.put = memory_put, .commit = memory_commit, .read = memory_read};

/* ---- a source that gives and takes partitions --------------------------------------------------------------------- */

#define EVENTS 600

typedef struct stub {
    tw_source source;           /* first */
    int64_t next[TASKS], until; /* offsets */
    bool ours[TASKS], paused;
    char bytes[64][200];
} stub;

static const char *const kinds[] = {"click", "purchase", "cart", "click"};

/* The event at an offset of a partition: users u0.. of their own, one in nine comes twice. */
static int event_at(int32_t partition, int64_t offset, char *user, char *value) {
    int64_t n = offset % 9 == 8 ? offset - 1 : offset;
    snprintf(user, 40, "p%d-u%d", (int)partition, (int)(n % 7));
    return snprintf(value, 160,
                    "{\"kind\":\"%s\",\"event_id\":\"%d-%d\",\"user_id\":\"%s\",\"item_id\":\"i%d\",\"category\":\"c%"
                    "d\",\"event_ms\":%lld}",
                    kinds[n % 4], (int)partition, (int)n, user, (int)(n * 7 % 31), (int)(n * 7 % 31 % 4),
                    1700000000000LL + (long long)n * 1000);
}

static tw_code stub_poll(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *e) {
    stub *s = (stub *)source;
    int count = 0;
    (void)wait_ms, (void)e;
    for (int32_t p = 0; p < TASKS; p++)
        for (; s->ours[p] && !s->paused && s->next[p] < s->until && count < max && count < 64; count++, s->next[p]++) {
            char *user = s->bytes[count], *value = user + 40;
            int size = event_at(p, s->next[p], user, value);
            records[count] = (tw_record){.partition = p,
                                         .offset = s->next[p],
                                         .timestamp_ms = 1700000000000 + EVENTS * 1000,
                                         .key = tw_slice_of(user),
                                         .value = {value, (size_t)size}};
        }
    s->source.caught_up = count == 0 && !s->paused;
    *ret_count = count;
    return TW_OK;
}

static void stub_ack(tw_source *source, uint16_t input, int32_t partition, int64_t offset) {
    (void)source, (void)input, (void)partition, (void)offset;
}

static void stub_pause(tw_source *source, bool paused) {
    ((stub *)source)->paused = paused;
}

static const tw_source_ops stub_ops = {.poll = stub_poll, .ack = stub_ack, .pause = stub_pause};

/* ---- a process ---------------------------------------------------------------------------------------------------- */

typedef struct process {
    tw_config config;
    tw_clock clock; /* the system's, the wall off by wall_off_ms */
    int64_t wall_off_ms;
    char dir[600];
    memory changelog;
    stub stub;
    tw_engine *engine;
    tw_sink sink;
    uint64_t instance, lists, tombstones;
    uint64_t newest[TASKS][7]; /* versions of lists that went out */
    uint64_t back;             /* of them lower than one before */
    uint64_t profiles, firsts; /* that went out; of them without one before */
} process;

static int64_t wall_ms(void *self) {
    return tw_clock_wall_ms(&tw_clock_system) + ((process *)self)->wall_off_ms;
}
static int64_t steady_ns(void *self) {
    (void)self;
    return tw_clock_steady_ns(&tw_clock_system);
}

static tw_input input = {.name = "events", .format = TW_FORMAT_JSON, .kind = TW_KIND_COUNT, .identity = "topic events"};

static tw_code take_list(tw_sink *sink, const tw_list *list, tw_err *e) {
    process *p = (process *)((char *)sink - offsetof(process, sink));
    int task, user;
    (void)e;
    char id[40];
    snprintf(id, sizeof id, TW_SLICE_FMT, TW_SLICE_ARG(list->user_id));
    ASSERT_EQ(sscanf(id, "p%d-u%d", &task, &user), 2);
    p->back += list->list_version < p->newest[task][user];
    p->newest[task][user] = list->list_version;
    p->lists++;
    return TW_OK;
}
/* After its list, and of the same version. */
static tw_code take_profile(tw_sink *sink, const tw_user_profile *profile, tw_err *e) {
    process *p = (process *)((char *)sink - offsetof(process, sink));
    int task, user;
    (void)e;
    char id[40];
    snprintf(id, sizeof id, TW_SLICE_FMT, TW_SLICE_ARG(profile->user_id));
    ASSERT_EQ(sscanf(id, "p%d-u%d", &task, &user), 2);
    ASSERT_EQ(profile->profile_version, p->newest[task][user]);
    ASSERT_EQ(profile->task, task);
    ASSERT_GT(profile->categories.count, 0);
    ASSERT_TRUE(!isfinite(profile->distance) || (profile->distance >= 0 && profile->distance <= 1));
    p->firsts += !isfinite(profile->distance);
    p->profiles++;
    return TW_OK;
}
static tw_code take_gone(tw_sink *sink, uint32_t task, tw_slice user_id, tw_err *e) {
    (void)task, (void)user_id, (void)e;
    ((process *)((char *)sink - offsetof(process, sink)))->tombstones++;
    return TW_OK;
}
static tw_code take_dead(tw_sink *sink, const char *name, const tw_record *record, tw_reason reason, tw_err *e) {
    (void)sink, (void)name, (void)record, (void)reason, (void)e;
    return TW_OK;
}
static const tw_sink_ops sink_ops = {.list = take_list,
                                     .profile = take_profile,
                                     .gone = take_gone,
                                     .dead = take_dead,
                                     .flush = quiet_flush,
                                     .position = quiet_position,
                                     .resume = quiet_resume};

static void begin(process *p, topics *shared, const char *name, uint64_t instance) {
    *p = (process){.instance = instance};
    tw_log_set(TW_LOG_ERROR, TW_LOG_LOGFMT);
    tw_config_init(&p->config);
    p->config.state_users_max = 1000;
    p->config.state_items_max = 1000;
    p->config.learn_dim = 16;
    p->config.learn_negatives = 32;
    p->config.rank_min_interval_ms = 0;
    p->config.state_map_max_bytes = 256 << 20;
    snprintf(p->dir, sizeof p->dir, "%s/%s", tw_test_dir(), name);
    p->changelog = (memory){.changelog.ops = &memory_ops, .shared = shared};
    p->sink.ops = &sink_ops;
    p->clock = (tw_clock){wall_ms, steady_ns, p};
}

/* Memory has room for two of its users or three. */
static void bound(process *p) {
    p->config.ingest_batch_max = 1;
    p->config.state_memory_max = tw_model_memory_least(&p->config);
}

/* Opens the state and shares; no partition is here yet. */
static void start(process *p) {
    const tw_engine_options options = {.config = &p->config,
                                       .state_dir = p->dir,
                                       .lists = TW_LISTS_ALL,
                                       .wall_intervals = true,
                                       .sink = &p->sink,
                                       .clock = &p->clock,
                                       .instance = p->instance};
    p->stub = (stub){.source = {.ops = &stub_ops, .inputs = &input, .inputs_count = 1, .partitions = TASKS}};
    empty(&p->changelog.open); /* what was not committed is lost */
    ASSERT_OK(tw_engine_open(&options, &p->engine, &err));
    ASSERT_OK(tw_engine_share(p->engine, &p->changelog.changelog, &err));
    ASSERT_OK(tw_engine_attach(p->engine, &p->stub.source, &err));
}

static void stop(process *p) {
    p->engine = tw_engine_close(p->engine);
}

static void end(process *p) {
    stop(p);
    empty(&p->changelog.open);
    free(p->changelog.open.rows);
    tw_config_done(&p->config);
}

static void forget(topics *shared) {
    for (int t = 0; t <= TASKS; t++) {
        empty(&shared->committed[t]);
        free(shared->committed[t].rows);
    }
}

static tw_code try_give(process *p, int32_t partition) {
    tw_source_hooks *hooks = &p->stub.source.hooks;
    TW_TRY(hooks->take_over(hooks->self, partition, &err));
    int64_t offset = hooks->assigned(hooks->self, 0, partition);
    p->stub.next[partition] = offset < 0 ? 0 : offset;
    p->stub.ours[partition] = true;
    p->stub.source.caught_up = false;
    return TW_OK;
}

static void give(process *p, int32_t partition) {
    ASSERT_OK(try_give(p, partition));
}

/* All partitions are taken away, as the eager protocol does. */
static void take_away(process *p) {
    ASSERT_OK(p->stub.source.hooks.revoked(p->stub.source.hooks.self, false, &err));
    p->stub.ours[0] = p->stub.ours[1] = false;
}

static void run_to(process *p, int64_t offset) {
    int count = 1;
    p->stub.until = offset;
    while (count)
        ASSERT_OK(tw_engine_step(p->engine, 0, &count, &err));
    ASSERT_OK(tw_engine_step(p->engine, 0, &count, &err)); /* lists, now that it has caught up */
}

static void commit(process *p) {
    ASSERT_OK(tw_engine_commit(p->engine, &err));
}

static tw_model_stats stats_of(process *p) {
    tw_model_stats stats;
    tw_model_stats_get(tw_engine_model(p->engine), &stats);
    return stats;
}

static bool same_state(process *a, process *b) {
    tw_hash128 x = tw_engine_digest(a->engine), y = tw_engine_digest(b->engine);
    ASSERT_OK(tw_engine_sound(a->engine, &err));
    ASSERT_OK(tw_engine_sound(b->engine, &err));
    return x.lo == y.lo && x.hi == y.hi;
}

static tw_totals totals(process *p) {
    tw_totals t;
    tw_engine_totals(p->engine, &t);
    return t;
}

/* How often the user's past holds an item, as rank.exclude would see it: whether the item is left out of a list. */
static bool is_excluded(process *p, const char *user, const char *item) {
    tw_list list;
    ASSERT_OK(tw_engine_recommend(p->engine, tw_slice_of(user), 100, (tw_slice){0}, &list, &err));
    for (int i = 0; i < list.count; i++)
        if (tw_slice_equal(list.items[i].item_id, tw_slice_of(item)))
            return false;
    return true;
}

/* ---- the promises ------------------------------------------------------------------------------------------------- */

TEST(a_task_moves_with_users_windows_counters_and_exclusions) {
    topics shared = {0};
    process a, b;
    begin(&a, &shared, "a", 1);
    begin(&b, &shared, "b", 2);
    a.config.rank_exclude = b.config.rank_exclude = TW_EXCLUDE_PURCHASED;
    start(&a);
    give(&a, 0);
    give(&a, 1);
    run_to(&a, 400);
    take_away(&a);
    tw_totals before = totals(&a);
    start(&b);
    give(&b, 0);
    give(&b, 1);
    tw_totals after = totals(&b);
    ASSERT_EQ(after.consumed, before.consumed);
    for (int v = 0; v < TW_VERDICT_COUNT; v++)
        ASSERT_EQ(after.verdicts[v], before.verdicts[v]);
    ASSERT_EQ(b.stub.next[0], 400);
    for (int i = 0; i < 31; i++) {
        char item[16];
        snprintf(item, sizeof item, "i%d", i);
        ASSERT_EQ(is_excluded(&b, "p0-u1", item), is_excluded(&a, "p0-u1", item));
    }
    end(&a);
    end(&b);
    forget(&shared);
}

/* The records before the move are in the windows of whoever took the task over. */
TEST(an_id_seen_before_the_move_is_a_duplicate_after_it) {
    topics shared = {0};
    process a, b, whole;
    begin(&a, &shared, "a", 1);
    begin(&b, &shared, "b", 2);
    start(&a);
    give(&a, 0);
    run_to(&a, 305); /* offset 305 is the twin of 304: it comes after the move */
    ASSERT_EQ(305 % 9, 8);
    take_away(&a);
    start(&b);
    give(&b, 0);
    run_to(&b, 306);
    topics other = {0};
    begin(&whole, &other, "whole", 3);
    start(&whole);
    give(&whole, 0);
    run_to(&whole, 306);
    ASSERT_EQ(totals(&b).verdicts[TW_VERDICT_DUPLICATE], totals(&whole).verdicts[TW_VERDICT_DUPLICATE]);
    ASSERT_EQ(totals(&b).verdicts[TW_VERDICT_DUPLICATE], 34);
    end(&a);
    end(&b);
    end(&whole);
    forget(&shared);
    forget(&other);
}

/* The changelog is through, the store is not; then the same process again. */
static void die_before_the_store(process *p) {
    p->changelog.die = true;
    ASSERT_EQ(tw_engine_commit(p->engine, &err), TW_E_ABORTED);
    p->changelog.die = false;
    stop(p);
    start(p);
    give(p, 0);
}

TEST(a_store_one_commit_behind_learns_again_silently_to_the_same_state) {
    topics shared = {0}, other = {0};
    process a, whole;
    begin(&a, &shared, "a", 1);
    begin(&whole, &other, "whole", 1);
    start(&whole);
    give(&whole, 0);
    run_to(&whole, 200);
    commit(&whole);
    run_to(&whole, 300);
    commit(&whole);
    start(&a);
    give(&a, 0);
    run_to(&a, 200);
    commit(&a);
    run_to(&a, 300);
    uint64_t lists = a.lists;
    die_before_the_store(&a);
    ASSERT_EQ(a.stub.next[0], 200);
    run_to(&a, 300);
    ASSERT_EQ(a.lists, lists); /* they are out already */
    commit(&a);
    run_to(&a, 450);
    run_to(&whole, 450);
    commit(&a);
    commit(&whole);
    ASSERT_TRUE(same_state(&a, &whole));
    ASSERT_EQ(a.back, 0);
    end(&a);
    end(&whole);
    forget(&shared);
    forget(&other);
}

/* Each user has one first profile, whatever happens in between: what was published before is known to whoever goes on. */
TEST(profiles_go_out_with_lists_and_know_what_was_published_before_a_move_or_a_death) {
    topics shared = {0};
    process a, b;
    begin(&a, &shared, "a", 1);
    begin(&b, &shared, "b", 2);
    a.config.profile_enabled = b.config.profile_enabled = true;
    a.sink.takes_profiles = b.sink.takes_profiles = true;
    start(&a);
    give(&a, 0);
    run_to(&a, 200);
    commit(&a);
    ASSERT_EQ(a.profiles, a.lists);
    ASSERT_EQ(a.firsts, 7);
    run_to(&a, 300);
    uint64_t profiles = a.profiles;
    die_before_the_store(&a);
    run_to(&a, 300); /* silently */
    ASSERT_EQ(a.profiles, profiles);
    run_to(&a, 400);
    ASSERT_GT(a.profiles, profiles);
    ASSERT_EQ(a.firsts, 7);
    take_away(&a);
    start(&b);
    give(&b, 0);
    run_to(&b, 500);
    ASSERT_EQ(b.profiles, b.lists);
    ASSERT_GT(b.profiles, 0);
    ASSERT_EQ(b.firsts, 0);
    end(&a);
    end(&b);
    forget(&shared);
}

TEST(profiles_that_nobody_takes_are_not_made) {
    topics shared = {0};
    process a;
    for (int off = 0; off < 2; off++) { /* by the sink; by the setting */
        begin(&a, &shared, "a", 1);
        a.config.profile_enabled = off == 0;
        a.sink.takes_profiles = off == 1;
        start(&a);
        give(&a, 0);
        run_to(&a, 100);
        ASSERT_GT(a.lists, 0);
        ASSERT_EQ(a.profiles, 0);
        end(&a);
        forget(&shared);
    }
}

TEST(a_store_that_died_twice_in_a_row_is_two_commits_behind_and_learns_both_again) {
    topics shared = {0}, other = {0};
    process a, whole;
    begin(&a, &shared, "a", 1);
    begin(&whole, &other, "whole", 1);
    start(&whole);
    give(&whole, 0);
    for (int64_t at = 100; at <= 500; at += 100) {
        run_to(&whole, at);
        commit(&whole);
    }
    start(&a);
    give(&a, 0);
    run_to(&a, 200);
    commit(&a);
    for (int64_t at = 300; at <= 400; at += 100) {
        run_to(&a, at);
        die_before_the_store(&a);
        ASSERT_EQ(a.stub.next[0], 200); /* what is here goes on: it is not dropped for what the changelog has */
    }
    run_to(&a, 500);
    commit(&a);
    ASSERT_TRUE(same_state(&a, &whole));
    ASSERT_EQ(totals(&a).consumed, 500);
    ASSERT_EQ(a.back, 0);
    end(&a);
    end(&whole);
    forget(&shared);
    forget(&other);
}

TEST(nothing_is_committed_while_a_store_is_behind_and_a_death_there_changes_nothing) {
    topics shared = {0};
    process a;
    begin(&a, &shared, "a", 1);
    start(&a);
    give(&a, 0);
    run_to(&a, 200);
    commit(&a);
    run_to(&a, 300);
    a.changelog.die = true;
    ASSERT_EQ(tw_engine_commit(a.engine, &err), TW_E_ABORTED);
    a.changelog.die = false;
    size_t rows = shared.committed[0].count;
    for (int death = 0; death < 3; death++) {
        stop(&a);
        start(&a);
        give(&a, 0);
        ASSERT_EQ(a.stub.next[0], 200);
        run_to(&a, 250);
        commit(&a);
        ASSERT_EQ(shared.committed[0].count, rows);
    }
    run_to(&a, 300);
    commit(&a);
    ASSERT_EQ(totals(&a).consumed, 300);
    end(&a);
    forget(&shared);
}

TEST(a_task_that_was_elsewhere_is_restored_and_not_mixed) {
    topics shared = {0};
    process a, b;
    begin(&a, &shared, "a", 1);
    begin(&b, &shared, "b", 2);
    start(&a);
    start(&b);
    give(&a, 0);
    run_to(&a, 100);
    take_away(&a);
    give(&b, 0);
    run_to(&b, 250);
    take_away(&b);
    give(&a, 0);
    ASSERT_EQ(a.stub.next[0], 250);
    ASSERT_EQ(totals(&a).consumed, 250);
    run_to(&a, 300);
    take_away(&a);
    stop(&a); /* and from its own store again, without the topic being read whole */
    start(&a);
    give(&a, 0);
    ASSERT_EQ(a.stub.next[0], 300);
    ASSERT_EQ(totals(&a).consumed, 300);
    ASSERT_EQ(a.back + b.back, 0);
    end(&a);
    end(&b);
    forget(&shared);
}

TEST(tasks_that_are_elsewhere_get_no_lists_from_here) {
    topics shared = {0};
    process a;
    begin(&a, &shared, "a", 1);
    start(&a);
    give(&a, 0);
    give(&a, 1);
    a.stub.until = 100;
    int count = 1;
    while (count) /* steps without catching up leave debts */
        ASSERT_OK(tw_engine_step(a.engine, 0, &count, &err));
    take_away(&a);
    uint64_t lists = a.lists;
    stop(&a);
    start(&a);
    for (int i = 0; i < 5; i++)
        ASSERT_OK(tw_engine_step(a.engine, 0, &count, &err));
    ASSERT_EQ(a.lists, lists);
    give(&a, 1);
    run_to(&a, 101);
    for (int u = 0; u < 7; u++)
        ASSERT_GE(a.newest[1][u], 1);
    end(&a);
    forget(&shared);
}

TEST(a_commit_that_must_be_asked_again_puts_nothing_twice) {
    topics shared = {0};
    process a;
    begin(&a, &shared, "a", 1);
    start(&a);
    give(&a, 0);
    run_to(&a, 100);
    a.changelog.busy = 3;
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(tw_engine_commit(a.engine, &err), TW_E_BUSY);
    uint64_t puts = a.changelog.puts;
    commit(&a);
    ASSERT_EQ(a.changelog.puts, puts);
    ASSERT_GT(puts, 0);
    end(&a);
    forget(&shared);
}

TEST(who_starts_with_nothing_takes_over_items_and_weights_of_whoever_has_seen_most) {
    topics shared = {0};
    process a, b, c;
    begin(&a, &shared, "a", 1);
    begin(&b, &shared, "b", 2);
    begin(&c, &shared, "c", 3);
    start(&a);
    give(&a, 0);
    run_to(&a, 50);
    commit(&a);
    start(&b);
    give(&b, 1);
    run_to(&b, EVENTS);
    commit(&b);
    start(&c);
    ASSERT_EQ(tw_model_item_count(tw_engine_model(c.engine)), tw_model_item_count(tw_engine_model(b.engine)));
    ASSERT_EQ(tw_model_seen(tw_engine_model(c.engine)), tw_model_seen(tw_engine_model(b.engine)));
    give(&c, 1); /* an unknown user gets the popular of what was taken over */
    ASSERT_FALSE(is_excluded(&c, "nobody", "i0"));
    commit(&c);
    stop(&c);
    start(&c); /* and it stands in the store */
    ASSERT_EQ(tw_model_item_count(tw_engine_model(c.engine)), tw_model_item_count(tw_engine_model(b.engine)));
    end(&a);
    end(&b);
    end(&c);
    forget(&shared);
}

TEST(a_wall_clock_that_jumps_changes_no_state_and_holds_no_list_back) {
    static const int64_t jumps_ms[] = {-40 * 60000, 3 * 3600000, -2 * 86400000LL, 0};
    topics shared = {0}, other = {0};
    process steady, jumping;
    begin(&steady, &other, "steady", 1);
    begin(&jumping, &shared, "jumping", 1);
    start(&steady);
    start(&jumping);
    give(&steady, 0);
    give(&jumping, 0);
    for (int i = 0; i < 4; i++) {
        run_to(&steady, (i + 1) * 100);
        jumping.wall_off_ms = jumps_ms[i];
        uint64_t lists = jumping.lists;
        run_to(&jumping, (i + 1) * 100);
        ASSERT_GE(jumping.lists, lists + 7); /* every user has one after each jump */
        commit(&steady);
        commit(&jumping);
    }
    ASSERT_TRUE(same_state(&steady, &jumping));
    ASSERT_EQ(jumping.back, 0);
    end(&steady);
    end(&jumping);
    forget(&shared);
    forget(&other);
}

TEST(a_damaged_changelog_stops_with_a_sentence) {
    topics shared = {0};
    process a, b;
    begin(&a, &shared, "a", 1);
    start(&a);
    give(&a, 0);
    run_to(&a, 100);
    take_away(&a);
    record_log *l = &shared.committed[0];
    for (size_t i = 0; i < l->count; i++) {
        row *r = &l->rows[i];
        if (r->value.size == 0)
            continue;
        size_t size = r->value.size;
        char dir[32];
        r->value.size = size / 2; /* cut */
        snprintf(dir, sizeof dir, "b%zu", i);
        begin(&b, &shared, dir, 10 + i);
        start(&b);
        tw_code code = try_give(&b, 0);
        if (r->key.data[0] != 'w') /* half of the ids are ids too */
            ASSERT_TRUE(code == TW_E_CORRUPT || code == TW_E_STORE);
        if (code != TW_OK)
            ASSERT_TRUE(err.text[0] != '\0' && tw_engine_commit(b.engine, &err) != TW_OK);
        end(&b);
        r->value.size = size;
    }
    end(&a);
    forget(&shared);
}

/* ---- users beyond memory ------------------------------------------------------------------------------------------ */

/* Steps with the commits that are due, as a program runs. */
static void run_bounded_to(process *p, int64_t offset) {
    int count = 1;
    p->stub.until = offset;
    while (count) {
        ASSERT_OK(tw_engine_step(p->engine, 0, &count, &err));
        ASSERT_OK(tw_engine_commit_due(p->engine, &err));
    }
}

static void write_both_tasks(process *p, topics *shared) {
    begin(p, shared, "a", 1);
    start(p);
    give(p, 0);
    give(p, 1);
    run_to(p, 400);
    take_away(p);
}

static void take_both_tasks(process *p) {
    start(p);
    give(p, 0);
    give(p, 1);
}

TEST(tasks_move_to_a_process_whose_memory_has_no_room_for_their_users) {
    topics shared = {0};
    process a, roomy, small;
    write_both_tasks(&a, &shared);
    begin(&roomy, &shared, "roomy", 2);
    begin(&small, &shared, "small", 3);
    bound(&small);
    take_both_tasks(&roomy);
    take_both_tasks(&small);
    ASSERT_LT(stats_of(&small).users_in_memory, stats_of(&roomy).users_in_memory / 2);
    ASSERT_GT(stats_of(&small).users_settled, 0);
    ASSERT_EQ(totals(&small).consumed, totals(&a).consumed);
    ASSERT_TRUE(same_state(&small, &roomy));
    stop(&small); /* and it is in its store */
    take_both_tasks(&small);
    ASSERT_TRUE(same_state(&small, &roomy));
    ASSERT_EQ(small.stub.next[0], 400);
    end(&a);
    end(&roomy);
    end(&small);
    forget(&shared);
}

TEST(tasks_move_on_from_a_process_whose_memory_has_no_room_for_their_users) {
    topics shared = {0}, other = {0};
    process a, roomy, small, after_roomy, after_small;
    write_both_tasks(&a, &shared);
    end(&a);
    write_both_tasks(&a, &other);
    begin(&roomy, &shared, "roomy", 2);
    begin(&small, &other, "small", 2);
    begin(&after_roomy, &shared, "after-roomy", 3);
    begin(&after_small, &other, "after-small", 3);
    after_roomy.config.rank_exclude = after_small.config.rank_exclude = TW_EXCLUDE_CONSUMED;
    roomy.config.ingest_batch_max = 1;
    bound(&small);
    take_both_tasks(&roomy);
    take_both_tasks(&small);
    run_bounded_to(&roomy, 500);
    run_bounded_to(&small, 500);
    ASSERT_GT(stats_of(&small).users_read_back, 50);
    take_away(&roomy);
    take_away(&small);
    ASSERT_TRUE(same_state(&small, &roomy));
    take_both_tasks(&after_roomy);
    take_both_tasks(&after_small);
    ASSERT_EQ(totals(&after_small).consumed, 1000);
    for (int n = 0; n < 2 * 7; n++)
        for (int i = 0; i < 31; i++) {
            char user[40], item[16];
            snprintf(user, sizeof user, "p%d-u%d", n / 7, n % 7);
            snprintf(item, sizeof item, "i%d", i);
            ASSERT_EQ(is_excluded(&after_small, user, item), is_excluded(&after_roomy, user, item));
        }
    end(&a);
    end(&roomy);
    end(&small);
    end(&after_roomy);
    end(&after_small);
    forget(&shared);
    forget(&other);
}

/* Its early commits are in the store, of a task that is not known there: the next start restores it anew. */
TEST(a_restore_that_ends_in_the_middle_under_a_bound_is_begun_anew) {
    topics shared = {0};
    process a, roomy, small;
    write_both_tasks(&a, &shared);
    begin(&roomy, &shared, "roomy", 2);
    take_both_tasks(&roomy);
    int all = (int)shared.committed[0].count, early = 0;
    for (int rows = 2; rows <= all; rows++) {
        char name[32];
        snprintf(name, sizeof name, "small-%d", rows);
        begin(&small, &shared, name, 3);
        bound(&small);
        start(&small);
        small.changelog.read_fails = rows;
        ASSERT_EQ(try_give(&small, 0), TW_E_IO);
        early += stats_of(&small).users_settled > 0;
        ASSERT_NE(tw_engine_commit(small.engine, &err), TW_OK);
        small.changelog.read_fails = 0;
        stop(&small);
        take_both_tasks(&small);
        ASSERT_EQ(totals(&small).consumed, totals(&roomy).consumed);
        ASSERT_TRUE(same_state(&small, &roomy));
        end(&small);
    }
    ASSERT_GT(early, 3);
    end(&a);
    end(&roomy);
    forget(&shared);
}

/* While it learns again nothing may be committed: memory exceeds its bound by the users of those commits. */
TEST(a_store_that_is_behind_learns_again_silently_though_memory_has_no_room_for_its_users) {
    topics shared = {0}, other = {0};
    process a, whole;
    begin(&a, &shared, "a", 1);
    begin(&whole, &other, "whole", 1);
    a.config.ingest_batch_max = whole.config.ingest_batch_max = 1;
    start(&a);
    start(&whole);
    give(&a, 0);
    give(&whole, 0);
    for (int64_t at = 200; at <= 300; at += 100) {
        run_to(&whole, at);
        commit(&whole);
    }
    run_to(&a, 200);
    commit(&a);
    bound(&a); /* from the next start on */
    stop(&a);
    start(&a);
    give(&a, 0);
    uint64_t read_back = stats_of(&a).users_read_back;
    run_to(&a, 300);
    ASSERT_GT(stats_of(&a).users_read_back, read_back);
    die_before_the_store(&a);
    ASSERT_EQ(a.stub.next[0], 200);
    run_bounded_to(&a, 300);
    commit(&a);
    run_bounded_to(&a, 450);
    run_to(&whole, 450);
    commit(&a);
    commit(&whole);
    ASSERT_LT(stats_of(&a).users_in_memory, 7);
    ASSERT_TRUE(same_state(&a, &whole));
    ASSERT_EQ(totals(&a).consumed, 450);
    ASSERT_EQ(a.back, 0);
    end(&a);
    end(&whole);
    forget(&shared);
    forget(&other);
}

TEST(inputs_wait_while_the_commit_that_memory_wants_waits_for_outputs) {
    topics shared = {0};
    process a;
    begin(&a, &shared, "a", 1);
    bound(&a);
    start(&a);
    give(&a, 0);
    run_bounded_to(&a, 100);
    a.stub.until = 200;
    a.changelog.busy = 20;
    int count, waited = 0, steps = 0;
    for (int64_t at = a.stub.next[0]; at < 200; at = a.stub.next[0]) {
        bool held = a.changelog.busy > 0 && a.changelog.busy < 20;
        ASSERT_LT(steps++, 1000);
        ASSERT_OK(tw_engine_step(a.engine, 0, &count, &err));
        ASSERT_TRUE(!held || a.stub.next[0] == at);
        waited += held;
        ASSERT_OK(tw_engine_commit_due(a.engine, &err));
    }
    ASSERT_GT(waited, 10);
    commit(&a);
    ASSERT_EQ(totals(&a).consumed, 200);
    end(&a);
    forget(&shared);
}
