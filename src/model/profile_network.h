/* The profile network: two hidden layers and a softmax over categories, trained by back-propagation of the cross-entropy.
 *
 *   h1 = r(b1 + x W1)     h2 = r(b2 + h1 W2)     r(z) = z for z > 0, else z / 10
 *   logit_c = (b3 + h2 W3)_c + sum_k s_k log q_kc
 *   p_c = exp(logit_c) / sum exp(logit)         loss = -sum_c t_c log p_c        Goodfellow et al. 2016, chapter 6
 *
 * The last term of a logit mixes simple answers q_k (decayed shares of the user's own past) by learned weights s_k: W3 begins at zero, so
 * the first answer is that mixture, and what the network learns comes on top. Knows nothing of users or events: profile.h does.
 * Thread: its owner's. */
#ifndef TW_MODEL_PROFILE_NETWORK_H
#define TW_MODEL_PROFILE_NETWORK_H

#include "model/profile_layer.h"

#define TW_NETWORK_MIXED_MAX 4
#define TW_NETWORK_LAYERS 3

typedef struct tw_network_shape {
    int hidden[2];
    int mixed;     /* K: simple answers, at most TW_NETWORK_MIXED_MAX */
    int batch_max; /* most examples at a time */
    tw_descent descent;
    uint64_t seed;
} tw_network_shape;

typedef struct tw_network {
    const tw_kernels *kernels;
    tw_network_shape shape;
    tw_layer layers[TW_NETWORK_LAYERS];
    /* s, its slopes and Adam's moments, each (mixed) */
    float mix[TW_NETWORK_MIXED_MAX], mix_slopes[TW_NETWORK_MIXED_MAX], mix_first[TW_NETWORK_MIXED_MAX],
        mix_second[TW_NETWORK_MIXED_MAX];
    uint64_t steps;
    float *hidden[2], *hidden_slopes[2]; /* (batch_max, stride of the layer) */
    float *answers, *answer_slopes;      /* (batch_max, stride of the last) */
    int answers_capacity;                /* its stride when they were allocated */
} tw_network;

void tw_network_init(tw_network *network, const tw_network_shape *shape);
void tw_network_done(tw_network *network);
/* At least so many inputs and outputs; what was learned stays. */
void tw_network_reach(tw_network *network, int inputs, int outputs);

/* Probabilities for B examples, at most batch_max.
 *   x (B, x_stride) in     logs (B, logs_stride) in, of each example (outputs, mixed)
 * Returns (B, stride of the last layer), zero beyond outputs, in the network's memory until the next call. */
const float *tw_network_forward(tw_network *network, const float *x, int x_stride, const float *logs, int logs_stride,
                                int B);
/* After forward on the same examples: slopes of their mean loss in every weight.
 *   targets (B, t_stride), each sums to 1      Returns the mean loss in nats; not finite: nothing may step. */
float tw_network_backward(tw_network *network, const float *x, int x_stride, const float *logs, int logs_stride,
                          const float *targets, int t_stride, int B);
/* One step of every weight. */
void tw_network_step(tw_network *network);

/* The number of steps and the mixture's weights; layers have rows of their own. */
void tw_network_encode(const tw_network *network, tw_buf *out);
void tw_network_load(tw_network *network, tw_cursor *c);
/* After the layers were loaded: they fit together and give so many outputs for so many inputs. Errors: TW_E_STORE. */
tw_code tw_network_loaded(tw_network *network, int inputs, int outputs, tw_err *err);

#endif
