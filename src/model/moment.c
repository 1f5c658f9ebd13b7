/* Moments of a user. Called for every event by what trains the propensity and by what asks it. */
#include "model/moment.h"

#include "base/err.h"
#include "base/hash.h"

#include <math.h>

#define DAY_MS 86400000
#define WEEK_MS (7LL * DAY_MS)
#define TURN 6.2831853f

tw_moment tw_moment_begin(const tw_moment *before, int64_t ms) {
    return (tw_moment){.ms = ms, .gap_ms = before ? ms - before->ms : -1, .before = before ? before->before + 1 : 0};
}

static bool meet(tw_moment_items *items, tw_slice id) {
    uint64_t hash = tw_hash64(id);
    uint32_t held = items->count < TW_MOMENT_ITEMS ? items->count : TW_MOMENT_ITEMS;
    for (uint32_t i = 0; i < held; i++)
        if (items->hashes[i] == hash)
            return true;
    items->hashes[items->count++ % TW_MOMENT_ITEMS] = hash;
    return false;
}

static void add_categories(tw_moment *moment, tw_slice text) {
    int names = 1;
    for (size_t i = 0; i < text.size; i++)
        names += text.data[i] == '|';
    for (const char *at = text.data, *end = text.data + text.size; at <= end; at++) {
        const char *bar = memchr(at, '|', (size_t)(end - at));
        size_t size = (size_t)((bar ? bar : end) - at);
        moment->buckets[tw_hash64((tw_slice){at, size}) % TW_MOMENT_BUCKETS] += 1.0f / (float)names;
        at += size;
    }
    moment->named++;
}

void tw_moment_add(tw_moment *moment, const tw_moment *before, tw_moment_items *items, const tw_event *event) {
    TW_ASSERT(event->kind < TW_MOMENT_KINDS);
    moment->kinds[event->kind]++;
    moment->count++;
    moment->again += meet(items, event->item_id);
    if (event->has & TW_HAS_PRICE) {
        moment->priced++;
        moment->price += (float)log1p(event->price);
    }
    if (event->has & TW_HAS_RATING) {
        moment->rated++;
        moment->rating += ((float)event->rating - 3.0f) / 2.0f;
    }
    moment->category = event->category.size ? tw_hash64(event->category) : 0;
    moment->same = before && moment->category && before->category == moment->category;
    if (event->category.size)
        add_categories(moment, event->category);
}

static float *put_turn(float *x, int64_t ms, int64_t period_ms) {
    float angle = TURN * (float)(ms % period_ms) / (float)period_ms;
    x[0] = sinf(angle);
    x[1] = cosf(angle);
    return x + 2;
}

void tw_moment_features(const tw_moment *moment, float *x) {
    float n = (float)moment->count;
    for (int k = 0; k < TW_MOMENT_KINDS; k++)
        *x++ = (float)moment->kinds[k] / n;
    *x++ = log1pf(n);
    *x++ = moment->priced ? moment->price / (float)moment->priced : 0;
    *x++ = (float)moment->priced / n;
    *x++ = moment->rated ? moment->rating / (float)moment->rated : 0;
    *x++ = moment->gap_ms > 0 ? log1pf((float)moment->gap_ms * 1e-3f) : 0;
    *x++ = moment->gap_ms < 0;
    *x++ = (float)moment->again / n;
    *x++ = moment->same;
    *x++ = log1pf((float)moment->before);
    x = put_turn(x, moment->ms, DAY_MS);
    x = put_turn(x, moment->ms, WEEK_MS);
    for (int c = 0; c < TW_MOMENT_BUCKETS; c++)
        *x++ = moment->named ? moment->buckets[c] / (float)moment->named : 0;
}
