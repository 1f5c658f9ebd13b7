/* Items and weights in the model changelog: each process sends the rows that changed, a bounded number a second, as the store
 * has them; a process that starts with nothing takes over those of the one that has seen most. Called by the commit and at the
 * start; engine thread.
 *
 *   m INSTANCE TABLE ROW   the row, whole; a tombstone when it is gone
 *   M INSTANCE             events seen, and the settings that give the rows their shape */
#include "engine/tasks.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engine/settings.h"
#include "model/table.h"

#include <inttypes.h>
#include <stdlib.h>

/* An instance that has written nothing for so long is gone (DESIGN: 24 h). */
#define GONE_AFTER_MS 86400000LL

/* A process that leaves sends what so many seconds may hold: more would keep the stop waiting. */
#define LEAVING_S 50

typedef struct tw_model_rows {
    tw_dirty tables[TW_TABLE_COUNT];
    size_t taken[TW_TABLE_COUNT]; /* of each list, those already sent in this round */
    int64_t sent_ns;              /* steady time of the last send; 0: none yet */
} tw_model_rows;

void tw_engine_note_row(tw_engine *engine, tw_table table, uint32_t row) {
    if (!engine->options.changelog || table == TW_TABLE_USER || table > TW_TABLE_WEIGHT ||
        engine->config->state_changelog_model_rows == 0)
        return;
    if (!engine->model_rows)
        engine->model_rows = tw_zalloc(sizeof *engine->model_rows);
    tw_dirty_add(&engine->model_rows->tables[table], row);
}

void tw_engine_model_rows_free(tw_engine *engine) {
    for (int t = 0; engine->model_rows && t < TW_TABLE_COUNT; t++)
        tw_dirty_done(&engine->model_rows->tables[t]);
    free(engine->model_rows);
    engine->model_rows = NULL;
}

static tw_slice row_key(tw_engine *engine, uint64_t instance, tw_table table, uint32_t row) {
    tw_buf_clear(&engine->key);
    tw_buf_u8(&engine->key, 'm');
    tw_buf_u64(&engine->key, instance);
    tw_buf_u8(&engine->key, (uint8_t)table);
    tw_buf_u32(&engine->key, row);
    return tw_buf_slice(&engine->key);
}

static tw_slice head_key(tw_engine *engine, uint64_t instance) {
    tw_buf_clear(&engine->key);
    tw_buf_u8(&engine->key, 'M');
    tw_buf_u64(&engine->key, instance);
    return tw_buf_slice(&engine->key);
}

static tw_code put(tw_engine *engine, tw_slice key, tw_slice value, tw_err *err) {
    return engine->options.changelog->ops->put(engine->options.changelog, TW_CHANGELOG_MODEL, key, value, NULL, err);
}

static tw_code put_row(tw_engine *engine, tw_table table, uint32_t row, tw_err *err) {
    bool live = table == TW_TABLE_WEIGHT || tw_model_item_live(engine->model, row);
    tw_buf_clear(&engine->value);
    if (live)
        tw_model_encode(engine->model, table, row, &engine->value);
    return put(engine, row_key(engine, engine->options.instance, table, row),
               live ? tw_buf_slice(&engine->value) : (tw_slice){0}, err);
}

static tw_code put_head(tw_engine *engine, tw_err *err) {
    tw_buf_clear(&engine->value);
    tw_buf_u64(&engine->value, tw_model_seen(engine->model));
    tw_settings_encode(engine->config, &engine->value);
    return put(engine, head_key(engine, engine->options.instance), tw_buf_slice(&engine->value), err);
}

/* The rows that may go now: what the time since the last send allows, a second's at most. */
static int64_t allowance(tw_engine *engine, tw_model_rows *rows) {
    int64_t a_second = engine->config->state_changelog_model_rows, now_ns = tw_clock_steady_ns(&engine->clock);
    int64_t waited_ms = (now_ns - rows->sent_ns) / 1000000;
    if (engine->leaving)
        return a_second * LEAVING_S;
    if (rows->sent_ns && waited_ms < 1000 && a_second * waited_ms < 1000)
        return 0;
    rows->sent_ns = now_ns;
    return waited_ms < 1000 ? a_second * waited_ms / 1000 : a_second;
}

/* Round by round: what changes again while a round is on is sent again in the next. */
tw_code tw_engine_put_model(tw_engine *engine, tw_err *err) {
    tw_model_rows *rows = engine->model_rows;
    int64_t left = rows ? allowance(engine, rows) : 0;
    bool any = false;
    for (int t = 0; rows && t < TW_TABLE_COUNT; t++) {
        tw_dirty *dirty = &rows->tables[t];
        for (; rows->taken[t] < dirty->count && left > 0; left--, rows->taken[t]++, any = true)
            TW_TRY(put_row(engine, (tw_table)t, dirty->list[rows->taken[t]], err));
        if (rows->taken[t] == dirty->count) {
            tw_dirty_clear(dirty);
            rows->taken[t] = 0;
        }
    }
    return any ? put_head(engine, err) : TW_OK;
}

