/* How well profiles tell what kind of item comes next: each is asked just before the event is learned (test, then learn).
 *
 * Cross-entropy is the mean of -sum_c t_c ln p_c, where the item's categories share t alike; top1 is how often the category with the
 * largest p (of equal ones the first) is among the item's. Thread: its owner's. */
#ifndef TW_LEARN_CATEGORY_LOSS_H
#define TW_LEARN_CATEGORY_LOSS_H

#include <stdint.h>

typedef struct tw_category_loss {
    uint64_t asked, first_right;
    double nats; /* sum */
} tw_category_loss;

/* p, t (n), each sum 1. An answer that leaves no chance at all counts as one of 1e-12. */
void tw_category_loss_add(tw_category_loss *loss, const float *p, const float *t, int n);

/* 0 where nothing was asked. */
double tw_category_loss_cross_entropy(const tw_category_loss *loss);
double tw_category_loss_top1(const tw_category_loss *loss);

#endif
