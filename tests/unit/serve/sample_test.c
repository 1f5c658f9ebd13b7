#include "serve/sample.h"

#include "support/test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A backend that a test steers from its own thread. */
typedef struct puppet {
    _Atomic bool silent, ready;
    _Atomic uint64_t applied, dead, lists, fresh_bucket_20, asked;
    bool durable;
    sem_t *gate; /* NULL, or each answer waits for it, so that a test goes tick by tick */
} puppet;

static tw_code puppet_stats(void *self, int wait_ms, tw_serve_stats *ret_stats) {
    puppet *p = self;
    (void)wait_ms;
    if (p->gate)
        while (sem_wait(p->gate) != 0) {
        }
    p->asked++;
    if (p->silent)
        return TW_E_BUSY;
    *ret_stats = (tw_serve_stats){.users = 7, .items = 11, .users_owed = 3, .watermark_ms = INT64_MIN};
    ret_stats->totals.verdicts[TW_VERDICT_APPLIED] = p->applied;
    ret_stats->totals.verdicts[TW_VERDICT_DEAD] = ret_stats->totals.reasons[TW_REASON_BAD_UTF8] = p->dead;
    ret_stats->totals.consumed = p->applied + p->dead;
    ret_stats->totals.lists = p->lists;
    ret_stats->freshness[20] = p->fresh_bucket_20;
    if (p->durable)
        ret_stats->store = (tw_store_stats){.map_used_bytes = 4096, .map_max_bytes = 1 << 20, .commits = 5};
    return TW_OK;
}

static void puppet_newest(void *self, int max, tw_buf *out) {
    (void)self;
    tw_buf_printf(out, "[\"newest of %d\"]", max);
}

static bool puppet_ready(void *self) {
    return ((puppet *)self)->ready;
}

static tw_serve_backend backend_of(puppet *p) {
    return (tw_serve_backend){.self = p, .stats = puppet_stats, .newest = puppet_newest, .ready = puppet_ready};
}

/* The next sample's JSON as a string; the test ends when there is none. */
static const char *next(tw_sampler *sampler, uint64_t *seen) {
    static char text[65536];
    tw_buf buf = {0};
    tw_sampled what = tw_sampler_wait(sampler, seen, 10000, &buf);
    snprintf(text, sizeof text, "%.*s", (int)buf.size, buf.data ? buf.data : "");
    tw_buf_done(&buf);
    ASSERT_EQ(what, TW_SAMPLED);
    return text;
}

/* Waits until a sample holds the text. */
static const char *await_text(tw_sampler *sampler, uint64_t *seen, const char *text) {
    for (int i = 0; i < 2000; i++) {
        const char *sample = next(sampler, seen);
        if (strstr(sample, text))
            return sample;
    }
    tw_test_fail(__FILE__, __LINE__, "no sample held %s", text);
}

static void assert_holds(const char *sample, const char *text) {
    if (!strstr(sample, text))
        tw_test_fail(__FILE__, __LINE__, "%s is not in %s", text, sample);
}

static const char *step(puppet *p, tw_sampler *sampler, uint64_t *seen) {
    sem_post(p->gate);
    return next(sampler, seen);
}

TEST(a_sample_tells_every_counter) {
    puppet p = {.applied = 90, .dead = 10, .lists = 4, .ready = true, .durable = true};
    tw_serve_backend backend = backend_of(&p);
    tw_sampler *sampler;
    tw_err err;
    uint64_t seen = 0;
    ASSERT_OK(tw_sampler_start(&backend, 5, &sampler, &err));
    const char *sample = next(sampler, &seen);
    assert_holds(sample, "\"ready\":true,\"answering\":true");
    assert_holds(sample, "\"totals\":{\"consumed\":100,\"lists\":4}");
    assert_holds(sample, "\"verdicts\":{\"applied\":90,\"duplicate\":0,\"late\":0,\"dead_lettered\":10}");
    assert_holds(sample, "\"bad_utf8\":10");
    assert_holds(sample, "\"truncated\":0");
    assert_holds(sample, "\"users\":7,\"items\":11,\"users_owed\":3,\"watermark_ms\":null");
    assert_holds(sample, "\"used_bytes\":4096,\"max_bytes\":1048576");
    assert_holds(sample, "\"newest\":[\"newest of 8\"]");
    tw_sampler_stop(sampler);
}

TEST(rates_are_unknown_until_the_second_answer_and_zero_when_nothing_happens) {
    sem_t gate;
    puppet p = {.applied = 1000000, .gate = &gate};
    tw_serve_backend backend = backend_of(&p);
    tw_sampler *sampler;
    tw_err err;
    uint64_t seen = 0;
    sem_init(&gate, 0, 0);
    ASSERT_OK(tw_sampler_start(&backend, 1, &sampler, &err));
    assert_holds(step(&p, sampler, &seen), "\"rates\":null");
    assert_holds(step(&p, sampler, &seen), "\"rates\":{\"applied\":0.0,");
    p.applied += 5000;
    const char *sample = step(&p, sampler, &seen);
    assert_holds(sample, "\"consumed\":1005000");
    ASSERT_FALSE(strstr(sample, "\"applied\":0.0"));
    sem_post(&gate);
    tw_sampler_stop(sampler);
    sem_destroy(&gate);
}

