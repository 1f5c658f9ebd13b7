/* Opening a state to look at it: what recommend, profile, inspect, export and serve have in common. Main thread. */
#include "cli/cli.h"

tw_code tw_open_state(const tw_config *config, const char *state_dir, tw_engine **ret_engine, tw_err *err) {
    const tw_engine_options opening = {
        .config = config, .state_dir = state_dir ? state_dir : config->state_dir, .read_only = true};
    if (!*opening.state_dir)
        return tw_fail(err, TW_E_USAGE, "--state DIR (or state.dir in the configuration) is wanted");
    return tw_engine_open(&opening, ret_engine, err);
}

tw_code tw_ask_state(const tw_state_question *question, int argc, char **argv, tw_err *err) {
    tw_config config;
    tw_args args;
    tw_engine *engine = NULL;
    tw_buf out = {0};
    tw_config_init(&config);
    tw_code code = tw_args_parse(question->command, question->options, argc, argv, &config, question->positionals,
                                 question->positionals, &args, err);
    bool asked = code == TW_OK && !args.help;
    if (asked)
        code = tw_open_state(&config, *question->state_dir, &engine, err);
    if (asked && code == TW_OK)
        code = question->answer(question->self, engine, &config, &args, &out, err);
    if (asked && code == TW_OK)
        code = tw_print(&out, err);
    tw_engine_close(engine);
    tw_buf_done(&out);
    tw_config_done(&config);
    return code;
}
