/* Sums over asked profiles; `evaluate --profile` and training ask, this counts. */
#include "pipeline/learn/category_loss.h"

#include <math.h>

#define CHANCE_LEAST 1e-12f

void tw_category_loss_add(tw_category_loss *loss, const float *p, const float *t, int n) {
    int first = 0;
    loss->asked++;
    for (int c = 0; c < n; c++) {
        first = p[c] > p[first] ? c : first;
        if (t[c] > 0)
            loss->nats -= (double)t[c] * log((double)(p[c] > CHANCE_LEAST ? p[c] : CHANCE_LEAST));
    }
    loss->first_right += t[first] > 0;
}

double tw_category_loss_cross_entropy(const tw_category_loss *loss) {
    return loss->asked ? loss->nats / (double)loss->asked : 0;
}
double tw_category_loss_top1(const tw_category_loss *loss) {
    return loss->asked ? (double)loss->first_right / (double)loss->asked : 0;
}
