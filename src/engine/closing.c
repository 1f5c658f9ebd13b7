/* Tasks and their closing records. Called by what goes out with a commit and by what comes back; engine thread. */
#include "engine/tasks.h"

#include "base/alloc.h"

#include <stdio.h>

#define CLOSING_FORMAT 1

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

bool tw_engine_is_of_task(const tw_lane *lane, uint32_t task) {
    return lane->task == task && !lane->items;
}

tw_position *tw_engine_lane_position(tw_engine *engine, const tw_lane *lane) {
    char identity[sizeof lane->name + 8];
    snprintf(identity, sizeof identity, "topic %s", lane->name);
    uint32_t place = tw_engine_position(engine, identity, lane->partition); /* may move engine->positions */
    return &engine->positions[place];
}

tw_lane *tw_engine_task_lane(tw_engine *engine, const char *name, uint32_t task) {
    uint32_t place = tw_engine_lane(engine, name, (int32_t)task); /* may move engine->lanes */
    return &engine->lanes[place];
}

void tw_closing_encode(tw_engine *engine, uint32_t task, uint64_t commits, tw_buf *out) {
    tw_buf meta = {0};
    tw_buf_u8(out, CLOSING_FORMAT);
    tw_buf_u64(out, engine->options.instance);
    tw_buf_u64(out, commits);
    tw_buf_u64(out, tw_engine_files_counted(engine, task));
    for (size_t i = 0; i < engine->lanes_count; i++) {
        tw_lane *lane = &engine->lanes[i];
        if (!tw_engine_is_of_task(lane, task))
            continue;
        tw_buf_clear(&meta);
        tw_clean_encode_meta(lane->clean, &meta);
        tw_buf_text(out, tw_slice_of(lane->name));
        tw_buf_u64(out, (uint64_t)tw_engine_lane_position(engine, lane)->offset);
        tw_buf_text(out, tw_buf_slice(&meta));
    }
    tw_buf_done(&meta);
}

tw_code tw_closing_decode(tw_slice bytes, tw_closing *ret, tw_err *err) {
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

bool tw_closing_next_lane(tw_cursor *c, char *ret_name, size_t size, int64_t *ret_offset, tw_slice *ret_meta) {
    if (c->bad || c->at == c->end)
        return false;
    tw_slice name = tw_cursor_text(c);
    *ret_offset = (int64_t)tw_cursor_u64(c);
    *ret_meta = tw_cursor_text(c);
    snprintf(ret_name, size, TW_SLICE_FMT, TW_SLICE_ARG(name));
    return !c->bad;
}
