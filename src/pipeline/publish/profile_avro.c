/* A profile as one datum of schemas/profile.avsc, field by field in its order. Held against avro-c in the tests. Any thread. */
#include "avro/write.h"
#include "pipeline/publish/sink.h"

#include <math.h>

static void put_shares(const tw_profile_shares *shares, tw_buf *out) {
    if (shares->count)
        tw_avro_put_long(out, shares->count);
    for (int i = 0; i < shares->count; i++) {
        tw_avro_put_text(out, shares->shares[i].category);
        tw_buf_f32(out, shares->shares[i].share);
    }
    tw_avro_put_long(out, 0);
}

/* Of a union with null: the branch. */
static bool put_branch(bool there, tw_buf *out) {
    tw_buf_u8(out, there ? 2 : 0);
    return there;
}

static void put_changed(const tw_user_profile *profile, tw_buf *out) {
    tw_buf_f32(out, (float)profile->distance);
    if (profile->moves_count)
        tw_avro_put_long(out, profile->moves_count);
    for (int i = 0; i < profile->moves_count; i++) {
        tw_avro_put_text(out, profile->moves[i].category);
        tw_buf_f32(out, profile->moves[i].from);
        tw_buf_f32(out, profile->moves[i].to);
    }
    tw_avro_put_long(out, 0);
}

void tw_profile_write_avro(const tw_user_profile *profile, tw_buf *out) {
    tw_avro_put_text(out, profile->user_id);
    tw_avro_put_long(out, (int32_t)profile->task);
    tw_avro_put_long(out, (int64_t)profile->profile_version);
    if (put_branch(profile->event_ms != INT64_MIN, out))
        tw_avro_put_long(out, profile->event_ms);
    put_shares(&profile->categories, out);
    put_shares(&profile->interests_short, out);
    put_shares(&profile->interests_long, out);
    if (put_branch(isfinite(profile->price), out)) {
        tw_buf_f64(out, profile->price);
        tw_avro_put_text(out, tw_slice_of(tw_price_band_name(profile->price_band)));
    }
    tw_avro_put_long(out, profile->events);
    tw_buf_f64(out, profile->events_per_day);
    tw_avro_put_long(out, profile->first_ms);
    tw_avro_put_long(out, profile->last_ms);
    tw_avro_put_text(out, tw_slice_of(tw_segment_name(profile->segment)));
    if (put_branch(isfinite(profile->propensity), out))
        tw_buf_f32(out, profile->propensity);
    if (put_branch(isfinite(profile->distance), out))
        put_changed(profile, out);
}
