/* The figures for people: of one setting all measures, of several the two that are judged by, a column each. */
#include "evaluate/report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define NAME_WIDTH 32
#define COLUMN_WIDTH 19

/* Which part of a run a line tells of. */
typedef const tw_prequential *(*part_fn)(const tw_evaluation *e, int i, tw_prequential *scratch);

static const tw_prequential *part_all(const tw_evaluation *e, int i, tw_prequential *scratch) {
    (void)i;
    (void)scratch;
    return &e->all;
}

static const tw_prequential *part_tenth(const tw_evaluation *e, int i, tw_prequential *scratch) {
    *scratch = tw_evaluation_tenth(e, i);
    return scratch;
}

static const tw_prequential *part_length(const tw_evaluation *e, int i, tw_prequential *scratch) {
    (void)scratch;
    return &e->by_length[i];
}

static const tw_prequential *part_young(const tw_evaluation *e, int i, tw_prequential *scratch) {
    (void)i;
    (void)scratch;
    return &e->young;
}

static const tw_prequential *part_alone(const tw_evaluation *e, int i, tw_prequential *scratch) {
    (void)scratch;
    return &e->alone[i];
}

static const tw_prequential *part_without(const tw_evaluation *e, int i, tw_prequential *scratch) {
    (void)scratch;
    return &e->without[i];
}

const char *tw_report_setting(const tw_report *report, int setting) {
    return *report->settings[setting] ? report->settings[setting] : "as configured";
}

__attribute__((format(printf, 2, 3))) static void put_name(tw_buf *out, const char *fmt, ...) {
    char name[64];
    va_list args;
    va_start(args, fmt);
    vsnprintf(name, sizeof name, fmt, args);
    va_end(args);
    tw_buf_printf(out, "\n  %-*s", NAME_WIDTH, name);
}

/* All measures of one run, or two of each. */
static void put_figures(const tw_report *report, int file, part_fn part, int i, tw_buf *out) {
    for (int s = 0; s < report->settings_count; s++) {
        tw_prequential scratch;
        const tw_prequential *m = part(tw_report_run(report, file, s), i, &scratch);
        if (report->settings_count == 1)
            tw_buf_printf(out, "%9" PRIu64 "  %.4f  %.4f   %.4f  %.4f", m->asked, tw_prequential_hr10(m),
                          tw_prequential_hr20(m), tw_prequential_ndcg10(m), tw_prequential_mrr20(m));
        else
            tw_buf_printf(out, "%*s%.4f %.4f", COLUMN_WIDTH - 13, "", tw_prequential_hr10(m), tw_prequential_ndcg10(m));
    }
}

static void put_heads(const tw_report *report, tw_buf *out) {
    if (report->settings_count == 1) {
        put_name(out, "%s", "");
        tw_buf_printf(out, "%9s  %-6s  %-6s  %-7s  %-6s", "asked", "HR@10", "HR@20", "NDCG@10", "MRR@20");
        return;
    }
    for (int s = 0; s < report->settings_count; s++)
        tw_buf_printf(out, "\n  %c: %s", 'A' + s, tw_report_setting(report, s));
    put_name(out, "HR@10 and NDCG@10");
    for (int s = 0; s < report->settings_count; s++)
        tw_buf_printf(out, "%*c", COLUMN_WIDTH, 'A' + s);
}

static void put_number(const tw_report *report, int file, const char *name, const char *fmt,
                       double (*number)(const tw_evaluation *e), tw_buf *out) {
    int width = report->settings_count == 1 ? 17 : COLUMN_WIDTH;
    put_name(out, "%s", name);
    for (int s = 0; s < report->settings_count; s++) {
        char text[32];
        snprintf(text, sizeof text, fmt, number(tw_report_run(report, file, s)));
        tw_buf_printf(out, "%*s", width, text);
    }
}

