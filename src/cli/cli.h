/* What the subcommands share: a command is a name, a table of options and a function. The tables make parsing and --help.
 *
 * Exit codes: 0 done, 1 failure, 2 usage, 65 bad file. Thread: main. */
#ifndef TW_CLI_CLI_H
#define TW_CLI_CLI_H

#include "base/err.h"
#include "base/vectors.h"
#include "config/config.h"
#include "engine/engine.h"

enum { TW_EXIT_DONE = 0, TW_EXIT_FAILURE = 1, TW_EXIT_USAGE = 2, TW_EXIT_BAD_FILE = 65 };

/* An option: "--name VALUE" or "--name=VALUE" when value is set, else a flag. Exactly one of text, texts, number, flag is set. */
typedef struct tw_option {
    const char *name;  /* without the dashes */
    const char *value; /* what to call the value in --help; NULL: a flag */
    const char *doc;   /* one sentence */
    const char **text;
    const char **texts; /* (TW_TEXTS_MAX), one for each time that the option is given */
    int *texts_count;
    int64_t *number;
    bool *flag;
    int64_t number_min, number_max;
} tw_option;

#define TW_POSITIONALS_MAX 8
#define TW_TEXTS_MAX 16

typedef struct tw_args {
    const char *positionals[TW_POSITIONALS_MAX];
    int positionals_count;
    bool help; /* --help was given and printed: exit with 0 */
} tw_args;

typedef struct tw_command {
    const char *name;
    const char *usage; /* what follows "tailwater name", for example "FILE --state DIR" */
    const char *doc;   /* one sentence */
    tw_code (*run)(int argc, char **argv, tw_err *err); /* argv[0] is the command's name */
} tw_command;

extern const tw_command tw_command_run, tw_command_replay, tw_command_recommend, tw_command_profile, tw_command_inspect,
    tw_command_serve, tw_command_watch, tw_command_feed, tw_command_broker, tw_command_demo, tw_command_evaluate,
    tw_command_tune, tw_command_bench, tw_command_config, tw_command_topics, tw_command_reset, tw_command_backup,
    tw_command_restore, tw_command_export, tw_command_train, tw_command_version;

/* Parses argv by the table (NULL name ends it). With config not NULL also takes --config FILE and --set KEY=VALUE, each repeatable, applies them
 * in that order over the defaults, and checks the result. Errors: TW_E_USAGE, TW_E_CONFIG. */
tw_code tw_args_parse(const tw_command *command, const tw_option *options, int argc, char **argv, tw_config *config,
                      int positionals_min, int positionals_max, tw_args *ret_args, tw_err *err);

/* Set by SIGINT and SIGTERM once tw_stop_catch was called: long work ends at the next batch. A second signal kills. */
void tw_stop_catch(void);
bool tw_stop_wanted(void);

/* A progress bar on a terminal (stderr), nothing elsewhere. Redraws at most five times a second. */
typedef struct tw_progress {
    const char *what;
    int64_t start_ns, drawn_ns;
    bool visible;
} tw_progress;
void tw_progress_begin(tw_progress *progress, const char *what);
void tw_progress_show(tw_progress *progress, int64_t done, int64_t all, uint64_t records);
void tw_progress_end(tw_progress *progress);

/* Prints a buffer and a newline to stdout and empties it. Errors: TW_E_IO. */
tw_code tw_print(tw_buf *buf, tw_err *err);

/* The state of a directory (NULL: state.dir) as last committed, beside whoever writes it. Errors: TW_E_USAGE without a directory,
 * and those of tw_engine_open. */
tw_code tw_open_state(const tw_config *config, const char *state_dir, tw_engine **ret_engine, tw_err *err);

/* A command that prints what it finds in the state of a directory: options, of which one is --state into *state_dir, and so many
 * positionals. */
typedef struct tw_state_question {
    const tw_command *command;
    const tw_option *options;
    int positionals;
    const char *const *state_dir;
    tw_code (*answer)(void *self, tw_engine *engine, const tw_config *config, const tw_args *args, tw_buf *out,
                      tw_err *err);
    void *self;
} tw_state_question;
tw_code tw_ask_state(const tw_state_question *question, int argc, char **argv, tw_err *err);

/* The form of a file of vectors that is to be written: word2vec, word2vec-binary or glove. Errors: TW_E_USAGE. */
tw_code tw_vectors_form_wanted(const char *name, tw_vectors_format *ret_format, tw_err *err);
#define TW_VECTORS_FORM_DOC "word2vec (text, the default), word2vec-binary, or glove (text without a header)"

/* Prints "error: text" to stderr and returns the exit code of the class of failure. */
int tw_cli_report(const char *command, tw_code code, const tw_err *err);

#endif
