/* A user's decayed counts. Called by the model for each applied event and by the row of the user. */
#include "model/taste.h"

#include "base/alloc.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* What is left of price and pace at each event: about the last ten (chosen, not measured). */
#define MANNER_DECAY 0.9f
#define DAY_MS 86400000.0

void tw_taste_done(tw_taste *taste) {
    free(taste->counts);
    *taste = (tw_taste){0};
}

static void reach(tw_taste *taste, uint32_t categories) {
    if (categories <= taste->categories)
        return;
    size_t old = tw_taste_bytes(taste);
    taste->categories = categories;
    taste->counts = tw_realloc(taste->counts, tw_taste_bytes(taste));
    memset((char *)taste->counts + old, 0, tw_taste_bytes(taste) - old);
}

static void mix(float *sum, float *weight, float value) {
    *sum = MANNER_DECAY * *sum + value;
    *weight = MANNER_DECAY * *weight + 1;
}

void tw_taste_come(tw_taste *taste, int64_t event_ms, int64_t since_ms) {
    if (since_ms >= 0) {
        taste->activity *= expf((float)since_ms * (float)(-1 / (DAY_MS * TW_ACTIVITY_DAYS)));
        taste->activity = taste->activity > FLT_MIN ? taste->activity : FLT_MIN; /* zero means: never here */
    }
    if (taste->activity == 0)
        taste->first_ms = event_ms;
    taste->activity += 1;
}

double tw_taste_per_day(const tw_taste *taste, int64_t last_ms, int64_t now_ms) {
    double idle_days = (double)(now_ms > last_ms ? now_ms - last_ms : 0) / DAY_MS;
    double age_days = (double)(now_ms - taste->first_ms) / DAY_MS;
    double kept = 1 - exp(-(age_days > 1 ? age_days : 1) / TW_ACTIVITY_DAYS);
    return (double)taste->activity * exp(-idle_days / TW_ACTIVITY_DAYS) / (TW_ACTIVITY_DAYS * kept);
}

void tw_taste_meet(tw_taste *taste, const tw_category_shares *shares, const float *decays, double price,
                   int64_t since_ms) {
    if (isfinite(price))
        mix(&taste->price, &taste->price_weight, (float)log1p(price > 0 ? price : 0));
    if (since_ms >= 0)
        mix(&taste->pace, &taste->pace_weight, log1pf((float)since_ms * 1e-3f));
    if (shares->count == 0)
        return;
    for (int i = 0; i < shares->count; i++)
        reach(taste, shares->numbers[i] + 1u);
    for (uint32_t c = 0; c < taste->categories; c++)
        for (int k = 0; k < TW_HORIZONS; k++)
            taste->counts[c * TW_HORIZONS + (uint32_t)k] *= decays[k];
    for (int i = 0; i < shares->count; i++)
        for (int k = 0; k < TW_HORIZONS; k++)
            taste->counts[shares->numbers[i] * TW_HORIZONS + k] += shares->shares[i];
}

static void encode_manner(const tw_taste *taste, tw_buf *out) {
    tw_buf_f32(out, taste->price);
    tw_buf_f32(out, taste->price_weight);
    tw_buf_f32(out, taste->pace);
    tw_buf_f32(out, taste->pace_weight);
    tw_buf_f32(out, taste->activity);
    tw_buf_u64(out, (uint64_t)taste->first_ms);
}

void tw_taste_encode(const tw_taste *taste, tw_buf *out) {
    encode_manner(taste, out);
    tw_buf_u32(out, taste->categories);
    tw_buf_put(out, taste->counts, tw_taste_bytes(taste));
}

static void load_manner(tw_taste *taste, tw_cursor *c) {
    taste->price = tw_cursor_f32(c);
    taste->price_weight = tw_cursor_f32(c);
    taste->pace = tw_cursor_f32(c);
    taste->pace_weight = tw_cursor_f32(c);
    taste->activity = tw_cursor_f32(c);
    taste->first_ms = (int64_t)tw_cursor_u64(c);
}

void tw_taste_load(tw_taste *taste, tw_cursor *c) {
    load_manner(taste, c);
    uint32_t categories = tw_cursor_u32(c);
    size_t bytes = (size_t)categories * TW_HORIZONS * sizeof(float);
    const void *counts = tw_cursor_take(c, bytes);
    if (c->bad)
        return;
    reach(taste, categories);
    if (bytes)
        memcpy(taste->counts, counts, bytes);
}

static bool met(const tw_taste *taste, uint32_t category) {
    float sum = 0;
    for (int k = 0; k < TW_HORIZONS; k++)
        sum += tw_taste_count(taste, category, k);
    return sum > 0;
}

void tw_taste_export(const tw_taste *taste, const tw_categories *categories, tw_buf *out) {
    uint32_t count = 0;
    for (uint32_t c = 0; c < taste->categories; c++)
        count += met(taste, c);
    encode_manner(taste, out);
    tw_buf_u32(out, count);
    for (uint32_t c = 0; c < taste->categories; c++)
        if (met(taste, c)) {
            tw_buf_text(out, tw_categories_name(categories, c));
            tw_buf_put(out, taste->counts + c * TW_HORIZONS, TW_HORIZONS * sizeof(float));
        }
}

void tw_taste_import(tw_taste *taste, tw_cursor *c, uint32_t (*add)(void *self, tw_slice name), void *self) {
    load_manner(taste, c);
    uint32_t count = tw_cursor_u32(c);
    for (uint32_t i = 0; i < count && !c->bad; i++) {
        tw_slice name = tw_cursor_text(c);
        float counts[TW_HORIZONS];
        for (int k = 0; k < TW_HORIZONS; k++)
            counts[k] = tw_cursor_f32(c);
        if (c->bad || name.size == 0 || name.size > TW_CATEGORY_NAME_MAX) {
            c->bad = true;
            return;
        }
        uint32_t number = add(self, name);
        reach(taste, number + 1);
        for (int k = 0; k < TW_HORIZONS; k++) /* several may share the rest's */
            taste->counts[number * TW_HORIZONS + (uint32_t)k] += counts[k];
    }
}
