/* What of the tasks goes out with a commit: users, ids that dedup windows took in, closing records. Called by the commit; engine thread. */
#include "engine/tasks.h"

#include "base/alloc.h"

#include <stdlib.h>

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

static tw_slice user_key(tw_engine *engine, char kind, tw_slice id) {
    tw_buf_clear(&engine->key);
    tw_buf_u8(&engine->key, (uint8_t)kind);
    tw_buf_put(&engine->key, id.data, id.size);
    return tw_buf_slice(&engine->key);
}

/* Tombstones first: whoever is gone and came back within one commit is there. */
static tw_code put_users(tw_engine *engine, tw_err *err) {
    tw_cursor c = tw_cursor_of(tw_buf_slice(&engine->gone));
    while (!c.bad && c.at < c.end) {
        uint32_t task = tw_cursor_u32(&c);
        tw_slice id = tw_cursor_text(&c);
        TW_TRY(put(engine, task, user_key(engine, 'u', id), (tw_slice){0}, NULL, err));
        if (engine->drift)
            TW_TRY(put(engine, task, user_key(engine, 't', id), (tw_slice){0}, NULL, err));
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
        tw_slice id = tw_model_user_look(engine->model, user);
        TW_TRY(put(engine, task, user_key(engine, 'u', id), tw_buf_slice(&engine->value), NULL, err));
        tw_buf_clear(&engine->value);
        if (engine->drift && tw_drift_user_export(engine->drift, user, &engine->value))
            TW_TRY(put(engine, task, user_key(engine, 't', id), tw_buf_slice(&engine->value), NULL, err));
    }
    return tw_model_sound(engine->model, err);
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
        tw_closing_encode(engine, task, t->commits + 1, &engine->value);
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
