/* Prequential evaluation (test, then learn): where the item of each event stood in the list just before it was learned.
 *
 * HR@k is hits / asked; NDCG@10 the mean of 1 / log2(place + 1) over places up to 10; MRR@20 the mean of 1 / place over places
 * up to 20 (Gama, Sebastiao & Rodrigues 2013 for the protocol; one relevant item per question). Thread: its owner's. */
#ifndef TW_LEARN_PREQUENTIAL_H
#define TW_LEARN_PREQUENTIAL_H

#include <stdint.h>

typedef struct tw_prequential {
    uint64_t asked, hits10, hits20;
    double gain10, reciprocal20; /* sums */
} tw_prequential;

/* place of the item, 1 is first; 0: it was not in the order at all (a miss). */
void tw_prequential_add(tw_prequential *p, uint32_t place);

/* As if what the other was asked had been asked of p. */
void tw_prequential_merge(tw_prequential *p, const tw_prequential *other);

/* 0 where nothing was asked. */
double tw_prequential_hr10(const tw_prequential *p);
double tw_prequential_hr20(const tw_prequential *p);
double tw_prequential_ndcg10(const tw_prequential *p);
double tw_prequential_mrr20(const tw_prequential *p);

#endif
