/* `tailwater serve --state DIR`: the live page and the API over the last commit of a state, beside whoever writes it. */
#include "cli/cli.h"

#include "engine/engine.h"
#include "serve/server.h"

#include <stdio.h>
#include <time.h>

/* How often the engine looks for questions: what an answer waits at most. */
#define ROUND_MS 5

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL;
    const tw_option options[] = {
        {.name = "state", .value = "DIR", .doc = "Directory of the durable state", .text = &state_dir}, {0}};
    tw_config config;
    tw_args args;
    tw_engine *engine = NULL;
    tw_server *server = NULL;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_serve, options, argc, argv, &config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    tw_stop_catch();
    if ((code = tw_open_state(&config, state_dir, &engine, err)) != TW_OK)
        goto done;
    tw_server_options serving = {.config = &config, .backend = tw_serve_backend_engine(engine)};
    if ((code = tw_server_start(&serving, &server, err)) != TW_OK)
        goto done;
    printf("%s shows the last commit of %s; Ctrl-C ends\n", tw_server_url(server),
           state_dir ? state_dir : config.state_dir);
    fflush(stdout);
    while (!tw_stop_wanted()) {
        tw_engine_serve(engine);
        nanosleep(&(struct timespec){.tv_nsec = ROUND_MS * 1000000L}, NULL);
    }
done:
    tw_server_stop(server);
    tw_engine_close(engine);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_serve = {"serve", "--state DIR",
                                     "Shows a state on a live page and by an HTTP API (loopback)", run};
