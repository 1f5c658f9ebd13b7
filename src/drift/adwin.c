/* The exponential histogram and its cuts. Called by the model's detectors. */
#include "drift/adwin.h"

#include <math.h>
#include <string.h>

void tw_adwin_init(tw_adwin *adwin, double delta, double range, uint32_t least) {
    *adwin = (tw_adwin){.delta = delta, .range = range, .least = least};
}

typedef struct part {
    double n, sum, squares;
} part;

static void extend(part *p, const tw_adwin_bucket *b, double n) {
    double apart = p->n > 0 ? p->sum / p->n - b->sum / n : 0;
    p->squares += b->squares + apart * apart * p->n * n / (p->n + n);
    p->sum += b->sum;
    p->n += n;
}

static part whole(const tw_adwin *a) {
    part all = {0};
    for (int row = TW_ADWIN_ROWS - 1; row >= 0; row--)
        for (uint32_t i = a->used[row]; i-- > 0;)
            extend(&all, &a->buckets[row][i], exp2(row));
    return all;
}

double tw_adwin_count(const tw_adwin *adwin) {
    return whole(adwin).n;
}
double tw_adwin_mean(const tw_adwin *adwin) {
    part all = whole(adwin);
    return all.n > 0 ? all.sum / all.n : 0;
}

/* The two oldest of a row that is too full become one of the next. */
static void compress(tw_adwin *a) {
    for (int row = 0; row + 1 < TW_ADWIN_ROWS && a->used[row] > TW_ADWIN_WIDTH; row++) {
        part two = {0};
        extend(&two, &a->buckets[row][--a->used[row]], exp2(row));
        extend(&two, &a->buckets[row][--a->used[row]], exp2(row));
        memmove(&a->buckets[row + 1][1], &a->buckets[row + 1][0], a->used[row + 1] * sizeof(tw_adwin_bucket));
        a->buckets[row + 1][0] = (tw_adwin_bucket){two.sum, two.squares};
        a->used[row + 1]++;
    }
}

static void drop_oldest(tw_adwin *a) {
    int row = TW_ADWIN_ROWS - 1;
    while (row > 0 && a->used[row] == 0)
        row--;
    if (a->used[row] > 0)
        a->used[row]--;
}

/* ln(2 / d) at which a difference is just as far as eps: the positive root of sqrt(2 v L / m) + 2 R L / (3 m) = |difference|. */
static double log_bound(double difference, double variance, double range, double m) {
    double a = 2 * range / (3 * m), b = sqrt(2 * variance / m);
    if (!(a > 0) && !(b > 0))
        return difference != 0 ? INFINITY : 0;
    double root = a > 0 ? (-b + sqrt(b * b + 4 * a * fabs(difference))) / (2 * a) : fabs(difference) / b;
    return root * root;
}

/* The newer part of the first split, from the oldest, whose parts do not agree; false: all agree. */
static bool disagrees(const tw_adwin *a, tw_adwin_cut *ret_cut) {
    part all = whole(a), old = {0};
    double limit = log(2 * log(all.n > 3 ? all.n : 3) / a->delta);
    for (int row = TW_ADWIN_ROWS - 1; row >= 0; row--)
        for (uint32_t i = a->used[row]; i-- > 0;) {
            extend(&old, &a->buckets[row][i], exp2(row));
            double n = all.n - old.n;
            if (old.n < a->least || n < a->least)
                continue;
            double before = old.sum / old.n, after = (all.sum - old.sum) / n;
            double L = log_bound(after - before, all.squares / all.n, a->range, 1 / (1 / old.n + 1 / n));
            if (L <= limit)
                continue;
            *ret_cut = (tw_adwin_cut){old.n, n, before, after, fmin(1, 2 * log(all.n > 3 ? all.n : 3) * exp(-L))};
            return true;
        }
    return false;
}

bool tw_adwin_add(tw_adwin *adwin, double value, tw_adwin_cut *ret_cut) {
    tw_adwin_cut cut;
    bool cuts = false;
    memmove(&adwin->buckets[0][1], &adwin->buckets[0][0], adwin->used[0] * sizeof(tw_adwin_bucket));
    adwin->buckets[0][0] = (tw_adwin_bucket){value, 0};
    adwin->used[0]++;
    compress(adwin);
    while (disagrees(adwin, &cut)) {
        if (!cuts && ret_cut)
            *ret_cut = cut;
        cuts = true;
        drop_oldest(adwin);
    }
    return cuts;
}

void tw_adwin_keep(tw_adwin *adwin, double n) {
    while (tw_adwin_count(adwin) > n)
        drop_oldest(adwin);
}

void tw_adwin_encode(const tw_adwin *adwin, tw_buf *out) {
    for (int row = 0; row < TW_ADWIN_ROWS; row++) {
        tw_buf_u8(out, (uint8_t)adwin->used[row]);
        for (uint32_t i = 0; i < adwin->used[row]; i++) {
            tw_buf_f64(out, adwin->buckets[row][i].sum);
            tw_buf_f64(out, adwin->buckets[row][i].squares);
        }
    }
}

bool tw_adwin_load(tw_adwin *adwin, tw_cursor *c) {
    for (int row = 0; row < TW_ADWIN_ROWS; row++) {
        uint32_t used = tw_cursor_u8(c);
        if (c->bad || used > TW_ADWIN_WIDTH)
            return false;
        adwin->used[row] = used;
        for (uint32_t i = 0; i < used; i++) {
            adwin->buckets[row][i] = (tw_adwin_bucket){tw_cursor_f64(c), tw_cursor_f64(c)};
            if (!isfinite(adwin->buckets[row][i].sum) || !(adwin->buckets[row][i].squares >= 0))
                return false;
        }
    }
    return !c->bad;
}
