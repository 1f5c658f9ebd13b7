/* The figures of a run as one line of JSON. */
#include "evaluate/report.h"

#include "base/json.h"

#include <inttypes.h>

static void put_measures(const tw_prequential *m, tw_buf *out) {
    tw_buf_printf(out, "\"asked\":%" PRIu64 ",\"hr10\":%.5f,\"hr20\":%.5f,\"ndcg10\":%.5f,\"mrr20\":%.5f", m->asked,
                  tw_prequential_hr10(m), tw_prequential_hr20(m), tw_prequential_ndcg10(m), tw_prequential_mrr20(m));
}

static void put_named(const char *before, const char *name, const tw_prequential *m, tw_buf *out) {
    tw_buf_printf(out, "%s\"%s\":{", before, name);
    put_measures(m, out);
    tw_buf_u8(out, '}');
}

static void put_scorers(const char *name, const tw_evaluation *e, const tw_prequential *measures, tw_buf *out) {
    tw_buf_printf(out, ",\"%s\":{", name);
    for (int i = 0; i < e->scorers; i++)
        put_named(i ? "," : "", e->scorer_names[i], &measures[i], out);
    tw_buf_u8(out, '}');
}

static void put_lists(const tw_evaluation *e, tw_buf *out) {
    const tw_lists_sums *l = &e->lists;
    tw_buf_printf(out,
                  ",\"lists\":{\"places\":%d,\"count\":%" PRIu64 ",\"coverage\":%.5f,\"catalogue\":%" PRIu64
                  ",\"mean_age_days\":%.3f,\"share_with_new\":%.5f,\"hr10_with_new\":%.5f,\"hits_by_new\":%" PRIu64 "}",
                  TW_LIST_OF, l->lists, tw_lists_coverage(l, e->catalogue), e->catalogue, tw_lists_age_days(l),
                  tw_lists_new_share(l), tw_prequential_hr10(&l->with_new), l->new_hits);
}

void tw_report_json(const tw_report *report, int file, int setting, tw_buf *out) {
    const tw_evaluation *e = tw_report_run(report, file, setting);
    tw_buf_printf(out, "{\"file\":");
    tw_json_text(out, tw_slice_of(report->files[file]));
    if (*report->settings[setting]) {
        tw_buf_printf(out, ",\"with\":");
        tw_json_text(out, tw_slice_of(report->settings[setting]));
    }
    tw_buf_u8(out, ',');
    put_measures(&e->all, out);
    tw_buf_printf(out,
                  ",\"rank_us_mean\":%.2f,\"seconds\":%.2f,\"rows\":%" PRId64 ",\"every\":%" PRIu64 ",\"seed\":%" PRIu64
                  ",\"by_history\":{",
                  tw_evaluation_rank_us(e), e->seconds, report->rows[file], report->every, report->seed);
    for (int i = 0; i < TW_LENGTHS; i++)
        put_named(i ? "," : "", tw_length_names[i], &e->by_length[i], out);
    tw_buf_printf(out, "},\"by_tenth\":{");
    for (int i = 0; i < TW_TENTHS; i++) {
        const char name[2] = {(char)('1' + i), '\0'}; /* tenths of the file that are over; the first is not asked */
        const tw_prequential tenth = tw_evaluation_tenth(e, i);
        put_named(i ? "," : "", name, &tenth, out);
    }
    tw_buf_u8(out, '}');
    put_named(",", "items_younger_than_a_day", &e->young, out);
    put_lists(e, out);
    if (e->profiled)
        tw_buf_printf(out, ",\"profile\":{\"asked\":%" PRIu64 ",\"cross_entropy\":%.5f,\"top1\":%.5f}",
                      e->category.asked, tw_category_loss_cross_entropy(&e->category),
                      tw_category_loss_top1(&e->category));
    if (e->scorers) {
        put_scorers("alone", e, e->alone, out);
        put_scorers("without", e, e->without, out);
    }
    tw_buf_u8(out, '}');
}
