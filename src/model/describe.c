/* What can be told of a user: the profile's answer, interests, manners. Called by the engine for what is published and asked, and by
 * evaluation; engine thread. */
#include "model/internal.h"

#include <math.h>

uint32_t tw_model_categories(const tw_model *model) {
    return tw_categories_used(&model->profile.categories);
}
tw_slice tw_model_category_name(const tw_model *model, uint32_t category) {
    return tw_categories_name(&model->profile.categories, category);
}

bool tw_model_category_shares(tw_model *model, tw_slice text, float *shares) {
    tw_category_shares read;
    memset(shares, 0, tw_model_categories(model) * sizeof *shares);
    tw_categories_read(&model->profile.categories, text, false, &read);
    for (int i = 0; i < read.count; i++)
        shares[read.numbers[i]] = read.shares[i];
    return read.count > 0;
}

const float *tw_model_profile(tw_model *model, uint32_t user, int64_t now_ms) {
    const tw_user *u = tw_user_here(&model->users, user);
    float *embedding = tw_user_vector(&model->users, user);
    bool own = !model->mf && model->context.user_rate > 0;
    const float *vector = model->mf ? embedding : model->context.vector;
    if (!model->mf && !tw_context_make(&model->context, &model->items, u, own ? embedding : NULL))
        vector = NULL;
    const tw_profile_user who = tw_profile_user_of(u, vector, now_ms);
    return tw_profile_answer(&model->profile, &who);
}

bool tw_model_interests(const tw_model *model, uint32_t user, bool over_long, float *shares) {
    const tw_taste *taste = &tw_user_here(&model->users, user)->taste;
    uint32_t used = tw_model_categories(model);
    float sum = 0;
    for (uint32_t c = 0; c < used; c++) {
        shares[c] = tw_taste_count(taste, c, over_long ? TW_HORIZON_LONG : TW_HORIZON_SHORT);
        sum += shares[c];
    }
    for (uint32_t c = 0; c < used && sum > 0; c++)
        shares[c] /= sum;
    return sum > 0;
}

void tw_model_category_counts(const tw_model *model, double *counts) {
    for (uint32_t c = 0; c < tw_model_categories(model); c++)
        counts[c] = model->profile.frequency[c];
}

int tw_model_past(const tw_model *model, uint32_t user, int max, tw_user_past *ret_past) {
    const tw_user *u = tw_user_here(&model->users, user);
    int count = 0;
    for (uint32_t place = u->past_count; place-- > 0 && count < max;)
        ret_past[count++] = (tw_user_past){.item = u->items[place],
                                           .met_ms = (int64_t)u->times_s[place] * 1000,
                                           .times = u->counts[place],
                                           .bought = u->flags[place] & TW_PAST_BOUGHT,
                                           .disliked = u->flags[place] & TW_PAST_DISLIKED};
    return count;
}

void tw_model_manners(const tw_model *model, uint32_t user, int64_t now_ms, tw_user_manners *ret_manners) {
    const tw_user *u = tw_user_here(&model->users, user);
    const tw_taste *taste = &u->taste;
    const tw_profile *all = &model->profile;
    *ret_manners = (tw_user_manners){.events = u->events,
                                     .first_ms = taste->activity > 0 ? taste->first_ms : u->last_ms,
                                     .last_ms = u->last_ms,
                                     .events_per_day = tw_taste_per_day(taste, u->last_ms, now_ms),
                                     .price = NAN,
                                     .price_deviations = NAN};
    if (!(taste->price_weight > 0) || !(all->prices > 0))
        return;
    double value = (double)taste->price / (double)taste->price_weight,
           deviation = sqrt(all->price_square / all->prices);
    ret_manners->price = expm1(value);
    ret_manners->price_deviations = deviation > 0 ? (value - all->price_mean) / deviation : 0;
}

bool tw_model_shown(const tw_model *model, uint32_t user, float *shares) {
    return tw_shown_give(&tw_user_here(&model->users, user)->shown, shares, tw_model_categories(model));
}

void tw_model_show(tw_model *model, uint32_t user, const float *shares) {
    tw_shown *shown = &tw_user_here(&model->users, user)->shown;
    model->users.bytes -= tw_shown_bytes(shown);
    tw_shown_take(shown, shares, tw_model_categories(model));
    model->users.bytes += tw_shown_bytes(shown);
    tw_model_user_list_touch(model, user);
}
