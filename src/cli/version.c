/* `tailwater version`. */
#include "cli/cli.h"

#include "math/kernels.h"
#include "tailwater/version.h"

static tw_code run(int argc, char **argv, tw_err *err) {
    bool json = false;
    const tw_option options[] = {{.name = "json", .doc = "One JSON object", .flag = &json}, {0}};
    tw_args args;
    TW_TRY(tw_args_parse(&tw_command_version, options, argc, argv, NULL, 0, 0, &args, err));
    if (args.help)
        return TW_OK;
    tw_buf buf = {0};
    if (json)
        tw_buf_printf(&buf, "{\"version\":\"%s\",\"store_format\":%d,\"kernels\":\"%s\"}", TW_VERSION, TW_STORE_FORMAT,
                      tw_kernels_get()->name);
    else
        tw_buf_printf(&buf, "tailwater %s (store format %d, kernels %s)", TW_VERSION, TW_STORE_FORMAT,
                      tw_kernels_get()->name);
    tw_code code = tw_print(&buf, err);
    tw_buf_done(&buf);
    return code;
}

const tw_command tw_command_version = {
    "version", "[--json]", "Prints the version of the program and of its store, and the vector loops in use", run};
