/* A way past the many scores that cannot matter. Thread: any. */
#ifndef TW_BASE_SKIP_H
#define TW_BASE_SKIP_H

#include <stdint.h>

#define TW_SKIP_BLOCK 64

/* How many leading scores of n are below the least: whole blocks, each looked at without a branch. */
static inline uint32_t tw_skip_below(const float *scores, uint32_t n, float least) {
    uint32_t i = 0;
    for (; i + TW_SKIP_BLOCK <= n; i += TW_SKIP_BLOCK) {
        uint32_t reach = 0;
        for (uint32_t k = 0; k < TW_SKIP_BLOCK; k++)
            reach += scores[i + k] >= least;
        if (reach)
            break;
    }
    return i;
}

#endif
