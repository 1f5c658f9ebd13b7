/* Runs of an evaluation side by side, each in a process of its own, at most so many at a time: engines share a process's metrics and must
 * not share a process. What comes out does not depend on how many run at once, but for the times. Thread: main of a process with no
 * other thread. */
#ifndef TW_EVALUATE_POOL_H
#define TW_EVALUATE_POOL_H

#include "evaluate/evaluation.h"

typedef struct tw_pool_run {
    tw_evaluation_ask ask;
    const tw_config *config; /* borrowed until the pool is through */
} tw_pool_run;

typedef struct tw_pool_beat {
    bool (*go_on)(void *self,
                  int64_t rows); /* told how many rows of all runs together are through; false ends the runs */
    tw_code (*done)(void *self, int run,
                    tw_err *err); /* the figures of a run are there, told in the order of runs; NULL: nobody asks */
    void *self;
} tw_pool_beat;

/* Runs them all, jobs at a time.   ret_evaluations (count) out, in the order of runs
 * Errors: that of a run that failed, the others being ended; TW_E_IO (no process or memory to share to be had, a run died),
 * TW_E_INTERRUPTED when the beat says so. */
tw_code tw_pool_evaluate(const tw_pool_run *runs, int count, int jobs, tw_pool_beat beat,
                         tw_evaluation *ret_evaluations, tw_err *err);

int tw_pool_processors(void); /* that this process may use, at least 1 */

#endif
