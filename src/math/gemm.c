/* The only door to OpenBLAS. Called by what trains in blocks and by the benchmark. */
#include "math/gemm.h"

#include <cblas.h>

void tw_gemm(bool turn_a, bool turn_b, int m, int n, int k, float alpha, const float *A, const float *B, float beta,
             float *C) {
    cblas_sgemm(CblasRowMajor, turn_a ? CblasTrans : CblasNoTrans, turn_b ? CblasTrans : CblasNoTrans, m, n, k, alpha,
                A, turn_a ? m : k, B, turn_b ? k : n, beta, C, n);
}
