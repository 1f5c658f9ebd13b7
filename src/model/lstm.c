/* The recurrent layer. Called by the propensity network. */
#include "model/lstm.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/rng.h"
#include "math/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void tw_lstm_init(tw_lstm *lstm, int inputs, int H, int steps_max, int batch_max) {
    size_t plane = (size_t)batch_max * (size_t)H * sizeof(float), all = (size_t)steps_max * plane;
    *lstm = (tw_lstm){.kernels = tw_kernels_get(),
                      .inputs = inputs,
                      .H = H,
                      .steps_max = steps_max,
                      .batch_max = batch_max,
                      .gates = tw_alloc_lines(4 * all),
                      .slopes = tw_alloc_lines(4 * all),
                      .cells = tw_alloc_lines(all),
                      .bent = tw_alloc_lines(all),
                      .hidden = tw_alloc_lines(all),
                      .before = tw_alloc_lines(all),
                      .carry = tw_alloc_lines(2 * plane),
                      .scratch = tw_alloc_lines(4 * plane)};
}

void tw_lstm_done(tw_lstm *lstm) {
    free(lstm->gates);
    free(lstm->slopes);
    free(lstm->cells);
    free(lstm->bent);
    free(lstm->hidden);
    free(lstm->before);
    free(lstm->carry);
    free(lstm->scratch);
    *lstm = (tw_lstm){0};
}

void tw_lstm_draw(const tw_lstm *lstm, float *weights, uint64_t key) {
    int rows = lstm->inputs + lstm->H, columns = 4 * lstm->H;
    float scale = 1.0f / sqrtf((float)rows);
    for (int i = 0; i < rows * columns; i++) {
        tw_rng rng = tw_rng_at(key, (uint64_t)(i / columns), (uint64_t)(i % columns));
        weights[i] = scale * (float)tw_rng_normal(&rng);
    }
    for (int o = 0; o < columns; o++)
        weights[rows * columns + o] = o / lstm->H == 1 ? 1.0f : 0.0f;
}

/* s(z) and tanh(z) = 2 s(2 z) - 1 in place, by the kernels' exponential, which knows numbers up to zero only.
 *   z (B, 4H) in and out; scratch the same shape */
static void bend_gates(const tw_kernels *kernels, float *restrict z, float *restrict scratch, int B, int H) {
    for (int b = 0; b < B; b++) {
        float *row = z + b * 4 * H, *y = scratch + b * 4 * H;
        for (int j = 0; j < 2 * H; j++)
            y[j] = -fabsf(row[j]);
        for (int j = 2 * H; j < 3 * H; j++)
            y[j] = -2.0f * fabsf(row[j]);
        for (int j = 3 * H; j < 4 * H; j++)
            y[j] = -fabsf(row[j]);
    }
    kernels->exp_sum(scratch, 0, scratch, B * 4 * H);
    for (int b = 0; b < B; b++) {
        float *row = z + b * 4 * H;
        const float *y = scratch + b * 4 * H;
        for (int j = 0; j < 4 * H; j++) {
            float small = y[j] / (1.0f + y[j]); /* of the side below zero */
            bool tangent = j >= 2 * H && j < 3 * H;
            float size = tangent ? 1.0f - 2.0f * small : 1.0f - small;
            row[j] = row[j] >= 0 ? size : tangent ? -size : small;
        }
    }
}

static void bend_cells(const tw_kernels *kernels, const float *restrict c, float *restrict bent, int n) {
    for (int j = 0; j < n; j++)
        bent[j] = -2.0f * fabsf(c[j]);
    kernels->exp_sum(bent, 0, bent, n);
    for (int j = 0; j < n; j++)
        bent[j] = copysignf((1.0f - bent[j]) / (1.0f + bent[j]), c[j]);
}

/* The step's count rows begin at row; had of its sequences have a step before, whose rows begin at row - had. */
static void step_forward(tw_lstm *lstm, const float *Wh, int row, int had, int count) {
    int H = lstm->H;
    size_t at = (size_t)row * (size_t)H, held = (size_t)had * (size_t)H, plane = (size_t)count * (size_t)H;
    float *z = lstm->gates + 4 * at, *c = lstm->cells + at, *h = lstm->hidden + at, *bent = lstm->bent + at,
          *before = lstm->before + at;
    if (had) {
        memcpy(before, h - held, held * sizeof(float));
        tw_gemm(false, false, had, 4 * H, H, 1, before, Wh, 1, z);
    }
    memset(before + held, 0, (plane - held) * sizeof(float));
    bend_gates(lstm->kernels, z, lstm->scratch, count, H);
    for (int b = 0; b < count; b++) {
        const float *i = z + b * 4 * H, *f = i + H, *g = f + H;
        for (int j = 0; j < H; j++)
            c[b * H + j] = i[j] * g[j] + (b < had ? f[j] * (c - held)[b * H + j] : 0.0f);
    }
    bend_cells(lstm->kernels, c, bent, (int)plane);
    for (int b = 0; b < count; b++)
        for (int j = 0; j < H; j++)
            h[b * H + j] = z[b * 4 * H + 3 * H + j] * bent[b * H + j];
}

