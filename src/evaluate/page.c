/* The page of `evaluate --report`: all runs in one table where there are several, then file by file figures, curves and tables. */
#include "evaluate/chart.h"
#include "evaluate/report.h"
#include "evaluate/style.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Fewer questions than this make a point of a curve that jumps by chance (chosen, not measured). */
#define POINT_ASKED_MIN 300

#define FROM_PERCENT 10

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void put_whole(uint64_t n, tw_buf *out) {
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n);
    for (int i = 0; i < length; i++)
        tw_buf_printf(out, "%s%c", i && (length - i) % 3 == 0 ? "," : "", digits[i]);
}

/* ---- curves ------------------------------------------------------------------------------------------------------- */

/* How many slices make a point, so that each is asked enough: all, or those of a tenth together. */
static int point_slices(const tw_evaluation *e) {
    return e->all.asked / TW_SLICES >= POINT_ASKED_MIN ? 1 : TW_SLICES / TW_TENTHS;
}

static void points_of(const tw_prequential *slices, int together, tw_prequential *points) {
    for (int i = 0; i < TW_SLICES / together; i++) {
        points[i] = (tw_prequential){0};
        for (int k = 0; k < together; k++)
            tw_prequential_merge(&points[i], &slices[i * together + k]);
    }
}

#define CURVES_MAX (1 + TW_SCORERS_MAX)

typedef struct drawing {
    tw_prequential points[CURVES_MAX][TW_SLICES];
    tw_curve curves[CURVES_MAX];
    int64_t time_ms[TW_SLICES];
    int count, together;
} drawing;

static void drawing_begin(drawing *d, const tw_evaluation *e) {
    d->count = 0;
    d->together = point_slices(e);
    for (int i = 0; i < TW_SLICES / d->together; i++)
        d->time_ms[i] = e->slice_ms[i * d->together];
}

static void drawing_add(drawing *d, const char *name, const tw_prequential *slices, const tw_prequential *whole) {
    if (d->count == CURVES_MAX)
        return;
    points_of(slices, d->together, d->points[d->count]);
    d->curves[d->count] = (tw_curve){name, d->points[d->count], tw_prequential_hr10(whole)};
    d->count++;
}

static void drawing_put(const drawing *d, const char *label, tw_buf *out) {
    const tw_chart chart = {d->curves, d->count, TW_SLICES / d->together, FROM_PERCENT, d->time_ms, label};
    tw_chart_curves(&chart, out);
}

static void put_scorers_over_time(const tw_evaluation *e, tw_buf *out) {
    drawing d;
    drawing_begin(&d, e);
    drawing_add(&d, "the blend", e->by_slice, &e->all);
    for (int i = 0; i < e->scorers; i++)
        drawing_add(&d, e->scorer_names[i], e->alone_by_slice[i], &e->alone[i]);
    tw_buf_printf(out, "<section class=\"panel\"><h3>Hit rate over the stream</h3><p>HR@10 of the blend%s.</p>",
                  e->scorers ? ", and of each scorer if it ordered the whole catalogue alone" : "");
    drawing_put(&d, "HR@10 over the stream, for the blend and for each scorer alone", out);
    tw_buf_printf(out, "</section>");
}

static void put_settings_over_time(const tw_report *report, int file, tw_buf *out) {
    drawing d;
    drawing_begin(&d, tw_report_run(report, file, 0));
    for (int s = 0; s < report->settings_count; s++) {
        const tw_evaluation *e = tw_report_run(report, file, s);
        drawing_add(&d, tw_report_setting(report, s), e->by_slice, &e->all);
    }
    tw_buf_printf(out, "<section class=\"panel\"><h3>Settings side by side</h3><p>HR@10 over the stream%s.</p>",
                  report->settings_count > CURVES_MAX ? "; the table above has the rest" : "");
    drawing_put(&d, "HR@10 over the stream, for each setting", out);
    tw_buf_printf(out, "</section>");
}

/* ---- bars and tiles ----------------------------------------------------------------------------------------------- */

static void put_added(const tw_evaluation *e, tw_buf *out) {
    double adds[TW_SCORERS_MAX], most = 0;
    for (int i = 0; i < e->scorers; i++) {
        adds[i] = tw_prequential_hr10(&e->all) - tw_prequential_hr10(&e->without[i]);
        most = adds[i] > most ? adds[i] : -adds[i] > most ? -adds[i] : most;
    }
    tw_buf_printf(
        out,
        "<section class=\"panel\"><h3>What each scorer adds</h3><p>HR@10 of the blend, less what it would be if that "
        "scorer said the same of every candidate.</p>");
    for (int i = 0; i < e->scorers; i++) {
        char value[16];
        snprintf(value, sizeof value, "%+.4f", adds[i]);
        tw_chart_bar(e->scorer_names[i], most > 0 ? adds[i] / most : 0, value, out);
    }
    tw_buf_printf(out, "</section>");
}

