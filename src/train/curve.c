/* How a learning curve looks. Called by the reports of what is trained. */
#include "train/trainer.h"

void tw_curve_text(const tw_curve *curve, const char *title, double seconds, const char *score, tw_buf *out) {
    tw_buf_printf(out, "%s, %.1f s\n  epoch   train loss   validation loss   validation %s\n", title, seconds, score);
    for (int e = 0; e < curve->count; e++) {
        const tw_epoch *epoch = &curve->epochs[e];
        tw_buf_printf(out, "  %5d   %10.4f   %15.4f   %14.4f%s\n", e + 1, epoch->train_loss, epoch->validation_loss,
                      epoch->validation_score, e == curve->best ? "   kept" : "");
    }
}

void tw_curve_json(const tw_curve *curve, double seconds, const char *score, tw_buf *out) {
    tw_buf_printf(out, "\"seconds\":%.3f,\"best_epoch\":%d,\"epochs\":[", seconds, curve->best + 1);
    for (int e = 0; e < curve->count; e++)
        tw_buf_printf(out, "%s{\"train_loss\":%.6f,\"validation_loss\":%.6f,\"validation_%s\":%.6f}", e ? "," : "",
                      curve->epochs[e].train_loss, curve->epochs[e].validation_loss, score,
                      curve->epochs[e].validation_score);
    tw_buf_printf(out, "]");
}
