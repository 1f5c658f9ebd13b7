/* Small vector loops, in four builds (AVX-512 with VNNI and without, AVX2, plain C), one of which is chosen at the first call by what the
 * processor can do: one program runs on any x86-64, and on other processors with plain C. Within one build results are the same always. Two builds
 * add in another order: a sum of D products differs by at most 1e-5 of the sum of their sizes, and what was learned from many events by what
 * that leads to (tests/integration/kernels_test.sh states it). Whole numbers (verdicts, counters, the bounds' sums of products) do not differ.
 * All of them allocate nothing and cannot fail. Thread: any. */
#ifndef TW_MATH_KERNELS_H
#define TW_MATH_KERNELS_H

#include <stdint.h>

#define TW_BLOCK_ROWS 16

/* A smaller s of to_bytes would make numbers that float cannot divide by; smaller vectors are all rest. */
#define TW_SCALE_LEAST 1e-30f

/* A slot of a table of hashes: the lowest bits a code from 1 to 511, 0 for none, above it a mark, above that a key. Codes go round: live are the
 * `count` newest of them, down from the newest, round the end. */
#define TW_LINE_SLOTS 8
#define TW_LINE_CODE_BITS 9
#define TW_LINE_CODES 511
#define TW_LINE_KEY_SHIFT 10

/* Blocks whose bounds are told apart by their largest alone. */
#define TW_STRETCH_BLOCKS 4
#define TW_STRETCH_ROWS (TW_STRETCH_BLOCKS * TW_BLOCK_ROWS)

/* One vector of several. */
typedef struct tw_peaks {
    const int8_t *x; /* (D) */
    float alpha, beta, gamma;
    float *peaks; /* (stretches) out */
} tw_peaks;

typedef struct tw_kernels {
    const char *name;

    /* sum_d a_d b_d      a, b (D) */
    float (*dot)(const float *a, const float *b, int D);
    /* y_d += alpha x_d   y (D) in and out, x (D) */
    void (*axpy)(float *y, float alpha, const float *x, int D);
    /* y_d = beta y_d + alpha x_d */
    void (*mix)(float *y, float beta, float alpha, const float *x, int D);
    /* scores_i = rows_i . x      rows (n, D) one after the other, x (D), scores (n) out */
    void (*dot_rows)(const float *rows, const float *x, float *scores, int n, int D);
    /* scores_j = rows_j . x      rows (n) pointers to rows of D */
    void (*dot_each)(const float *const *rows, const float *x, float *scores, int n, int D);
    /* One step on each row and the gradient for their partner: g_d += alpha_j y_jd, then y_jd += beta_j x_d, for j in order.
     *   rows (n) pointers to rows y of D, a row may come twice; alpha, beta (n); g, x (D) */
    void (*pull_each)(float *const *rows, const float *alpha, const float *beta, const float *x, float *g, int n,
                      int D);
    /* The same with rows that shrink: y_jd = keep y_jd + beta_j x_d. */
    void (*step_each)(float *const *rows, const float *alpha, const float *beta, float keep, const float *x, float *g,
                      int n, int D);
    /* y_id += sum_s a_is x_sd, a product of two small matrices added to a third.
     *   y (n, D)     x (S, D)     a_is = a[i a_row + s a_step]: a or its transpose     D a multiple of 16, any n and S */
    void (*add_products)(float *y, const float *a, int a_row, int a_step, const float *x, int n, int S, int D);
    /* y_i += alpha log2(x_i + epsilon), by a polynomial good to 1e-5 absolute; x_i >= 0, epsilon a normal number > 0 */
    void (*add_log)(float *y, float alpha, const float *x, float epsilon, int n);
    /* the largest x_i; -INFINITY when n is 0 */
    float (*most)(const float *x, int n);
    /* y_i = e^(x_i - most), 0 for x_i of -INFINITY; returns their sum.   x, y (n), may be the same; every x_i <= most */
    float (*exp_sum)(const float *x, float most, float *y, int n);
    /* x = s (q + e) with whole q_d in [-127, 127]; returns s > 0, not finite when some x_d is not.
     *   q (D) out, *ret_N = |q|, *ret_E = |e| */
    float (*to_bytes)(const float *x, int8_t *q, float *ret_N, float *ret_E, int D);
    /* |x - s q|, as to_bytes has it for its own s and q. */
    float (*rest_of)(const float *x, const int8_t *q, float s, int D);
    /* upper_i = scale_i (alpha rows_i . x + beta) + gamma rest_i + bias_i, for blocks of TW_BLOCK_ROWS rows in 8 bits; peaks (count): the largest
     * of each block.
     *   blocks (count, D / 4, TW_BLOCK_ROWS, 4): in turn four values of each row, with 128 added to each
     *   x (D)     scale, rest, bias, upper (count TW_BLOCK_ROWS), aligned to 64 bytes as blocks are     D a multiple of 4, at most 512 */
    void (*bound_rows)(const uint8_t *blocks, const int8_t *x, const float *scale, const float *rest, const float *bias,
                       float alpha, float beta, float gamma, float *upper, float *peaks, int count, int D);
    /* The largest of those upper bounds in each stretch, for several vectors: what is read of the rows is read once for a few of them.
     *   blocks, scale, rest, bias as above, whole stretches of TW_STRETCH_ROWS     asked (asked_count) */
    void (*peak_rows)(const uint8_t *blocks, const float *scale, const float *rest, const float *bias,
                      const tw_peaks *asked, int asked_count, int stretches, int D);
    /* Bit i: slot i holds the key with a code. Bit 8 + i: the code of slot i is none or not live.     slots (TW_LINE_SLOTS) */
    unsigned (*look)(const uint64_t *slots, uint64_t key, uint64_t newest, uint64_t count);
    /* What does not live becomes 0, and no slot keeps its mark.     slots (n) */
    void (*sweep)(uint64_t *slots, uint64_t newest, uint64_t count, long n);
} tw_kernels;

extern const char *const tw_kernels_names[]; /* of all builds, best first; NULL ends them */

/* The build for this processor; the environment variable TAILWATER_KERNELS names another one (for tests, and to compare states of two
 * machines); the commands refuse one that is not here. */
const tw_kernels *tw_kernels_get(void);
/* A build by name; NULL when this processor or this build of the program does not have it. */
const tw_kernels *tw_kernels_named(const char *name);

#endif
