/* The step of Adam. */
#include "model/adam.h"

#include <math.h>

void tw_adam_step(float *restrict weights, const float *restrict slopes, float *restrict first, float *restrict second,
                  size_t n, tw_adam adam, uint64_t steps) {
    float first_left = (float)(1.0 - pow(0.9, (double)steps)), second_left = (float)(1.0 - pow(0.999, (double)steps));
    float rate = adam.rate, keep = 1.0f - adam.rate * adam.decay;
    for (size_t i = 0; i < n; i++) {
        float slope = slopes[i];
        first[i] = 0.9f * first[i] + 0.1f * slope;
        second[i] = 0.999f * second[i] + 0.001f * slope * slope;
        weights[i] = keep * weights[i] - rate * (first[i] / first_left) / (sqrtf(second[i] / second_left) + 1e-8f);
    }
}