static void put_by_history(const tw_evaluation *e, tw_buf *out) {
    double most = 0;
    for (int i = 0; i < TW_LENGTHS; i++)
        most = tw_prequential_hr10(&e->by_length[i]) > most ? tw_prequential_hr10(&e->by_length[i]) : most;
    tw_buf_printf(
        out,
        "<section class=\"panel\"><h3>Hit rate by history</h3><p>HR@10 by how many different items the user had met "
        "before.</p>");
    for (int i = 0; i < TW_LENGTHS; i++) {
        char value[16], name[32];
        double hr10 = tw_prequential_hr10(&e->by_length[i]);
        if (e->by_length[i].asked == 0)
            continue;
        int digits = (int)strcspn(tw_length_names[i], i == TW_LENGTHS - 1 ? "-" : "");
        snprintf(name, sizeof name, "%.*s%s", digits, tw_length_names[i],
                 i == TW_LENGTHS - 1 ? " and more"
                 : i                 ? " items"
                                     : " item");
        snprintf(value, sizeof value, "%.4f", hr10);
        tw_chart_bar(name, most > 0 ? hr10 / most : 0, value, out);
    }
    tw_buf_printf(out, "</section>");
}

static void put_tile(const char *class, const char *value, const char *what, tw_buf *out) {
    tw_buf_printf(out, "<div class=\"tile%s\"><b>%s</b><span>%s</span></div>", class, value, what);
}

static void put_real_tile(const char *class, const char *form, double value, const char *what, tw_buf *out) {
    char text[48];
    snprintf(text, sizeof text, form, value);
    put_tile(class, text, what, out);
}

