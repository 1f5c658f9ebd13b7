/* `tailwater reset`: forgets how far the inputs of a state were consumed, or with --all the state. Refused beside a running writer.
 *
 * What was learned stays, and so do watermarks and dedup windows: records that are read again are late or duplicate as far as those
 * reach. To learn the same records from nothing is --all. */
#include "cli/cli.h"

#include "store/store.h"

#include <stdio.h>

static tw_code offset_of(const char *text, int64_t *ret_offset, tw_err *err) {
    if (text && strcmp(text, "earliest") != 0 && strcmp(text, "latest") != 0)
        return tw_fail(err, TW_E_USAGE, "--to %s: earliest or latest", text);
    *ret_offset = text && strcmp(text, "latest") == 0 ? TW_POSITION_END : TW_POSITION_BEGINNING;
    return TW_OK;
}

static tw_code reset(const tw_config *config, const char *state_dir, const char *const *topics, int topics_count,
                     int64_t offset, tw_err *err) {
    tw_engine *engine = NULL;
    int count = 0;
    const tw_engine_options opening = {.config = config, .state_dir = state_dir, .adopt_settings = true};
    if (!tw_store_exists(state_dir))
        return tw_fail(err, TW_E_NOT_FOUND, "%s holds no state", state_dir);
    TW_TRY(tw_engine_open(&opening, &engine, err));
    tw_code code = tw_engine_reset(engine, topics, topics_count, offset, &count, err);
    tw_engine_close(engine);
    if (code == TW_OK)
        printf("%d positions forgotten; the next run goes on from the %s of those topics\n", count,
               offset == TW_POSITION_END ? "end" : "beginning");
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL, *to = NULL, *topics[TW_TEXTS_MAX];
    int topics_count = 0;
    int64_t offset = TW_POSITION_BEGINNING;
    bool all = false;
    const tw_option options[] = {
        {.name = "state",
         .value = "DIR",
         .doc = "Directory of the durable state (default state.dir)",
         .text = &state_dir},
        {.name = "to",
         .value = "WHERE",
         .doc = "Where the next run goes on: earliest (the default) or latest",
         .text = &to},
        {.name = "input",
         .value = "TOPIC",
         .doc = "Only this topic; may be repeated",
         .texts = topics,
         .texts_count = &topics_count},
        {.name = "all", .doc = "Delete the whole state of the directory that --state names", .flag = &all},
        {0}};
    tw_config config;
    tw_args args;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_reset, options, argc, argv, &config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if ((code = offset_of(to, &offset, err)) != TW_OK)
        goto done;
    if (all && (!state_dir || to || topics_count))
        code = tw_fail(err, TW_E_USAGE,
                       "--all deletes what was learned: it wants --state DIR by name, and neither --to nor --input");
    else if (!state_dir && !*config.state_dir)
        code = tw_fail(err, TW_E_USAGE, "--state DIR (or state.dir in the configuration) is wanted");
    else if (!all)
        code = reset(&config, state_dir ? state_dir : config.state_dir, topics, topics_count, offset, err);
    else if ((code = tw_store_erase(state_dir, err)) == TW_OK)
        printf("the state in %s is deleted\n", state_dir);
done:
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_reset = {"reset", "--state DIR [--to earliest|latest] [--input TOPIC]... [--all]",
                                     "Forgets how far topics were read, or deletes a state", run};
