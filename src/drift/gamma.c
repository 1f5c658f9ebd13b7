/* Called by the detectors of the population, once a block. */
#include "drift/gamma.h"

#include <math.h>

#define TERMS_MAX 10000
#define SMALL 1e-12
#define TINY 1e-300 /* stands for zero in a denominator (Lentz 1976) */

/* P(a, x) by its series. */
static double below(double a, double x) {
    double term = 1.0 / a, sum = term;
    for (int n = 1; n < TERMS_MAX && fabs(term) > fabs(sum) * SMALL; n++)
        sum += term *= x / (a + n);
    return sum * exp(-x + a * log(x) - lgamma(a));
}

static double above(double a, double x) {
    double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;
    for (int n = 1; n < TERMS_MAX; n++) {
        double an = -n * (n - a);
        b += 2;
        d = an * d + b;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = b + an / c;
        c = fabs(c) < TINY ? TINY : c;
        h *= d * c;
        if (fabs(d * c - 1) < SMALL)
            break;
    }
    return h * exp(-x + a * log(x) - lgamma(a));
}

double tw_gamma_above(double a, double x) {
    if (x <= 0)
        return 1;
    return x < a + 1 ? 1 - below(a, x) : above(a, x);
}
