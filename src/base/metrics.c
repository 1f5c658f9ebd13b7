/* Metrics: atomics, a list, and the Prometheus text of it. Any thread. */
#include "base/metrics.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <math.h>

#define BUCKET_LEAST 1e-6 /* upper edge of the first; each next is twice as wide */

static tw_metric *metrics_first, **metrics_last = &metrics_first;

void tw_metric_register(tw_metric *metric) {
    if (metric->type == TW_HISTOGRAM)
        metric->buckets = tw_zalloc(TW_METRIC_BUCKETS * sizeof *metric->buckets);
    metric->next = NULL;
    *metrics_last = metric;
    metrics_last = &metric->next;
}

void tw_metric_add(tw_metric *metric, double amount) {
    double old = atomic_load_explicit(&metric->value, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&metric->value, &old, old + amount, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

void tw_metric_set(tw_metric *metric, double value) {
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void tw_metric_observe(tw_metric *metric, double value) {
    int bucket = value <= BUCKET_LEAST ? 0 : (int)ceil(log2(value / BUCKET_LEAST));
    if (bucket >= TW_METRIC_BUCKETS)
        bucket = TW_METRIC_BUCKETS - 1;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    tw_metric_add(metric, value);
}

double tw_metric_get(const tw_metric *metric) {
    return atomic_load_explicit(&metric->value, memory_order_relaxed);
}

double tw_metric_bucket_edge(int bucket) {
    return ldexp(BUCKET_LEAST, bucket);
}

const tw_metric *tw_metric_find(const char *name, const char *label_value) {
    for (const tw_metric *m = metrics_first; m; m = m->next)
        if (strcmp(m->name, name) == 0 &&
            (label_value ? m->label && strcmp(m->label_value, label_value) == 0 : !m->label))
            return m;
    return NULL;
}

void tw_metric_buckets(const tw_metric *metric, uint64_t ret_counts[TW_METRIC_BUCKETS]) {
    for (int i = 0; i < TW_METRIC_BUCKETS; i++)
        ret_counts[i] = atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
}

static uint64_t observations(const tw_metric *metric) {
    uint64_t n = 0;
    for (int i = 0; i < TW_METRIC_BUCKETS; i++)
        n += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
    return n;
}

double tw_metric_quantile(const tw_metric *metric, double q) {
    uint64_t all = observations(metric), seen = 0;
    for (int i = 0; i < TW_METRIC_BUCKETS; i++) {
        seen += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        if (all && (double)seen >= q * (double)all)
            return tw_metric_bucket_edge(i);
    }
    return 0;
}

static void write_histogram(const tw_metric *m, tw_buf *out) {
    uint64_t seen = 0;
    for (int i = 0; i < TW_METRIC_BUCKETS; i++) {
        uint64_t n = atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
        seen += n;
        if (i < TW_METRIC_BUCKETS_SHOWN)
            tw_buf_printf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", m->name, tw_metric_bucket_edge(i), seen);
    }
    tw_buf_printf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.9g\n%s_count %" PRIu64 "\n", m->name, seen,
                  m->name, tw_metric_get(m), m->name, seen);
}

void tw_metrics_write(tw_buf *out) {
    static const char *const types[] = {[TW_COUNTER] = "counter", [TW_GAUGE] = "gauge", [TW_HISTOGRAM] = "histogram"};
    const char *before = "";
    for (const tw_metric *m = metrics_first; m; m = m->next) {
        if (strcmp(before, m->name) != 0)
            tw_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, types[m->type]);
        before = m->name;
        if (m->type == TW_HISTOGRAM)
            write_histogram(m, out);
        else if (m->label)
            tw_buf_printf(out, "%s{%s=\"%s\"} %.17g\n", m->name, m->label, m->label_value, tw_metric_get(m));
        else
            tw_buf_printf(out, "%s %.17g\n", m->name, tw_metric_get(m));
    }
}
