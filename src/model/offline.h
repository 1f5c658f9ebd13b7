/* What the model gives to the training of the profile network offline, and takes from it. Thread: engine. */
#ifndef TW_MODEL_OFFLINE_H
#define TW_MODEL_OFFLINE_H

#include "model/model.h"
#include "model/profile.h"

/* The names and numbers of profiles as they stand, borrowed from the model. */
const tw_profile *tw_model_profiles(const tw_model *model);

/* The example that the profile would learn from an event, asked before it is learned.
 *   x (inputs of tw_model_profiles) out, not normalised, no context vector in it     ret_shares: what the item is
 * False where the event is none: an unknown user or one without a past, nothing liked, no category that has a number yet. */
bool tw_model_profile_example(tw_model *model, uint32_t task, const tw_event *event, float *x,
                              tw_category_shares *ret_shares);

/* Starts from what profile.model.file names, while no category has been met; else does nothing. Errors: those of tw_profile_file_start. */
tw_code tw_model_begin(tw_model *model, tw_err *err);

#endif
