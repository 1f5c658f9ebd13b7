/* The kernels built for avx512, with and without VNNI; see kernels.inc. Chosen by kernels.c. */
#define TW_KERNELS tw_kernels_avx512
#define TW_KERNELS_NAME "avx512"
#ifdef __x86_64__
#include "math/kernels.h"

#include <immintrin.h>

/* Four rows at a time, and the last of them again where fewer are left. Sums end in registers: what the compiler makes of the plain loop adds them
 * up one number after the other. */
static void dot_each(const float *const *rows, const float *x, float *scores, int n, int D) {
    for (int j = 0; j < n; j += 4) {
        const float *four[4];
        __m512 sums[4];
        for (int r = 0; r < 4; r++) {
            four[r] = rows[j + r < n ? j + r : n - 1];
            sums[r] = _mm512_setzero_ps();
        }
        for (int d = 0; d < D; d += 16) {
            __mmask16 has = D - d < 16 ? (__mmask16)((1u << (D - d)) - 1) : (__mmask16)0xffff;
            __m512 part = _mm512_maskz_loadu_ps(has, x + d);
            for (int r = 0; r < 4; r++)
                sums[r] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(has, four[r] + d), part, sums[r]);
        }
        for (int r = 0; r < 4 && j + r < n; r++)
            scores[j + r] = _mm512_reduce_add_ps(sums[r]);
    }
}
#define TW_KERNELS_DOT_EACH

/* The same of these two: what the compiler makes of the plain loops takes most of its time for the last sums. */
static inline __mmask16 up_to(int D, int d) {
    return D - d < 16 ? (__mmask16)((1u << (D - d)) - 1) : (__mmask16)0xffff;
}

static float rest_of(const float *x, const int8_t *q, float s, int D) {
    __m512 sum = _mm512_setzero_ps(), scale = _mm512_set1_ps(s);
    for (int d = 0; d < D; d += 16) {
        __mmask16 has = up_to(D, d);
        __m512 whole = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(has, q + d)));
        __m512 rest = _mm512_fnmadd_ps(scale, whole, _mm512_maskz_loadu_ps(has, x + d));
        sum = _mm512_fmadd_ps(rest, rest, sum);
    }
    return __builtin_sqrtf(_mm512_reduce_add_ps(sum));
}
#define TW_KERNELS_REST_OF

