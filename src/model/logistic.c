/* The regression. Called by the training of the propensity. */
#include "model/logistic.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void tw_logistic_init(tw_logistic *logistic, int N) {
    *logistic = (tw_logistic){.kernels = tw_kernels_get(), .N = N};
    float **const arrays[] = {&logistic->weights, &logistic->slopes, &logistic->first, &logistic->second};
    for (int i = 0; i < 4; i++)
        *arrays[i] = tw_alloc_lines((size_t)(N + 1) * sizeof(float));
}

void tw_logistic_done(tw_logistic *logistic) {
    free(logistic->weights);
    free(logistic->slopes);
    free(logistic->first);
    free(logistic->second);
    *logistic = (tw_logistic){0};
}

void tw_logistic_expect(tw_logistic *logistic, float share) {
    logistic->weights[logistic->N] = logf(share / (1.0f - share));
}

static float answer(const tw_logistic *logistic, const float *x) {
    float z = logistic->weights[logistic->N] + logistic->kernels->dot(logistic->weights, x, logistic->N);
    return 1.0f / (1.0f + expf(-z));
}

void tw_logistic_ask(const tw_logistic *logistic, const float *x, float *p, int B) {
    for (int b = 0; b < B; b++)
        p[b] = answer(logistic, x + (size_t)b * (size_t)logistic->N);
}

float tw_logistic_learn(tw_logistic *logistic, const float *x, const float *labels, int B, tw_adam adam) {
    int N = logistic->N;
    float loss = 0;
    memset(logistic->slopes, 0, (size_t)(N + 1) * sizeof(float));
    for (int b = 0; b < B; b++) {
        const float *row = x + (size_t)b * (size_t)N;
        float p = answer(logistic, row), dz = (p - labels[b]) / (float)B;
        loss -= logf(fmaxf(labels[b] > 0 ? p : 1.0f - p, 1e-12f));
        logistic->kernels->axpy(logistic->slopes, dz, row, N);
        logistic->slopes[N] += dz;
    }
    tw_adam_step(logistic->weights, logistic->slopes, logistic->first, logistic->second, (size_t)N + 1, adam,
                 ++logistic->steps);
    return loss / (float)B;
}
