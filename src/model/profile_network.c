/* Forward, backward and step of the profile network. Called by the profile for each full batch and for every answer. */
#include "model/profile_network.h"

#include "base/alloc.h"
#include "model/adam.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAK 0.1f

void tw_network_init(tw_network *network, const tw_network_shape *shape) {
    *network = (tw_network){.kernels = tw_kernels_get(), .shape = *shape};
    /* He et al. 2015 for the second; the first has inputs of about unit variance, whose number is not known yet (chosen). */
    const float scales[TW_NETWORK_LAYERS] = {0.1f, sqrtf(2.0f / (float)shape->hidden[0]), 0};
    for (int l = 0; l < TW_NETWORK_LAYERS; l++)
        tw_layer_init(&network->layers[l], shape->seed * TW_NETWORK_LAYERS + (uint64_t)l, scales[l],
                      shape->descent.adam);
    for (int k = 0; k < shape->mixed; k++)
        network->mix[k] = 1.0f / (float)shape->mixed;
    tw_layer_reach(&network->layers[0], 0, shape->hidden[0]);
    tw_layer_reach(&network->layers[1], shape->hidden[0], shape->hidden[1]);
    for (int h = 0; h < 2; h++) {
        size_t floats = (size_t)shape->batch_max * (size_t)network->layers[h].stride;
        network->hidden[h] = tw_alloc_lines(floats * sizeof(float));
        network->hidden_slopes[h] = tw_alloc_lines(floats * sizeof(float));
    }
}

void tw_network_done(tw_network *network) {
    for (int l = 0; l < TW_NETWORK_LAYERS; l++)
        tw_layer_done(&network->layers[l]);
    for (int h = 0; h < 2; h++) {
        free(network->hidden[h]);
        free(network->hidden_slopes[h]);
    }
    free(network->answers);
    free(network->answer_slopes);
    *network = (tw_network){0};
}

static void reserve_answers(tw_network *network) {
    int stride = network->layers[2].stride;
    if (stride <= network->answers_capacity)
        return;
    free(network->answers);
    free(network->answer_slopes);
    size_t bytes = (size_t)network->shape.batch_max * (size_t)stride * sizeof(float);
    network->answers = tw_alloc_lines(bytes);
    network->answer_slopes = tw_alloc_lines(bytes);
    network->answers_capacity = stride;
}

void tw_network_reach(tw_network *network, int inputs, int outputs) {
    tw_layer_reach(&network->layers[0], inputs, network->shape.hidden[0]);
    tw_layer_reach(&network->layers[2], network->shape.hidden[1], outputs);
    reserve_answers(network);
}

static void rectify(float *z, int n) {
    for (int i = 0; i < n; i++)
        z[i] = z[i] > 0 ? z[i] : LEAK * z[i];
}

/* r keeps the sign, so what came out tells which way it went. */
static void rectify_slopes(const float *r, float *slopes, int n) {
    for (int i = 0; i < n; i++)
        slopes[i] *= r[i] > 0 ? 1.0f : LEAK;
}

const float *tw_network_forward(tw_network *network, const float *x, int x_stride, const float *logs, int logs_stride,
                                int B) {
    const tw_layer *layers = network->layers;
    int outputs = layers[2].outputs, stride = layers[2].stride, K = network->shape.mixed;
    tw_layer_forward(&layers[0], network->kernels, x, x_stride, network->hidden[0], B);
    rectify(network->hidden[0], B * layers[0].stride);
    tw_layer_forward(&layers[1], network->kernels, network->hidden[0], layers[0].stride, network->hidden[1], B);
    rectify(network->hidden[1], B * layers[1].stride);
    tw_layer_forward(&layers[2], network->kernels, network->hidden[1], layers[1].stride, network->answers, B);
    for (int b = 0; b < B; b++) {
        float *p = network->answers + b * stride;
        const float *log = logs + (size_t)b * (size_t)logs_stride;
        for (int c = 0; c < outputs; c++)
            for (int k = 0; k < K; k++)
                p[c] += network->mix[k] * log[c * K + k];
        float sum = network->kernels->exp_sum(p, network->kernels->most(p, outputs), p, outputs);
        for (int c = 0; c < outputs; c++)
            p[c] /= sum;
    }
    return network->answers;
}

