/* The sampler's thread, its ring of rates and the JSON of a sample; see sample.h. Started and stopped by the server. */
#include "serve/sample.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "serve/trend.h"
#include "tailwater/version.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* The newest lists in a sample: what the page shows at a time. With 20 items each about 30 KB. */
#define NEWEST_MAX 8

/* Freshness is that of the lists of so many ticks: a minute. */
#define FRESH_TICKS 60

#define NS_PER_MS 1000000

typedef struct point {
    int64_t at_ms;                         /* wall */
    bool answered;                         /* else there are no rates */
    double rates[TW_VERDICT_COUNT], lists; /* per second */
} point;

struct tw_sampler {
    const tw_serve_backend *backend;
    int tick_ms;
    pthread_t thread;
    int64_t started_ns; /* steady */

    /* The sampler thread's own. */
    tw_serve_stats last;                            /* of the last answer */
    int64_t last_ns;                                /* when it came */
    bool any;                                       /* there was one */
    uint64_t fresh[FRESH_TICKS][TW_METRIC_BUCKETS]; /* ring of the running counts, by tick */
    uint64_t ticks;                                 /* with an answer */
    tw_buf making;

    /* Shared, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool released;
    uint64_t samples; /* made */
    tw_buf sample;    /* the newest */
    point history[TW_HISTORY_MAX];
    uint64_t points; /* ever put */
    tw_trend trend;
    int64_t answered_ns; /* steady; of the last answer, else the start */
};

static int64_t steady_ns(void) {
    return tw_clock_steady_ns(&tw_clock_system);
}

