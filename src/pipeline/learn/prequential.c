/* Sums of the ranking measures; `evaluate` asks, this counts. */
#include "pipeline/learn/prequential.h"

#include <math.h>

void tw_prequential_add(tw_prequential *p, uint32_t place) {
    p->asked++;
    if (place == 0 || place > 20)
        return;
    p->hits20++;
    p->reciprocal20 += 1.0 / place;
    if (place > 10)
        return;
    p->hits10++;
    p->gain10 += 1.0 / log2(place + 1.0);
}

void tw_prequential_merge(tw_prequential *p, const tw_prequential *other) {
    p->asked += other->asked;
    p->hits10 += other->hits10;
    p->hits20 += other->hits20;
    p->gain10 += other->gain10;
    p->reciprocal20 += other->reciprocal20;
}

static double mean(double sum, uint64_t n) {
    return n ? sum / (double)n : 0;
}

double tw_prequential_hr10(const tw_prequential *p) {
    return mean((double)p->hits10, p->asked);
}
double tw_prequential_hr20(const tw_prequential *p) {
    return mean((double)p->hits20, p->asked);
}
double tw_prequential_ndcg10(const tw_prequential *p) {
    return mean(p->gain10, p->asked);
}
double tw_prequential_mrr20(const tw_prequential *p) {
    return mean(p->reciprocal20, p->asked);
}
