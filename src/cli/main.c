/* The door: finds the subcommand and runs it. */
#include "cli/cli.h"

#include "math/kernels.h"
#include "tailwater/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const tw_command *const commands[] = {
    &tw_command_run,      &tw_command_replay, &tw_command_recommend, &tw_command_profile, &tw_command_inspect,
    &tw_command_serve,    &tw_command_watch,  &tw_command_demo,      &tw_command_feed,    &tw_command_broker,
    &tw_command_evaluate, &tw_command_tune,   &tw_command_bench,     &tw_command_config,  &tw_command_topics,
    &tw_command_reset,    &tw_command_backup, &tw_command_restore,   &tw_command_export,  &tw_command_train,
    &tw_command_version};
#define COMMANDS_COUNT (sizeof commands / sizeof commands[0])

static void print_commands(FILE *to) {
    fprintf(to, "tailwater %s: fresh recommendations from a stream of shop events\n\nCommands:\n", TW_VERSION);
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->doc);
    fprintf(to, "\ntailwater COMMAND --help says more.\n");
}

/* Vector loops that were asked for by name are those that run, or nothing does. */
static bool kernels_are_here(void) {
    const char *wanted = getenv("TAILWATER_KERNELS");
    if (!wanted || tw_kernels_named(wanted))
        return true;
    fprintf(stderr, "tailwater: TAILWATER_KERNELS=%s: this processor runs", wanted);
    for (int i = 0; tw_kernels_names[i]; i++)
        if (tw_kernels_named(tw_kernels_names[i]))
            fprintf(stderr, " %s", tw_kernels_names[i]);
    fprintf(stderr, "\n");
    return false;
}

int main(int argc, char **argv) {
    if (!kernels_are_here())
        return TW_EXIT_USAGE;
    if (argc < 2) {
        print_commands(stderr);
        return TW_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_commands(stdout);
        return TW_EXIT_DONE;
    }
    const char *name = strcmp(argv[1], "--version") == 0 ? "version" : argv[1];
    for (size_t i = 0; i < COMMANDS_COUNT; i++)
        if (strcmp(commands[i]->name, name) == 0) {
            tw_err err = {0};
            return tw_cli_report(name, commands[i]->run(argc - 1, argv + 1, &err), &err);
        }
    fprintf(stderr, "tailwater: unknown command \"%s\"\n", argv[1]);
    print_commands(stderr);
    return TW_EXIT_USAGE;
}
