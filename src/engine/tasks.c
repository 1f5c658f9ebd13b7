/* The closing record, the restore and the silent replay. Called by the step's hooks and by the commit; engine thread. */
#include "engine/tasks.h"

#include "base/alloc.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CLOSING_FORMAT 1

/* A process that dies between the changelog and the store leaves the store one commit behind, and one more each time that it dies there
 * again before a commit came through. A store that is further behind than deaths explain is a copy of an older one. */
#define SILENT_COMMITS_MAX 32

tw_task *tw_engine_task(tw_engine *engine, uint32_t task) {
    if (task == TW_TASK_FILES)
        return NULL;
    if (task >= engine->tasks_count) {
        engine->tasks = tw_grow(engine->tasks, &engine->tasks_capacity, (size_t)task + 1, sizeof(tw_task));
        for (; engine->tasks_count <= task; engine->tasks_count++)
            engine->tasks[engine->tasks_count] = (tw_task){.next = -1};
    }
    return &engine->tasks[task];
}

static bool of_task(const tw_lane *lane, uint32_t task) {
    return lane->task == task && !lane->items;
}

static tw_position *position_of(tw_engine *engine, const tw_lane *lane) {
    char identity[sizeof lane->name + 8];
    snprintf(identity, sizeof identity, "topic %s", lane->name);
    uint32_t place = tw_engine_position(engine, identity, lane->partition); /* may move engine->positions */
    return &engine->positions[place];
}

static tw_lane *lane_of(tw_engine *engine, const char *name, uint32_t task) {
    uint32_t place = tw_engine_lane(engine, name, (int32_t)task); /* may move engine->lanes */
    return &engine->lanes[place];
}

/* ---- the closing record ------------------------------------------------------------------------------------------- */

typedef struct closing {
    uint64_t instance, commits, files;
    tw_slice lanes; /* in the record's bytes */
} closing;

static void encode_closing(tw_engine *engine, uint32_t task, uint64_t commits, tw_buf *out) {
    tw_buf meta = {0};
    tw_buf_u8(out, CLOSING_FORMAT);
    tw_buf_u64(out, engine->options.instance);
    tw_buf_u64(out, commits);
    tw_buf_u64(out, tw_engine_files_counted(engine, task));
    for (size_t i = 0; i < engine->lanes_count; i++) {
        tw_lane *lane = &engine->lanes[i];
        if (!of_task(lane, task))
            continue;
        tw_buf_clear(&meta);
        tw_clean_encode_meta(lane->clean, &meta);
        tw_buf_text(out, tw_slice_of(lane->name));
        tw_buf_u64(out, (uint64_t)position_of(engine, lane)->offset);
        tw_buf_text(out, tw_buf_slice(&meta));
    }
    tw_buf_done(&meta);
}

static tw_code decode_closing(tw_slice bytes, closing *ret, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    uint8_t format = tw_cursor_u8(&c);
    ret->instance = tw_cursor_u64(&c);
    ret->commits = tw_cursor_u64(&c);
    ret->files = tw_cursor_u64(&c);
    ret->lanes = (tw_slice){c.at, (size_t)(c.end - c.at)};
    return c.bad || format != CLOSING_FORMAT
               ? tw_fail(err, TW_E_CORRUPT, "a closing record of the changelog is damaged or of another version")
               : TW_OK;
}

/* The next lane of a closing record; false at the end. */
static bool next_lane(tw_cursor *c, char *ret_name, size_t size, int64_t *ret_offset, tw_slice *ret_meta) {
    if (c->bad || c->at == c->end)
        return false;
    tw_slice name = tw_cursor_text(c);
    *ret_offset = (int64_t)tw_cursor_u64(c);
    *ret_meta = tw_cursor_text(c);
    snprintf(ret_name, size, TW_SLICE_FMT, TW_SLICE_ARG(name));
    return !c->bad;
}

/* ---- what goes out with a commit ---------------------------------------------------------------------------------- */

void tw_engine_note_gone(tw_engine *engine, uint32_t user) {
    uint32_t task = tw_model_user_task(engine->model, user);
    if (!engine->options.changelog || task == TW_TASK_FILES)
        return;
    tw_buf_u32(&engine->gone, task);
    tw_buf_text(&engine->gone, tw_model_user_id(engine->model, user));
    tw_engine_task(engine, task)->changed = true;
}

static tw_code put(tw_engine *engine, uint32_t task, tw_slice key, tw_slice value, int64_t *ret_offset, tw_err *err) {
    return engine->options.changelog->ops->put(engine->options.changelog, task, key, value, ret_offset, err);
}

