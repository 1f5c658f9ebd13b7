/* The two matrices, one step, and the passes over the sequences. Called by `train embeddings`. */
#include "train/skipgram.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

/* Streams of the random numbers. */
enum { DRAWS_OF_INIT = 0x736b6970, DRAWS_OF_EPOCH };

/* The beat is asked every so many words (chosen: some milliseconds). */
#define BEAT_WORDS 4096

#define POWER 0.75 /* Mikolov et al. 2013, section 2.2 */

static float *row(float *rows, const tw_skipgram *net, uint32_t word) {
    return rows + (size_t)word * (size_t)net->D;
}

/* Each place is one word with probability accept, else its alias, so that all places together give each its share (Vose 1991). */
static void make_alias(tw_skipgram *net, const uint64_t *counts) {
    uint32_t n = net->words_count, small = 0, large = n;
    double *scaled = tw_alloc(n * sizeof *scaled), sum = 0;
    uint32_t *work = tw_alloc(n * sizeof *work); /* the small from the front, the large from the back */
    for (uint32_t i = 0; i < n; i++)
        sum += pow((double)counts[i], POWER);
    for (uint32_t i = 0; i < n; i++) {
        scaled[i] = pow((double)counts[i], POWER) * (double)n / sum;
        net->accept[i] = 1;
        net->alias[i] = i;
        work[scaled[i] < 1 ? small++ : --large] = i;
    }
    while (small > 0 && large < n) {
        uint32_t less = work[--small], more = work[large];
        net->accept[less] = (float)scaled[less];
        net->alias[less] = more;
        scaled[more] -= 1 - scaled[less];
        if (scaled[more] < 1) {
            large++;
            work[small++] = more;
        }
    }
    free(scaled);
    free(work);
}

uint32_t tw_skipgram_draw(const tw_skipgram *net, tw_rng *rng) {
    uint32_t place = tw_rng_below(rng, net->words_count);
    return tw_rng_unit(rng) < (double)net->accept[place] ? place : net->alias[place];
}

void tw_skipgram_init(tw_skipgram *net, const uint64_t *counts, uint32_t words, const tw_skipgram_options *options) {
    TW_ASSERT(words > 0 && options->negatives <= TW_SKIPGRAM_NEGATIVES_MAX);
    TW_ASSERT(options->epochs <= TW_SKIPGRAM_EPOCHS_MAX);
    *net = (tw_skipgram){.kernels = tw_kernels_get(), .D = (options->size + 15) / 16 * 16, .words_count = words};
    size_t bytes = (size_t)words * (size_t)net->D * sizeof(float);
    net->in = tw_alloc_lines(bytes);
    net->out = tw_alloc_lines(bytes);
    net->gradient = tw_alloc_lines((size_t)net->D * sizeof(float));
    net->accept = tw_alloc(words * sizeof *net->accept);
    net->alias = tw_alloc(words * sizeof *net->alias);
    make_alias(net, counts);
    for (uint32_t word = 0; word < words; word++) {
        tw_rng rng = tw_rng_at(options->seed, DRAWS_OF_INIT, word);
        for (int d = 0; d < options->size; d++)
            row(net->in, net, word)[d] = (float)((tw_rng_unit(&rng) - 0.5) / options->size);
    }
}

void tw_skipgram_done(tw_skipgram *net) {
    free(net->in);
    free(net->out);
    free(net->gradient);
    free(net->accept);
    free(net->alias);
    *net = (tw_skipgram){0};
}

float tw_skipgram_step(tw_skipgram *net, uint32_t centre, const uint32_t *targets, int count, float rate) {
    float *rows[1 + TW_SKIPGRAM_NEGATIVES_MAX], slopes[1 + TW_SKIPGRAM_NEGATIVES_MAX];
    float *in = row(net->in, net, centre), loss = 0;
    TW_ASSERT(count > 0 && count <= 1 + TW_SKIPGRAM_NEGATIVES_MAX);
    for (int j = 0; j < count; j++)
        rows[j] = row(net->out, net, targets[j]);
    net->kernels->dot_each((const float *const *)rows, in, slopes, count, net->D);
    for (int j = 0; j < count; j++) {
        float z = slopes[j], label = j == 0 ? 1.0f : 0.0f, e = expf(-fabsf(z)); /* cannot overflow */
        float p = (z >= 0 ? 1.0f : e) / (1.0f + e);
        loss += fmaxf(j == 0 ? -z : z, 0) + log1pf(e);
        slopes[j] = rate * (label - p);
    }
    for (int d = 0; d < net->D; d++)
        net->gradient[d] = 0;
    net->kernels->pull_each(rows, slopes, slopes, in, net->gradient, count, net->D);
    net->kernels->axpy(in, 1.0f, net->gradient, net->D);
    return loss;
}

/* A word and what was met near it. Returns the sum of the losses. */
static double train_word(tw_skipgram *net, const uint32_t *tokens, size_t size, size_t at,
                         const tw_skipgram_options *options, float rate, tw_rng *rng) {
    uint32_t targets[1 + TW_SKIPGRAM_NEGATIVES_MAX];
    size_t width = 1 + tw_rng_below(rng, (uint32_t)options->window);
    size_t from = at > width ? at - width : 0, to = at + width < size ? at + width : size - 1;
    double loss = 0;
    for (size_t near = from; near <= to; near++) {
        if (near == at)
            continue;
        int count = 1;
        targets[0] = tokens[near];
        for (int k = 0; k < options->negatives; k++) {
            targets[count] = tw_skipgram_draw(net, rng);
            count += targets[count] != targets[0];
        }
        loss += (double)tw_skipgram_step(net, tokens[at], targets, count, rate);
        net->pairs++;
    }
    return loss;
}

tw_code tw_skipgram_train(tw_skipgram *net, const tw_sequences *sequences, const tw_skipgram_options *options,
                          tw_train_beat beat, tw_err *err) {
    int64_t done = 0, all = (int64_t)sequences->tokens_count * options->epochs;
    for (int epoch = 0; epoch < options->epochs; epoch++) {
        uint64_t pairs = net->pairs;
        double loss = 0;
        for (size_t s = 0; s < sequences->sequences_count; s++) {
            const uint32_t *tokens = sequences->tokens + sequences->starts[s];
            size_t size = sequences->starts[s + 1] - sequences->starts[s];
            tw_rng rng = tw_rng_at(options->seed, DRAWS_OF_EPOCH + (uint64_t)epoch, s);
            for (size_t at = 0; at < size; at++) {
                double rate = options->rate * fmax(1.0 - (double)done / (double)all, 1e-4);
                loss += train_word(net, tokens, size, at, options, (float)rate, &rng);
                if (++done % BEAT_WORDS == 0 && !beat.go_on(beat.self, done, all, net->pairs))
                    return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal");
            }
        }
        net->loss[epoch] = loss / (double)(net->pairs - pairs);
        if (!isfinite(net->loss[epoch]))
            return tw_fail(err, TW_E_DIVERGED, "the loss of epoch %d is not finite", epoch + 1);
    }
    return TW_OK;
}
