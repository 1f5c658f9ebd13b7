/* The durable form of the engine: which metas and logs it keeps in the store beside the model's rows, and how they come
 * back. Called by open and commit; engine thread.
 *
 *   meta "settings"     learn.* and rank.*: a state of another shape is refused
 *   meta "engine"       lists made, last number of debt, whether lists were due that had not been made
 *   meta "vectors"      see vectors.c
 *   meta "lane/N"       lane with id N: name, partition, task, clean's watermark and counters
 *   meta "position/N"   identity, partition, next offset, first opening
 *   meta "task/N"       how far the changelog of task N is in the store
 *   meta "sink"         the sink's own position
 *   log  lane id * 2 windows + window             ids remembered, by time bucket
 *   log  lane id * 2 windows + windows + window   a byte for each part of a bucket that the changelog holds
 */
#include "engine/internal.h"

#include "engine/settings.h"
#include "engine/tasks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define JOURNAL_LEAST (1 << 20)

static void put_meta(tw_engine *engine, const char *name, const tw_buf *bytes) {
    tw_store_put_meta(engine->store, name, tw_buf_slice(bytes));
}

static uint32_t log_of(const tw_lane *lane, int window) {
    return lane->id * TW_LANE_LOGS + (uint32_t)window;
}

static tw_code put_lane(tw_engine *engine, tw_lane *lane, bool to_changelog, tw_err *err) {
    char name[32];
    tw_buf *buf = &engine->scratch;
    snprintf(name, sizeof name, "lane/%" PRIu32, lane->id);
    tw_buf_clear(buf);
    tw_buf_text(buf, tw_slice_of(lane->name));
    tw_buf_u32(buf, (uint32_t)lane->partition);
    tw_buf_u32(buf, lane->task);
    tw_buf_u8(buf, lane->items);
    tw_clean_encode_meta(lane->clean, buf);
    put_meta(engine, name, buf);

    tw_clean_window window;
    uint64_t bucket;
    tw_slice bytes;
    bool shared = to_changelog && !lane->items && lane->task != TW_TASK_FILES;
    while (tw_clean_next_change(lane->clean, &window, &bucket, &bytes)) {
        tw_store_append_log(engine->store, log_of(lane, window), bucket, bytes);
        if (!shared)
            continue;
        TW_TRY(tw_engine_put_ids(engine, lane, window, bucket, bytes, err));
        tw_store_append_log(engine->store, log_of(lane, TW_WINDOW_COUNT + window), bucket, TW_SLICE_LITERAL("p"));
    }
    for (int w = 0; w < TW_WINDOW_COUNT; w++) {
        uint64_t below = tw_clean_drop_below(lane->clean, (tw_clean_window)w);
        tw_store_drop_log(engine->store, log_of(lane, w), below);
        tw_store_drop_log(engine->store, log_of(lane, TW_WINDOW_COUNT + w), below);
    }
    return TW_OK;
}

void tw_engine_lane_clear(tw_engine *engine, tw_lane *lane) {
    tw_clean_free(lane->clean);
    lane->clean = tw_clean_create(engine->config);
    free(lane->parts);
    lane->parts = NULL;
    lane->silent_until = 0;
    for (int log = 0; engine->store && log < TW_LANE_LOGS; log++)
        tw_store_drop_log(engine->store, log_of(lane, log), UINT64_MAX);
}

void tw_engine_keep_ids(tw_engine *engine, const tw_lane *lane, tw_clean_window window, uint64_t bucket, tw_slice ids) {
    tw_store_append_log(engine->store, log_of(lane, window), bucket, ids);
    tw_store_append_log(engine->store, log_of(lane, TW_WINDOW_COUNT + window), bucket, TW_SLICE_LITERAL("p"));
}

