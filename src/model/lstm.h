/* One layer of a recurrent network with long short-term memory, forward beside backward, for B sequences of T steps side by side.
 *
 *   i, f, o = s(x_t Wx + h_(t-1) Wh + b)     g = tanh(the same)          each with columns of its own, in the order i f g o
 *   c_t = f c_(t-1) + i g                    h_t = o tanh(c_t)           Hochreiter & Schmidhuber 1997 with Gers et al. 2000
 *
 * Sequences end together and may begin late: the longest comes first, and a step holds rows for those sequences alone that have begun, so that
 * what is not there costs nothing. counts (T) says how many a step has, never fewer than the one before; R rows are all of them. c and h
 * before a sequence's first step are zero.
 *
 * Products over blocks are OpenBLAS's (math/gemm.h). Weights and slopes are the caller's; the layer owns what a pass leaves behind.
 * Allocates in init alone. Thread: its owner's. */
#ifndef TW_MODEL_LSTM_H
#define TW_MODEL_LSTM_H

#include "math/kernels.h"

#include <stddef.h>
#include <stdint.h>

typedef struct tw_lstm {
    const tw_kernels *kernels;
    int inputs, H; /* width of x_t, and of c and h */
    int steps_max, batch_max;
    float *gates;           /* (R, 4H) i f g o */
    float *slopes;          /* (R, 4H) of the loss in what goes into s and tanh */
    float *cells, *bent;    /* (R, H) c, tanh(c) */
    float *hidden, *before; /* (R, H) h, h of the step before */
    float *carry;           /* (2, batch_max, H) slopes in h and c that come from the step after */
    float *scratch;         /* (batch_max, 4H) */
} tw_lstm;

/* Weights of a layer, one after the other: Wx (inputs, 4H), Wh (H, 4H), b (4H). */
static inline size_t tw_lstm_size(int inputs, int H) {
    return (size_t)(inputs + H + 1) * 4 * (size_t)H;
}

void tw_lstm_init(tw_lstm *lstm, int inputs, int H, int steps_max, int batch_max);
void tw_lstm_done(tw_lstm *lstm);
/* Draws weights: normal with variance 1 / (inputs + H), no bias but 1 for the forget gates (Jozefowicz et al. 2015), by key. */
void tw_lstm_draw(const tw_lstm *lstm, float *weights, uint64_t key);

/* Returns h (R, H), in the layer's memory until the next call: its last counts[T - 1] rows are where the sequences end.
 *   x (R, inputs) in     counts (T) in, the last at most batch_max */
const float *tw_lstm_forward(tw_lstm *lstm, const float *weights, const float *x, const int *counts, int T);
/* After forward on the same: slopes of the weights and, unless dx is NULL, of x.
 *   dh (R, H) in, slopes of the loss in h     slopes as the weights, out     dx (R, inputs) out */
void tw_lstm_backward(tw_lstm *lstm, const float *weights, const float *x, const int *counts, int T, const float *dh,
                      float *slopes, float *dx);

#endif
