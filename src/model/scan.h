/* The best items of a user under the factor model without scoring all of them in full: a copy of the item vectors in 8 bits bounds each
 * score from both sides, and only items whose upper bound reaches the best lower bounds are scored exactly. So the answer is that of
 * scoring all, bit for bit. Part of the model; engine thread.
 *
 * A vector v is kept as s q with |q_d| <= 127. With a user u = t p + r likewise, u.v = s t (p.q) + r.(s q) + u.(v - s q), so
 *   |u.v - s t (p.q)| <= s |r| N + |u| e,   N >= |q| over all items and e >= |v - s q| of this one.
 * A vector that has moved a little keeps its q, and only its e grows: most of what an event changes is so little. */
#ifndef TW_MODEL_SCAN_H
#define TW_MODEL_SCAN_H

#include "math/kernels.h"
#include "model/items.h"

/* Users whose bounds are taken in one pass over the items: what is read from far is then read once for all. */
#define TW_SCAN_AHEAD 16

typedef struct tw_scan_bounds {
    const float *vector; /* the user's; NULL: none, or used up */
    int8_t *user;        /* (D) the same in 8 bits */
    float scale;
    float beta,
        gamma; /* an upper bound lies beta times an item's scale and gamma times its rest above the product, a lower one below */
    float *peaks; /* the largest upper bound of each stretch of items (kernels.h) */
    size_t capacity;
} tw_scan_bounds;

typedef struct tw_scan {
    const tw_kernels *kernels;
    int D;
    uint8_t *blocks; /* of TW_BLOCK_ROWS items: see kernels.h */
    int8_t *rows;    /* (items, D) q */
    float *scale;    /* (items) s; 0 and a bias of -INFINITY: never shown */
    float *rest;     /* (items) e, and what rounding adds */
    float *bias;
    size_t capacity;
    tw_scan_bounds ahead[TW_SCAN_AHEAD];
    uint32_t n;         /* items copied; those behind are new */
    float N, size;      /* only grow: N, and the length of a vector */
    bool off;           /* a vector was not finite: no bound holds */
    tw_dirty stale;     /* changed since they were copied */
    uint32_t *best;     /* candidates of the last scan */
    float *best_scores; /* their exact scores */
    size_t best_capacity, best_scores_capacity;
    float *best_upper;
    size_t best_upper_capacity;
    uint8_t *excluded; /* (capacity) set while a user's are left out */
    uint32_t *hidden;  /* scratch of whoever asks */
    size_t hidden_capacity;
} tw_scan;

/* Hears of changes in items from then on. */
void tw_scan_init(tw_scan *scan, const tw_kernels *kernels, tw_items *items);
void tw_scan_done(tw_scan *scan);
void tw_scan_forget(tw_scan *scan); /* the items were loaded anew */

/* Takes the bounds of several users (count <= TW_SCAN_AHEAD), which tw_scan_best of the same vectors then finds, once each. Nothing of
 * users or items may change in between.
 *   vectors (count) of (D), borrowed until then */
void tw_scan_look_ahead(tw_scan *scan, const tw_items *items, const float *const *vectors, int count);

/* Candidates for the top best of a user's vector: all of them are among scan->best, with exact scores beside; hidden items are not.
 *   vector (D); excluded (excluded_count) items that count as hidden
 * Returns their number; -1: no bound holds, score all. */
int tw_scan_best(tw_scan *scan, const tw_items *items, const float *vector, const uint32_t *excluded,
                 uint32_t excluded_count, int top);

#endif
