/* `tailwater config`: every key with its doc and effective value, or a check of a file. */
#include "cli/cli.h"

static tw_code run(int argc, char **argv, tw_err *err) {
    bool json = false, markdown = false;
    const char *check = NULL;
    const tw_option options[] = {
        {.name = "check", .value = "FILE", .doc = "Only says whether FILE is a good configuration", .text = &check},
        {.name = "json", .doc = "One JSON object", .flag = &json},
        {.name = "markdown", .doc = "The reference of all keys, as a table", .flag = &markdown},
        {0}};
    tw_args args;
    tw_buf buf = {0};
    tw_config config;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_config, options, argc, argv, &config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if (check) {
        code = tw_config_load(&config, check, err);
        if (code == TW_OK)
            code = tw_config_check(&config, err);
        if (code != TW_OK)
            goto done;
        if (json)
            tw_buf_printf(&buf, "{\"ok\":true}");
        else
            tw_buf_printf(&buf, "%s: good", check);
    } else if (markdown) {
        tw_config_write_markdown(&buf);
    } else if (json) {
        tw_config_write_json(&config, &buf);
    } else {
        tw_config_write_yaml(&config, &buf);
    }
    code = tw_print(&buf, err);
done:
    tw_buf_done(&buf);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_config = {"config", "[--check FILE] [--json|--markdown]",
                                      "Prints every setting with its doc and effective value, or checks a file", run};
