/* The kernels built for the base instruction set (plain C, what the compiler makes of it); see kernels.inc. Chosen by kernels.c. */
#define TW_KERNELS tw_kernels_plain
#define TW_KERNELS_NAME "plain"
#include "math/kernels.inc"
