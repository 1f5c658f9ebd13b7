/* The judge of one input partition: rules, lateness, duplicates, in that order; its counters, its watermark and the running
 * statistics of numeric features. Called by the engine for each record, in order; engine thread. */
#include "pipeline/clean/clean.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "pipeline/clean/dedup.h"
#include "pipeline/clean/rules.h"

#include <math.h>
#include <stdlib.h>

struct tw_clean {
    const tw_config *config;
    const tw_clean *history; /* NULL: none */
    int64_t watermark_ms;
    tw_clean_counters counters;
    tw_clean_feature features[TW_FEATURE_COUNT];
    tw_dedup *windows[TW_WINDOW_COUNT];
    tw_clean_window draining; /* of next_change */
    tw_buf drained;
};

tw_clean *tw_clean_create(const tw_config *config) {
    tw_clean *clean = tw_zalloc(sizeof *clean);
    clean->config = config;
    clean->watermark_ms = INT64_MIN;
    clean->windows[TW_WINDOW_CLICK] = tw_dedup_create(config->dedup_window_click_ms, config->dedup_exact);
    clean->windows[TW_WINDOW_PURCHASE] = tw_dedup_create(config->dedup_window_purchase_ms, config->dedup_exact);
    clean->windows[TW_WINDOW_REVIEW] = tw_dedup_create(config->dedup_window_review_ms, config->dedup_exact);
    return clean;
}

tw_clean *tw_clean_free(tw_clean *clean) {
    if (clean) {
        for (int w = 0; w < TW_WINDOW_COUNT; w++)
            tw_dedup_free(clean->windows[w]);
        tw_buf_done(&clean->drained);
        free(clean);
    }
    return NULL;
}

void tw_clean_follow(tw_clean *clean, const tw_clean *history) {
    clean->history = history;
}

static tw_clean_window window_of(tw_kind kind) {
    switch (kind) {
    case TW_KIND_PURCHASE:
    case TW_KIND_RETURN:
        return TW_WINDOW_PURCHASE;
    case TW_KIND_REVIEW:
        return TW_WINDOW_REVIEW;
    default:
        return TW_WINDOW_CLICK;
    }
}

static int64_t lateness_of(const tw_config *config, tw_clean_window window) {
    switch (window) {
    case TW_WINDOW_PURCHASE:
        return config->clean_lateness_purchase_ms;
    case TW_WINDOW_REVIEW:
        return config->clean_lateness_review_ms;
    default:
        return config->clean_lateness_click_ms;
    }
}

static char *put(char *to, const void *bytes, size_t size) {
    if (size) /* an empty text may have no address */
        memcpy(to, bytes, size);
    return to + size;
}

/* An id is kind and event id; without one, kind, user, item and time, each text with its length before it so that fields
 * cannot run together. */
static tw_hash128 id_of(const tw_event *e) {
    char bytes[2 * TW_ID_SIZE_MAX + 64], *end = bytes;
    uint8_t head[2] = {(uint8_t)e->kind, e->event_id.size > 0};
    end = put(end, head, sizeof head);
    if (e->event_id.size > 0) {
        end = put(end, e->event_id.data, e->event_id.size);
    } else {
        uint32_t sizes[2] = {(uint32_t)e->user_id.size, (uint32_t)e->item_id.size};
        end = put(end, sizes, sizeof sizes);
        end = put(end, e->user_id.data, e->user_id.size);
        end = put(end, e->item_id.data, e->item_id.size);
        end = put(end, &e->event_ms, sizeof e->event_ms);
    }
    return tw_hash128_of((tw_slice){bytes, (size_t)(end - bytes)});
}

bool tw_clean_id(const tw_clean *clean, const tw_event *event, tw_hash128 *ret_id) {
    if (!clean->config->dedup_enabled || event->user_id.size > TW_ID_SIZE_MAX || event->item_id.size > TW_ID_SIZE_MAX ||
        event->event_id.size > TW_ID_SIZE_MAX || event->kind == TW_KIND_ITEM)
        return false;
    *ret_id = id_of(event);
    return true;
}

void tw_clean_prefetch(const tw_clean *clean, tw_kind kind, tw_hash128 id) {
    tw_dedup_prefetch(clean->windows[window_of(kind)], id);
}

