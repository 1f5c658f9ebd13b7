/* What the outcomes of a mix are called, and which of them moved most: the evidence of a record. Called by drift.c; engine thread. */
#include "drift/internal.h"

#include "drift/divergence.h"

#include <math.h>
#include <stdio.h>

#define PRICE_FIRST (-4.0) /* the first half octave begins at 1/16 */

int tw_drift_price_outcome(double price) {
    double place = floor(2 * (log2(price) - PRICE_FIRST));
    return !(place > 0) ? 0 : place >= TW_DRIFT_PRICES ? TW_DRIFT_PRICES - 1 : (int)place;
}

static tw_slice name_of(const tw_drift *drift, int mix, int k, tw_drift_outcome text) {
    if (mix == TW_MIX_CATEGORIES)
        return tw_drift_category_name(drift, k);
    if (mix == TW_MIX_KINDS)
        return tw_slice_of(tw_kind_name((tw_kind)k));
    if (mix == TW_MIX_RATINGS)
        snprintf(text, sizeof(tw_drift_outcome), "%d", k + 1);
    else
        snprintf(text, sizeof(tw_drift_outcome), "%.4g to %.4g", exp2(PRICE_FIRST + k / 2.0),
                 exp2(PRICE_FIRST + (k + 1) / 2.0));
    return tw_slice_of(text);
}

void tw_drift_put_evidence(const tw_drift *drift, int mix, const double *from, const double *to, int K,
                           tw_drift_outcome *texts, tw_drift_record *r) {
    double A = tw_sum_of(from, K), B = tw_sum_of(to, K);
    bool taken[TW_MIX_OUTCOMES] = {false};
    A = A > 0 ? A : 1;
    B = B > 0 ? B : 1;
    while (r->evidence_count < TW_DRIFT_EVIDENCE_MAX) {
        int best = -1;
        for (int k = 0; k < K; k++)
            if (!taken[k] && (from[k] > 0 || to[k] > 0) &&
                (best < 0 || fabs(to[k] / B - from[k] / A) > fabs(to[best] / B - from[best] / A)))
                best = k;
        if (best < 0)
            return;
        taken[best] = true;
        r->evidence[r->evidence_count] =
            (tw_drift_share){name_of(drift, mix, best, texts[r->evidence_count]), from[best] / A, to[best] / B};
        r->evidence_count++;
    }
}
