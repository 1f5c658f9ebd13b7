/* Tasks as several processes share them: what of a task's state goes to the changelog at each commit, and how a process that is given a
 * partition comes to its state. Only src/engine includes this; engine thread.
 *
 * The changelog of a task holds, by key:
 *   u USER            the user's past and debt (tw_model_user_export); a tombstone when the user is gone
 *   t USER            the user's taste, for the detectors of drift (tw_drift_user_export); after the user's row
 *   w LANE W SLOT N   ids that a dedup window took in: part N of the bucket that holds the slot now (its number is in the value)
 *   c                 the closing record: who wrote, the number of the commit, and each lane's counters, watermark and position
 * A commit of the changelog comes before the commit of the store, so that after a death the store may be behind its own closing
 * record, by one commit for each death in a row; then the records between are learned again without a word to anybody (silently), which
 * ends in the same state. A closing record of somebody else means that the task was elsewhere: it is dropped here and restored
 * whole. */
#ifndef TW_ENGINE_TASKS_H
#define TW_ENGINE_TASKS_H

#include "engine/internal.h"

typedef struct tw_task {
    bool owned;             /* this process has its partition now */
    bool known;             /* its state is here, in memory and in the store */
    bool changed;           /* since the last commit */
    uint64_t commits;       /* number of its last closing record that is in the store as well; 0: none */
    int64_t next;           /* offset of the changelog after that record */
    int64_t closing_offset; /* of the closing record on its way */
    uint64_t files;         /* records of files that its lists' versions count, from whichever process replayed them */
} tw_task;

/* The task of a partition; made when it is not there. NULL for files. */
tw_task *tw_engine_task(tw_engine *engine, uint32_t task);

/* Does a lane hold events of the task's users? Its position, and a task's lane by name; made when not there. */
bool tw_engine_is_of_task(const tw_lane *lane, uint32_t task);
tw_position *tw_engine_lane_position(tw_engine *engine, const tw_lane *lane);
tw_lane *tw_engine_task_lane(tw_engine *engine, const char *name, uint32_t task);

/* closing.c: the closing record as bytes. decode: lanes stay in bytes; errors: TW_E_CORRUPT. next_lane: the next lane of a record's; false
 * at the end. */
typedef struct tw_closing {
    uint64_t instance, commits, files;
    tw_slice lanes;
} tw_closing;
void tw_closing_encode(tw_engine *engine, uint32_t task, uint64_t commits, tw_buf *out);
tw_code tw_closing_decode(tw_slice bytes, tw_closing *ret, tw_err *err);
bool tw_closing_next_lane(tw_cursor *c, char *ret_name, size_t size, int64_t *ret_offset, tw_slice *ret_meta);

/* Brings the state of a task that was just given to this process up to what its changelog says. Errors: those of the changelog, and of
 * a commit. */
tw_code tw_engine_take_over(tw_engine *engine, uint32_t task, tw_err *err);

/* Puts everything that changed since the last commit; call before tw_engine_put_state, which forgets it. */
tw_code tw_engine_put_changes(tw_engine *engine, tw_err *err);
/* Commits what was put, with the positions. Errors: TW_E_BUSY, TW_E_ABORTED. */
tw_code tw_engine_commit_changes(tw_engine *engine, tw_err *err);

/* A user of the task is gone; ids that a window of the lane took in (while put_state drains them). */
void tw_engine_note_gone(tw_engine *engine, uint32_t user);
tw_code tw_engine_put_ids(tw_engine *engine, tw_lane *lane, tw_clean_window window, uint64_t bucket, tw_slice ids,
                          tw_err *err);

/* Counts a record of a lane that is being learned again; with the last one, what was owed then is owed again. */
void tw_engine_silent_step(tw_engine *engine, tw_lane *lane, int64_t next_offset);

/* changelog_model.c: items and weights, for a process that has none. note: a row that changed. */
void tw_engine_note_row(tw_engine *engine, tw_table table, uint32_t row);
tw_code tw_engine_put_model(tw_engine *engine, tw_err *err);
tw_code tw_engine_adopt_model(tw_engine *engine, tw_err *err);
void tw_engine_model_rows_free(tw_engine *engine);

#endif
