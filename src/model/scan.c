/* Bounds by 8-bit products, then exact scores of the few that remain. Called by the ranker through score.c. */
#include "model/scan.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/list.h"
#include "model/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What rounding adds, in the bounds and in the exact score: sums of D products of floats err by less than D 2^-24 |u| |v|, and with
 * D <= 512 and a factor of 4 to spare that is this share of |u| |v|. */
#define ROUNDING 1.25e-4f
/* The same of adding the bias and of the bounds' own last steps, as a share of what is added. */
#define BIAS_ROUNDING 5e-7f

/* A vector is copied anew when its rest is so many times what rounding to whole numbers leaves on the mean, s (D / 12)^(1/2): the less often
 * copied, the more items are scored exactly. */
#define REST_MOST 8.0f
/* No step of a bound is so many times the product of the largest lengths. */
#define OVERFLOWS 64.0f
/* Below this scale the squares of a rest are too small for a float. */
#define SCALE_LEAST 1e-15f

/* Changed rows that are asked for before they are copied. */
#define AHEAD 8

void tw_scan_init(tw_scan *scan, const tw_kernels *kernels, tw_items *items) {
    *scan = (tw_scan){.kernels = kernels, .D = items->out.D};
    items->dirty.watch = items->dirty_out.watch = &scan->stale;
}

void tw_scan_done(tw_scan *scan) {
    free(scan->blocks);
    free(scan->rows);
    free(scan->scale);
    free(scan->rest);
    free(scan->bias);
    for (int i = 0; i < TW_SCAN_AHEAD; i++) {
        free(scan->ahead[i].user);
        free(scan->ahead[i].peaks);
    }
    free(scan->best);
    free(scan->best_scores);
    free(scan->best_upper);
    free(scan->excluded);
    tw_dirty_done(&scan->stale);
    free(scan->hidden);
}

void tw_scan_forget(tw_scan *scan) {
    scan->n = 0;
    for (int i = 0; i < TW_SCAN_AHEAD; i++)
        scan->ahead[i].vector = NULL;
}

static void copy_bytes(tw_scan *scan, uint32_t item, const int8_t *q) {
    uint8_t *at =
        scan->blocks + (size_t)(item / TW_BLOCK_ROWS) * (size_t)scan->D * TW_BLOCK_ROWS + 4 * (item % TW_BLOCK_ROWS);
    for (int d = 0; d < scan->D; d += 4, at += 4 * TW_BLOCK_ROWS) {
        uint32_t four;
        memcpy(&four, q + d, sizeof four);
        four ^= 0x80808080; /* adds 128 to each */
        memcpy(at, &four, sizeof four);
    }
}

static void meet_size(tw_scan *scan, float size) {
    scan->size = size > scan->size ? size : scan->size;
}

/* The copy still bounds the vector well, with a new rest. What is not finite fails here too, and is found when it is copied. */
static bool stays_near(tw_scan *scan, const float *vector, uint32_t item) {
    const int8_t *q = scan->rows + (size_t)item * (size_t)scan->D;
    float scale = scan->scale[item], most = REST_MOST * scale * sqrtf((float)scan->D / 12);
    if (scale < SCALE_LEAST)
        return false;
    float rest = scan->kernels->rest_of(vector, q, scale, scan->D);
    if (!(rest <= most))
        return false;
    scan->rest[item] = rest + ROUNDING * (scale * scan->N + rest);
    meet_size(scan, scale * scan->N + rest);
    return true;
}

static void copy_row(tw_scan *scan, const tw_items *items, uint32_t item) {
    int8_t *q = scan->rows + (size_t)item * (size_t)scan->D;
    const float *vector = tw_row(&items->out, item);
    float N, E, bias = items->bias[item] + BIAS_ROUNDING * fabsf(items->bias[item]);
    bool shown = tw_item_shown(items, item);
    if (shown && isfinite(bias) && stays_near(scan, vector, item)) {
        scan->bias[item] = bias;
        return;
    }
    scan->scale[item] = scan->rest[item] = 0;
    scan->bias[item] = -INFINITY;
    if (!shown)
        return;
    float scale = scan->kernels->to_bytes(vector, q, &N, &E, scan->D);
    if (!isfinite(scale) || !isfinite(bias)) {
        scan->off = true;
        return;
    }
    scan->scale[item] = scale;
    scan->rest[item] = scale * (E + ROUNDING * (N + E));
    scan->bias[item] = bias;
    scan->N = N > scan->N ? N : scan->N;
    meet_size(scan, scale * (N + E));
    copy_bytes(scan, item, q);
}

