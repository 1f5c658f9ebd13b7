/* The product of two matrices, by OpenBLAS on one thread: for blocks of rows; one row is done as fast by the loops of kernels.h. The same
 * call gives the same bits on one processor; another shape may round otherwise (one 64-row product and 64 one-row products differ in
 * their last bits). Allocates nothing of ours and cannot fail. Thread: any. */
#ifndef TW_MATH_GEMM_H
#define TW_MATH_GEMM_H

#include <stdbool.h>

/* C = alpha op(A) op(B) + beta C, all row by row without gaps; op turns a matrix over where its flag says so.
 *   op(A) (m, k): A is (k, m) when turned     op(B) (k, n): B is (n, k) when turned     C (m, n) in and out; not read when beta is 0 */
void tw_gemm(bool turn_a, bool turn_b, int m, int n, int k, float alpha, const float *A, const float *B, float beta,
             float *C);

#endif