static void put_task(tw_engine *engine, uint32_t task) {
    const tw_task *t = &engine->tasks[task];
    char name[32];
    tw_buf *buf = &engine->scratch;
    snprintf(name, sizeof name, "task/%" PRIu32, task);
    tw_buf_clear(buf);
    tw_buf_u8(buf, t->known);
    tw_buf_u64(buf, t->commits);
    tw_buf_u64(buf, (uint64_t)t->next);
    tw_buf_u64(buf, t->files);
    put_meta(engine, name, buf);
}

static void put_position(tw_engine *engine, size_t index) {
    const tw_position *position = &engine->positions[index];
    char name[32];
    tw_buf *buf = &engine->scratch;
    snprintf(name, sizeof name, "position/%zu", index);
    tw_buf_clear(buf);
    tw_buf_text(buf, tw_slice_of(position->identity));
    tw_buf_u32(buf, (uint32_t)position->partition);
    tw_buf_u64(buf, (uint64_t)position->offset);
    tw_buf_u64(buf, (uint64_t)position->opened_ms);
    put_meta(engine, name, buf);
}

static void sink_put(void *self, tw_table table, uint32_t row, tw_slice bytes) {
    tw_engine *engine = self;
    tw_store_put(engine->store, table, row, bytes);
    tw_engine_note_row(engine, table, row);
}
static void sink_delta(void *self, tw_table table, uint32_t row, tw_slice bytes) {
    tw_engine *engine = self;
    tw_store_put_delta(engine->store, table, row, bytes);
    tw_engine_note_row(engine, table, row);
}
static void sink_delete(void *self, tw_table table, uint32_t row) {
    tw_engine *engine = self;
    tw_store_delete(engine->store, table, row);
    tw_engine_note_row(engine, table, row);
}

tw_code tw_engine_put_state(tw_engine *engine, bool to_changelog, tw_err *err) {
    tw_buf *buf = &engine->scratch;
    tw_model_changes(engine->model, &(tw_row_sink){engine, sink_put, sink_delta, sink_delete});
    if (engine->drift)
        tw_drift_changes(engine->drift, &(tw_row_sink){engine, sink_put, sink_delta, sink_delete});
    for (size_t i = 0; i < engine->lanes_count; i++)
        TW_TRY(put_lane(engine, &engine->lanes[i], to_changelog, err));
    for (size_t i = 0; i < engine->positions_count; i++)
        put_position(engine, i);
    tw_buf_clear(buf);
    tw_settings_encode(engine->config, buf);
    put_meta(engine, "settings", buf);
    if (tw_engine_vectors_used(engine)) {
        tw_buf_clear(buf);
        tw_engine_vectors_put(engine, buf);
        put_meta(engine, "vectors", buf);
    }
    tw_buf_clear(buf);
    tw_buf_u32(buf, (uint32_t)engine->partitions);
    put_meta(engine, "partitions", buf);
    tw_buf_clear(buf);
    tw_buf_u64(buf, engine->lists_total);
    tw_buf_u64(buf, engine->owed_sequence);
    tw_buf_u8(buf, engine->listing);
    put_meta(engine, "engine", buf);
    if (engine->options.sink) {
        tw_buf_clear(&engine->sink_position);
        engine->options.sink->ops->position(engine->options.sink, &engine->sink_position);
    }
    put_meta(engine, "sink", &engine->sink_position);
    return TW_OK;
}

/* How far the changelog is in the store is known only after its commit. */
void tw_engine_put_tasks(tw_engine *engine) {
    for (uint32_t task = 0; task < engine->tasks_count; task++)
        put_task(engine, task);
}

tw_code tw_engine_commit_store(tw_engine *engine, tw_err *err) {
    if (!engine->store)
        return TW_OK;
    TW_TRY(tw_model_sound(engine->model, err));
    TW_TRY(tw_engine_put_state(engine, false, err));
    tw_engine_put_tasks(engine);
    return tw_store_commit(engine->store, err);
}

static void copy_text(char *to, size_t size, tw_slice text) {
    size_t n = text.size < size - 1 ? text.size : size - 1;
    memcpy(to, text.data, n);
    to[n] = '\0';
}