static tw_slice user_key(tw_engine *engine, tw_slice id) {
    tw_buf_clear(&engine->key);
    tw_buf_u8(&engine->key, 'u');
    tw_buf_put(&engine->key, id.data, id.size);
    return tw_buf_slice(&engine->key);
}

/* Tombstones first: whoever is gone and came back within one commit is there. */
static tw_code put_users(tw_engine *engine, tw_err *err) {
    tw_cursor c = tw_cursor_of(tw_buf_slice(&engine->gone));
    while (!c.bad && c.at < c.end) {
        uint32_t task = tw_cursor_u32(&c);
        TW_TRY(put(engine, task, user_key(engine, tw_cursor_text(&c)), (tw_slice){0}, NULL, err));
    }
    tw_buf_clear(&engine->gone);
    for (size_t i = 0; i < tw_model_users_changed(engine->model); i++) {
        uint32_t user = tw_model_user_changed(engine->model, i);
        if (!tw_model_user_live(engine->model, user))
            continue;
        uint32_t task = tw_model_user_task(engine->model, user);
        if (task == TW_TASK_FILES || !tw_engine_task(engine, task)->owned)
            continue;
        tw_buf_clear(&engine->value);
        tw_model_user_export(engine->model, user, &engine->value);
        TW_TRY(put(engine, task, user_key(engine, tw_model_user_id(engine->model, user)), tw_buf_slice(&engine->value),
                   NULL, err));
    }
    return TW_OK;
}

/* The number of parts that a bucket has in the changelog already. A slot is taken over by the bucket that comes round to it. */
static uint32_t *parts_of(tw_lane *lane, tw_clean_window window, uint64_t bucket) {
    if (!lane->parts)
        lane->parts = tw_zalloc(TW_WINDOW_COUNT * TW_PART_SLOTS * sizeof *lane->parts);
    tw_bucket_parts *parts = &lane->parts[window * TW_PART_SLOTS + bucket % TW_PART_SLOTS];
    if (parts->bucket != bucket)
        *parts = (tw_bucket_parts){.bucket = bucket};
    return &parts->count;
}

void tw_engine_add_parts(tw_lane *lane, tw_clean_window window, uint64_t bucket, uint32_t count) {
    *parts_of(lane, window, bucket) += count;
}

tw_code tw_engine_put_ids(tw_engine *engine, tw_lane *lane, tw_clean_window window, uint64_t bucket, tw_slice ids,
                          tw_err *err) {
    uint32_t *parts = parts_of(lane, window, bucket);
    tw_buf_clear(&engine->key);
    tw_buf_u8(&engine->key, 'w');
    tw_buf_text(&engine->key, tw_slice_of(lane->name));
    tw_buf_u8(&engine->key, (uint8_t)window);
    tw_buf_u32(&engine->key, (uint32_t)(bucket % TW_PART_SLOTS));
    tw_buf_u32(&engine->key, *parts);
    tw_buf_clear(&engine->value);
    tw_buf_u64(&engine->value, bucket);
    tw_buf_put(&engine->value, ids.data, ids.size);
    ++*parts;
    return put(engine, lane->task, tw_buf_slice(&engine->key), tw_buf_slice(&engine->value), NULL, err);
}

static tw_code put_closings(tw_engine *engine, tw_err *err) {
    for (uint32_t task = 0; task < engine->tasks_count; task++) {
        tw_task *t = &engine->tasks[task];
        if (!t->owned || !t->changed)
            continue;
        tw_buf_clear(&engine->value);
        encode_closing(engine, task, t->commits + 1, &engine->value);
        TW_TRY(put(engine, task, TW_SLICE_LITERAL("c"), tw_buf_slice(&engine->value), &t->closing_offset, err));
    }
    return TW_OK;
}

tw_code tw_engine_put_changes(tw_engine *engine, tw_err *err) {
    TW_TRY(put_users(engine, err));
    return put_closings(engine, err);
}