static void put_tiles(const tw_evaluation *e, tw_buf *out) {
    const tw_lists_sums *l = &e->lists;
    tw_buf_printf(out, "<div class=\"tiles\">");
    put_real_tile(" first", "%.4f", tw_prequential_hr10(&e->all), "HR@10", out);
    put_real_tile(" first", "%.4f", tw_prequential_ndcg10(&e->all), "NDCG@10", out);
    put_real_tile(" first", "%.4f", tw_prequential_hr20(&e->all), "HR@20", out);
    put_real_tile(" first", "%.4f", tw_prequential_mrr20(&e->all), "MRR@20", out);
    tw_buf_printf(out, "</div><div class=\"tiles\">");
    put_real_tile("", "%.1f&thinsp;%%", 100 * tw_lists_coverage(l, e->catalogue), "of the catalogue was ever listed",
                  out);
    put_real_tile("", "%.1f&thinsp;days", tw_lists_age_days(l), "mean age of a listed item", out);
    put_real_tile("", "%.1f&thinsp;%%", 100 * tw_lists_new_share(l), "of lists hold an item younger than a day", out);
    put_real_tile("", "%.4f", tw_prequential_hr10(&l->with_new), "HR@10 of these lists", out);
    put_real_tile("", "%.0f&thinsp;&micro;s", tw_evaluation_rank_us(e), "to rank the catalogue once", out);
    tw_buf_printf(out, "</div>");
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

#define MEASURES "<th>asked</th><th>HR@10</th><th>NDCG@10</th><th>HR@20</th><th>MRR@20</th>"

static void put_cells(const tw_prequential *m, tw_buf *out) {
    tw_buf_printf(out, "<td>");
    put_whole(m->asked, out);
    tw_buf_printf(out, "</td><td>%.4f</td><td>%.4f</td><td>%.4f</td><td>%.4f</td>", tw_prequential_hr10(m),
                  tw_prequential_ndcg10(m), tw_prequential_hr20(m), tw_prequential_mrr20(m));
}

static void put_row(const char *before, const char *name, const char *after, const tw_prequential *m, tw_buf *out) {
    tw_buf_printf(out, "<tr><td>%s%s%s</td>", before, name, after);
    put_cells(m, out);
    tw_buf_printf(out, "</tr>");
}

static void put_all_figures(const tw_evaluation *e, tw_buf *out) {
    tw_buf_printf(
        out,
        "<details class=\"panel\"><summary>All figures</summary><div class=\"scroll\"><table><tr><th></th>" MEASURES
        "</tr>");
    put_row("the blend", "", "", &e->all, out);
    for (int i = 0; i < e->scorers; i++)
        put_row("", e->scorer_names[i], " alone", &e->alone[i], out);
    for (int i = 0; i < e->scorers; i++)
        put_row("without ", e->scorer_names[i], "", &e->without[i], out);
    for (int i = 0; i < TW_TENTHS; i++) {
        char part[32];
        const tw_prequential tenth = tw_evaluation_tenth(e, i);
        snprintf(part, sizeof part, "%d to %d %%", 10 * (i + 1), 10 * (i + 2));
        put_row("", part, " of the stream", &tenth, out);
    }
    for (int i = 0; i < TW_LENGTHS; i++)
        if (e->by_length[i].asked)
            put_row("history of ", tw_length_names[i], "", &e->by_length[i], out);
    put_row("items younger than a day", "", "", &e->young, out);
    tw_buf_printf(out, "</table></div></details>");
}

static void put_overview_row(const tw_report *report, int file, int setting, tw_buf *out) {
    const tw_evaluation *e = tw_report_run(report, file, setting);
    tw_buf_printf(out, "<tr><td>");
    tw_chart_text(base_name(report->files[file]), out);
    if (report->settings_count > 1) {
        tw_buf_printf(out, "<br><small>");
        tw_chart_text(tw_report_setting(report, setting), out);
        tw_buf_printf(out, "</small>");
    }
    tw_buf_printf(out, "</td>");
    put_cells(&e->all, out);
    tw_buf_printf(out, "<td>%.1f&thinsp;%%</td><td>%.1f&thinsp;%%</td></tr>",
                  100 * tw_lists_coverage(&e->lists, e->catalogue), 100 * tw_lists_new_share(&e->lists));
}

static void put_overview(const tw_report *report, tw_buf *out) {
    tw_buf_printf(out, "<section class=\"panel\"><h3>All runs</h3><div class=\"scroll\"><table><tr><th></th>" MEASURES
                       "<th>coverage</th><th>lists with new</th></tr>");
    for (int file = 0; file < report->files_count; file++)
        for (int s = 0; s < report->settings_count; s++)
            put_overview_row(report, file, s, out);
    tw_buf_printf(out, "</table></div></section>");
}

/* ---- the page ----------------------------------------------------------------------------------------------------- */

static void put_run(const tw_evaluation *e, tw_buf *out) {
    put_tiles(e, out);
    put_scorers_over_time(e, out);
    tw_buf_printf(out, "<div class=\"pair\">");
    if (e->scorers)
        put_added(e, out);
    put_by_history(e, out);
    tw_buf_printf(out, "</div>");
    put_all_figures(e, out);
}

static void put_file(const tw_report *report, int file, tw_buf *out) {
    const tw_evaluation *first = tw_report_run(report, file, 0);
    tw_buf_printf(out, "<h2>");
    tw_chart_text(base_name(report->files[file]), out);
    tw_buf_printf(out, "</h2><p>");
    put_whole((uint64_t)report->rows[file], out);
    tw_buf_printf(out, " rows, ");
    put_whole(first->all.asked, out);
    tw_buf_printf(out, " asked");
    if (report->every > 1)
        tw_buf_printf(out, ", a sample of one in %" PRIu64 " by seed %" PRIu64, report->every, report->seed);
    tw_buf_printf(out, "; ");
    put_whole(first->catalogue, out);
    tw_buf_printf(out, " items.</p>");
    if (report->settings_count > 1)
        put_settings_over_time(report, file, out);
    put_run(first, out);
    for (int s = 1; s < report->settings_count; s++) {
        tw_buf_printf(out, "<details class=\"other\"><summary>With ");
        tw_chart_text(tw_report_setting(report, s), out);
        tw_buf_printf(out, "</summary>");
        put_run(tw_report_run(report, file, s), out);
        tw_buf_printf(out, "</details>");
    }
}

void tw_report_page(const tw_report *report, tw_buf *out) {
    tw_buf_printf(out,
                  "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Tailwater: how good "
                  "the lists are</title><style>\n");
    tw_buf_put(out, tw_evaluate_files[0].bytes, tw_evaluate_files[0].size);
    tw_buf_printf(out,
                  "</style></head><body><main><h1>How good the lists are</h1><p>Test, then learn: before each event is "
                  "learned, the whole catalogue is ranked for its user. HR@10 is how often the event&rsquo;s item was "
                  "among the first ten. The first tenth of a stream is only learned from.</p>");
    if (report->files_count * report->settings_count > 1)
        put_overview(report, out);
    for (int file = 0; file < report->files_count; file++)
        put_file(report, file, out);
    tw_buf_printf(out, "<footer>Made by tailwater evaluate --report.</footer></main></body></html>\n");
}
