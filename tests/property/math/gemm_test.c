/* The product against three loops. */
#include "math/gemm.h"
#include "base/rng.h"
#include "support/test.h"

#include <math.h>

static float at(const float *M, bool turned, int rows, int columns, int r, int c) {
    return turned ? M[c * rows + r] : M[r * columns + c];
}

TEST(the_product_agrees_with_three_loops_turned_or_not) {
    for (int form = 0; form < 16; form++) {
        bool turn_a = form & 1, turn_b = form & 2;
        float A[32 * 32], B[32 * 32], C[32 * 32], before[32 * 32];
        tw_rng rng = tw_rng_at(11, (uint64_t)form, 0);
        int m = 1 + (int)tw_rng_below(&rng, 32), n = 1 + (int)tw_rng_below(&rng, 32),
            k = 1 + (int)tw_rng_below(&rng, 32);
        float alpha = form & 4 ? 1.0f : -0.5f, beta = form & 8 ? 1.0f : 0.0f;
        for (int i = 0; i < 32 * 32; i++) {
            A[i] = (float)tw_rng_normal(&rng);
            B[i] = (float)tw_rng_normal(&rng);
            C[i] = before[i] = beta != 0 ? (float)tw_rng_normal(&rng) : NAN; /* not read when beta is 0 */
        }
        tw_gemm(turn_a, turn_b, m, n, k, alpha, A, B, beta, C);
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) {
                double sum = beta != 0 ? (double)before[i * n + j] : 0;
                for (int l = 0; l < k; l++)
                    sum += (double)alpha * (double)at(A, turn_a, m, k, i, l) * (double)at(B, turn_b, k, n, l, j);
                ASSERT_NEAR(C[i * n + j], sum, 1e-4);
            }
    }
}
