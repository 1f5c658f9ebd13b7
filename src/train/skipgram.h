/* Skip-gram with negative sampling (Mikolov et al. 2013) over sequences of words: two vectors a word, so that those of words which are met near
 * each other point the same way.
 *
 * Each word of a sequence (the centre) is trained against each word within a window around it, whose width is drawn anew from 1 to `window`:
 *   loss = softplus(-u_c . v_t) + sum_k softplus(u_c . v_k)      u: in, the vector that is kept; v: out
 * with the word t that was met and `negatives` words k drawn by count^0.75 (those that happen to be t left out). Plain SGD; the rate falls
 * linearly to a ten-thousandth of where it began, as in word2vec's own program. There is no subsampling of frequent words.
 *
 * One thread, draws by (seed, epoch, sequence): the same sequences, options and kernels give the same vectors, bit for bit. Thread: its owner's. */
#ifndef TW_TRAIN_SKIPGRAM_H
#define TW_TRAIN_SKIPGRAM_H

#include "base/rng.h"
#include "math/kernels.h"
#include "train/read.h"
#include "train/sequences.h"

#define TW_SKIPGRAM_NEGATIVES_MAX 64
#define TW_SKIPGRAM_EPOCHS_MAX 1000

typedef struct tw_skipgram_options {
    int size;   /* numbers of a vector */
    int window; /* words to either side, at most */
    int negatives, epochs;
    double rate; /* at the start */
    uint64_t seed;
} tw_skipgram_options;

typedef struct tw_skipgram {
    const tw_kernels *kernels;
    int D; /* size, rounded up to 16: the rest stays zero */
    uint32_t words_count;
    float *in, *out;                     /* (words, D) */
    float *gradient;                     /* (D) */
    float *accept;                       /* (words) draws by count^0.75 from an alias table (Walker 1977, Vose 1991) */
    uint32_t *alias;                     /* (words) */
    uint64_t pairs;                      /* trained, all epochs */
    double loss[TW_SKIPGRAM_EPOCHS_MAX]; /* (epochs) mean over an epoch's pairs, in nats */
} tw_skipgram;

/* in: uniform within half of 1 / size, from the seed; out: zero.   counts (words) */
void tw_skipgram_init(tw_skipgram *net, const uint64_t *counts, uint32_t words, const tw_skipgram_options *options);
void tw_skipgram_done(tw_skipgram *net);

/* One step for a centre: targets[0] was met near it, the others (count in all, at most 1 + TW_SKIPGRAM_NEGATIVES_MAX) were drawn. Every slope
 * is that of the loss before the step (of a word that was drawn twice, the second of its two: of that after the first). Returns that loss. */
float tw_skipgram_step(tw_skipgram *net, uint32_t centre, const uint32_t *targets, int count, float rate);

uint32_t tw_skipgram_draw(const tw_skipgram *net, tw_rng *rng);

/* All epochs. Errors: TW_E_INTERRUPTED when the beat says so; TW_E_DIVERGED. */
tw_code tw_skipgram_train(tw_skipgram *net, const tw_sequences *sequences, const tw_skipgram_options *options,
                          tw_train_beat beat, tw_err *err);

static inline const float *tw_skipgram_vector(const tw_skipgram *net, uint32_t word) {
    return net->in + (size_t)word * (size_t)net->D;
}

#endif
