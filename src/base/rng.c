/* The draws that need more than a multiplication. */
#include "base/rng.h"

#include <math.h>

double tw_rng_normal(tw_rng *r) {
    double u = 1.0 - tw_rng_unit(r); /* never 0 */
    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * tw_rng_unit(r));
}
