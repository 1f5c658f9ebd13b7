/* Randomness that repeats: a counter-based generator (SplitMix64, Steele, Lea & Flood 2014), so that the draw for an
 * event depends on the seed and the event's own coordinates only, never on what was drawn before. */
#ifndef TW_BASE_RNG_H
#define TW_BASE_RNG_H

#include <stdint.h>

static inline uint64_t tw_rng_mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

typedef struct tw_rng {
    uint64_t state;
} tw_rng;

/* A stream of its own for (seed, a, b): for example seed, input partition and offset. */
static inline tw_rng tw_rng_at(uint64_t seed, uint64_t a, uint64_t b) {
    uint64_t z = tw_rng_mix(seed + 0x9e3779b97f4a7c15u);
    z = tw_rng_mix(z ^ (a + 0x9e3779b97f4a7c15u));
    return (tw_rng){tw_rng_mix(z ^ (b + 0x9e3779b97f4a7c15u))};
}

static inline uint64_t tw_rng_next(tw_rng *r) {
    return tw_rng_mix(r->state += 0x9e3779b97f4a7c15u);
}

/* Uniform in [0, n), n > 0; by multiplication (Lemire 2019), bias below n / 2^64. */
static inline uint32_t tw_rng_below(tw_rng *r, uint32_t n) {
    return (uint32_t)(((unsigned __int128)tw_rng_next(r) * n) >> 64);
}

/* Uniform in [0, 1). */
static inline double tw_rng_unit(tw_rng *r) {
    return (double)(tw_rng_next(r) >> 11) * 0x1p-53;
}

/* Standard normal (Box & Muller 1958, one of the pair). */
double tw_rng_normal(tw_rng *r);

#endif