TEST(a_silent_engine_leaves_a_gap_and_its_last_counters) {
    puppet p = {.applied = 5};
    tw_serve_backend backend = backend_of(&p);
    tw_sampler *sampler;
    tw_err err;
    uint64_t seen = 0;
    tw_buf history = {0};
    ASSERT_OK(tw_sampler_start(&backend, 5, &sampler, &err));
    await_text(sampler, &seen, "\"rates\":{");
    p.silent = true;
    const char *sample = await_text(sampler, &seen, "\"answering\":false");
    assert_holds(sample, "\"consumed\":5");
    assert_holds(sample, "\"rates\":null");
    tw_sampler_history(sampler, &history);
    tw_buf_u8(&history, 0);
    assert_holds(history.data, ",0.0,0.0,0.0,0.0,0.0]");
    assert_holds(history.data, ",null,null,null,null,null]");
    p.silent = false;
    p.applied = 6;
    assert_holds(await_text(sampler, &seen, "\"answering\":true"), "\"consumed\":6");
    tw_buf_done(&history);
    tw_sampler_stop(sampler);
}

TEST(an_engine_that_never_answers_is_silent_since_the_start) {
    puppet p = {.silent = true};
    tw_serve_backend backend = backend_of(&p);
    tw_sampler *sampler;
    tw_err err;
    uint64_t seen = 0;
    ASSERT_OK(tw_sampler_start(&backend, 20, &sampler, &err));
    next(sampler, &seen);
    assert_holds(next(sampler, &seen), "\"totals\":{\"consumed\":0,");
    ASSERT_GE(tw_sampler_silent_ms(sampler), 10);
    tw_sampler_stop(sampler);
}

TEST(freshness_is_that_of_the_last_sixty_ticks) {
    sem_t gate;
    puppet p = {.fresh_bucket_20 = 100, .gate = &gate}; /* from .52 to 1.05 s */
    tw_serve_backend backend = backend_of(&p);
    tw_sampler *sampler;
    tw_err err;
    uint64_t seen = 0;
    sem_init(&gate, 0, 0);
    ASSERT_OK(tw_sampler_start(&backend, 1, &sampler, &err));
    for (int tick = 0; tick < 60; tick++) {
        const char *sample = step(&p, sampler, &seen);
        assert_holds(sample, "\"window_ms\":60,\"count\":100,\"p50_ms\":786.432,");
        assert_holds(sample, "\"buckets\":[{\"above_ms\":524.288,\"upto_ms\":1048.576,\"count\":100}]");
    }
    assert_holds(step(&p, sampler, &seen), "\"count\":0,\"buckets\":[]"); /* no list, no quantile */
    p.fresh_bucket_20 = 103;
    assert_holds(step(&p, sampler, &seen), "\"count\":3,");
    sem_post(&gate); /* the sampler may be waiting for its next tick */
    tw_sampler_stop(sampler);
    sem_destroy(&gate);
}

TEST(the_history_keeps_the_newest_points_in_order) {
    puppet p = {0};
    tw_serve_backend backend = backend_of(&p);
    tw_sampler *sampler;
    tw_err err;
    uint64_t seen = 0;
    tw_buf history = {0};
    ASSERT_OK(tw_sampler_start(&backend, 1, &sampler, &err));
    while (seen < TW_HISTORY_MAX + 20)
        next(sampler, &seen);
    tw_sampler_history(sampler, &history);
    tw_buf_u8(&history, 0);
    int points = 0;
    int64_t before_ms = 0;
    for (const char *at = strstr(history.data, ":["); (at = strchr(at + 2, '[')); points++) {
        int64_t at_ms = strtoll(at + 1, NULL, 10);
        ASSERT_GE(at_ms, before_ms);
        before_ms = at_ms;
        at--;
    }
    ASSERT_EQ(points, TW_HISTORY_MAX);
    tw_buf_done(&history);
    tw_sampler_stop(sampler);
}

static void *wait_for_the_end(void *self) {
    uint64_t seen = UINT64_MAX - 1; /* no sample is newer */
    tw_buf buf = {0};
    tw_sampled what = tw_sampler_wait(self, &seen, 600000, &buf);
    tw_buf_done(&buf);
    return (void *)(intptr_t)what;
}

TEST(a_release_ends_every_wait) {
    puppet p = {0};
    tw_serve_backend backend = backend_of(&p);
    tw_sampler *sampler;
    tw_err err;
    pthread_t waiting[4];
    void *what;
    ASSERT_OK(tw_sampler_start(&backend, 600000, &sampler, &err));
    for (int i = 0; i < 4; i++)
        ASSERT_EQ(pthread_create(&waiting[i], NULL, wait_for_the_end, sampler), 0);
    tw_sampler_release(sampler);
    for (int i = 0; i < 4; i++) {
        pthread_join(waiting[i], &what);
        ASSERT_EQ((intptr_t)what, TW_SAMPLED_END);
    }
    tw_sampler_stop(sampler);
}

TEST(a_wait_without_news_comes_back) {
    puppet p = {0};
    tw_serve_backend backend = backend_of(&p);
    tw_sampler *sampler;
    tw_err err;
    uint64_t seen = 0;
    tw_buf buf = {0};
    ASSERT_OK(tw_sampler_start(&backend, 600000, &sampler, &err));
    next(sampler, &seen);
    ASSERT_EQ(tw_sampler_wait(sampler, &seen, 10, &buf), TW_SAMPLED_NOTHING);
    ASSERT_EQ(buf.size, 0);
    tw_sampler_stop(sampler);
}