static void reserve(tw_scan *scan, uint32_t n) {
    size_t D = (size_t)scan->D;
    if (n <= scan->capacity)
        return;
    size_t capacity = ((size_t)n + n / 2 + TW_STRETCH_ROWS) / TW_STRETCH_ROWS * TW_STRETCH_ROWS;
    free(scan->blocks);
    scan->blocks = tw_alloc_large(capacity * D);
    free(scan->excluded);
    scan->excluded = tw_zalloc(capacity);
    free(scan->rows);
    scan->rows = tw_alloc_large(capacity * D);
    free(scan->scale);
    free(scan->rest);
    free(scan->bias);
    scan->scale = tw_alloc_lines(capacity * sizeof(float));
    scan->rest = tw_alloc_lines(capacity * sizeof(float));
    scan->bias = tw_alloc_lines(capacity * sizeof(float));
    for (size_t i = 0; i < capacity; i++) {
        scan->scale[i] = 0;
        scan->bias[i] = -INFINITY;
    }
    scan->capacity = capacity;
    scan->n = 0;
}

TW_PREFETCHES void prefetch_row(const tw_scan *scan, const tw_items *items, uint32_t item) {
    tw_row_prefetch(&items->out, item);
    TW_PREFETCH(&items->flags[item]);
    TW_PREFETCH(&items->bias[item]);
    for (int d = 0; d < scan->D; d += 64)
        TW_PREFETCH(scan->rows + (size_t)item * (size_t)scan->D + d);
    TW_PREFETCH(&scan->scale[item]);
    TW_PREFETCH(&scan->rest[item]);
    TW_PREFETCH(&scan->bias[item]);
}

/* Changed and new items; bounds from before hold no more. */
static void catch_up(tw_scan *scan, const tw_items *items) {
    uint32_t n = items->slots.end;
    if (scan->stale.count == 0 && scan->n == n)
        return;
    for (int i = 0; i < TW_SCAN_AHEAD; i++)
        scan->ahead[i].vector = NULL;
    reserve(scan, n);
    for (size_t i = 0; i < scan->stale.count + AHEAD; i++) {
        if (i < scan->stale.count && scan->stale.list[i] < scan->n)
            prefetch_row(scan, items, scan->stale.list[i]);
        if (i >= AHEAD && scan->stale.list[i - AHEAD] < scan->n)
            copy_row(scan, items, scan->stale.list[i - AHEAD]);
    }
    tw_dirty_clear(&scan->stale);
    for (; scan->n < n; scan->n++)
        copy_row(scan, items, scan->n);
}

static uint32_t stretches_of(const tw_scan *scan) {
    return (scan->n + TW_STRETCH_ROWS - 1) / TW_STRETCH_ROWS;
}

/* The lower bounds that lead so far, best first. */
typedef struct leaders {
    float *lower; /* (top) */
    int top, count;
} leaders;

static float reached(const leaders *l) {
    return l->count == l->top ? l->lower[l->top - 1] : -INFINITY;
}

static void lead(leaders *l, float lower) {
    if (l->count == l->top && lower <= l->lower[l->top - 1])
        return;
    int at = l->count < l->top ? l->count++ : l->count - 1;
    for (; at > 0 && lower > l->lower[at - 1]; at--)
        l->lower[at] = l->lower[at - 1];
    l->lower[at] = lower;
}

/* Of a stretch, the items whose upper bound reaches what leads by the time they are met. */
static int meet(tw_scan *scan, const tw_scan_bounds *bounds, uint32_t stretch, leaders *l, int count) {
    _Alignas(64) float upper[TW_STRETCH_ROWS], peaks[TW_STRETCH_BLOCKS];
    uint32_t from = stretch * TW_STRETCH_ROWS;
    scan->kernels->bound_rows(scan->blocks + (size_t)from * (size_t)scan->D, bounds->user, scan->scale + from,
                              scan->rest + from, scan->bias + from, bounds->scale, bounds->beta, bounds->gamma, upper,
                              peaks, TW_STRETCH_BLOCKS, scan->D);
    size_t most = (size_t)count + TW_STRETCH_ROWS;
    scan->best = tw_grow(scan->best, &scan->best_capacity, most, sizeof *scan->best);
    scan->best_upper = tw_grow(scan->best_upper, &scan->best_upper_capacity, most, sizeof *scan->best_upper);
    for (uint32_t i = 0; i < TW_STRETCH_ROWS; i++) {
        uint32_t item = from + i;
        if (upper[i] == -INFINITY || upper[i] < reached(l) || scan->excluded[item])
            continue;
        scan->best[count] = item;
        scan->best_upper[count++] = upper[i];
        float slack = BIAS_ROUNDING * 2 * (fabsf(upper[i]) + fabsf(scan->bias[item]));
        lead(l, upper[i] - 2 * (bounds->beta * scan->scale[item] + bounds->gamma * scan->rest[item]) - slack);
    }
    return count;
}

