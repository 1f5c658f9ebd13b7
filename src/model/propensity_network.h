/* The propensity network: two recurrent layers and one sigmoid over where the last of them ends, trained by back-propagation through time of
 * the binary cross-entropy, with Adam.
 *
 *   h1 = LSTM(x), h2 = LSTM(h1) (lstm.h)     z = b + w . h2 at the last step     p = 1 / (1 + e^-z)
 *   loss = -y log p - (1 - y) log(1 - p), the mean over the batch; slopes longer than TW_PROPENSITY_SLOPE_MOST together are shortened to
 *   that (Pascanu et al. 2013)
 *
 * Knows nothing of users or events: moment.h says what x is. Thread: its owner's. */
#ifndef TW_MODEL_PROPENSITY_NETWORK_H
#define TW_MODEL_PROPENSITY_NETWORK_H

#include "base/err.h"
#include "model/adam.h"
#include "model/lstm.h"

#define TW_PROPENSITY_LAYERS 2
#define TW_PROPENSITY_SLOPE_MOST 1.0f /* chosen, not measured */

typedef struct tw_propensity_shape {
    int inputs; /* width of a step */
    int steps;  /* T, most steps of a sequence */
    int hidden; /* H of both layers */
} tw_propensity_shape;

typedef struct tw_propensity_network {
    tw_propensity_shape shape;
    int batch_max;
    size_t size;             /* of each of the next four: the first layer, the second (as lstm.h has them), w (H), b */
    float *weights, *slopes; /* slopes: of the mean loss, as the last backward left them */
    float *first, *second;   /* Adam's running means */
    uint64_t updates;        /* steps of Adam so far */
    tw_lstm layers[TW_PROPENSITY_LAYERS];
    float *dh[TW_PROPENSITY_LAYERS];      /* (R, H) slopes in what each layer gives */
    float *p;                             /* (B) */
    const float *h[TW_PROPENSITY_LAYERS]; /* (R, H) of each layer, after forward */
    int rows;                             /* R of that */
} tw_propensity_network;

/* Weights are drawn by the seed. Allocates here alone. */
void tw_propensity_network_init(tw_propensity_network *network, const tw_propensity_shape *shape, int batch_max,
                                uint64_t seed);
void tw_propensity_network_done(tw_propensity_network *network);
/* Weights in such a shape. */
size_t tw_propensity_network_size(const tw_propensity_shape *shape);
/* Lets the first answer be this share, strictly between 0 and 1, whatever the input. */
void tw_propensity_network_expect(tw_propensity_network *network, float share);

/* p of B sequences, at most batch_max, in the network's memory until the next call.
 *   x (R, inputs) in     counts (steps) in, as in lstm.h; the last is B */
const float *tw_propensity_network_forward(tw_propensity_network *network, const float *x, const int *counts);
/* After forward on the same: slopes of the mean loss in every weight.
 *   labels (B) in, 0 or 1     Returns the mean loss in nats. What is not finite shows in the slopes, which step looks at. */
float tw_propensity_network_backward(tw_propensity_network *network, const float *x, const int *counts,
                                     const float *labels);
/* One step of every weight. Errors: TW_E_DIVERGED (a slope is not finite; the weights are as they were). */
tw_code tw_propensity_network_step(tw_propensity_network *network, tw_adam adam, tw_err *err);

#endif
