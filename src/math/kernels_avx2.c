/* The kernels built for avx2; see kernels.inc. Chosen by kernels.c. */
#define TW_KERNELS tw_kernels_avx2
#define TW_KERNELS_NAME "avx2"
#ifdef __x86_64__
#include "math/kernels.inc"
#else
typedef int tw_kernels_not_here; /* ISO C wants a declaration in every file */
#endif