/* Stretches whose largest upper bound reaches what leads. Those with the largest of all come first: what leads then is near its end, and few others
 * are met. */
static int collect(tw_scan *scan, tw_scan_bounds *bounds, leaders *l) {
    float highest[TW_LIST_SIZE_MAX];
    leaders first = {.lower = highest, .top = l->top};
    uint32_t stretches = stretches_of(scan);
    int count = 0;
    for (uint32_t s = 0; s < stretches; s++)
        if (bounds->peaks[s] > reached(&first))
            lead(&first, bounds->peaks[s]);
    for (uint32_t s = 0; s < stretches; s++)
        if (bounds->peaks[s] >= reached(&first) && bounds->peaks[s] >= reached(l)) {
            count = meet(scan, bounds, s, l, count);
            bounds->peaks[s] = -INFINITY;
        }
    for (uint32_t s = 0; s < stretches; s++)
        if (bounds->peaks[s] > -INFINITY && bounds->peaks[s] >= reached(l))
            count = meet(scan, bounds, s, l, count);
    return count;
}

/* false: no bound holds for this vector. */
static bool prepare(tw_scan *scan, tw_scan_bounds *bounds, const float *vector) {
    float N, E;
    if (!bounds->user)
        bounds->user = tw_alloc_lines((size_t)scan->D);
    if (bounds->capacity != scan->capacity) {
        free(bounds->peaks);
        bounds->peaks = tw_alloc_lines(scan->capacity / TW_STRETCH_ROWS * sizeof(float));
        bounds->capacity = scan->capacity;
    }
    bounds->scale = scan->kernels->to_bytes(vector, bounds->user, &N, &E, scan->D);
    E += ROUNDING * N;
    bounds->beta = bounds->scale * E * scan->N;
    bounds->gamma = bounds->scale * (N + E);
    bounds->vector = vector;
    return !scan->off && isfinite(OVERFLOWS * bounds->gamma * scan->size);
}

void tw_scan_look_ahead(tw_scan *scan, const tw_items *items, const float *const *vectors, int count) {
    tw_peaks asked[TW_SCAN_AHEAD];
    int held = 0;
    TW_ASSERT(count <= TW_SCAN_AHEAD);
    catch_up(scan, items);
    for (int i = 0; i < count; i++)
        held += prepare(scan, &scan->ahead[held], vectors[i]);
    for (int i = held; i < TW_SCAN_AHEAD; i++)
        scan->ahead[i].vector = NULL;
    for (int i = 0; i < held; i++) {
        const tw_scan_bounds *b = &scan->ahead[i];
        asked[i] = (tw_peaks){.x = b->user, .alpha = b->scale, .beta = b->beta, .gamma = b->gamma, .peaks = b->peaks};
    }
    scan->kernels->peak_rows(scan->blocks, scan->scale, scan->rest, scan->bias, asked, held, (int)stretches_of(scan),
                             scan->D);
}

static tw_scan_bounds *bounds_of(tw_scan *scan, const float *vector) {
    for (int i = 0; i < TW_SCAN_AHEAD; i++)
        if (scan->ahead[i].vector == vector)
            return &scan->ahead[i];
    return NULL;
}

int tw_scan_best(tw_scan *scan, const tw_items *items, const float *vector, const uint32_t *excluded,
                 uint32_t excluded_count, int top) {
    float lower[TW_LIST_SIZE_MAX];
    leaders l = {.lower = lower, .top = top};
    TW_ASSERT(top >= 1 && top <= TW_LIST_SIZE_MAX);
    catch_up(scan, items);
    if (!bounds_of(scan, vector))
        tw_scan_look_ahead(scan, items, &vector, 1);
    tw_scan_bounds *bounds = bounds_of(scan, vector);
    if (!bounds)
        return -1;
    bounds->vector = NULL;
    for (uint32_t i = 0; i < excluded_count; i++)
        scan->excluded[excluded[i]] = 1;
    int met = collect(scan, bounds, &l), count = 0;
    for (uint32_t i = 0; i < excluded_count; i++)
        scan->excluded[excluded[i]] = 0;
    scan->best_scores =
        tw_grow(scan->best_scores, &scan->best_scores_capacity, scan->best_capacity, sizeof *scan->best_scores);
    for (int i = 0; i < met; i++) {
        uint32_t item = scan->best[i];
        if (scan->best_upper[i] < reached(&l))
            continue;
        scan->best_scores[count] = /* as tw_mf_score has it */
            scan->kernels->dot(tw_row(&items->out, item), vector, scan->D) + items->bias[item];
        scan->best[count++] = item;
    }
    return count;
}
