/* How a process that is given a partition comes to its task's state: whole from the changelog, or from its own store by learning again,
 * silently, what the store has missed. Called by the step's hooks; engine thread. */
#include "engine/tasks.h"

#include "base/alloc.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

/* A process that dies between the changelog and the store leaves the store one commit behind, and one more each time that it dies there
 * again before a commit came through. A store that is further behind than deaths explain is a copy of an older one. */
#define SILENT_COMMITS_MAX 32

/* What was written to a task's changelog after the point that is known here. */
typedef struct news {
    uint64_t instance; /* this process */
    bool elsewhere;    /* somebody else wrote a closing record */
    tw_buf closing;    /* the last one; empty: none */
    tw_buf debts;      /* users' rows, as (id, row) */
} news;

static tw_code hear(void *self, const tw_changelog_row *row, tw_err *err) {
    news *n = self;
    tw_closing one;
    if (row->key.size == 1 && row->key.data[0] == 'c' && row->value.data) {
        TW_TRY(tw_closing_decode(row->value, &one, err));
        n->elsewhere |= one.instance != n->instance;
        tw_buf_clear(&n->closing);
        tw_buf_put(&n->closing, row->value.data, row->value.size);
    } else if (row->key.size > 1 && row->key.data[0] == 'u' && row->value.data) {
        tw_buf_text(&n->debts, (tw_slice){row->key.data + 1, row->key.size - 1});
        tw_buf_text(&n->debts, row->value);
    }
    return TW_OK;
}

typedef struct restoring {
    tw_engine *engine;
    uint32_t task;
    uint64_t rows;
    tw_buf closing;
    tw_buf ids; /* (lane name, window, bucket, part, ids), until the closing record says what of them lives */
} restoring;

static tw_code restore_row(void *self, const tw_changelog_row *row, tw_err *err) {
    restoring *r = self;
    uint32_t user;
    r->rows++;
    if (row->key.size == 0)
        return TW_OK;
    tw_slice rest = {row->key.data + 1, row->key.size - 1};
    switch (row->key.data[0]) {
    case 'u':
        user = tw_model_user_find(r->engine->model, r->task, rest);
        if (user != TW_SLOT_NONE && r->engine->drift)
            tw_drift_user_gone(r->engine->drift, user);
        if (row->value.data) {
            TW_TRY(tw_model_user_import(r->engine->model, r->task, rest, row->value, &user, err));
            return tw_engine_relieve_restore(r->engine, err);
        }
        if (user != TW_SLOT_NONE)
            tw_model_user_drop(r->engine->model, user);
        return TW_OK;
    case 't': /* comes after the user's row, in the same commit */
        user = tw_model_user_find(r->engine->model, r->task, rest);
        return row->value.data && user != TW_SLOT_NONE && r->engine->drift
                   ? tw_drift_user_import(r->engine->drift, user, row->value, err)
                   : TW_OK;
    case 'w':
        tw_buf_text(&r->ids, rest);
        tw_buf_text(&r->ids, row->value);
        return TW_OK;
    case 'c':
        tw_buf_clear(&r->closing);
        tw_buf_put(&r->closing, row->value.data, row->value.size);
        return TW_OK;
    default:
        return tw_fail(err, TW_E_CORRUPT, "a row of the changelog of another version");
    }
}

/* Nothing of the task is left, here and (with the next commit) in the store. */
static void drop_task(tw_engine *engine, uint32_t task) {
    tw_engine_queue_drop(engine, task);
    for (uint32_t user = 0; user < tw_model_user_slots(engine->model); user++)
        if (tw_model_user_live(engine->model, user) && tw_model_user_task(engine->model, user) == task) {
            if (engine->drift)
                tw_drift_user_gone(engine->drift, user);
            tw_model_user_drop(engine->model, user); /* one at a time in memory */
        }
    for (size_t i = 0; i < engine->lanes_count; i++)
        if (tw_engine_is_of_task(&engine->lanes[i], task)) {
            tw_engine_lane_clear(engine, &engine->lanes[i]);
            tw_engine_lane_position(engine, &engine->lanes[i])->offset = -1;
        }
    *tw_engine_task(engine, task) = (tw_task){.owned = true, .next = -1};
}

static tw_code restore_lanes(tw_engine *engine, uint32_t task, tw_slice lanes, tw_err *err) {
    tw_cursor c = tw_cursor_of(lanes);
    char name[256];
    int64_t offset;
    tw_slice meta;
    while (tw_closing_next_lane(&c, name, sizeof name, &offset, &meta)) {
        tw_lane *lane = tw_engine_task_lane(engine, name, task);
        TW_TRY(tw_clean_load_meta(lane->clean, meta, err));
        tw_engine_lane_position(engine, lane)->offset = offset;
        int64_t watermark_ms = tw_clean_watermark_ms(lane->clean);
        engine->watermark_ms = watermark_ms > engine->watermark_ms ? watermark_ms : engine->watermark_ms;
    }
    return c.bad ? tw_fail(err, TW_E_CORRUPT, "a closing record of the changelog is damaged") : TW_OK;
}

