/* Dense layers. Called by the profile network. */
#include "model/profile_layer.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "model/adam.h"

#include <stdlib.h>
#include <string.h>

#define LINE_FLOATS 16
/* No layer is as wide: a stored shape beyond it is damage. */
#define WIDTH_MAX 65536

static int stride_of(int outputs) {
    return (outputs + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
}

void tw_layer_init(tw_layer *layer, uint64_t key, float scale, bool adam) {
    *layer = (tw_layer){.key = key, .scale = scale};
    layer->weights = tw_alloc_lines(LINE_FLOATS * sizeof(float));
    layer->slopes = tw_alloc_lines(LINE_FLOATS * sizeof(float));
    if (adam) {
        layer->first = tw_alloc_lines(LINE_FLOATS * sizeof(float));
        layer->second = tw_alloc_lines(LINE_FLOATS * sizeof(float));
    }
}

void tw_layer_done(tw_layer *layer) {
    free(layer->weights);
    free(layer->slopes);
    free(layer->first);
    free(layer->second);
    free(layer->turned);
    *layer = (tw_layer){0};
}

/* The array in its new shape; what is new is zero. */
static void reshape(float **array, const tw_layer *old, int inputs, int stride) {
    float *to = tw_alloc_lines((size_t)(inputs + 1) * (size_t)stride * sizeof(float));
    for (int i = 0; old->stride && i <= old->inputs; i++)
        memcpy(to + (size_t)i * (size_t)stride, *array + (size_t)i * (size_t)old->stride,
               (size_t)old->stride * sizeof(float));
    free(*array);
    *array = to;
}

void tw_layer_reach(tw_layer *layer, int inputs, int outputs) {
    const tw_layer old = *layer;
    if (inputs <= old.inputs && outputs <= old.outputs && old.stride)
        return;
    inputs = inputs > old.inputs ? inputs : old.inputs;
    outputs = outputs > old.outputs ? outputs : old.outputs;
    int stride = stride_of(outputs);
    reshape(&layer->weights, &old, inputs, stride);
    reshape(&layer->slopes, &old, inputs, stride);
    if (layer->first) {
        reshape(&layer->first, &old, inputs, stride);
        reshape(&layer->second, &old, inputs, stride);
    }
    free(layer->turned);
    layer->turned = tw_alloc_lines((size_t)stride * (size_t)stride_of(inputs) * sizeof(float));
    layer->inputs = inputs;
    layer->outputs = outputs;
    layer->stride = stride;
    for (int i = 0; layer->scale > 0 && i < inputs; i++)
        for (int o = i < old.inputs ? old.outputs : 0; o < outputs; o++) {
            tw_rng rng = tw_rng_at(layer->key, (uint64_t)i, (uint64_t)o);
            layer->weights[(size_t)(i + 1) * (size_t)stride + (size_t)o] = layer->scale * (float)tw_rng_normal(&rng);
        }
}

void tw_layer_forward(const tw_layer *layer, const tw_kernels *kernels, const float *x, int x_stride, float *y, int B) {
    for (int b = 0; b < B; b++)
        memcpy(y + (size_t)b * (size_t)layer->stride, layer->weights, (size_t)layer->stride * sizeof(float));
    kernels->add_products(y, x, x_stride, 1, layer->weights + layer->stride, B, layer->inputs, layer->stride);
}

static void turn(tw_layer *layer) {
    int wide = stride_of(layer->inputs);
    for (int i = 0; i < layer->inputs; i++)
        for (int o = 0; o < layer->outputs; o++)
            layer->turned[o * wide + i] = layer->weights[(i + 1) * layer->stride + o];
}

void tw_layer_backward(tw_layer *layer, const tw_kernels *kernels, const float *x, int x_stride, const float *dy,
                       float *dx, int B) {
    memset(layer->slopes, 0, tw_layer_size(layer) * sizeof(float));
    for (int b = 0; b < B; b++)
        kernels->axpy(layer->slopes, 1.0f, dy + (size_t)b * (size_t)layer->stride, layer->stride);
    kernels->add_products(layer->slopes + layer->stride, x, 1, x_stride, dy, layer->inputs, B, layer->stride);
    if (dx) {
        turn(layer);
        memset(dx, 0, (size_t)B * (size_t)stride_of(layer->inputs) * sizeof(float));
        kernels->add_products(dx, dy, layer->stride, 1, layer->turned, B, layer->outputs, stride_of(layer->inputs));
    }
}

void tw_layer_step(tw_layer *layer, const tw_kernels *kernels, tw_descent descent, uint64_t steps) {
    size_t size = tw_layer_size(layer);
    if (!descent.adam) {
        kernels->axpy(layer->weights, -descent.rate, layer->slopes, (int)size);
        return;
    }
    tw_adam_step(layer->weights, layer->slopes, layer->first, layer->second, size, (tw_adam){.rate = descent.rate},
                 steps);
}

void tw_layer_encode(const tw_layer *layer, tw_buf *out) {
    size_t bytes = tw_layer_size(layer) * sizeof(float);
    tw_buf_u32(out, (uint32_t)layer->inputs);
    tw_buf_u32(out, (uint32_t)layer->outputs);
    tw_buf_put(out, layer->weights, bytes);
    if (layer->first) {
        tw_buf_put(out, layer->first, bytes);
        tw_buf_put(out, layer->second, bytes);
    }
}

tw_code tw_layer_load(tw_layer *layer, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    uint32_t inputs = tw_cursor_u32(&c), outputs = tw_cursor_u32(&c);
    tw_layer shape = {.inputs = (int)inputs, .outputs = (int)outputs, .stride = stride_of((int)outputs)};
    if (c.bad || inputs > WIDTH_MAX || outputs > WIDTH_MAX || outputs == 0 ||
        (size_t)(c.end - c.at) != tw_layer_size(&shape) * sizeof(float) * (layer->first ? 3 : 1))
        return tw_fail(err, TW_E_STORE, "the weights of a layer are damaged, or of another optimizer");
    tw_layer new;
    tw_layer_init(&new, layer->key, 0, layer->first != NULL);
    tw_layer_reach(&new, shape.inputs, shape.outputs);
    new.scale = layer->scale;
    float *const parts[] = {new.weights, new.first, new.second};
    for (int p = 0; p < 3 && parts[p]; p++)
        memcpy(parts[p], tw_cursor_take(&c, tw_layer_size(&new) * sizeof(float)), tw_layer_size(&new) * sizeof(float));
    tw_layer_done(layer);
    *layer = new;
    return TW_OK;
}
