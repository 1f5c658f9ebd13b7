/* How the training of the profile network looks: curve, and the test part before and after. */
#include "train/profile.h"

#include <inttypes.h>

void tw_profile_text(const tw_profile_result *result, const tw_profile *profile, tw_buf *out) {
    const int *hidden = profile->network.shape.hidden;
    tw_buf_printf(out, "Which category comes next? %d inputs, layers of %d and %d, %" PRIu32 " categories\n",
                  profile->inputs, hidden[0], hidden[1], tw_categories_used(&profile->categories));
    for (int p = 0; p < TW_PARTS; p++)
        tw_buf_printf(out, "  %-10s %8zu examples\n", tw_part_names[p], result->counts[p]);
    tw_curve_text(&result->curve, "\nProfile network", result->seconds, "top1", out);
    tw_buf_printf(out, "\nTest part         cross-entropy    top1\n");
    const tw_category_loss *const both[] = {&result->start, &result->test};
    for (int i = 0; i < 2; i++)
        tw_buf_printf(out, "  %-15s %13.4f   %.4f%s", i ? "after training" : "before",
                      tw_category_loss_cross_entropy(both[i]), tw_category_loss_top1(both[i]), i ? "" : "\n");
}

static void json_measures(const char *name, const tw_category_loss *loss, tw_buf *out) {
    tw_buf_printf(out, ",\"%s\":{\"cross_entropy\":%.6f,\"top1\":%.6f}", name, tw_category_loss_cross_entropy(loss),
                  tw_category_loss_top1(loss));
}

void tw_profile_json(const tw_profile_result *result, const tw_profile *profile, tw_buf *out) {
    tw_buf_printf(out, "{\"inputs\":%d,\"categories\":%" PRIu32, profile->inputs,
                  tw_categories_used(&profile->categories));
    for (int p = 0; p < TW_PARTS; p++)
        tw_buf_printf(out, ",\"%s\":{\"examples\":%zu,\"from_ms\":%" PRId64 "}", tw_part_names[p], result->counts[p],
                      result->from_ms[p]);
    tw_buf_printf(out, ",\"network\":{");
    tw_curve_json(&result->curve, result->seconds, "top1", out);
    tw_buf_printf(out, "}");
    json_measures("before", &result->start, out);
    json_measures("after", &result->test, out);
    tw_buf_printf(out, "}");
}