/* The ids of live buckets into the windows and, beside the commit that follows, into the store. Parts of a bucket that the slot has
 * left behind stay in the topic until they are overwritten: their number tells. */
static tw_code restore_ids(tw_engine *engine, uint32_t task, tw_slice ids, tw_err *err) {
    tw_cursor all = tw_cursor_of(ids);
    while (!all.bad && all.at < all.end) {
        tw_cursor key = tw_cursor_of(tw_cursor_text(&all)), value = tw_cursor_of(tw_cursor_text(&all));
        char name[256];
        tw_slice lane_name = tw_cursor_text(&key);
        uint8_t window = tw_cursor_u8(&key);
        uint64_t bucket = tw_cursor_u64(&value);
        if (key.bad || value.bad || window >= TW_WINDOW_COUNT)
            return tw_fail(err, TW_E_CORRUPT, "ids of the changelog are damaged");
        snprintf(name, sizeof name, TW_SLICE_FMT, TW_SLICE_ARG(lane_name));
        tw_lane *lane = tw_engine_task_lane(engine, name, task);
        if (bucket < tw_clean_drop_below(lane->clean, (tw_clean_window)window))
            continue;
        tw_slice bytes = {value.at, (size_t)(value.end - value.at)};
        TW_TRY(tw_clean_load_log(lane->clean, (tw_clean_window)window, bucket, bytes, err));
        tw_engine_add_parts(lane, (tw_clean_window)window, bucket, 1);
        if (engine->store)
            tw_engine_keep_ids(engine, lane, (tw_clean_window)window, bucket, bytes);
    }
    return TW_OK;
}

static tw_code restore_rest(tw_engine *engine, uint32_t task, restoring *r, tw_err *err) {
    tw_closing last;
    tw_task *t = tw_engine_task(engine, task);
    if (r->closing.size == 0)
        return TW_OK;
    TW_TRY(tw_closing_decode(tw_buf_slice(&r->closing), &last, err));
    TW_TRY(restore_lanes(engine, task, last.lanes, err));
    TW_TRY(restore_ids(engine, task, tw_buf_slice(&r->ids), err));
    t->files = last.files;
    t->commits = last.commits;
    engine->fresh = engine->first = false;
    return TW_OK;
}

/* The task as its changelog has it. It is known with the last commit of the store alone; where state.memory.max makes more of them, a
 * start after a death among them finds a task without positions, and restores it anew. */
static tw_code restore(tw_engine *engine, uint32_t task, tw_err *err) {
    restoring r = {.engine = engine, .task = task};
    int64_t start_ns = tw_clock_steady_ns(&engine->clock), next = -1;
    tw_changelog *changelog = engine->options.changelog;
    if (engine->store)
        tw_store_begin(engine->store);
    drop_task(engine, task);
    tw_code code = changelog->ops->read(changelog, task, -1, restore_row, &r, &next, err);
    if (code == TW_OK)
        code = restore_rest(engine, task, &r, err);
    if (code == TW_OK) {
        tw_task *t = tw_engine_task(engine, task);
        t->known = true;
        t->next = next;
        code = tw_engine_commit_store(engine, err);
        double seconds = (double)(tw_clock_steady_ns(&engine->clock) - start_ns) * 1e-9;
        tw_log_info("restored", "task=%" PRIu32 " rows=%" PRIu64 " seconds=%.3f rows_per_s=%.0f", task, r.rows, seconds,
                    seconds > 0 ? (double)r.rows / seconds : 0.0);
        tw_engine_count_restore(r.rows, seconds);
    } else {
        engine->failed = true;
    }
    tw_buf_done(&r.closing);
    tw_buf_done(&r.ids);
    return code;
}

/* ---- learning again what the store has missed --------------------------------------------------------------------- */

