/* Adam, the step of a weight by running means of its slope and of the slope's square (Kingma & Ba 2015, constants .9, .999 and 1e-8).
 * Called by the layers of every network that can learn so. Thread: its owner's. */
#ifndef TW_MODEL_ADAM_H
#define TW_MODEL_ADAM_H

#include <stddef.h>
#include <stdint.h>

typedef struct tw_adam {
    float rate;
    float
        decay; /* what a weight loses of itself at each step, as a share of the rate, beside its slope (Loshchilov & Hutter 2019) */
} tw_adam;

/* One step of n weights against their slopes.
 *   weights, first, second (n) in and out     slopes (n) in
 * steps: how many there were, this one included; the means start at zero and are corrected by it. Allocates nothing, cannot fail. */
void tw_adam_step(float *weights, const float *slopes, float *first, float *second, size_t n, tw_adam adam,
                  uint64_t steps);

#endif
