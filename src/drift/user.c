/* One user's counts and evidence. Called by drift.c for each applied event that counts. */
#include "drift/user.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Visits that the mix of all users is worth, before; and since, where a new taste is expected to be narrow (chosen on the synthetic
 * shop's first million events, November 2026). */
static const double prior_before[TW_DRIFT_PRIORS] = {1, 16};

#define PRIOR_SINCE 0.5

#define UNIT_MAX 1e9f

tw_drift_taste *tw_drift_taste_create(void) {
    tw_drift_taste *taste = tw_zalloc(sizeof *taste);
    taste->unit = 1;
    return taste;
}

tw_drift_taste *tw_drift_taste_free(tw_drift_taste *taste) {
    free(taste);
    return NULL;
}

static tw_drift_taste_entry *find(tw_drift_taste *taste, uint8_t category) {
    for (uint16_t i = 0; i < taste->count; i++)
        if (taste->entries[i].category == category)
            return &taste->entries[i];
    return NULL;
}

const tw_drift_taste_entry *tw_drift_taste_find(const tw_drift_taste *taste, uint8_t category) {
    return find((tw_drift_taste *)taste, category);
}

static double predict(double count, double sum, double mix, double prior) {
    return (count + prior * mix) / (sum + prior);
}

/* By all that was met: before and since the candidate change. */
static double unchanged(const tw_drift_taste *taste, const tw_drift_taste_entry *entry, double mix, int prior) {
    double unit = 1.0 / (double)taste->unit;
    double count = entry ? (double)entry->before * unit + (double)entry->since : 0;
    return predict(count, (double)taste->before_sum * unit + (double)taste->since_sum, mix, prior_before[prior]);
}

double tw_drift_taste_share(const tw_drift_taste *taste, const tw_drift_taste_common *common, uint8_t category) {
    return unchanged(taste, tw_drift_taste_find(taste, category), common->mix[category], 0);
}

static tw_drift_taste_entry *entry_of(tw_drift_taste **taste, uint8_t category) {
    tw_drift_taste_entry *entry = find(*taste, category);
    if (entry)
        return entry;
    if ((*taste)->count == (*taste)->capacity) {
        uint16_t capacity = (uint16_t)((*taste)->capacity < 2 ? 2 : (*taste)->capacity + (*taste)->capacity / 2);
        *taste = tw_realloc(*taste, sizeof **taste + capacity * sizeof(tw_drift_taste_entry));
        (*taste)->capacity = capacity;
    }
    entry = &(*taste)->entries[(*taste)->count++];
    *entry = (tw_drift_taste_entry){.category = category};
    return entry;
}

/* Nothing speaks for a change since the candidate: what came since belongs to the past. */
static void merge(tw_drift_taste *taste, double half_life) {
    taste->unit *= (float)exp2((double)taste->since_sum / half_life);
    for (uint16_t i = 0; i < taste->count; i++) {
        tw_drift_taste_entry *entry = &taste->entries[i];
        if (entry->since > 0) {
            entry->before += entry->since * taste->unit;
            taste->before_sum += entry->since * taste->unit;
            entry->since = 0;
        }
    }
    if (taste->unit > UNIT_MAX) {
        for (uint16_t i = 0; i < taste->count; i++)
            taste->entries[i].before /= taste->unit;
        taste->before_sum /= taste->unit;
        taste->unit = 1;
    }
    taste->since_sum = 0;
    taste->events = 0;
    memset(taste->evidence, 0, sizeof taste->evidence);
}

bool tw_drift_taste_add(tw_drift_taste **taste_, const tw_drift_taste_common *common, uint8_t category,
                        uint32_t time_s) {
    tw_drift_taste_entry *entry = entry_of(taste_, category);
    tw_drift_taste *taste = *taste_;
    double rho = common->rho, least = INFINITY;
    double mix = common->mix[category];
    double after = rho + (1 - rho) * predict((double)entry->since, (double)taste->since_sum, mix, PRIOR_SINCE);
    if (taste->events++ == 0)
        taste->since_s = time_s;
    for (int i = 0; i < TW_DRIFT_PRIORS; i++) {
        taste->evidence[i] += (float)log(after / (rho + (1 - rho) * unchanged(taste, entry, mix, i)));
        least = (double)taste->evidence[i] < least ? (double)taste->evidence[i] : least;
    }
    entry->since += (float)(1 - rho);
    taste->since_sum += (float)(1 - rho);
    entry->last_s = time_s > entry->last_s ? time_s : entry->last_s;
    taste->last_s = time_s > taste->last_s ? time_s : taste->last_s;
    taste->last_category = category;
    if (least >= common->threshold)
        return true;
    if (least <= 0)
        merge(taste, common->half_life);
    return false;
}

