/* Cold start: where an item's embedding as target begins when a file of word vectors knows it (learn.vectors.file).
 *
 * The item's vector is that of its id; else the mean of the unit vectors of the words of its title and category that the file knows (letters
 * of ASCII in lower case; what is no letter, digit or byte above 127 splits). Brought to learn.dim numbers (as they are when there are as many,
 * else by a fixed Gaussian projection, which keeps angles to about 1 / sqrt(learn.dim), Johnson & Lindenstrauss 1984) and to length 1, it is
 * the item's place. A new item starts at the mean, weighted by the square of the likeness, of what was learned of the items nearest to its
 * place, so that it is recommended to those who like its kind before anybody met it; where nothing learned is near, it starts as without a
 * file. Its embedding as context stays the random one: a mean would make the items of a kind the same to whatever follows them.
 * Measured on the first 150,000 events of two streams with news of each item just before its first event, vectors of title words from `train
 * embeddings` on the first tenth: HR@10 of items younger than a day .005 to .094 on ml1m_pos and .073 to .186 on online_retail, of all .219 to
 * .221 and .349 to .352; with both embeddings at the mean .046 and .127 of the young, .214 and .348 of all.
 *
 * The search looks at no more than TW_COLD_LOOK items, so that a new item costs the same however large the catalogue is. Only an
 * embedding that has taken no step is set. Places follow from the file and from what is known of the items, so they are not stored; the start depends on the
 * state, the event and the file alone. Engine thread. */
#ifndef TW_MODEL_COLD_H
#define TW_MODEL_COLD_H

#include "base/vectors.h"
#include "math/kernels.h"
#include "model/items.h"

/* Most items that one search looks at: all of them up to here, beyond it a run of neighbouring slots chosen by the item's id. */
#define TW_COLD_LOOK (16 * TW_TABLE_CHUNK_ROWS)

typedef enum tw_cold_by { TW_COLD_UNKNOWN, TW_COLD_BY_WORDS, TW_COLD_BY_ID } tw_cold_by;

typedef struct tw_cold {
    const tw_vectors *vectors; /* borrowed; NULL: nothing starts from vectors, and every call does nothing */
    const tw_kernels *kernels;
    int F, D;          /* numbers of a vector in the file, and of an embedding */
    float *matrix;     /* (F, D) the projection; NULL: F is D */
    float *word, *sum; /* (F) scratch */
    float *scores;     /* (TW_TABLE_CHUNK_ROWS) scratch */
    tw_rows places;    /* (items, D) of length 1; zero: the file does not know the item */
    uint8_t *by;       /* (by_capacity) tw_cold_by of each item */
    size_t by_capacity;
    tw_buf text; /* scratch */
} tw_cold;

void tw_cold_init(tw_cold *cold, const tw_vectors *vectors, int D);
void tw_cold_done(tw_cold *cold);

/* After an item was made, or its title or category became others: finds its place anew; what has taken no step starts again. */
void tw_cold_describe(tw_cold *cold, tw_items *items, uint32_t item);
/* After a state was loaded: the places of all items. Sets nothing. */
void tw_cold_loaded(tw_cold *cold, const tw_items *items);

void tw_cold_hits(const tw_cold *cold, const tw_items *items, tw_model_hits *ret_hits);
size_t tw_cold_bytes(const tw_cold *cold);

#endif
