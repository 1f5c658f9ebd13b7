/* A user's profile and past, put together from what the model knows. Called when the user's list goes out, and by questions; engine thread. */
#include "engine/internal.h"

#include "base/json.h"
#include "drift/divergence.h"

#include <inttypes.h>
#include <math.h>

/* Thirds of a normal distribution. */
#define BAND_DEVIATIONS 0.43

static tw_slice name_of(const void *self, uint32_t category) {
    return tw_model_category_name(self, category);
}

/* Jensen-Shannon distance of two distributions: the root of the divergence, a metric (Endres & Schindelin 2003). */
static double distance(const float *from, const float *to, uint32_t count) {
    double sum = 0;
    for (uint32_t c = 0; c < count; c++)
        sum += tw_js_outcome((double)from[c], (double)to[c]);
    return sqrt(sum < 0 ? 0 : sum > 1 ? 1 : sum); /* rounding may leave it a little outside */
}

static void put_manners(const tw_model *model, uint32_t user, int64_t now_ms, tw_user_profile *profile) {
    tw_user_manners manners;
    tw_model_manners(model, user, now_ms, &manners);
    profile->price = manners.price;
    profile->price_band = manners.price_deviations < -BAND_DEVIATIONS  ? TW_PRICE_LOW
                          : manners.price_deviations > BAND_DEVIATIONS ? TW_PRICE_HIGH
                                                                       : TW_PRICE_MIDDLE;
    profile->events = manners.events;
    profile->events_per_day = manners.events_per_day;
    profile->first_ms = manners.first_ms;
    profile->last_ms = manners.last_ms;
    profile->segment = tw_segment_of(manners.events, manners.first_ms, manners.last_ms, now_ms);
}

const float *tw_engine_describe(tw_engine *engine, uint32_t user, uint64_t version, tw_user_profile *ret_profile) {
    tw_model *model = engine->model;
    uint32_t used = tw_model_categories(model);
    float shares[TW_MODEL_CATEGORIES_MAX];
    *ret_profile = (tw_user_profile){.user_id = tw_model_user_id(model, user),
                                     .task = tw_model_user_task(model, user),
                                     .profile_version = version,
                                     .event_ms = tw_model_user_list(model, user)->newest_ms,
                                     .propensity = NAN,
                                     .distance = NAN};
    put_manners(model, user, engine->watermark_ms, ret_profile);
    if (tw_model_interests(model, user, false, shares))
        tw_profile_shares_pick(shares, used, name_of, model, &ret_profile->interests_short);
    if (tw_model_interests(model, user, true, shares))
        tw_profile_shares_pick(shares, used, name_of, model, &ret_profile->interests_long);
    const float *now = tw_model_profile(model, user, engine->watermark_ms);
    if (!now)
        return NULL;
    tw_profile_shares_pick(now, used, name_of, model, &ret_profile->categories);
    if (tw_model_shown(model, user, shares)) {
        ret_profile->distance = distance(shares, now, used);
        tw_profile_moves_pick(shares, now, used, name_of, model, ret_profile);
    }
    return now;
}

tw_code tw_engine_publish_profile(tw_engine *engine, uint32_t user, uint64_t version, tw_err *err) {
    tw_user_profile profile;
    tw_sink *sink = engine->options.sink;
    if (!sink || !sink->takes_profiles || !engine->config->profile_enabled)
        return TW_OK;
    const float *shares = tw_engine_describe(engine, user, version, &profile);
    TW_TRY(sink->ops->profile(sink, &profile, err));
    if (shares)
        tw_model_show(engine->model, user, shares);
    return TW_OK;
}

tw_code tw_engine_profile(tw_engine *engine, tw_slice user_id, tw_user_profile *ret_profile, tw_err *err) {
    if (!engine->config->profile_enabled)
        return tw_fail(err, TW_E_NOT_FOUND, "profile.enabled is false: no profiles are kept");
    uint32_t user;
    TW_TRY(tw_engine_user_asked(engine, user_id, &user, err));
    if (user == TW_SLOT_NONE)
        return tw_fail(err, TW_E_NOT_FOUND, "no such user");
    tw_engine_describe(engine, user, tw_engine_version_now(engine, tw_model_user_task(engine->model, user)),
                       ret_profile);
    return TW_OK;
}

tw_code tw_engine_past(tw_engine *engine, tw_slice user_id, int max, tw_buf *out, tw_err *err) {
    tw_user_past past[TW_PAST_ASKED_MAX];
    uint32_t user;
    TW_TRY(tw_engine_user_asked(engine, user_id, &user, err));
    if (user == TW_SLOT_NONE)
        return tw_fail(err, TW_E_NOT_FOUND, "no such user");
    TW_ASSERT(max >= 1 && max <= TW_PAST_ASKED_MAX);
    int count = tw_model_past(engine->model, user, max, past);
    for (int i = 0; i < count; i++) {
        tw_buf_printf(out, "%s{\"item_id\":", i ? "," : "[");
        tw_json_text(out, tw_model_item_id(engine->model, past[i].item));
        tw_buf_printf(out, ",\"title\":");
        tw_json_text(out, tw_model_item_title(engine->model, past[i].item));
        tw_buf_printf(out, ",\"category\":");
        tw_json_text(out, tw_model_item_category(engine->model, past[i].item));
        tw_buf_printf(out, ",\"met_ms\":%" PRId64 ",\"times\":%" PRIu32 ",\"bought\":%s,\"disliked\":%s}",
                      past[i].met_ms, past[i].times, past[i].bought ? "true" : "false",
                      past[i].disliked ? "true" : "false");
    }
    tw_buf_printf(out, count ? "]" : "[]");
    return TW_OK;
}