double tw_drift_taste_evidence(const tw_drift_taste *taste) {
    float least = taste->evidence[0];
    for (int i = 1; i < TW_DRIFT_PRIORS; i++)
        least = taste->evidence[i] < least ? taste->evidence[i] : least;
    return (double)least;
}

void tw_drift_taste_settle(tw_drift_taste *taste) {
    taste->unit = 1;
    taste->before_sum = 0;
    for (uint16_t i = 0; i < taste->count; i++) {
        taste->entries[i].before = taste->entries[i].since;
        taste->before_sum += taste->entries[i].since;
        taste->entries[i].since = 0;
    }
    taste->since_sum = 0;
    taste->events = 0;
    memset(taste->evidence, 0, sizeof taste->evidence);
}

void tw_drift_taste_counts(const tw_drift_taste *taste, double *before, double *since) {
    if (before)
        memset(before, 0, TW_DRIFT_CATEGORIES * sizeof *before);
    if (since)
        memset(since, 0, TW_DRIFT_CATEGORIES * sizeof *since);
    for (uint16_t i = 0; i < taste->count; i++) {
        const tw_drift_taste_entry *entry = &taste->entries[i];
        if (before)
            before[entry->category] = (double)entry->before / (double)taste->unit;
        if (since)
            since[entry->category] = (double)entry->since;
    }
}

void tw_drift_taste_encode(const tw_drift_taste *taste, tw_buf *out) {
    tw_buf_u16(out, taste->count);
    tw_buf_u8(out, taste->last_category);
    tw_buf_u32(out, taste->last_s);
    tw_buf_u32(out, taste->since_s);
    tw_buf_u32(out, taste->events);
    tw_buf_f32(out, taste->unit);
    tw_buf_f32(out, taste->before_sum);
    tw_buf_f32(out, taste->since_sum);
    for (int i = 0; i < TW_DRIFT_PRIORS; i++)
        tw_buf_f32(out, taste->evidence[i]);
    for (uint16_t i = 0; i < taste->count; i++) {
        tw_buf_u8(out, taste->entries[i].category);
        tw_buf_u32(out, taste->entries[i].last_s);
        tw_buf_f32(out, taste->entries[i].before);
        tw_buf_f32(out, taste->entries[i].since);
    }
}

static bool sound(const tw_drift_taste *taste) {
    bool good = taste->unit > 0 && isfinite(taste->unit) && taste->before_sum >= 0 && isfinite(taste->before_sum) &&
                taste->since_sum >= 0 && isfinite(taste->since_sum) && taste->last_category < TW_DRIFT_CATEGORIES;
    for (int i = 0; i < TW_DRIFT_PRIORS; i++)
        good = good && isfinite(taste->evidence[i]);
    for (uint16_t i = 0; i < taste->count; i++) {
        const tw_drift_taste_entry *entry = &taste->entries[i];
        good = good && entry->category < TW_DRIFT_CATEGORIES && entry->before >= 0 && isfinite(entry->before) &&
               entry->since >= 0 && isfinite(entry->since);
    }
    return good;
}

tw_code tw_drift_taste_decode(tw_cursor *c, tw_drift_taste **ret_taste, tw_err *err) {
    uint16_t count = tw_cursor_u16(c);
    if (c->bad || count > TW_DRIFT_CATEGORIES)
        return tw_fail(err, TW_E_CORRUPT, "a user's taste is damaged");
    tw_drift_taste *taste = tw_zalloc(sizeof *taste + count * sizeof(tw_drift_taste_entry));
    taste->count = taste->capacity = count;
    taste->last_category = tw_cursor_u8(c);
    taste->last_s = tw_cursor_u32(c);
    taste->since_s = tw_cursor_u32(c);
    taste->events = tw_cursor_u32(c);
    taste->unit = tw_cursor_f32(c);
    taste->before_sum = tw_cursor_f32(c);
    taste->since_sum = tw_cursor_f32(c);
    for (int i = 0; i < TW_DRIFT_PRIORS; i++)
        taste->evidence[i] = tw_cursor_f32(c);
    for (uint16_t i = 0; i < count; i++) {
        tw_drift_taste_entry *entry = &taste->entries[i];
        entry->category = tw_cursor_u8(c);
        entry->last_s = tw_cursor_u32(c);
        entry->before = tw_cursor_f32(c);
        entry->since = tw_cursor_f32(c);
    }
    if (c->bad || !sound(taste)) {
        free(taste);
        return tw_fail(err, TW_E_CORRUPT, "a user's taste is damaged");
    }
    *ret_taste = taste;
    return TW_OK;
}