static int rows_of(const int *counts, int T) {
    int rows = 0;
    for (int t = 0; t < T; t++)
        rows += counts[t];
    return rows;
}

const float *tw_lstm_forward(tw_lstm *lstm, const float *weights, const float *x, const int *counts, int T) {
    int H = lstm->H, rows = rows_of(counts, T);
    size_t columns = 4 * (size_t)H;
    const float *Wh = weights + (size_t)lstm->inputs * columns, *bias = Wh + (size_t)H * columns;
    TW_ASSERT(T <= lstm->steps_max && counts[T - 1] <= lstm->batch_max);
    for (int r = 0; r < rows; r++)
        memcpy(lstm->gates + (size_t)r * columns, bias, columns * sizeof(float));
    tw_gemm(false, false, rows, 4 * H, lstm->inputs, 1, x, weights, 1, lstm->gates);
    for (int t = 0, row = 0; t < T; row += counts[t++])
        step_forward(lstm, Wh, row, t ? counts[t - 1] : 0, counts[t]);
    return lstm->hidden;
}

/* From slopes in h and c after a step to those in what went into its gates, and in c before it. */
static void step_backward(tw_lstm *lstm, const float *dh, int row, int had, int count) {
    int H = lstm->H;
    size_t at = (size_t)row * (size_t)H;
    const float *gates = lstm->gates + 4 * at, *cells = lstm->cells + at, *bent = lstm->bent + at;
    float *dz = lstm->slopes + 4 * at, *carry_h = lstm->carry,
          *carry_c = lstm->carry + (size_t)lstm->batch_max * (size_t)H;
    for (int b = 0; b < count; b++) {
        const float *i = gates + b * 4 * H, *f = i + H, *g = f + H, *o = g + H, *u = bent + b * H;
        const float *before = cells - (had - b) * H, *from_above = dh + at + b * H, *from_after = carry_h + b * H;
        float *di = dz + b * 4 * H, *df = di + H, *dg = df + H, *d_o = dg + H, *dc = carry_c + b * H;
        for (int j = 0; j < H; j++) {
            float slope = from_above[j] + from_after[j];
            float in_cell = dc[j] + slope * o[j] * (1.0f - u[j] * u[j]);
            d_o[j] = slope * u[j] * o[j] * (1.0f - o[j]);
            di[j] = in_cell * g[j] * i[j] * (1.0f - i[j]);
            df[j] = b < had ? in_cell * before[j] * f[j] * (1.0f - f[j]) : 0.0f;
            dg[j] = in_cell * i[j] * (1.0f - g[j] * g[j]);
            dc[j] = in_cell * f[j];
        }
    }
}

void tw_lstm_backward(tw_lstm *lstm, const float *weights, const float *x, const int *counts, int T, const float *dh,
                      float *slopes, float *dx) {
    int H = lstm->H, inputs = lstm->inputs, rows = rows_of(counts, T);
    size_t columns = 4 * (size_t)H;
    const float *Wh = weights + (size_t)inputs * columns;
    float *dWh = slopes + (size_t)inputs * columns, *db = dWh + (size_t)H * columns;
    memset(lstm->carry, 0, 2 * (size_t)lstm->batch_max * (size_t)H * sizeof(float));
    for (int t = T - 1, row = rows; t >= 0; t--) {
        int had = t ? counts[t - 1] : 0;
        row -= counts[t];
        step_backward(lstm, dh, row, had, counts[t]);
        if (had)
            tw_gemm(false, true, had, H, 4 * H, 1, lstm->slopes + (size_t)row * columns, Wh, 0, lstm->carry);
    }
    tw_gemm(true, false, inputs, 4 * H, rows, 1, x, lstm->slopes, 0, slopes);
    tw_gemm(true, false, H, 4 * H, rows, 1, lstm->before, lstm->slopes, 0, dWh);
    memset(db, 0, columns * sizeof(float));
    for (int r = 0; r < rows; r++)
        lstm->kernels->axpy(db, 1.0f, lstm->slopes + (size_t)r * columns, 4 * H);
    if (dx)
        tw_gemm(false, true, rows, inputs, 4 * H, 1, lstm->slopes, weights, 0, dx);
}
