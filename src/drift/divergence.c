/* Called by the detectors of users and of the population. */
#include "drift/divergence.h"

#include <math.h>

static double sum_of(const double *a, int K) {
    double sum = 0;
    for (int k = 0; k < K; k++)
        sum += a[k];
    return sum;
}

static double share_of_log(double share, double mean) {
    return share > 0 ? share * log2(share / mean) : 0;
}

double tw_js_bits(const double *a, const double *b, int K) {
    double A = sum_of(a, K), B = sum_of(b, K), sum = 0;
    if (!(A > 0) || !(B > 0))
        return 0;
    for (int k = 0; k < K; k++) {
        double p = a[k] / A, q = b[k] / B, m = (p + q) / 2;
        sum += (share_of_log(p, m) + share_of_log(q, m)) / 2;
    }
    return sum < 0 ? 0 : sum > 1 ? 1 : sum;
}

double tw_js_ratio(const double *a, const double *b, int K, int *ret_freedom) {
    double A = sum_of(a, K), B = sum_of(b, K), sum = 0;
    int met = 0;
    for (int k = 0; k < K; k++) {
        double both = a[k] + b[k];
        if (!(both > 0))
            continue;
        met++;
        sum += a[k] > 0 ? a[k] * log(a[k] * (A + B) / (both * A)) : 0;
        sum += b[k] > 0 ? b[k] * log(b[k] * (A + B) / (both * B)) : 0;
    }
    *ret_freedom = met > 1 ? met - 1 : 0;
    return A > 0 && B > 0 && sum > 0 ? 2 * sum : 0;
}