static tw_code load_lane(tw_engine *engine, uint32_t id, tw_cursor *c, tw_err *err) {
    char name[256];
    tw_slice text = tw_cursor_text(c);
    int32_t partition = (int32_t)tw_cursor_u32(c);
    uint32_t task = tw_cursor_u32(c);
    bool items = tw_cursor_u8(c) != 0;
    if (c->bad)
        return TW_OK; /* the caller tells */
    copy_text(name, sizeof name, text);
    uint32_t place = tw_engine_lane(engine, name, partition); /* may move engine->lanes */
    tw_lane *lane = &engine->lanes[place];
    lane->id = id;
    lane->task = task;
    lane->items = items;
    tw_code code = tw_clean_load_meta(lane->clean, (tw_slice){c->at, (size_t)(c->end - c->at)}, err);
    c->at = c->end;
    return code;
}

static void load_position(tw_engine *engine, tw_cursor *c) {
    char identity[256];
    tw_slice text = tw_cursor_text(c);
    int32_t partition = (int32_t)tw_cursor_u32(c);
    int64_t offset = (int64_t)tw_cursor_u64(c), opened_ms = (int64_t)tw_cursor_u64(c);
    if (c->bad)
        return;
    copy_text(identity, sizeof identity, text);
    uint32_t place = tw_engine_position(engine, identity, partition); /* may move engine->positions */
    tw_position *position = &engine->positions[place];
    position->offset = offset;
    position->opened_ms = opened_ms;
}

static tw_code load_meta(void *self, const char *name, tw_slice bytes, tw_err *err) {
    tw_engine *engine = self;
    tw_cursor c = tw_cursor_of(bytes);
    if (strcmp(name, "settings") == 0) {
        return engine->options.read_only || engine->options.adopt_settings
                   ? tw_settings_adopt(&engine->own_config, bytes, err)
                   : tw_settings_agree(engine->config, bytes, err);
    } else if (strcmp(name, "engine") == 0) {
        engine->lists_total = tw_cursor_u64(&c);
        engine->owed_sequence = tw_cursor_u64(&c);
        engine->listing = tw_cursor_u8(&c) != 0;
    } else if (strcmp(name, "vectors") == 0) {
        tw_engine_vectors_load(engine, &c);
    } else if (strcmp(name, "partitions") == 0) {
        engine->partitions = (int)tw_cursor_u32(&c);
    } else if (strncmp(name, "lane/", 5) == 0) {
        TW_TRY(load_lane(engine, (uint32_t)strtoul(name + 5, NULL, 10), &c, err));
    } else if (strncmp(name, "task/", 5) == 0) {
        tw_task *task = tw_engine_task(engine, (uint32_t)strtoul(name + 5, NULL, 10));
        task->known = tw_cursor_u8(&c) != 0;
        task->commits = tw_cursor_u64(&c);
        task->next = (int64_t)tw_cursor_u64(&c);
        task->files = tw_cursor_u64(&c);
    } else if (strncmp(name, "position/", 9) == 0) {
        load_position(engine, &c);
    } else if (strcmp(name, "sink") == 0) {
        tw_buf_clear(&engine->sink_position);
        tw_buf_put(&engine->sink_position, bytes.data, bytes.size);
        return TW_OK;
    } else {
        return tw_fail(err, TW_E_STORE, "unknown meta \"%s\"", name);
    }
    if (c.bad || c.at != c.end)
        return tw_fail(err, TW_E_STORE, "meta \"%s\" is damaged", name);
    return TW_OK;
}

