/* Counters, gauges and histograms that any thread may read while their owner writes.
 *
 * Each metric is one row of a static table near the code that counts (name, help, unit), registered once; the Prometheus
 * text and the reference are generated from the rows. A metric has at most one label with a fixed, small set of values
 * (a reason, a kind, a stage): never a user id. */
#ifndef TW_BASE_METRICS_H
#define TW_BASE_METRICS_H

#include "base/buf.h"

#include <stdatomic.h>

/* Buckets of a histogram: the first holds what is at most 1e-6, each next reaches twice as far. */
#define TW_METRIC_BUCKETS 64
#define TW_METRIC_BUCKETS_SHOWN 41 /* in the text, the last to 12 days; what is above is in +Inf alone */

typedef enum tw_metric_type { TW_COUNTER, TW_GAUGE, TW_HISTOGRAM } tw_metric_type;

typedef struct tw_metric {
    const char *name; /* tailwater_..., by Prometheus' conventions: base unit last, counters end in _total */
    const char *help; /* one sentence */
    tw_metric_type type;
    const char *label;         /* label name, or NULL */
    const char *label_value;   /* fixed value */
    _Atomic(double) value;     /* counter or gauge; sum of a histogram */
    _Atomic uint64_t *buckets; /* histogram: (TW_METRIC_BUCKETS) observations in each */
    struct tw_metric *next;
} tw_metric;

/* Adds a metric to the process-wide list; it must live until exit. Metrics of one name are registered one after the
 * other. Thread: any, before the others start. */
void tw_metric_register(tw_metric *metric);

void tw_metric_add(tw_metric *metric, double amount);    /* counter or gauge. Thread: any */
void tw_metric_set(tw_metric *metric, double value);     /* gauge, or a counter kept elsewhere. Thread: any */
void tw_metric_observe(tw_metric *metric, double value); /* histogram. Thread: any */
double tw_metric_get(const tw_metric *metric);
/* The value below which a share q of the observations lie (upper edge of the bucket). */
double tw_metric_quantile(const tw_metric *metric, double q);

/* The metric of that name and label value (NULL: without a label), or NULL. Thread: any, once all are registered. */
const tw_metric *tw_metric_find(const char *name, const char *label_value);
void tw_metric_buckets(const tw_metric *metric,
                       uint64_t ret_counts[TW_METRIC_BUCKETS]); /* of a histogram. Thread: any */
double tw_metric_bucket_edge(int bucket);                       /* its upper edge */

/* Appends all metrics in Prometheus' text format 0.0.4. A histogram always has the same buckets, also empty ones: a bucket that came
 * with its first observation would have no rate then, and a quantile over rates would miss what is new. Thread: any. */
void tw_metrics_write(tw_buf *out);

#endif
