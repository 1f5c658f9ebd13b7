/* The rules, one line each, in the order in which they are asked. Called by the judge for each decoded event. */
#include "pipeline/clean/rules.h"

#include <math.h>

static bool text_is_bad(tw_slice text) {
    return text.size > 0 && !tw_slice_is_utf8(text);
}

static tw_reason check_ids(const tw_event *e) {
    if ((e->kind != TW_KIND_ITEM && e->user_id.size == 0) || e->item_id.size == 0)
        return TW_REASON_EMPTY_ID;
    if (e->user_id.size > TW_ID_SIZE_MAX || e->item_id.size > TW_ID_SIZE_MAX || e->event_id.size > TW_ID_SIZE_MAX)
        return TW_REASON_ID_TOO_LONG;
    if (text_is_bad(e->user_id) || text_is_bad(e->item_id) || text_is_bad(e->event_id) || text_is_bad(e->category) ||
        text_is_bad(e->title))
        return TW_REASON_BAD_UTF8;
    return TW_REASON_NONE;
}

static tw_reason check_time(const tw_event *e, int64_t now_ms, int64_t skew_max_ms) {
    if (!(e->has & TW_HAS_TIME))
        return TW_REASON_MISSING_FIELD;
    if (e->event_ms < 0)
        return TW_REASON_NEGATIVE_TIME;
    if (e->event_ms > now_ms && e->event_ms - now_ms > skew_max_ms)
        return TW_REASON_FUTURE_TIME;
    return TW_REASON_NONE;
}

static tw_reason check_numbers(const tw_event *e) {
    if (((e->has & TW_HAS_RATING) && !isfinite(e->rating)) || ((e->has & TW_HAS_PRICE) && !isfinite(e->price)) ||
        ((e->has & TW_HAS_QUANTITY) && !isfinite(e->quantity)))
        return TW_REASON_NOT_FINITE;
    if (e->kind == TW_KIND_REVIEW && !(e->has & TW_HAS_RATING))
        return TW_REASON_MISSING_FIELD;
    if ((e->has & TW_HAS_RATING) && (e->rating < 1 || e->rating > 5))
        return TW_REASON_RATING_RANGE;
    if ((e->has & TW_HAS_PRICE) && e->price < 0)
        return TW_REASON_NEGATIVE_PRICE;
    if ((e->has & TW_HAS_QUANTITY) && e->quantity < 0)
        return TW_REASON_BAD_QUANTITY;
    return TW_REASON_NONE;
}

tw_reason tw_rules_check(const tw_event *event, int64_t now_ms, int64_t skew_max_ms) {
    if (!(event->has & TW_HAS_KIND))
        return TW_REASON_MISSING_FIELD;
    if (event->kind >= TW_KIND_COUNT)
        return TW_REASON_UNKNOWN_TYPE;
    tw_reason reason = check_ids(event);
    if (reason == TW_REASON_NONE)
        reason = check_time(event, now_ms, skew_max_ms);
    return reason == TW_REASON_NONE ? check_numbers(event) : reason;
}
