/* Curves as inline SVG and bars, as parts of a page: no script, colours are the page's classes. The lines are drawn in a box that stretches
 * with the page while their strokes and all text stay as they are, so that a phone shows them as well. A pointer on a place of the stream
 * tells the values there. Thread: any. */
#ifndef TW_EVALUATE_CHART_H
#define TW_EVALUATE_CHART_H

#include "base/buf.h"
#include "pipeline/learn/prequential.h"

#define TW_COLOURS 8 /* classes c0 to c7 of the page; c0 is the one to look at first */

typedef struct tw_curve {
    const char *name;
    const tw_prequential *points; /* (points_count) */
    double whole;                 /* its HR@10 over all, for the legend */
} tw_curve;

typedef struct tw_chart {
    const tw_curve *curves; /* the first is drawn on top */
    int curves_count, points_count;
    double from_percent;    /* of the stream, where the first point begins; the last ends at 100 */
    const int64_t *time_ms; /* (points_count) event time at which each begins; INT64_MIN: unknown */
    const char *label;      /* of the whole, for who cannot see it */
} tw_chart;

/* HR@10 along the stream. A point without questions is left out. */
void tw_chart_curves(const tw_chart *chart, tw_buf *out);

/* One bar; a share of the longest one in [-1, 1]. */
void tw_chart_bar(const char *name, double share, const char *value, tw_buf *out);

/* Text as HTML and XML show it. */
void tw_chart_text(const char *text, tw_buf *out);

/* A step of 1, 2 or 5 times a power of ten that divides most (above 0) into two to five. */
double tw_chart_step(double most);

#endif