/* Slopes of the mean loss in the logits, (p - t) / B, and in the mixture. Returns the mean loss. */
static float answer_slopes(tw_network *network, const float *logs, int logs_stride, const float *targets, int t_stride,
                           int B) {
    int outputs = network->layers[2].outputs, stride = network->layers[2].stride, K = network->shape.mixed;
    float loss = 0;
    memset(network->mix_slopes, 0, sizeof network->mix_slopes);
    for (int b = 0; b < B; b++) {
        const float *p = network->answers + b * stride, *t = targets + (size_t)b * (size_t)t_stride,
                    *log = logs + (size_t)b * (size_t)logs_stride;
        float *slopes = network->answer_slopes + b * stride;
        for (int c = 0; c < outputs; c++) {
            slopes[c] = (p[c] - t[c]) / (float)B;
            if (t[c] > 0)
                loss -= t[c] * logf(p[c]);
            for (int k = 0; k < K; k++)
                network->mix_slopes[k] += slopes[c] * log[c * K + k];
        }
        memset(slopes + outputs, 0, (size_t)(stride - outputs) * sizeof(float));
    }
    return loss / (float)B;
}

float tw_network_backward(tw_network *network, const float *x, int x_stride, const float *logs, int logs_stride,
                          const float *targets, int t_stride, int B) {
    tw_layer *layers = network->layers;
    float loss = answer_slopes(network, logs, logs_stride, targets, t_stride, B);
    tw_layer_backward(&layers[2], network->kernels, network->hidden[1], layers[1].stride, network->answer_slopes,
                      network->hidden_slopes[1], B);
    rectify_slopes(network->hidden[1], network->hidden_slopes[1], B * layers[1].stride);
    tw_layer_backward(&layers[1], network->kernels, network->hidden[0], layers[0].stride, network->hidden_slopes[1],
                      network->hidden_slopes[0], B);
    rectify_slopes(network->hidden[0], network->hidden_slopes[0], B * layers[0].stride);
    tw_layer_backward(&layers[0], network->kernels, x, x_stride, network->hidden_slopes[0], NULL, B);
    return loss;
}

/* The mixture is so few numbers that a layer of its own would cost more than it explains. */
static void step_mix(tw_network *network) {
    tw_descent descent = network->shape.descent;
    if (descent.adam)
        tw_adam_step(network->mix, network->mix_slopes, network->mix_first, network->mix_second,
                     (size_t)network->shape.mixed, (tw_adam){.rate = descent.rate}, network->steps);
    else
        for (int k = 0; k < network->shape.mixed; k++)
            network->mix[k] -= descent.rate * network->mix_slopes[k];
}

void tw_network_step(tw_network *network) {
    network->steps++;
    for (int l = 0; l < TW_NETWORK_LAYERS; l++)
        tw_layer_step(&network->layers[l], network->kernels, network->shape.descent, network->steps);
    step_mix(network);
}

void tw_network_encode(const tw_network *network, tw_buf *out) {
    tw_buf_u64(out, network->steps);
    for (int k = 0; k < TW_NETWORK_MIXED_MAX; k++) {
        tw_buf_f32(out, network->mix[k]);
        tw_buf_f32(out, network->mix_first[k]);
        tw_buf_f32(out, network->mix_second[k]);
    }
}

void tw_network_load(tw_network *network, tw_cursor *c) {
    network->steps = tw_cursor_u64(c);
    for (int k = 0; k < TW_NETWORK_MIXED_MAX; k++) {
        network->mix[k] = tw_cursor_f32(c);
        network->mix_first[k] = tw_cursor_f32(c);
        network->mix_second[k] = tw_cursor_f32(c);
    }
}

tw_code tw_network_loaded(tw_network *network, int inputs, int outputs, tw_err *err) {
    const tw_layer *layers = network->layers;
    const int *hidden = network->shape.hidden;
    if (layers[0].inputs != inputs || layers[0].outputs != hidden[0] || layers[1].inputs != hidden[0] ||
        layers[1].outputs != hidden[1] || layers[2].inputs != hidden[1] || layers[2].outputs != outputs)
        return tw_fail(err, TW_E_STORE, "the layers of the profile network do not fit one another");
    reserve_answers(network);
    return TW_OK;
}
