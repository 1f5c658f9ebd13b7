/* The settings that shape the learned state, kept beside it: learn.* and rank.*.
 *
 * A writer must agree with the state on what cannot change (learn.model, learn.dim). A reader beside it takes over the
 * state's settings where its own are the defaults, so that `recommend` answers as the writer would. Thread: engine. */
#ifndef TW_ENGINE_SETTINGS_H
#define TW_ENGINE_SETTINGS_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

void tw_settings_encode(const tw_config *config, tw_buf *out);

/* Refuses a state that was learned in another shape. Errors: TW_E_MISMATCH with key and both values; TW_E_STORE. */
tw_code tw_settings_agree(const tw_config *config, tw_slice bytes, tw_err *err);

/* Takes over what config has at its default. Errors: TW_E_STORE. */
tw_code tw_settings_adopt(tw_config *config, tw_slice bytes, tw_err *err);

#endif