static float to_bytes(const float *x, int8_t *q, float *ret_N, float *ret_E, int D) {
    __m512 most = _mm512_setzero_ps(), poison = _mm512_setzero_ps(), zero = _mm512_setzero_ps();
    for (int d = 0; d < D; d += 16) {
        __m512 part = _mm512_maskz_loadu_ps(up_to(D, d), x + d);
        most = _mm512_max_ps(most, _mm512_abs_ps(part));
        poison = _mm512_fmadd_ps(part, zero, poison); /* of what is not finite this is not a number */
    }
    float largest = _mm512_reduce_max_ps(most) / 127.0f, bad = _mm512_reduce_add_ps(poison);
    float scale = largest > TW_SCALE_LEAST ? largest : TW_SCALE_LEAST;
    __m512 inverse = _mm512_set1_ps(1.0f / scale), N = zero, E = zero;
    if (bad != 0.0f)
        return bad;
    for (int d = 0; d < D; d += 16) {
        __mmask16 has = up_to(D, d);
        __m512 exact = _mm512_mul_ps(_mm512_maskz_loadu_ps(has, x + d), inverse);
        __m512i near = _mm512_cvt_roundps_epi32(exact, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        __m512 whole = _mm512_cvtepi32_ps(near), rest = _mm512_sub_ps(exact, whole);
        _mm_mask_storeu_epi8(q + d, has, _mm512_cvtepi32_epi8(near));
        N = _mm512_fmadd_ps(whole, whole, N);
        E = _mm512_fmadd_ps(rest, rest, E);
    }
    *ret_N = __builtin_sqrtf(_mm512_reduce_add_ps(N));
    *ret_E = __builtin_sqrtf(_mm512_reduce_add_ps(E));
    return scale;
}
#define TW_KERNELS_TO_BYTES

/* The whole line in one register. */
static unsigned look(const uint64_t *slots, uint64_t key, uint64_t newest, uint64_t count) {
    __m512i line = _mm512_loadu_si512(slots), top = _mm512_set1_epi64((long long)newest);
    __m512i codes = _mm512_and_si512(line, _mm512_set1_epi64(TW_LINE_CODES));
    __mmask8 used = _mm512_test_epi64_mask(codes, codes);
    __mmask8 same = _mm512_mask_cmpeq_epi64_mask(used, _mm512_srli_epi64(line, TW_LINE_KEY_SHIFT),
                                                 _mm512_set1_epi64((long long)key));
    __m512i behind = _mm512_sub_epi64(top, codes);
    behind =
        _mm512_mask_add_epi64(behind, _mm512_cmpgt_epi64_mask(codes, top), behind, _mm512_set1_epi64(TW_LINE_CODES));
    __mmask8 live = _mm512_mask_cmplt_epu64_mask(used, behind, _mm512_set1_epi64((long long)count));
    return (unsigned)same | (unsigned)(uint8_t)~live << TW_LINE_SLOTS;
}
#define TW_KERNELS_LOOK

#include "math/kernels.inc"

#define TW_PEAKS_TOGETHER 32 /* vectors whose sums of all numbers are kept */

/* A block's sixteen sums in one register: four products of each row at a time, where the processor has them (VNNI). */
__attribute__((target("avx512vnni"))) static void
bound_rows_vnni(const uint8_t *blocks, const int8_t *x, const float *scale, const float *rest, const float *bias,
                float alpha, float beta, float gamma, float *upper, float *peaks, int count, int D) {
    int32_t shift = 0;
    for (int d = 0; d < D; d++)
        shift -= 128 * x[d];
    for (int row = 0; row < count * TW_BLOCK_ROWS; row += TW_BLOCK_ROWS) {
        __m512i even = _mm512_set1_epi32(shift), odd = _mm512_setzero_si512();
        for (int d = 0; d < D; d += 8) { /* two chains: a product is ready after four cycles */
            int32_t four[2] = {0};
            int has = D - d < 8 ? D - d : 8;
            __builtin_memcpy(four, x + d, (size_t)has);
            even = _mm512_dpbusd_epi32(even, _mm512_load_si512(blocks), _mm512_set1_epi32(four[0]));
            if (has == 8)
                odd = _mm512_dpbusd_epi32(odd, _mm512_load_si512(blocks + 64), _mm512_set1_epi32(four[1]));
            blocks += 16 * has;
        }
        __m512 sum = _mm512_cvtepi32_ps(_mm512_add_epi32(even, odd));
        sum = _mm512_fmadd_ps(sum, _mm512_set1_ps(alpha), _mm512_set1_ps(beta));
        __m512 more = _mm512_fmadd_ps(_mm512_set1_ps(gamma), _mm512_load_ps(rest + row), _mm512_load_ps(bias + row));
        sum = _mm512_fmadd_ps(sum, _mm512_load_ps(scale + row), more);
        _mm512_store_ps(upper + row, sum);
        peaks[row / TW_BLOCK_ROWS] = _mm512_reduce_max_ps(sum);
    }
}

/* `count` vectors, a number known when this is compiled: all sums of a stretch stay in registers. */
__attribute__((target("avx512vnni"), always_inline)) static inline void
peaks_of(const uint8_t *blocks, const float *scale, const float *rest, const float *bias, const tw_peaks *asked,
         const int32_t *shifts, const int count, long stretch, int D) {
    __m512i sums[4][TW_STRETCH_BLOCKS];
#pragma GCC unroll 4
    for (int u = 0; u < count; u++)
#pragma GCC unroll 4
        for (int b = 0; b < TW_STRETCH_BLOCKS; b++)
            sums[u][b] = _mm512_set1_epi32(shifts[u]);
    for (long d = 0; d < D; d += 4) {
        __m512i rows[TW_STRETCH_BLOCKS];
#pragma GCC unroll 4
        for (int b = 0; b < TW_STRETCH_BLOCKS; b++)
            rows[b] = _mm512_load_si512(blocks + (b * (long)D + d) * TW_BLOCK_ROWS);
#pragma GCC unroll 4
        for (int u = 0; u < count; u++) {
            int32_t four;
            __builtin_memcpy(&four, asked[u].x + d, sizeof four);
            __m512i part = _mm512_set1_epi32(four);
#pragma GCC unroll 4
            for (int b = 0; b < TW_STRETCH_BLOCKS; b++)
                sums[u][b] = _mm512_dpbusd_epi32(sums[u][b], rows[b], part);
        }
    }
#pragma GCC unroll 4
    for (int u = 0; u < count; u++) {
        __m512 alpha = _mm512_set1_ps(asked[u].alpha), beta = _mm512_set1_ps(asked[u].beta),
               gamma = _mm512_set1_ps(asked[u].gamma), peak;
#pragma GCC unroll 4
        for (int b = 0; b < TW_STRETCH_BLOCKS; b++) {
            long row = b * TW_BLOCK_ROWS;
            __m512 more = _mm512_fmadd_ps(gamma, _mm512_load_ps(rest + row), _mm512_load_ps(bias + row));
            __m512 upper = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[u][b]), alpha, beta);
            upper = _mm512_fmadd_ps(upper, _mm512_load_ps(scale + row), more);
            peak = b == 0 ? upper : _mm512_max_ps(peak, upper);
        }
        asked[u].peaks[stretch] = _mm512_reduce_max_ps(peak);
    }
}

/* Four vectors at a time: sixteen chains of sums, and a load for every two steps of one. */
__attribute__((target("avx512vnni"))) static void peak_rows_vnni(const uint8_t *blocks, const float *scale,
                                                                 const float *rest, const float *bias,
                                                                 const tw_peaks *asked, int asked_count, int stretches,
                                                                 int D) {
    for (int from = 0; from < asked_count; from += TW_PEAKS_TOGETHER) {
        const tw_peaks *group = asked + from;
        int count = asked_count - from < TW_PEAKS_TOGETHER ? asked_count - from : TW_PEAKS_TOGETHER;
        int32_t shifts[TW_PEAKS_TOGETHER] = {0};
        for (int u = 0; u < count; u++)
            for (int d = 0; d < D; d++)
                shifts[u] -= 128 * group[u].x[d];
        for (long s = 0; s < stretches; s++) {
            const uint8_t *at = blocks + s * TW_STRETCH_ROWS * D;
            const float *scales = scale + s * TW_STRETCH_ROWS, *rests = rest + s * TW_STRETCH_ROWS,
                        *biases = bias + s * TW_STRETCH_ROWS;
            int u = 0;
            for (; u + 4 <= count; u += 4)
                peaks_of(at, scales, rests, biases, group + u, shifts + u, 4, s, D);
            for (; u + 2 <= count; u += 2)
                peaks_of(at, scales, rests, biases, group + u, shifts + u, 2, s, D);
            for (; u < count; u++)
                peaks_of(at, scales, rests, biases, group + u, shifts + u, 1, s, D);
        }
    }
}

const tw_kernels tw_kernels_avx512vnni = TW_KERNELS_TABLE("avx512vnni", bound_rows_vnni, peak_rows_vnni);
#else
typedef int tw_kernels_not_here; /* ISO C wants a declaration in every file */
#endif
