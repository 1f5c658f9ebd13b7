/* Between the model and the training of its profile network. Called by the training for each event, and when an engine opens. */
#include "model/offline.h"

#include "model/internal.h"
#include "model/profile_file.h"

const tw_profile *tw_model_profiles(const tw_model *model) {
    return &model->profile;
}

static tw_slice category_of(const tw_model *model, const tw_event *event) {
    uint32_t item = tw_items_find(&model->items, event->item_id);
    return event->category.size || item == TW_SLOT_NONE ? event->category : tw_model_item_category(model, item);
}

bool tw_model_profile_example(tw_model *model, uint32_t task, const tw_event *event, float *x,
                              tw_category_shares *ret_shares) {
    uint32_t user = tw_users_find(&model->users, task, event->user_id);
    if (user == TW_SLOT_NONE || tw_model_strength(event) <= 0 || !tw_profile_begun(&model->profile))
        return false;
    const tw_user *u = tw_user_at(&model->users, user);
    tw_categories_read(&model->profile.categories, category_of(model, event), false, ret_shares);
    if (u->past_count == 0 || ret_shares->count == 0)
        return false;
    const tw_profile_user who = tw_profile_user_of(u, NULL, event->event_ms);
    tw_profile_inputs(&model->profile, &who, x);
    return true;
}

tw_code tw_model_begin(tw_model *model, tw_err *err) {
    const tw_config *config = model->config;
    if (!config->profile_model_file[0] || !model->profile.on || tw_profile_begun(&model->profile))
        return TW_OK;
    return tw_profile_file_start(&model->profile, config->profile_model_file, config->profile_model_transfer, err);
}
