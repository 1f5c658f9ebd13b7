/* Called by the detectors of users and of the population, and for what has changed in a profile. */
#include "drift/divergence.h"

#include <math.h>

double tw_sum_of(const double *a, int K) {
    double sum = 0;
    for (int k = 0; k < K; k++)
        sum += a[k];
    return sum;
}

static double share_of_log(double share, double mean) {
    return share > 0 ? share * log2(share / mean) : 0;
}

double tw_js_outcome(double p, double q) {
    double mean = (p + q) / 2;
    return (share_of_log(p, mean) + share_of_log(q, mean)) / 2;
}

double tw_js_bits(const double *a, const double *b, int K) {
    double A = tw_sum_of(a, K), B = tw_sum_of(b, K), sum = 0;
    if (!(A > 0) || !(B > 0))
        return 0;
    for (int k = 0; k < K; k++)
        sum += tw_js_outcome(a[k] / A, b[k] / B);
    return sum < 0 ? 0 : sum > 1 ? 1 : sum;
}

double tw_js_ratio(const double *a, const double *b, int K, int *ret_freedom) {
    double A = tw_sum_of(a, K), B = tw_sum_of(b, K), sum = 0;
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