void tw_clean_prefetch_more(const tw_clean *clean, tw_kind kind, tw_hash128 id) {
    tw_dedup_prefetch_more(clean->windows[window_of(kind)], id);
}

static void add_feature(tw_clean_feature *f, double x) {
    f->count++;
    double delta = x - f->mean;
    f->mean += delta / (double)f->count;
    f->m2 += delta * (x - f->mean);
}

static void add_features(tw_clean *clean, const tw_event *e) {
    if (e->has & TW_HAS_PRICE)
        add_feature(&clean->features[TW_FEATURE_PRICE], e->price);
    if (e->has & TW_HAS_RATING)
        add_feature(&clean->features[TW_FEATURE_RATING], e->rating);
    if (e->has & TW_HAS_QUANTITY)
        add_feature(&clean->features[TW_FEATURE_QUANTITY], e->quantity);
}

/* The bound on live ids holds over all windows of the partition: the fullest one gives up its oldest bucket. */
static void bound_ids(tw_clean *clean) {
    while (tw_clean_ids_live(clean) > (size_t)clean->config->dedup_ids_max) {
        tw_dedup *fullest = clean->windows[0];
        for (int w = 1; w < TW_WINDOW_COUNT; w++)
            if (tw_dedup_live(clean->windows[w]) > tw_dedup_live(fullest))
                fullest = clean->windows[w];
        clean->counters.forgotten_early += tw_dedup_forget_oldest(fullest);
    }
}

/* known: its id, NULL if it is not known yet */
static tw_verdict judge_good(tw_clean *clean, const tw_event *e, const tw_hash128 *known) {
    if (e->kind == TW_KIND_ITEM) /* news of an item repeats harmlessly and belongs to no window */
        return TW_VERDICT_APPLIED;
    tw_clean_window window = window_of(e->kind);
    const tw_clean *history = clean->history;
    int64_t reached_ms =
        history && history->watermark_ms > clean->watermark_ms ? history->watermark_ms : clean->watermark_ms;
    if (reached_ms != INT64_MIN && e->event_ms < reached_ms - lateness_of(clean->config, window))
        return TW_VERDICT_LATE;
    int64_t newest_ms = e->event_ms > reached_ms ? e->event_ms : reached_ms;
    if (clean->config->dedup_enabled) {
        tw_hash128 id = known ? *known : id_of(e);
        if (history && tw_dedup_holds(history->windows[window], id))
            return TW_VERDICT_DUPLICATE;
        if (tw_dedup_seen(clean->windows[window], id, e->event_ms, newest_ms))
            return TW_VERDICT_DUPLICATE;
    }
    clean->watermark_ms = newest_ms;
    bound_ids(clean);
    return TW_VERDICT_APPLIED;
}

static tw_verdict judge(tw_clean *clean, const tw_event *event, const tw_hash128 *id, tw_reason reason) {
    tw_verdict verdict = reason != TW_REASON_NONE ? TW_VERDICT_DEAD : judge_good(clean, event, id);
    clean->counters.verdicts[verdict]++;
    if (verdict == TW_VERDICT_DEAD)
        clean->counters.reasons[reason]++;
    else if (verdict == TW_VERDICT_APPLIED)
        add_features(clean, event);
    return verdict;
}

tw_verdict tw_clean_judge(tw_clean *clean, const tw_event *event, tw_reason decode_reason, int64_t now_ms,
                          tw_reason *ret_reason) {
    *ret_reason = decode_reason != TW_REASON_NONE ? decode_reason
                                                  : tw_rules_check(event, now_ms, clean->config->clean_skew_max_ms);
    return judge(clean, event, NULL, *ret_reason);
}

tw_verdict tw_clean_judge_id(tw_clean *clean, const tw_event *event, tw_hash128 id, int64_t now_ms,
                             tw_reason *ret_reason) {
    *ret_reason = tw_rules_check(event, now_ms, clean->config->clean_skew_max_ms);
    return judge(clean, event, &id, *ret_reason);
}

const tw_clean_counters *tw_clean_counters_get(const tw_clean *clean) {
    return &clean->counters;
}
int64_t tw_clean_watermark_ms(const tw_clean *clean) {
    return clean->watermark_ms;
}
const tw_clean_feature *tw_clean_features(const tw_clean *clean) {
    return clean->features;
}