static tw_code begin_silent(tw_engine *engine, uint32_t task, const tw_closing *last, tw_slice debts, tw_err *err) {
    tw_cursor c = tw_cursor_of(last->lanes);
    char name[256];
    int64_t offset;
    tw_slice meta;
    while (tw_closing_next_lane(&c, name, sizeof name, &offset, &meta)) {
        tw_lane *lane = tw_engine_task_lane(engine, name, task);
        int64_t here = tw_engine_lane_position(engine, lane)->offset;
        if ((here < 0 ? 0 : here) >= offset)
            continue;
        lane->silent_until = offset;
        engine->silent_lanes++;
    }
    if (c.bad)
        return tw_fail(err, TW_E_CORRUPT, "a closing record of the changelog is damaged");
    tw_buf_u32(&engine->debts, task);
    tw_buf_u64(&engine->debts, last->commits);
    tw_buf_text(&engine->debts, debts);
    tw_log_info("replaying",
                "task=%" PRIu32 " lanes=%d commits=%" PRIu64 " text=\"they are in the changelog and not in the store\"",
                task, engine->silent_lanes, last->commits - tw_engine_task(engine, task)->commits);
    if (engine->silent_lanes == 0)
        tw_engine_silent_end(engine);
    return TW_OK;
}

/* What was owed at the closing record, which knows of lists that the store does not. */
void tw_engine_silent_end(tw_engine *engine) {
    tw_cursor all = tw_cursor_of(tw_buf_slice(&engine->debts));
    tw_err ignored;
    while (!all.bad && all.at < all.end) {
        uint32_t task = tw_cursor_u32(&all);
        tw_engine_task(engine, task)->commits = tw_cursor_u64(&all);
        tw_cursor rows = tw_cursor_of(tw_cursor_text(&all));
        while (!rows.bad && rows.at < rows.end) {
            tw_slice id = tw_cursor_text(&rows), row = tw_cursor_text(&rows);
            uint32_t user = tw_model_user_find(engine->model, task, id);
            if (user == TW_SLOT_NONE)
                continue;
            tw_model_user_import_list(engine->model, user, row,
                                      &ignored); /* a damaged one leaves the debt: a list more */
        }
    }
    tw_buf_clear(&engine->debts);
    tw_engine_requeue_owed(engine);
    tw_log_info("replayed", "text=\"the store has caught up with its changelog\"");
}

void tw_engine_silent_step(tw_engine *engine, tw_lane *lane, int64_t next_offset) {
    if (lane->silent_until == 0 || next_offset < lane->silent_until)
        return;
    lane->silent_until = 0;
    if (--engine->silent_lanes == 0)
        tw_engine_silent_end(engine);
}

static bool has_state(tw_engine *engine, uint32_t task) {
    for (size_t i = 0; i < engine->lanes_count; i++)
        if (tw_engine_is_of_task(&engine->lanes[i], task) &&
            tw_engine_lane_position(engine, &engine->lanes[i])->offset >= 0)
            return true;
    return false;
}

/* A state from before state.changelog was set: it goes out whole with the next commit, unless somebody else has written already. */
static tw_code begin_changelog(tw_engine *engine, uint32_t task, tw_err *err) {
    tw_task *t = tw_engine_task(engine, task);
    news n = {.instance = engine->options.instance};
    int64_t next = -1;
    tw_code code = engine->options.changelog->ops->read(engine->options.changelog, task, -1, hear, &n, &next, err);
    if (code == TW_OK && n.closing.size) {
        code = restore(engine, task, err);
    } else if (code == TW_OK) {
        tw_log_warn("changelog",
                    "task=%" PRIu32
                    " text=\"first commit of a state that was here before: users go out, ids of duplicates "
                    "seen so far stay here\"",
                    task);
        t->known = t->changed = engine->changed = true;
        t->next = next;
        tw_model_touch_task(engine->model, task);
    }
    tw_buf_done(&n.closing);
    tw_buf_done(&n.debts);
    return code;
}

tw_code tw_engine_take_over(tw_engine *engine, uint32_t task, tw_err *err) {
    tw_task *t = tw_engine_task(engine, task);
    news n = {.instance = engine->options.instance};
    tw_closing last = {0};
    int64_t next = -1;
    t->owned = true;
    if (!t->known)
        return has_state(engine, task) ? begin_changelog(engine, task, err) : restore(engine, task, err);
    tw_code code = engine->options.changelog->ops->read(engine->options.changelog, task, t->next, hear, &n, &next, err);
    if (code == TW_OK && n.closing.size)
        code = tw_closing_decode(tw_buf_slice(&n.closing), &last, err);
    if (code == TW_OK && n.closing.size) {
        if (n.elsewhere || last.commits > t->commits + SILENT_COMMITS_MAX)
            code = restore(engine, task, err);
        else if (last.commits > t->commits)
            code = begin_silent(engine, task, &last, tw_buf_slice(&n.debts), err);
    }
    if (code == TW_OK && !engine->silent_lanes && tw_engine_task(engine, task)->next < next)
        tw_engine_task(engine, task)->next = next;
    tw_buf_done(&n.closing);
    tw_buf_done(&n.debts);
    return code;
}
