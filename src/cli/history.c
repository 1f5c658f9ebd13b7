/* Files with settings of their own, runs under a progress bar, and output that is whole or not there. */
#include "cli/history.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

tw_code tw_history_config(const tw_history *history, const tw_config *config, const char *more, tw_config *ret_config,
                          tw_err *err) {
    tw_evaluation_config(config, ret_config);
    if (tw_config_set_all(ret_config, history->settings, err) != TW_OK)
        return tw_wrap(err, "%s::%s", history->path, history->settings);
    if (tw_config_set_all(ret_config, more, err) != TW_OK || tw_config_check(ret_config, err) != TW_OK)
        return *more ? tw_wrap(err, "%s", more) : err->code;
    return TW_OK;
}

static tw_code open_one(tw_history *history, const tw_config *config, tw_err *err) {
    tw_config own;
    tw_code code = tw_history_config(history, config, "", &own, err);
    if (code == TW_OK)
        code = tw_evaluation_rows(history->path, &own, &history->rows, err);
    tw_config_done(&own);
    return code;
}

tw_code tw_histories_open(const tw_args *args, const tw_config *config, tw_history *ret_histories, tw_err *err) {
    for (int i = 0; i < args->positionals_count; i++) {
        tw_history *h = &ret_histories[i];
        *h = (tw_history){.path = tw_strdup(args->positionals[i]), .settings = ""};
        char *split = strstr(h->path, "::");
        if (split) {
            *split = '\0';
            h->settings = split + 2;
        }
    }
    for (int i = 0; i < args->positionals_count; i++)
        TW_TRY(open_one(&ret_histories[i], config, err));
    return TW_OK;
}

void tw_histories_done(tw_history *histories, int count) {
    for (int i = 0; i < count; i++)
        free(histories[i].path);
}

/* ---- runs --------------------------------------------------------------------------------------------------------- */

typedef struct judging {
    tw_progress progress;
    int64_t all;
    tw_judged_fn done;
    void *self;
} judging;

static bool go_on(void *self, int64_t rows) {
    judging *j = self;
    tw_progress_show(&j->progress, rows, j->all, (uint64_t)rows);
    return !tw_stop_wanted();
}

static tw_code done(void *self, int run, tw_err *err) {
    judging *j = self;
    tw_progress_end(&j->progress); /* what is printed now begins a line */
    return j->done ? j->done(j->self, run, err) : TW_OK;
}

tw_code tw_judge(const char *what, const tw_pool_run *runs, int count, int jobs, tw_judged_fn judged, void *self,
                 tw_evaluation *ret_evaluations, tw_err *err) {
    judging j = {.done = judged, .self = self};
    for (int i = 0; i < count; i++)
        j.all += runs[i].ask.rows_to;
    tw_progress_begin(&j.progress, what);
    tw_code code = tw_pool_evaluate(runs, count, jobs, (tw_pool_beat){go_on, done, &j}, ret_evaluations, err);
    tw_progress_end(&j.progress);
    return code;
}

/* ---- output ------------------------------------------------------------------------------------------------------- */

tw_code tw_output_begin(tw_output *output, const char *path, tw_err *err) {
    struct stat found;
    *output = (tw_output){.path = NULL};
    if (snprintf(output->part, sizeof output->part, "%s.part", path) >= (int)sizeof output->part)
        return tw_fail(err, TW_E_IO, "%.100s...: a path too long", path);
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode)) {
        errno = EISDIR;
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    }
    FILE *file = fopen(output->part, "wb");
    if (!file)
        return tw_fail_errno(err, TW_E_IO, "%s", output->part);
    fclose(file);
    output->path = path;
    return TW_OK;
}

tw_code tw_output_end(tw_output *output, const tw_buf *buf, tw_err *err) {
    FILE *file = fopen(output->part, "wb");
    bool written = file && fwrite(buf->data, 1, buf->size, file) == buf->size;
    written = file && fclose(file) == 0 && written;
    tw_code code =
        written && rename(output->part, output->path) == 0 ? TW_OK : tw_fail_errno(err, TW_E_IO, "%s", output->path);
    if (code == TW_OK)
        output->path = NULL;
    return code;
}

void tw_output_drop(tw_output *output) {
    if (output->path)
        remove(output->part);
    output->path = NULL;
}
