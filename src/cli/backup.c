/* `tailwater backup` and `tailwater restore`: a copy of a state beside whoever writes it, and the way back. Main thread.
 *
 * A backup is a state: `inspect` and `recommend` read it, and `restore` is the same copy into a directory that holds none. */
#include "cli/cli.h"

#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>

/* One of the two directories is the positional, the other the state's. */
static tw_code copy(const tw_command *command, bool back, int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL;
    const tw_option options[] = {{.name = "state",
                                  .value = "DIR",
                                  .doc = back ? "Where it goes: a directory without a state (default state.dir)"
                                              : "Directory of the durable state (default state.dir)",
                                  .text = &state_dir},
                                 {0}};
    tw_config config;
    tw_args args;
    uint64_t bytes;
    tw_config_init(&config);
    tw_code code = tw_args_parse(command, options, argc, argv, &config, 1, 1, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if (!state_dir)
        state_dir = config.state_dir;
    if (!*state_dir) {
        code = tw_fail(err, TW_E_USAGE, "--state DIR (or state.dir in the configuration) is wanted");
        goto done;
    }
    const char *other = args.positionals[0];
    code = tw_store_copy(back ? other : state_dir, back ? state_dir : other, (uint64_t)config.state_map_max_bytes,
                         &bytes, err);
    if (code == TW_OK)
        printf("%" PRIu64 " bytes copied from %s to %s and read back\n", bytes, back ? other : state_dir,
               back ? state_dir : other);
done:
    tw_config_done(&config);
    return code;
}

static tw_code run_backup(int argc, char **argv, tw_err *err) {
    return copy(&tw_command_backup, false, argc, argv, err);
}
static tw_code run_restore(int argc, char **argv, tw_err *err) {
    return copy(&tw_command_restore, true, argc, argv, err);
}

const tw_command tw_command_backup = {"backup", "TO --state DIR",
                                      "Copies a state as of its last commit, beside a running writer", run_backup};
const tw_command tw_command_restore = {"restore", "BACKUP --state DIR", "Copies a backup to where a state will be",
                                       run_restore};
