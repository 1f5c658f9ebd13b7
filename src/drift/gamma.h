/* The tail of the gamma distribution, from which p-values are read. Thread: any. */
#ifndef TW_DRIFT_GAMMA_H
#define TW_DRIFT_GAMMA_H

/* Q(a, x) = Gamma(a, x) / Gamma(a): the probability that a gamma variable of shape a and scale 1 is above x. By the series below
 * x = a + 1 and by the continued fraction above it (DLMF 8.7.1 and 8.9.2), good to 1e-10 relative. a > 0, x >= 0. */
double tw_gamma_above(double a, double x);

#endif