static double coverage(const tw_evaluation *e) {
    return tw_lists_coverage(&e->lists, e->catalogue);
}
static double new_share(const tw_evaluation *e) {
    return tw_lists_new_share(&e->lists);
}
static double new_hit_rate(const tw_evaluation *e) {
    return tw_prequential_hr10(&e->lists.with_new);
}
static double age_days(const tw_evaluation *e) {
    return tw_lists_age_days(&e->lists);
}
static double profile_asked(const tw_evaluation *e) {
    return (double)e->category.asked;
}
static double profile_loss(const tw_evaluation *e) {
    return tw_category_loss_cross_entropy(&e->category);
}
static double profile_right(const tw_evaluation *e) {
    return tw_category_loss_top1(&e->category);
}
static double seconds(const tw_evaluation *e) {
    return e->seconds;
}

static void put_adds(const tw_report *report, int file, int scorer, tw_buf *out) {
    for (int s = 0; s < report->settings_count; s++) {
        const tw_evaluation *e = tw_report_run(report, file, s);
        if (report->settings_count > 1)
            tw_buf_printf(out, "%*s%+.4f", COLUMN_WIDTH - 7, "",
                          tw_prequential_hr10(&e->all) - tw_prequential_hr10(&e->without[scorer]));
        else
            tw_buf_printf(out, "  it adds %.4f / %.4f",
                          tw_prequential_hr10(&e->all) - tw_prequential_hr10(&e->without[scorer]),
                          tw_prequential_ndcg10(&e->all) - tw_prequential_ndcg10(&e->without[scorer]));
    }
}

/* Of the first run: another setting may have another model, and then no scorers. */
static int scorers_of(const tw_report *report, int file) {
    int scorers = tw_report_run(report, file, 0)->scorers;
    for (int s = 1; s < report->settings_count; s++)
        scorers = tw_report_run(report, file, s)->scorers ? scorers : 0;
    return scorers;
}

void tw_report_text(const tw_report *report, int file, tw_buf *out) {
    const tw_evaluation *first = tw_report_run(report, file, 0);
    tw_buf_printf(out, "%s  rows %" PRId64 "  asked %" PRIu64, report->files[file], report->rows[file],
                  first->all.asked);
    if (report->every > 1)
        tw_buf_printf(out, "  one in %" PRIu64 " by seed %" PRIu64, report->every, report->seed);
    put_heads(report, out);
    put_name(out, "all");
    put_figures(report, file, part_all, 0, out);
    for (int i = 0; i < TW_TENTHS; i++) {
        put_name(out, "%d to %d %% of the stream", 10 * (i + 1), 10 * (i + 2));
        put_figures(report, file, part_tenth, i, out);
    }
    for (int i = 0; i < TW_LENGTHS; i++)
        if (first->by_length[i].asked) {
            put_name(out, "history of %s", tw_length_names[i]);
            put_figures(report, file, part_length, i, out);
        }
    put_name(out, "items younger than a day");
    put_figures(report, file, part_young, 0, out);
    for (int i = 0; i < scorers_of(report, file); i++) {
        put_name(out, "%s alone", first->scorer_names[i]);
        put_figures(report, file, part_alone, i, out);
    }
    for (int i = 0; i < scorers_of(report, file); i++) {
        put_name(out, "without %s", first->scorer_names[i]);
        put_figures(report, file, part_without, i, out);
        if (report->settings_count > 1)
            put_name(out, "  so that it adds (HR@10)");
        put_adds(report, file, i, out);
    }
    put_number(report, file, "catalogue that was ever listed", "%.4f", coverage, out);
    put_number(report, file, "mean age of listed items, days", "%.1f", age_days, out);
    put_number(report, file, "lists with items below a day", "%.4f", new_share, out);
    put_number(report, file, "HR@10 of these lists", "%.4f", new_hit_rate, out);
    if (first->profiled) {
        put_number(report, file, "profiles asked", "%.0f", profile_asked, out);
        put_number(report, file, "  cross-entropy, nats", "%.4f", profile_loss, out);
        put_number(report, file, "  first category right", "%.4f", profile_right, out);
    }
    put_number(report, file, "ranking an event, us", "%.1f", tw_evaluation_rank_us, out);
    put_number(report, file, "seconds", "%.1f", seconds, out);
}
