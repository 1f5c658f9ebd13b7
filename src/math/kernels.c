/* Chooses the build of the kernels at the first call. Any thread: racing first calls choose the same. */
#include "math/kernels.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *const tw_kernels_names[] = {"avx512vnni", "avx512", "avx2", "plain", NULL};

extern const tw_kernels tw_kernels_plain;

#ifdef __x86_64__
extern const tw_kernels tw_kernels_avx2, tw_kernels_avx512, tw_kernels_avx512vnni;

static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

/* What the processor and the system (which must keep the registers) support. */
static const tw_kernels *vector_build(const char *name) {
    if (strcmp(name, "avx512vnni") == 0)
        return has_avx512() && __builtin_cpu_supports("avx512vnni") ? &tw_kernels_avx512vnni : NULL;
    if (strcmp(name, "avx512") == 0)
        return has_avx512() ? &tw_kernels_avx512 : NULL;
    if (strcmp(name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &tw_kernels_avx2 : NULL;
    return NULL;
}
#else
static const tw_kernels *vector_build(const char *name) {
    (void)name;
    return NULL;
}
#endif

const tw_kernels *tw_kernels_named(const char *name) {
    return strcmp(name, "plain") == 0 ? &tw_kernels_plain : vector_build(name);
}

static const tw_kernels *choose(void) {
    const char *wanted = getenv("TAILWATER_KERNELS");
    const tw_kernels *k = wanted ? tw_kernels_named(wanted) : NULL;
    for (int i = 0; !k; i++)
        k = tw_kernels_named(tw_kernels_names[i]);
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
