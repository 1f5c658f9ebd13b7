/* What several runs say, files by settings: as lines for people, as JSON, and as one page with curves. Thread: any. */
#ifndef TW_EVALUATE_REPORT_H
#define TW_EVALUATE_REPORT_H

#include "base/buf.h"
#include "evaluate/evaluation.h"

/* All borrowed. */
typedef struct tw_report {
    const char *const *files;    /* (files_count) paths */
    const char *const *settings; /* (settings_count) names of the columns; "": as configured */
    int files_count, settings_count;
    const int64_t *rows;       /* (files_count) */
    const tw_evaluation *runs; /* (files_count, settings_count) */
    uint64_t every, seed;
} tw_report;

static inline const tw_evaluation *tw_report_run(const tw_report *report, int file, int setting) {
    return &report->runs[file * report->settings_count + setting];
}
const char *tw_report_setting(const tw_report *report, int setting); /* its name as people read it */

/* One file: a block of lines, with a column for each setting where there are several. No break at the end. */
void tw_report_text(const tw_report *report, int file, tw_buf *out);

/* One run as one object in a line; no break at the end. */
void tw_report_json(const tw_report *report, int file, int setting, tw_buf *out);

/* A whole page: nothing is fetched from anywhere, no script. */
void tw_report_page(const tw_report *report, tw_buf *out);

#endif
