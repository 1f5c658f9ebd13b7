/* What users met one after the other, as sequences of words: the sentences of `train embeddings`.
 *
 * A user's events in the order of their time make a sequence; a pause longer than the gap begins a new one. What a user liked enough to learn
 * from counts (clicks, carts, purchases, reviews above three stars or without); an item met several times in a row counts once. The word of an
 * item is tw_vectors_word_of its id, so that ids which no file of vectors can tell apart are one word. As word2vec has it, words that
 * are met less than a least count are left out before anything is a neighbour of anything, and numbers go by falling count.
 * Memory: 24 bytes an event until close, then 4. One owner, one thread. */
#ifndef TW_TRAIN_SEQUENCES_H
#define TW_TRAIN_SEQUENCES_H

#include "base/buf.h"
#include "base/event.h"
#include "base/map.h"

#include <stddef.h>
#include <stdint.h>

/* Texts that are numbered by first appearance. */
typedef struct tw_names {
    tw_buf bytes;
    size_t *ends; /* (count) of each text in bytes */
    size_t capacity;
    uint32_t count;
    tw_map *map;
} tw_names;

typedef struct tw_met {
    int64_t event_ms;
    uint64_t order;
    uint32_t user, item;
} tw_met;

typedef struct tw_sequences {
    int64_t gap_ms;
    tw_names users, items;
    tw_met *met; /* (met_count) until close */
    size_t met_capacity, met_count;
    tw_buf word;

    /* After close. */
    uint32_t *tokens; /* (tokens_count) words of all sequences */
    size_t tokens_count;
    size_t *starts; /* (sequences_count + 1) of each in tokens */
    size_t sequences_count, starts_capacity;
    uint32_t words_count, rare_count; /* kept, left out */
    uint32_t *words;                  /* (words_count) places in items */
    uint64_t *counts;                 /* (words_count) events of each, falling */
} tw_sequences;

/* In the caller's storage, which must not move. gap_ms 0: all events of a user are one sequence. */
void tw_sequences_init(tw_sequences *sequences, int64_t gap_ms);
void tw_sequences_done(tw_sequences *sequences);

void tw_sequences_add(tw_sequences *sequences, const tw_event *event);
/* Once, after the last event. A sequence of less than two words teaches nothing and is left out. */
void tw_sequences_close(tw_sequences *sequences, uint64_t count_min);

tw_slice tw_sequences_word(const tw_sequences *sequences, uint32_t word);

#endif
