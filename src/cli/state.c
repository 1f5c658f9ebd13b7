/* Opening a state to look at it: what recommend, inspect and serve have in common. Main thread. */
#include "cli/cli.h"

tw_code tw_open_state(const tw_config *config, const char *state_dir, tw_engine **ret_engine, tw_err *err) {
    const tw_engine_options opening = {
        .config = config, .state_dir = state_dir ? state_dir : config->state_dir, .read_only = true};
    if (!*opening.state_dir)
        return tw_fail(err, TW_E_USAGE, "--state DIR (or state.dir in the configuration) is wanted");
    return tw_engine_open(&opening, ret_engine, err);
}
