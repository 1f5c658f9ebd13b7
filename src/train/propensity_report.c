/* How the training of the propensity looks: curves, the test part's measures side by side, reliability. */
#include "train/propensity.h"

#include "base/json.h"

#include <inttypes.h>

static void text_reliability(const tw_measures *m, tw_buf *out) {
    tw_buf_printf(
        out, "\nReliability on the test part (recurrent network)\n  said           examples   mean said   bought\n");
    for (int b = 0; b < TW_MEASURE_BINS; b++)
        if (m->bins[b].count)
            tw_buf_printf(out, "  %.1f to %.1f   %10" PRIu64 "   %9.3f   %6.3f\n", (double)b / TW_MEASURE_BINS,
                          (double)(b + 1) / TW_MEASURE_BINS, m->bins[b].count, m->bins[b].said, m->bins[b].was);
}

void tw_propensity_text(const tw_propensity_result *result, const tw_propensity *propensity, tw_buf *out) {
    const tw_propensity_shape *shape = &propensity->network.shape;
    tw_buf_printf(out, "Does the user buy within %.4g days? %d moments of %d features, two layers of %d: %zu weights\n",
                  (double)propensity->horizon_ms / 86400000.0, shape->steps, shape->inputs, shape->hidden,
                  propensity->network.size);
    for (int p = 0; p < TW_PARTS; p++)
        tw_buf_printf(out, "  %-10s %8zu examples, %.3f buy\n", tw_part_names[p], result->counts[p],
                      (double)result->positives[p] / (double)result->counts[p]);
    tw_curve_text(&result->regression.curve, "\nLogistic regression", result->regression.seconds, "AUC", out);
    tw_curve_text(&result->network.curve, "\nRecurrent network", result->network.seconds, "AUC", out);
    tw_buf_printf(out, "\nTest part               AUC   log loss   calibration error\n");
    const tw_measures *const both[] = {&result->regression.test, &result->network.test};
    for (int i = 0; i < 2; i++)
        tw_buf_printf(out, "  %-19s %.4f   %8.4f   %17.4f\n", i ? "recurrent network" : "logistic regression",
                      both[i]->auc, both[i]->log_loss, both[i]->calibration_error);
    text_reliability(&result->network.test, out);
    out->size--; /* whoever prints it ends the line */
}

static void json_run(const char *name, const tw_propensity_run *run, tw_buf *out) {
    const tw_measures *m = &run->test;
    tw_buf_printf(out, ",\"%s\":{", name);
    tw_curve_json(&run->curve, run->seconds, "auc", out);
    tw_buf_printf(out, ",\"test\":{\"auc\":%.6f,\"log_loss\":%.6f,\"calibration_error\":%.6f,\"reliability\":[", m->auc,
                  m->log_loss, m->calibration_error);
    for (int b = 0; b < TW_MEASURE_BINS; b++)
        tw_buf_printf(out, "%s{\"count\":%" PRIu64 ",\"said\":%.6f,\"was\":%.6f}", b ? "," : "", m->bins[b].count,
                      m->bins[b].said, m->bins[b].was);
    tw_buf_printf(out, "]}}");
}

void tw_propensity_json(const tw_propensity_result *result, const tw_propensity *propensity, tw_buf *out) {
    const tw_propensity_shape *shape = &propensity->network.shape;
    tw_buf_printf(out, "{\"horizon_ms\":%" PRId64 ",\"steps\":%d,\"features\":%d,\"hidden\":%d,\"weights\":%zu",
                  propensity->horizon_ms, shape->steps, shape->inputs, shape->hidden, propensity->network.size);
    for (int p = 0; p < TW_PARTS; p++)
        tw_buf_printf(out, ",\"%s\":{\"examples\":%zu,\"positives\":%zu,\"from_ms\":%" PRId64 "}", tw_part_names[p],
                      result->counts[p], result->positives[p], result->from_ms[p]);
    json_run("regression", &result->regression, out);
    json_run("network", &result->network, out);
    tw_buf_printf(out, "}");
}
