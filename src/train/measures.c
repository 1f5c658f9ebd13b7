/* AUC, log loss, calibration. Called after each epoch and at the end. */
#include "train/measures.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

#define LEAST 1e-7 /* a float cannot say less of the other side */

typedef struct answer {
    float p;
    bool label;
} answer;

static int by_answer(const void *a_, const void *b_) {
    const answer *a = a_, *b = b_;
    return (a->p > b->p) - (a->p < b->p);
}

/* From the ranks of the positives, those of equal answers shared (Mann & Whitney 1947). */
static double auc_of(answer *answers, size_t n, uint64_t positives) {
    double ranks = 0, yes = (double)positives, no = (double)n - yes;
    if (positives == 0 || positives == n)
        return 0.5;
    qsort(answers, n, sizeof *answers, by_answer);
    for (size_t from = 0, to; from < n; from = to) {
        uint64_t tied = 0;
        for (to = from; to < n && answers[to].p == answers[from].p; to++)
            tied += answers[to].label;
        ranks += (double)tied * ((double)(from + 1 + to) / 2.0);
    }
    return (ranks - yes * (yes + 1) / 2.0) / (yes * no);
}

void tw_measures_of(const float *p, const bool *labels, size_t n, tw_measures *ret_measures) {
    tw_measures m = {.count = n};
    answer *answers = tw_alloc((n + 1) * sizeof *answers);
    for (size_t i = 0; i < n; i++) {
        double said = (double)p[i], right = labels[i] ? said : 1.0 - said;
        int bin = (int)(said * TW_MEASURE_BINS);
        tw_reliability *r = &m.bins[bin < TW_MEASURE_BINS ? bin : TW_MEASURE_BINS - 1];
        r->count++;
        r->said += said;
        r->was += labels[i];
        m.positives += labels[i];
        m.log_loss -= log(right > LEAST ? right : LEAST);
        answers[i] = (answer){p[i], labels[i]};
    }
    for (int b = 0; b < TW_MEASURE_BINS; b++) {
        tw_reliability *r = &m.bins[b];
        if (!r->count)
            continue;
        m.calibration_error += fabs(r->said - r->was);
        r->said /= (double)r->count;
        r->was /= (double)r->count;
    }
    if (n) {
        m.log_loss /= (double)n;
        m.calibration_error /= (double)n;
    }
    m.auc = auc_of(answers, n, m.positives);
    free(answers);
    *ret_measures = m;
}
