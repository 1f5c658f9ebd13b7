/* Chooses the build of the kernels at the first call. Any thread: racing first calls choose the same. */
#include "math/kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

extern const tw_kernels tw_kernels_plain;
#ifdef __x86_64__
extern const tw_kernels tw_kernels_avx2, tw_kernels_avx512;
#endif

const tw_kernels *tw_kernels_named(const char *name) {
#ifdef __x86_64__
    if (strcmp(name, "avx512") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
                   ? &tw_kernels_avx512
                   : NULL;
    if (strcmp(name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &tw_kernels_avx2 : NULL;
#endif
    return strcmp(name, "plain") == 0 ? &tw_kernels_plain : NULL;
}

static const tw_kernels *choose(void) {
    static const char *const best_first[] = {"avx512", "avx2", "plain"};
    const char *wanted = getenv("TAILWATER_KERNELS");
    const tw_kernels *k = wanted ? tw_kernels_named(wanted) : NULL;
    for (int i = 0; !k; i++)
        k = tw_kernels_named(best_first[i]);
    return k;
}

const tw_kernels *tw_kernels_get(void) {
    static const tw_kernels *_Atomic chosen;
    const tw_kernels *k = atomic_load_explicit(&chosen, memory_order_acquire);
    if (!k) {
        k = choose();
        atomic_store_explicit(&chosen, k, memory_order_release);
    }
    return k;
}
