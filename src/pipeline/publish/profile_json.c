/* A profile as one JSON object, with the names of schemas/profile.avsc; what is null there is left out. For files, the command line, the
 * API and JSON topics. Any thread. */
#include "base/json.h"
#include "pipeline/publish/sink.h"

#include <math.h>

static void put_category(tw_buf *out, bool first, tw_slice category) {
    if (!first)
        tw_buf_u8(out, ',');
    TW_JSON_PUT(out, "{\"category\":");
    tw_json_text(out, category);
}

static void put_shares(const tw_profile_shares *shares, tw_buf *out) {
    tw_buf_u8(out, '[');
    for (int i = 0; i < shares->count; i++) {
        put_category(out, i == 0, shares->shares[i].category);
        TW_JSON_PUT(out, ",\"share\":");
        tw_json_thousandths(out, (double)shares->shares[i].share);
        tw_buf_u8(out, '}');
    }
    tw_buf_u8(out, ']');
}

static void put_price(const tw_user_profile *profile, tw_buf *out) {
    TW_JSON_PUT(out, ",\"price\":{\"typical\":");
    tw_json_real(out, profile->price);
    TW_JSON_PUT(out, ",\"band\":");
    tw_json_text(out, tw_slice_of(tw_price_band_name(profile->price_band)));
    tw_buf_u8(out, '}');
}

static void put_activity(const tw_user_profile *profile, tw_buf *out) {
    TW_JSON_PUT(out, ",\"activity\":{\"events\":");
    tw_json_whole(out, profile->events);
    TW_JSON_PUT(out, ",\"events_per_day\":");
    tw_json_real(out, profile->events_per_day);
    TW_JSON_PUT(out, ",\"first_seen_ms\":");
    tw_json_whole(out, profile->first_ms);
    TW_JSON_PUT(out, ",\"last_seen_ms\":");
    tw_json_whole(out, profile->last_ms);
    tw_buf_u8(out, '}');
}

static void put_changed(const tw_user_profile *profile, tw_buf *out) {
    TW_JSON_PUT(out, ",\"changed\":{\"distance\":");
    tw_json_thousandths(out, profile->distance);
    TW_JSON_PUT(out, ",\"categories\":[");
    for (int i = 0; i < profile->moves_count; i++) {
        put_category(out, i == 0, profile->moves[i].category);
        TW_JSON_PUT(out, ",\"from\":");
        tw_json_thousandths(out, (double)profile->moves[i].from);
        TW_JSON_PUT(out, ",\"to\":");
        tw_json_thousandths(out, (double)profile->moves[i].to);
        tw_buf_u8(out, '}');
    }
    TW_JSON_PUT(out, "]}");
}

void tw_profile_write_json(const tw_user_profile *profile, tw_buf *out) {
    TW_JSON_PUT(out, "{\"user_id\":");
    tw_json_text(out, profile->user_id);
    TW_JSON_PUT(out, ",\"task\":");
    tw_json_whole(out, (int32_t)profile->task);
    TW_JSON_PUT(out, ",\"profile_version\":");
    tw_json_whole(out, (int64_t)profile->profile_version);
    if (profile->event_ms != INT64_MIN) {
        TW_JSON_PUT(out, ",\"event_ms\":");
        tw_json_whole(out, profile->event_ms);
    }
    TW_JSON_PUT(out, ",\"categories\":");
    put_shares(&profile->categories, out);
    TW_JSON_PUT(out, ",\"interests_short\":");
    put_shares(&profile->interests_short, out);
    TW_JSON_PUT(out, ",\"interests_long\":");
    put_shares(&profile->interests_long, out);
    if (isfinite(profile->price))
        put_price(profile, out);
    put_activity(profile, out);
    TW_JSON_PUT(out, ",\"segment\":");
    tw_json_text(out, tw_slice_of(tw_segment_name(profile->segment)));
    if (isfinite(profile->propensity)) {
        TW_JSON_PUT(out, ",\"propensity\":");
        tw_json_thousandths(out, (double)profile->propensity);
    }
    if (isfinite(profile->distance))
        put_changed(profile, out);
    tw_buf_u8(out, '}');
}