double tw_clean_normalise(const tw_clean_feature *feature, double x) {
    if (feature->count < 2 || !(feature->m2 > 0))
        return 0;
    return (x - feature->mean) / sqrt(feature->m2 / (double)(feature->count - 1));
}

static void encode_judged(const tw_clean *clean, tw_buf *out) {
    tw_buf_u64(out, (uint64_t)clean->watermark_ms);
    tw_buf_u8(out, TW_REASON_COUNT); /* a later version may know more reasons */
    for (int v = 0; v < TW_VERDICT_COUNT; v++)
        tw_buf_u64(out, clean->counters.verdicts[v]);
    for (int r = 0; r < TW_REASON_COUNT; r++)
        tw_buf_u64(out, clean->counters.reasons[r]);
    tw_buf_u64(out, clean->counters.forgotten_early);
    for (int f = 0; f < TW_FEATURE_COUNT; f++) {
        tw_buf_u64(out, clean->features[f].count);
        tw_buf_f64(out, clean->features[f].mean);
        tw_buf_f64(out, clean->features[f].m2);
    }
}

void tw_clean_encode_meta(const tw_clean *clean, tw_buf *out) {
    encode_judged(clean, out);
    for (int w = 0; w < TW_WINDOW_COUNT; w++)
        tw_dedup_encode(clean->windows[w], out);
}

tw_code tw_clean_load_meta(tw_clean *clean, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    clean->watermark_ms = (int64_t)tw_cursor_u64(&c);
    int reasons = tw_cursor_u8(&c);
    if (reasons > TW_REASON_COUNT)
        return tw_fail(err, TW_E_VERSION, "the state knows %d reasons of dead letters, this version %d", reasons,
                       TW_REASON_COUNT);
    for (int v = 0; v < TW_VERDICT_COUNT; v++)
        clean->counters.verdicts[v] = tw_cursor_u64(&c);
    for (int r = 0; r < reasons; r++)
        clean->counters.reasons[r] = tw_cursor_u64(&c);
    clean->counters.forgotten_early = tw_cursor_u64(&c);
    for (int f = 0; f < TW_FEATURE_COUNT; f++) {
        clean->features[f].count = tw_cursor_u64(&c);
        clean->features[f].mean = tw_cursor_f64(&c);
        clean->features[f].m2 = tw_cursor_f64(&c);
    }
    for (int w = 0; w < TW_WINDOW_COUNT; w++)
        TW_TRY(tw_dedup_load_meta(clean->windows[w], &c, err));
    if (c.bad || c.at != c.end)
        return tw_fail(err, TW_E_STORE, "counters and watermark of a partition are damaged");
    return TW_OK;
}

bool tw_clean_next_change(tw_clean *clean, tw_clean_window *ret_window, uint64_t *ret_bucket, tw_slice *ret_bytes) {
    tw_buf_clear(&clean->drained);
    for (; clean->draining < TW_WINDOW_COUNT; clean->draining++)
        if (tw_dedup_next_change(clean->windows[clean->draining], ret_bucket, &clean->drained)) {
            *ret_window = clean->draining;
            *ret_bytes = tw_buf_slice(&clean->drained);
            return true;
        }
    clean->draining = TW_WINDOW_CLICK;
    return false;
}

uint64_t tw_clean_drop_below(const tw_clean *clean, tw_clean_window window) {
    return tw_dedup_drop_below(clean->windows[window]);
}

tw_code tw_clean_load_log(tw_clean *clean, tw_clean_window window, uint64_t bucket, tw_slice bytes, tw_err *err) {
    return tw_dedup_load(clean->windows[window], bucket, bytes, err);
}

void tw_clean_digest(const tw_clean *clean, tw_buf *out) {
    encode_judged(clean, out);
    for (int w = 0; w < TW_WINDOW_COUNT; w++)
        tw_dedup_digest(clean->windows[w], out);
}

size_t tw_clean_ids_live(const tw_clean *clean) {
    size_t live = 0;
    for (int w = 0; w < TW_WINDOW_COUNT; w++)
        live += tw_dedup_live(clean->windows[w]);
    return live;
}

size_t tw_clean_size_bytes(const tw_clean *clean) {
    size_t bytes = sizeof *clean;
    for (int w = 0; w < TW_WINDOW_COUNT; w++)
        bytes += tw_dedup_size_bytes(clean->windows[w]);
    return bytes;
}
