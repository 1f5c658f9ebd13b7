/* Forward, backward and step of the propensity network. Called by what trains it and by what asks it. */
#include "model/propensity_network.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t tw_propensity_network_size(const tw_propensity_shape *shape) {
    return tw_lstm_size(shape->inputs, shape->hidden) + tw_lstm_size(shape->hidden, shape->hidden) +
           (size_t)shape->hidden + 1;
}

static size_t second_at(const tw_propensity_network *network) {
    return tw_lstm_size(network->shape.inputs, network->shape.hidden);
}
static size_t answer_at(const tw_propensity_network *network) {
    return network->size - (size_t)network->shape.hidden - 1;
}

void tw_propensity_network_init(tw_propensity_network *network, const tw_propensity_shape *shape, int batch_max,
                                uint64_t seed) {
    size_t H = (size_t)shape->hidden, plane = (size_t)shape->steps * (size_t)batch_max * H * sizeof(float);
    *network =
        (tw_propensity_network){.shape = *shape, .batch_max = batch_max, .size = tw_propensity_network_size(shape)};
    float **const arrays[] = {&network->weights, &network->slopes, &network->first, &network->second};
    for (int i = 0; i < 4; i++)
        *arrays[i] = tw_alloc_lines(network->size * sizeof(float));
    network->p = tw_alloc_lines((size_t)batch_max * sizeof(float));
    for (int l = 0; l < TW_PROPENSITY_LAYERS; l++) {
        tw_lstm_init(&network->layers[l], l ? shape->hidden : shape->inputs, shape->hidden, shape->steps, batch_max);
        network->dh[l] = tw_alloc_lines(plane);
        tw_lstm_draw(&network->layers[l], network->weights + (l ? second_at(network) : 0),
                     seed * TW_PROPENSITY_LAYERS + (uint64_t)l);
    }
}

void tw_propensity_network_done(tw_propensity_network *network) {
    for (int l = 0; l < TW_PROPENSITY_LAYERS; l++) {
        tw_lstm_done(&network->layers[l]);
        free(network->dh[l]);
    }
    free(network->weights);
    free(network->slopes);
    free(network->first);
    free(network->second);
    free(network->p);
    *network = (tw_propensity_network){0};
}

void tw_propensity_network_expect(tw_propensity_network *network, float share) {
    float *answer = network->weights + answer_at(network);
    memset(answer, 0, (size_t)network->shape.hidden * sizeof(float));
    answer[network->shape.hidden] = logf(share / (1.0f - share));
}

const float *tw_propensity_network_forward(tw_propensity_network *network, const float *x, const int *counts) {
    int T = network->shape.steps, H = network->shape.hidden, B = counts[T - 1];
    const float *answer = network->weights + answer_at(network);
    network->rows = 0;
    for (int t = 0; t < T; t++)
        network->rows += counts[t];
    network->h[0] = tw_lstm_forward(&network->layers[0], network->weights, x, counts, T);
    network->h[1] =
        tw_lstm_forward(&network->layers[1], network->weights + second_at(network), network->h[0], counts, T);
    const float *last = network->h[1] + (size_t)(network->rows - B) * (size_t)H;
    for (int b = 0; b < B; b++) {
        float z = answer[H] + network->layers[0].kernels->dot(answer, last + b * H, H);
        network->p[b] = 1.0f / (1.0f + expf(-z));
    }
    return network->p;
}

/* Slopes in the answer's weights and in the last h. Returns the mean loss. */
static float answer_backward(tw_propensity_network *network, const float *labels, int B) {
    int H = network->shape.hidden;
    size_t last_at = (size_t)(network->rows - B) * (size_t)H;
    const float *answer = network->weights + answer_at(network), *last = network->h[1] + last_at;
    float *slopes = network->slopes + answer_at(network), *dh = network->dh[1] + last_at, loss = 0;
    memset(slopes, 0, (size_t)(H + 1) * sizeof(float));
    memset(network->dh[1], 0, (size_t)network->rows * (size_t)H * sizeof(float));
    for (int b = 0; b < B; b++) {
        float p = network->p[b], dz = (p - labels[b]) / (float)B;
        loss -= logf(fmaxf(labels[b] > 0 ? p : 1.0f - p, 1e-12f)); /* a float's p may round to 0 or 1 */
        network->layers[0].kernels->axpy(slopes, dz, last + b * H, H);
        network->layers[0].kernels->axpy(dh + b * H, dz, answer, H);
        slopes[H] += dz;
    }
    return loss / (float)B;
}

float tw_propensity_network_backward(tw_propensity_network *network, const float *x, const int *counts,
                                     const float *labels) {
    int T = network->shape.steps;
    float loss = answer_backward(network, labels, counts[T - 1]);
    tw_lstm_backward(&network->layers[1], network->weights + second_at(network), network->h[0], counts, T,
                     network->dh[1], network->slopes + second_at(network), network->dh[0]);
    tw_lstm_backward(&network->layers[0], network->weights, x, counts, T, network->dh[0], network->slopes, NULL);
    return loss;
}

tw_code tw_propensity_network_step(tw_propensity_network *network, tw_adam adam, tw_err *err) {
    const tw_kernels *kernels = network->layers[0].kernels;
    float length = sqrtf(kernels->dot(network->slopes, network->slopes, (int)network->size));
    if (!isfinite(length))
        return tw_fail(err, TW_E_DIVERGED,
                       "the slopes of the propensity network are not finite after %" PRIu64 " steps", network->updates);
    for (size_t i = 0; length > TW_PROPENSITY_SLOPE_MOST && i < network->size; i++)
        network->slopes[i] *= TW_PROPENSITY_SLOPE_MOST / length;
    tw_adam_step(network->weights, network->slopes, network->first, network->second, network->size, adam,
                 ++network->updates);
    return TW_OK;
}
