/* A dense layer: y = b + x W, forward beside backward, and the step of its weights by plain SGD or Adam.
 *
 * Rows of the weights belong to inputs, so that an input can be added at the end without moving the others. Allocates in reach alone.
 * Thread: its owner's. */
#ifndef TW_MODEL_PROFILE_LAYER_H
#define TW_MODEL_PROFILE_LAYER_H

#include "base/buf.h"
#include "base/err.h"
#include "math/kernels.h"

typedef struct tw_layer {
    int inputs, outputs;
    int stride;            /* floats in a row: outputs, rounded up to whole lines; what is beyond is zero */
    float *weights;        /* (1 + inputs, stride), the bias first */
    float *slopes;         /* the same shape: of the mean loss, as the last backward left them */
    float *first, *second; /* the same shape: Adam's running moments; NULL: plain SGD */
    float *turned;         /* (stride, inputs rounded up as well) scratch: the weights as columns */
    uint64_t key;          /* names the layer's own random draws */
    float scale;           /* standard deviation of new weights */
} tw_layer;

static inline size_t tw_layer_size(const tw_layer *layer) { /* numbers in weights */
    return (size_t)(layer->inputs + 1) * (size_t)layer->stride;
}

/* How weights step. rate is the learning rate; Adam's other constants are those of Kingma & Ba 2015 (.9, .999, 1e-8). */
typedef struct tw_descent {
    bool adam;
    float rate;
} tw_descent;

/* A layer without inputs and outputs; key with a weight's place draws it, so that it does not matter when it was added. */
void tw_layer_init(tw_layer *layer, uint64_t key, float scale, bool adam);
void tw_layer_done(tw_layer *layer);
/* At least so many inputs and outputs; new weights are drawn, new biases are zero. */
void tw_layer_reach(tw_layer *layer, int inputs, int outputs);

/* y = b + x W
 *   x (B, x_stride) in, the first inputs of each row are used     y (B, stride) out */
void tw_layer_forward(const tw_layer *layer, const tw_kernels *kernels, const float *x, int x_stride, float *y, int B);
/* From the slopes of the loss in y to those in W, b and, unless dx is NULL, in x.
 *   x as given to forward     dy (B, stride), zero beyond outputs     dx (B, inputs rounded up to whole lines) out */
void tw_layer_backward(tw_layer *layer, const tw_kernels *kernels, const float *x, int x_stride, const float *dy,
                       float *dx, int B);
/* One step of every weight against its slope; steps: how many there were, this one included (Adam corrects its moments by it). */
void tw_layer_step(tw_layer *layer, const tw_kernels *kernels, tw_descent descent, uint64_t steps);

/* Shape, weights and moments as they are stored. */
void tw_layer_encode(const tw_layer *layer, tw_buf *out);
/* Takes that over, shape and all; slopes are zero then. Errors: TW_E_STORE (damaged, or of another optimizer; the layer is as it was). */
tw_code tw_layer_load(tw_layer *layer, tw_slice bytes, tw_err *err);

#endif