static struct timespec timespec_of(int64_t ns) {
    return (struct timespec){.tv_sec = ns / (1000 * NS_PER_MS), .tv_nsec = ns % (1000 * NS_PER_MS)};
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static const char *const verdict_names[TW_VERDICT_COUNT] = {[TW_VERDICT_APPLIED] = "applied",
                                                            [TW_VERDICT_DUPLICATE] = "duplicate",
                                                            [TW_VERDICT_LATE] = "late",
                                                            [TW_VERDICT_DEAD] = "dead_lettered"};

static void put_totals(const tw_totals *totals, tw_buf *out) {
    tw_buf_printf(out, ",\"totals\":{\"consumed\":%" PRIu64 ",\"lists\":%" PRIu64 "},\"verdicts\":{", totals->consumed,
                  totals->lists);
    for (int v = 0; v < TW_VERDICT_COUNT; v++)
        tw_buf_printf(out, "%s\"%s\":%" PRIu64, v ? "," : "", verdict_names[v], totals->verdicts[v]);
    tw_buf_printf(out, "},\"reasons\":{");
    for (int r = TW_REASON_NONE + 1; r < TW_REASON_COUNT; r++)
        tw_buf_printf(out, "%s\"%s\":%" PRIu64, r > TW_REASON_NONE + 1 ? "," : "", tw_reason_name((tw_reason)r),
                      totals->reasons[r]);
    tw_buf_u8(out, '}');
}

static void put_rates(const point *now, bool known, tw_buf *out) {
    if (!known) {
        tw_buf_printf(out, ",\"rates\":null");
        return;
    }
    double consumed = 0;
    tw_buf_printf(out, ",\"rates\":{");
    for (int v = 0; v < TW_VERDICT_COUNT; v++) {
        tw_buf_printf(out, "\"%s\":%.1f,", verdict_names[v], now->rates[v]);
        consumed += now->rates[v];
    }
    tw_buf_printf(out, "\"consumed\":%.1f,\"lists\":%.1f}", consumed, now->lists);
}

/* The value below which a share q of the counts lie, in seconds; within its bucket by straight line, as Prometheus'
 * histogram_quantile does. */
static double quantile_of(const uint64_t counts[TW_METRIC_BUCKETS], uint64_t all, double q) {
    double rank = q * (double)all, seen = 0;
    for (int b = 0; b < TW_METRIC_BUCKETS; b++) {
        double inside = (double)counts[b];
        if (inside > 0 && seen + inside >= rank) {
            double low = b ? tw_metric_bucket_edge(b - 1) : 0;
            return low + (tw_metric_bucket_edge(b) - low) * (rank - seen) / inside;
        }
        seen += inside;
    }
    return 0;
}

static void put_freshness(const tw_sampler *sampler, tw_buf *out) {
    uint64_t counts[TW_METRIC_BUCKETS], all = 0;
    const uint64_t *old = sampler->fresh[sampler->ticks % FRESH_TICKS]; /* the next to be overwritten; zeros at first */
    for (int b = 0; b < TW_METRIC_BUCKETS; b++) {
        counts[b] = sampler->last.freshness[b] - old[b];
        all += counts[b];
    }
    tw_buf_printf(out, ",\"freshness\":{\"window_ms\":%d,\"count\":%" PRIu64, FRESH_TICKS * sampler->tick_ms, all);
    static const int percents[] = {50, 90, 99};
    for (size_t i = 0; all && i < sizeof percents / sizeof percents[0]; i++)
        tw_buf_printf(out, ",\"p%d_ms\":%.3f", percents[i], 1000 * quantile_of(counts, all, percents[i] / 100.0));
    tw_buf_printf(out, ",\"buckets\":[");
    const char *comma = "";
    for (int b = 0; b < TW_METRIC_BUCKETS; b++)
        if (counts[b]) {
            tw_buf_printf(out, "%s{\"above_ms\":%.9g,\"upto_ms\":%.9g,\"count\":%" PRIu64 "}", comma,
                          b ? 1000 * tw_metric_bucket_edge(b - 1) : 0.0, 1000 * tw_metric_bucket_edge(b), counts[b]);
            comma = ",";
        }
    tw_buf_printf(out, "]}");
}

static void put_state(const tw_serve_stats *stats, tw_buf *out) {
    tw_buf_printf(
        out, ",\"state\":{\"users\":%" PRIu64 ",\"items\":%" PRIu64 ",\"users_owed\":%" PRIu64 ",\"watermark_ms\":",
        stats->users, stats->items, stats->users_owed);
    if (stats->watermark_ms == INT64_MIN)
        tw_buf_printf(out, "null");
    else
        tw_buf_printf(out, "%" PRId64, stats->watermark_ms);
    if (isnan(stats->lag))
        tw_buf_printf(out, ",\"lag\":null}");
    else
        tw_buf_printf(out, ",\"lag\":%.0f}", stats->lag);
    if (stats->store.map_max_bytes == 0)
        tw_buf_printf(out, ",\"store\":null");
    else
        tw_buf_printf(out,
                      ",\"store\":{\"used_bytes\":%" PRIu64 ",\"max_bytes\":%" PRIu64 ",\"journal_bytes\":%" PRIu64
                      ",\"written_bytes\":%" PRIu64 ",\"commits\":%" PRIu64 "}",
                      stats->store.map_used_bytes, stats->store.map_max_bytes, stats->store.journal_bytes,
                      stats->store.written_bytes, stats->store.commits);
}

static void write_sample(const tw_sampler *sampler, const point *now, bool rates_known, int64_t now_ns, tw_buf *out) {
    const tw_serve_backend *backend = sampler->backend;
    int64_t silent_since_ns = sampler->any ? sampler->last_ns : sampler->started_ns;
    tw_buf_printf(out,
                  "{\"version\":\"%s\",\"now_ms\":%" PRId64 ",\"uptime_ms\":%" PRId64 ",\"ready\":%s,\"answering\":%s"
                  ",\"silent_ms\":%" PRId64,
                  TW_VERSION, now->at_ms, (now_ns - sampler->started_ns) / NS_PER_MS,
                  backend->ready(backend->self) ? "true" : "false", now->answered ? "true" : "false",
                  (now_ns - silent_since_ns) / NS_PER_MS);
    put_totals(&sampler->last.totals, out);
    put_rates(now, rates_known, out);
    put_freshness(sampler, out);
    put_state(&sampler->last, out);
    tw_buf_printf(out, ",\"newest\":");
    backend->newest(backend->self, NEWEST_MAX, out);
    tw_buf_u8(out, '}');
}

/* ---- the thread --------------------------------------------------------------------------------------------------- */

/* Looks once. The wait for the engine is outside the lock, so that streams and probes go on meanwhile. */
static void look(tw_sampler *sampler) {
    tw_serve_stats stats = {0};
    point now = {0};
    bool rates_known = false;
    now.answered = sampler->backend->stats(sampler->backend->self, TW_SERVE_WAIT_MS, &stats) == TW_OK;
    int64_t now_ns = steady_ns();
    now.at_ms = tw_clock_wall_ms(&tw_clock_system);
    if (now.answered) {
        double seconds = (double)(now_ns - sampler->last_ns) / 1e9;
        rates_known = sampler->any && seconds > 0;
        for (int v = 0; rates_known && v < TW_VERDICT_COUNT; v++)
            now.rates[v] = (double)(stats.totals.verdicts[v] - sampler->last.totals.verdicts[v]) / seconds;
        if (rates_known)
            now.lists = (double)(stats.totals.lists - sampler->last.totals.lists) / seconds;
        sampler->last = stats;
        sampler->last_ns = now_ns;
        sampler->any = true;
    }
    tw_buf_clear(&sampler->making);
    write_sample(sampler, &now, rates_known, now_ns, &sampler->making);
    if (now.answered)
        memcpy(sampler->fresh[sampler->ticks++ % FRESH_TICKS], sampler->last.freshness, sizeof sampler->fresh[0]);

    pthread_mutex_lock(&sampler->lock);
    if (now.answered) {
        sampler->answered_ns = now_ns;
        tw_trend_tick(&sampler->trend, &stats.trend, now.at_ms);
    }
    if (rates_known || !now.answered)
        sampler->history[sampler->points++ % TW_HISTORY_MAX] = now;
    tw_buf swap = sampler->sample;
    sampler->sample = sampler->making;
    sampler->making = swap;
    sampler->samples++;
    pthread_cond_broadcast(&sampler->changed);
    pthread_mutex_unlock(&sampler->lock);
}

static void *run(void *self) {
    tw_sampler *sampler = self;
    int64_t due_ns = sampler->started_ns;
    for (;;) {
        look(sampler);
        due_ns += (int64_t)sampler->tick_ms * NS_PER_MS;
        if (due_ns < steady_ns()) /* a late answer moves the following ticks, rather than bunching them */
            due_ns = steady_ns();
        struct timespec until = timespec_of(due_ns);
        pthread_mutex_lock(&sampler->lock);
        while (!sampler->released && pthread_cond_timedwait(&sampler->changed, &sampler->lock, &until) != ETIMEDOUT) {
        }
        bool released = sampler->released;
        pthread_mutex_unlock(&sampler->lock);
        if (released)
            return NULL;
    }
}

tw_code tw_sampler_start(const tw_serve_backend *backend, int tick_ms, tw_sampler **ret_sampler, tw_err *err) {
    tw_sampler *sampler = tw_zalloc(sizeof *sampler);
    sampler->backend = backend;
    sampler->tick_ms = tick_ms;
    sampler->started_ns = sampler->answered_ns = steady_ns();
    sampler->last.watermark_ms = INT64_MIN;
    sampler->last.lag = NAN;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&sampler->changed, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&sampler->lock, NULL);
    if (pthread_create(&sampler->thread, NULL, run, sampler) != 0) {
        pthread_cond_destroy(&sampler->changed);
        pthread_mutex_destroy(&sampler->lock);
        free(sampler);
        return tw_fail(err, TW_E_NO_MEMORY, "no thread for the server's sampler");
    }
    *ret_sampler = sampler;
    return TW_OK;
}