tw_code tw_engine_commit_changes(tw_engine *engine, tw_err *err) {
    tw_source *source = engine->source;
    void *group = source && source->ops->group ? source->ops->group(source) : NULL;
    tw_changelog_position *positions = tw_alloc((engine->routes_count + 1) * sizeof *positions);
    int count = 0;
    for (size_t i = 0; i < engine->routes_count; i++) {
        const tw_route *route = &engine->routes[i];
        const tw_lane *lane = &engine->lanes[route->lane];
        const tw_position *position = &engine->positions[route->position];
        if (!lane->items && position->offset >= 0 && tw_engine_task(engine, lane->task)->owned)
            positions[count++] = (tw_changelog_position){lane->name, lane->partition, position->offset};
    }
    tw_code code = engine->options.changelog->ops->commit(engine->options.changelog, group, positions, count, err);
    free(positions);
    if (code != TW_OK)
        return code;
    for (uint32_t task = 0; task < engine->tasks_count; task++) {
        tw_task *t = &engine->tasks[task];
        if (!t->owned || !t->changed)
            continue;
        t->commits++;
        t->next = t->closing_offset + 1;
        t->changed = false;
    }
    return TW_OK;
}

/* ---- what comes back ---------------------------------------------------------------------------------------------- */

/* What was written to a task's changelog after the point that is known here. */
typedef struct news {
    uint64_t instance; /* this process */
    bool elsewhere;    /* somebody else wrote a closing record */
    tw_buf closing;    /* the last one; empty: none */
    tw_buf debts;      /* users' rows, as (id, row) */
} news;

static tw_code hear(void *self, const tw_changelog_row *row, tw_err *err) {
    news *n = self;
    closing one;
    if (row->key.size == 1 && row->key.data[0] == 'c' && row->value.data) {
        TW_TRY(decode_closing(row->value, &one, err));
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
        if (row->value.data)
            return tw_model_user_import(r->engine->model, r->task, rest, row->value, &user, err);
        user = tw_model_user_find(r->engine->model, r->task, rest);
        if (user != TW_SLOT_NONE)
            tw_model_user_drop(r->engine->model, user);
        return TW_OK;
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
        if (tw_model_user_live(engine->model, user) && tw_model_user_task(engine->model, user) == task)
            tw_model_user_drop(engine->model, user);
    for (size_t i = 0; i < engine->lanes_count; i++)
        if (of_task(&engine->lanes[i], task)) {
            tw_engine_lane_clear(engine, &engine->lanes[i]);
            position_of(engine, &engine->lanes[i])->offset = -1;
        }
    *tw_engine_task(engine, task) = (tw_task){.owned = true, .next = -1};
}

static tw_code restore_lanes(tw_engine *engine, uint32_t task, tw_slice lanes, tw_err *err) {
    tw_cursor c = tw_cursor_of(lanes);
    char name[256];
    int64_t offset;
    tw_slice meta;
    while (next_lane(&c, name, sizeof name, &offset, &meta)) {
        tw_lane *lane = lane_of(engine, name, task);
        TW_TRY(tw_clean_load_meta(lane->clean, meta, err));
        position_of(engine, lane)->offset = offset;
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
        tw_lane *lane = lane_of(engine, name, task);
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
    closing last;
    tw_task *t = tw_engine_task(engine, task);
    if (r->closing.size == 0)
        return TW_OK;
    TW_TRY(decode_closing(tw_buf_slice(&r->closing), &last, err));
    TW_TRY(restore_lanes(engine, task, last.lanes, err));
    TW_TRY(restore_ids(engine, task, tw_buf_slice(&r->ids), err));
    t->files = last.files;
    t->commits = last.commits;
    engine->fresh = engine->first = false;
    return TW_OK;
}

/* The task as its changelog has it, in one commit of the store. */
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

static tw_code begin_silent(tw_engine *engine, uint32_t task, const closing *last, tw_slice debts, tw_err *err) {
    tw_cursor c = tw_cursor_of(last->lanes);
    char name[256];
    int64_t offset;
    tw_slice meta;
    while (next_lane(&c, name, sizeof name, &offset, &meta)) {
        tw_lane *lane = lane_of(engine, name, task);
        int64_t here = position_of(engine, lane)->offset;
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
            tw_user_list *list = tw_model_user_list(engine->model, user);
            tw_model_user_import_list(row, list, &ignored); /* one that is damaged leaves the debt: a list more */
            tw_model_user_list_touch(engine->model, user);
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
        if (of_task(&engine->lanes[i], task) && position_of(engine, &engine->lanes[i])->offset >= 0)
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
    closing last = {0};
    int64_t next = -1;
    t->owned = true;
    if (!t->known)
        return has_state(engine, task) ? begin_changelog(engine, task, err) : restore(engine, task, err);
    tw_code code = engine->options.changelog->ops->read(engine->options.changelog, task, t->next, hear, &n, &next, err);
    if (code == TW_OK && n.closing.size)
        code = decode_closing(tw_buf_slice(&n.closing), &last, err);
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
