/* Event files that a command judges by: what `evaluate` and `tune` share. On the command line each is FILE or FILE::KEY=VALUE,..., where the
 * settings hold for that file alone. Thread: main. */
#ifndef TW_CLI_HISTORY_H
#define TW_CLI_HISTORY_H

#include "cli/cli.h"
#include "evaluate/pool.h"

typedef struct tw_history {
    char *path;
    const char *settings; /* inside of path's memory; "": none */
    int64_t rows;
} tw_history;

/* The files of the command line, counted. Whatever comes back, ret_histories (args->positionals_count) is to be done. Errors: TW_E_CONFIG (a
 * setting), those of tw_source_file. */
tw_code tw_histories_open(const tw_args *args, const tw_config *config, tw_history *ret_histories, tw_err *err);
void tw_histories_done(tw_history *histories, int count);

/* The settings of one run: the command's, the file's over them, then more ("key=value,..."). To be done in any case. Errors: TW_E_CONFIG. */
tw_code tw_history_config(const tw_history *history, const tw_config *config, const char *more, tw_config *ret_config,
                          tw_err *err);

/* Runs them with a progress bar, until a signal. done as in tw_pool_beat, or NULL. Errors: those of tw_pool_evaluate. */
typedef tw_code (*tw_judged_fn)(void *self, int run, tw_err *err);
tw_code tw_judge(const char *what, const tw_pool_run *runs, int count, int jobs, tw_judged_fn done, void *self,
                 tw_evaluation *ret_evaluations, tw_err *err);

/* A file that is written whole at the end of long work, or not at all: that it can be written is seen at the beginning. */
typedef struct tw_output {
    const char *path; /* NULL: none */
    char part[4096];
} tw_output;
tw_code tw_output_begin(tw_output *output, const char *path, tw_err *err); /* Errors: TW_E_IO */
tw_code tw_output_end(tw_output *output, const tw_buf *buf,
                      tw_err *err);     /* Errors: TW_E_IO; then still to be dropped */
void tw_output_drop(tw_output *output); /* what was begun and not ended */

#endif