void tw_sampler_release(tw_sampler *sampler) {
    pthread_mutex_lock(&sampler->lock);
    sampler->released = true;
    pthread_cond_broadcast(&sampler->changed);
    pthread_mutex_unlock(&sampler->lock);
}

tw_sampler *tw_sampler_stop(tw_sampler *sampler) {
    if (!sampler)
        return NULL;
    tw_sampler_release(sampler);
    pthread_join(sampler->thread, NULL);
    pthread_cond_destroy(&sampler->changed);
    pthread_mutex_destroy(&sampler->lock);
    tw_buf_done(&sampler->making);
    tw_buf_done(&sampler->sample);
    free(sampler);
    return NULL;
}

/* ---- for those who watch ------------------------------------------------------------------------------------------ */

tw_sampled tw_sampler_wait(tw_sampler *sampler, uint64_t *seen, int wait_ms, tw_buf *out) {
    struct timespec until = timespec_of(steady_ns() + (int64_t)wait_ms * NS_PER_MS);
    tw_sampled result = TW_SAMPLED_NOTHING;
    pthread_mutex_lock(&sampler->lock);
    while (!sampler->released && sampler->samples <= *seen &&
           pthread_cond_timedwait(&sampler->changed, &sampler->lock, &until) != ETIMEDOUT) {
    }
    if (sampler->released) {
        result = TW_SAMPLED_END;
    } else if (sampler->samples > *seen) {
        *seen = sampler->samples;
        tw_buf_put(out, sampler->sample.data, sampler->sample.size);
        result = TW_SAMPLED;
    }
    pthread_mutex_unlock(&sampler->lock);
    return result;
}

void tw_sampler_history(tw_sampler *sampler, tw_buf *out) {
    pthread_mutex_lock(&sampler->lock);
    uint64_t first = sampler->points > TW_HISTORY_MAX ? sampler->points - TW_HISTORY_MAX : 0;
    tw_buf_printf(out, "{\"tick_ms\":%d,\"points\":[", sampler->tick_ms);
    for (uint64_t i = first; i < sampler->points; i++) {
        const point *p = &sampler->history[i % TW_HISTORY_MAX];
        tw_buf_printf(out, "%s[%" PRId64, i > first ? "," : "", p->at_ms);
        for (int v = 0; v <= TW_VERDICT_COUNT; v++) /* the lists come last */
            if (p->answered)
                tw_buf_printf(out, ",%.1f", v < TW_VERDICT_COUNT ? p->rates[v] : p->lists);
            else
                tw_buf_printf(out, ",null");
        tw_buf_u8(out, ']');
    }
    tw_buf_printf(out, "]}");
    pthread_mutex_unlock(&sampler->lock);
}

void tw_sampler_trends(tw_sampler *sampler, int scorers, tw_buf *out) {
    pthread_mutex_lock(&sampler->lock);
    tw_buf_printf(out, "\"step_ms\":%d,", TW_TREND_TICKS * sampler->tick_ms);
    tw_trend_write(&sampler->trend, scorers, out);
    pthread_mutex_unlock(&sampler->lock);
}

int64_t tw_sampler_silent_ms(tw_sampler *sampler) {
    pthread_mutex_lock(&sampler->lock);
    int64_t since_ns = sampler->answered_ns;
    pthread_mutex_unlock(&sampler->lock);
    return (steady_ns() - since_ns) / NS_PER_MS;
}