void tw_engine_leave(tw_engine *engine) {
    engine->leaving = true;
    for (int t = 0; engine->model_rows && t < TW_TABLE_COUNT; t++)
        engine->changed |= engine->model_rows->tables[t].count > 0;
}

/* ---- taking over -------------------------------------------------------------------------------------------------- */

typedef struct instance {
    uint64_t id, seen;
    int64_t written_ms;
    bool fits;
} instance;

typedef struct choice {
    tw_engine *engine;
    instance *instances;
    size_t count, capacity;
    uint64_t chosen;
    uint64_t rows;
    tw_buf gone; /* keys of instances that are gone */
} choice;

static instance *instance_of(choice *c, uint64_t id) {
    for (size_t i = 0; i < c->count; i++)
        if (c->instances[i].id == id)
            return &c->instances[i];
    c->instances = tw_grow(c->instances, &c->capacity, c->count + 1, sizeof *c->instances);
    c->instances[c->count] = (instance){.id = id};
    return &c->instances[c->count++];
}

static tw_code look(void *self, const tw_changelog_row *row, tw_err *err) {
    choice *c = self;
    tw_err ignored;
    tw_cursor key = tw_cursor_of(row->key), value = tw_cursor_of(row->value);
    (void)err;
    if (tw_cursor_u8(&key) != 'M' || !row->value.data)
        return TW_OK;
    instance *one = instance_of(c, tw_cursor_u64(&key));
    one->seen = tw_cursor_u64(&value);
    one->written_ms = row->written_ms;
    one->fits =
        !key.bad && !value.bad &&
        tw_settings_agree(c->engine->config, (tw_slice){value.at, (size_t)(value.end - value.at)}, &ignored) == TW_OK;
    return TW_OK;
}

static tw_code take(void *self, const tw_changelog_row *row, tw_err *err) {
    choice *c = self;
    tw_cursor key = tw_cursor_of(row->key);
    uint8_t sort = tw_cursor_u8(&key);
    uint64_t id = tw_cursor_u64(&key);
    int64_t now_ms = tw_clock_wall_ms(&c->engine->clock);
    if (key.bad || (sort != 'm' && sort != 'M'))
        return tw_fail(err, TW_E_CORRUPT, "a row of the model changelog of another version");
    if (row->value.data && now_ms - instance_of(c, id)->written_ms > GONE_AFTER_MS)
        tw_buf_text(&c->gone, row->key);
    if (sort == 'M' || id != c->chosen || c->chosen == 0)
        return TW_OK;
    tw_table table = (tw_table)tw_cursor_u8(&key);
    uint32_t number = tw_cursor_u32(&key);
    if (key.bad || table <= TW_TABLE_USER || table > TW_TABLE_WEIGHT)
        return tw_fail(err, TW_E_CORRUPT, "a row of the model changelog is damaged");
    c->rows++;
    if (row->value.data)
        return tw_model_load(c->engine->model, table, number, row->value, false, err);
    tw_model_load_delete(c->engine->model, table, number);
    return TW_OK;
}

static tw_code bury(tw_engine *engine, const tw_buf *keys, tw_err *err) {
    tw_cursor c = tw_cursor_of(tw_buf_slice(keys));
    while (!c.bad && c.at < c.end)
        TW_TRY(put(engine, tw_cursor_text(&c), (tw_slice){0}, err));
    return TW_OK;
}

tw_code tw_engine_adopt_model(tw_engine *engine, tw_err *err) {
    tw_changelog *changelog = engine->options.changelog;
    choice c = {.engine = engine};
    int64_t next;
    uint64_t most = 0;
    tw_code code = changelog->ops->read(changelog, TW_CHANGELOG_MODEL, -1, look, &c, &next, err);
    for (size_t i = 0; i < c.count; i++)
        if (c.instances[i].fits && c.instances[i].seen > most) {
            most = c.instances[i].seen;
            c.chosen = c.instances[i].id;
        }
    if (code == TW_OK && c.count > 0)
        code = changelog->ops->read(changelog, TW_CHANGELOG_MODEL, -1, take, &c, &next, err);
    if (code == TW_OK && c.chosen != 0) {
        tw_model_fit(engine->model);
        code = tw_model_loaded(engine->model, err);
        tw_model_adopted(engine->model);
        tw_log_info("adopted",
                    "rows=%" PRIu64 " events_seen=%" PRIu64 " text=\"items and weights of another instance\"", c.rows,
                    most);
    }
    if (code == TW_OK)
        code = bury(engine, &c.gone, err);
    tw_buf_done(&c.gone);
    free(c.instances);
    return code;
}