static tw_code load_log(void *self, uint32_t log, uint64_t bucket, tw_slice bytes, tw_err *err) {
    tw_engine *engine = self;
    for (size_t i = 0; i < engine->lanes_count; i++) {
        tw_lane *lane = &engine->lanes[i];
        if (lane->id != log / TW_LANE_LOGS)
            continue;
        uint32_t which = log % TW_LANE_LOGS;
        if (which < TW_WINDOW_COUNT)
            return tw_clean_load_log(lane->clean, (tw_clean_window)which, bucket, bytes, err);
        tw_engine_add_parts(lane, (tw_clean_window)(which - TW_WINDOW_COUNT), bucket, (uint32_t)bytes.size);
        return TW_OK;
    }
    return tw_fail(err, TW_E_STORE, "log %" PRIu32 " belongs to no lane", log);
}

static bool is_of_drift(tw_table table) {
    return table == TW_TABLE_TASTE || table == TW_TABLE_DRIFT;
}

static tw_code load_row(void *self, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err) {
    tw_engine *engine = self;
    tw_engine_make_model(engine);
    if (is_of_drift(table)) {
        tw_engine_make_drift(engine); /* kept also where drift.enabled is false: the fold asks for these rows */
        return tw_drift_load(engine->drift, table, row, bytes, err);
    }
    return tw_model_load(engine->model, table, row, bytes, delta, err);
}
static void load_delete(void *self, tw_table table, uint32_t row) {
    tw_engine *engine = self;
    if (is_of_drift(table)) {
        if (engine->drift)
            tw_drift_load_delete(engine->drift, table, row);
    } else {
        tw_model_load_delete(engine->model, table, row);
    }
}
static void encode_row(void *self, tw_table table, uint32_t row, tw_buf *out) {
    tw_engine *engine = self;
    if (is_of_drift(table)) {
        if (engine->drift)
            tw_drift_encode(engine->drift, table, row, out);
    } else {
        tw_model_encode(engine->model, table, row, out);
    }
}

/* What the loaded parts add up to. */
static void measure(tw_engine *engine) {
    for (size_t i = 0; i < engine->lanes_count; i++) {
        const tw_lane *lane = &engine->lanes[i];
        int64_t watermark_ms = tw_clean_watermark_ms(lane->clean);
        if (watermark_ms > engine->watermark_ms)
            engine->watermark_ms = watermark_ms;
        if (!lane->items)
            continue;
        char identity[sizeof lane->name + 8];
        snprintf(identity, sizeof identity, "topic %s", lane->name);
        uint32_t place = tw_engine_position(engine, identity, lane->partition); /* may move engine->positions */
        int64_t offset = engine->positions[place].offset;
        engine->items_offsets += offset > 0 ? (uint64_t)offset : 0;
    }
}

/* Under state.memory.max the journal is no longer than what memory is for: at a start all its users are in memory. */
static uint64_t journal_max(const tw_config *config) {
    int64_t most = config->store_journal_max_bytes, memory = config->state_memory_max;
    if (memory == 0 || memory >= most)
        return (uint64_t)most;
    return (uint64_t)(memory > JOURNAL_LEAST ? memory : JOURNAL_LEAST);
}

tw_code tw_engine_load(tw_engine *engine, tw_err *err) {
    const tw_store_options options = {.dir = engine->options.state_dir,
                                      .map_max_bytes = (uint64_t)engine->config->state_map_max_bytes,
                                      .journal_max_bytes = journal_max(engine->config),
                                      .fold_rows_max = (uint32_t)engine->config->store_fold_rows_max,
                                      .read_only = engine->options.read_only,
                                      .read_back = engine->config->state_memory_max != 0};
    const tw_store_owner owner = {engine, load_row, load_delete, load_meta, load_log, encode_row};
    TW_TRY(tw_store_open(&options, &owner, &engine->store, &engine->fresh, err));
    engine->first = tw_store_made(engine->store);
    if (engine->fresh)
        return TW_OK;
    TW_TRY(tw_store_load(engine->store, err));
    tw_engine_make_model(engine);
    TW_TRY(tw_model_loaded(engine->model, err));
    measure(engine);
    tw_model_cool(engine->model);
    return tw_engine_relieve(engine, err); /* of what an engine without a bound has left in the journal */
}
