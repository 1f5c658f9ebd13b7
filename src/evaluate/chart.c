/* Geometry of the charts. Inside the box a unit is a thousandth of its width or height. */
#include "evaluate/chart.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#define BOX 1000.0

void tw_chart_text(const char *text, tw_buf *out) {
    for (; *text; text++)
        switch (*text) {
        case '<':
            tw_buf_printf(out, "&lt;");
            break;
        case '>':
            tw_buf_printf(out, "&gt;");
            break;
        case '&':
            tw_buf_printf(out, "&amp;");
            break;
        case '"':
            tw_buf_printf(out, "&quot;");
            break;
        default:
            tw_buf_u8(out, (uint8_t)*text);
        }
}

double tw_chart_step(double most) {
    double power = pow(10, floor(log10(most))), digit = most / power;
    return power * (digit > 5 ? 2 : digit > 2 ? 1 : 0.5);
}

/* The top of the box and the distance of its lines. */
static double frame_of(const tw_chart *chart, double *ret_step) {
    double most = 0;
    for (int c = 0; c < chart->curves_count; c++)
        for (int i = 0; i < chart->points_count; i++)
            most = fmax(most, tw_prequential_hr10(&chart->curves[c].points[i]));
    most = most > 0 ? most : 1;
    *ret_step = tw_chart_step(most);
    return ceil(most / *ret_step - 1e-9) * *ret_step;
}

static double percent_at(const tw_chart *chart, double point) {
    return chart->from_percent + point / chart->points_count * (100 - chart->from_percent);
}

static void put_legend(const tw_chart *chart, tw_buf *out) {
    tw_buf_printf(out, "<ul class=\"legend\">");
    for (int c = 0; c < chart->curves_count; c++) {
        tw_buf_printf(out, "<li class=\"c%d\"><i></i>", c % TW_COLOURS);
        tw_chart_text(chart->curves[c].name, out);
        tw_buf_printf(out, " <b>%.4f</b></li>", chart->curves[c].whole);
    }
    tw_buf_printf(out, "</ul>");
}

static void put_curve(const tw_chart *chart, int c, double top, tw_buf *out) {
    char pen = 'M';
    tw_buf_printf(out, "<path class=\"curve c%d\" d=\"", c % TW_COLOURS);
    for (int i = 0; i < chart->points_count; i++) {
        const tw_prequential *p = &chart->curves[c].points[i];
        if (p->asked == 0)
            continue;
        tw_buf_printf(out, "%c%.1f %.1f", pen, (i + 0.5) / chart->points_count * BOX,
                      BOX - tw_prequential_hr10(p) / top * BOX);
        pen = 'L';
    }
    tw_buf_printf(out, "\"/>");
}

/* What a pointer sees at a place of the stream. */
static void put_look(const tw_chart *chart, int i, tw_buf *out) {
    if (chart->curves[0].points[i].asked == 0)
        return;
    tw_buf_printf(out,
                  "<rect class=\"look\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"1000\"><title>%.0f to %.0f %% of "
                  "the stream, %" PRIu64 " asked",
                  i * BOX / chart->points_count, BOX / chart->points_count, percent_at(chart, i),
                  percent_at(chart, i + 1), chart->curves[0].points[i].asked);
    for (int c = 0; c < chart->curves_count; c++) {
        tw_buf_printf(out, "\n%.4f  ", tw_prequential_hr10(&chart->curves[c].points[i]));
        tw_chart_text(chart->curves[c].name, out);
    }
    tw_buf_printf(out, "</title></rect>");
}

static void put_date(int64_t time_ms, tw_buf *out) {
    time_t s = (time_t)(time_ms / 1000);
    struct tm tm;
    char date[16];
    if (time_ms == INT64_MIN || !gmtime_r(&s, &tm) || !strftime(date, sizeof date, "%Y-%m-%d", &tm))
        return;
    tw_buf_printf(out, "<small>%s</small>", date);
}

static void put_scales(const tw_chart *chart, double top, double step, tw_buf *out) {
    tw_buf_printf(out, "<div class=\"ys\">");
    for (int i = 0; i * step <= top * 1.0001; i++)
        tw_buf_printf(out, "<span style=\"bottom:%.2f%%\">%.3g</span>", i * step / top * 100, i * step);
    tw_buf_printf(out, "</div><div class=\"xs\">");
    for (int percent = 20; percent <= 100; percent += 20) {
        double share = (percent - chart->from_percent) / (100 - chart->from_percent);
        int point = (int)(share * chart->points_count + 0.5);
        tw_buf_printf(out, "<span style=\"left:%.2f%%\">%d&thinsp;%%", share * 100, percent);
        if (point < chart->points_count)
            put_date(chart->time_ms[point], out);
        tw_buf_printf(out, "</span>");
    }
    tw_buf_printf(out, "</div>");
}

void tw_chart_curves(const tw_chart *chart, tw_buf *out) {
    double step, top = frame_of(chart, &step);
    put_legend(chart, out);
    tw_buf_printf(out, "<div class=\"plot\"><svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\" role=\"img\" "
                       "aria-label=\"");
    tw_chart_text(chart->label, out);
    tw_buf_printf(out, "\"><path class=\"grid\" d=\"");
    for (int i = 0; i * step <= top * 1.0001; i++)
        tw_buf_printf(out, "M0 %.1fH1000", BOX - i * step / top * BOX);
    tw_buf_printf(out, "\"/>");
    for (int i = 0; i < chart->points_count; i++)
        put_look(chart, i, out);
    for (int c = chart->curves_count - 1; c >= 0; c--)
        put_curve(chart, c, top, out);
    tw_buf_printf(out, "</svg>");
    put_scales(chart, top, step, out);
    tw_buf_printf(out, "</div>");
}

void tw_chart_bar(const char *name, double share, const char *value, tw_buf *out) {
    tw_buf_printf(out, "<div class=\"bar\"><span>");
    tw_chart_text(name, out);
    tw_buf_printf(out, "</span><div><i%s style=\"width:%.1f%%\"></i></div><b>%s</b></div>",
                  share < 0 ? " class=\"less\"" : "", fabs(share) * 100, value);
}
