/* How far two distributions are apart, and how far two samples of one distribution come apart by chance. Thread: any. */
#ifndef TW_DRIFT_DIVERGENCE_H
#define TW_DRIFT_DIVERGENCE_H

/* Of counts or shares.   a (K) in */
double tw_sum_of(const double *a, int K);

/* What one outcome of shares p and q adds to the Jensen-Shannon divergence, in bits (Lin 1991, weights 1/2). */
double tw_js_outcome(double p, double q);

/* Jensen-Shannon divergence of the shares of two counts, in bits: 0 equal, 1 nothing in common.
 *   a, b (K) counts, >= 0; 0 where one of them is empty */
double tw_js_bits(const double *a, const double *b, int K);

/* The likelihood ratio of "two distributions" against "one": G = 2 sum_k (a_k ln(a_k / m_k) + b_k ln(b_k / n_k)), m and n being what one
 * distribution would give to each (Wilks 1938). It is 2 (A + B) times the Jensen-Shannon divergence weighted by the sizes A and B of the
 * samples, in nats. For independent draws from one distribution it follows chi-squared with *ret_freedom degrees (outcomes that were met,
 * less one), whatever the sizes: so it is the divergence calibrated by n. */
double tw_js_ratio(const double *a, const double *b, int K, int *ret_freedom);

#endif
