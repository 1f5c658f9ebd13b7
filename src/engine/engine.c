/* Opening and closing the engine, its lanes and positions, and what it tells of itself. Called by the commands and by serve;
 * engine thread. The work is in step.c, lists.c and commit.c; what is durable in state.c. */
#include "engine/internal.h"

#include "engine/tasks.h"

#include "base/alloc.h"
#include "model/offline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The model is made when its settings are certain: a reader takes them from the state, which names them before its rows. */
void tw_engine_make_model(tw_engine *engine) {
    if (engine->model)
        return;
    engine->model = tw_model_create(engine->config, tw_engine_user_gone, engine);
    if (engine->store && engine->config->state_memory_max) {
        const tw_row_shelf shelf = tw_engine_shelf(engine);
        tw_model_bound_memory(engine->model, &shelf, engine->config->state_memory_max);
    }
    if (engine->vectors)
        tw_model_start_from(engine->model, engine->vectors);
    engine->ranker = tw_ranker_create(engine->model, engine->config);
    if (engine->config->drift_enabled)
        tw_engine_make_drift(engine);
}

tw_code tw_engine_open(const tw_engine_options *options, tw_engine **ret_engine, tw_err *err) {
    tw_engine *engine = tw_zalloc(sizeof *engine);
    engine->options = *options;
    engine->own_config = *options->config; /* shallow: texts stay with the caller */
    engine->config = &engine->own_config;
    engine->clock = options->clock ? *options->clock : tw_clock_system;
    engine->watermark_ms = INT64_MIN;
    engine->queue = tw_rank_queue_create();
    engine->newest = tw_newest_create();
    engine->mailbox = tw_mailbox_create();
    engine->arena = tw_arena_create(1 << 16);
    engine->commit_ns = tw_clock_steady_ns(&engine->clock);
    tw_engine_metrics_register();
    engine->fresh = engine->first = true;
    tw_code code = tw_engine_vectors_open(engine, err);
    if (code == TW_OK && options->state_dir && !options->read_only)
        code = tw_engine_check_memory(engine->config, err);
    if (code == TW_OK && options->state_dir)
        code = tw_engine_load(engine, err);
    if (code == TW_OK)
        code = tw_engine_vectors_agree(engine, err);
    tw_engine_make_model(engine);
    tw_rank_ids *ids = NULL;
    if (code == TW_OK && !options->read_only)
        code = tw_model_begin(engine->model, err);
    if (code == TW_OK)
        code = tw_rank_ids_open(engine->config, &ids, err);
    tw_ranker_take_ids(engine->ranker, ids);
    if (code == TW_OK && options->sink)
        code = options->sink->ops->resume(options->sink, tw_buf_slice(&engine->sink_position), err);
    if (code != TW_OK) {
        tw_engine_close(engine);
        return code;
    }
    tw_engine_requeue_owed(engine);
    if ((code = tw_model_sound(engine->model, err)) != TW_OK) {
        tw_engine_close(engine);
        return code;
    }
    engine->ready = options->read_only; /* nothing will come: what is there is all */
    tw_engine_gauge(engine);
    *ret_engine = engine;
    return TW_OK;
}

tw_engine *tw_engine_close(tw_engine *engine) {
    if (!engine)
        return NULL;
    for (size_t i = 0; i < engine->lanes_count; i++) {
        tw_clean_free(engine->lanes[i].clean);
        free(engine->lanes[i].parts);
    }
    tw_engine_model_rows_free(engine);
    for (int i = 0; i < engine->decoders_count; i++)
        if (engine->decoders[i])
            engine->decoders[i]->ops->free(engine->decoders[i]);
    tw_mailbox_free(engine->mailbox);
    tw_newest_free(engine->newest);
    tw_rank_queue_free(engine->queue);
    tw_ranker_free(engine->ranker);
    tw_engine_vectors_tell(engine);
    tw_model_free(engine->model);
    tw_store_close(engine->store);
    tw_vectors_close(engine->vectors);
    tw_engine_free_drift(engine);
    tw_arena_free(engine->arena);
    tw_buf_done(&engine->sink_position);
    tw_buf_done(&engine->scratch);
    tw_buf_done(&engine->debts);
    tw_buf_done(&engine->gone);
    tw_buf_done(&engine->key);
    tw_buf_done(&engine->value);
    free(engine->tasks);
    free(engine->lanes);
    free(engine->positions);
    free(engine->routes);
    free(engine->decoders);
    free(engine->records);
    free(engine->events);
    free(engine->reasons);
    free(engine->ids);
    free(engine->ids_known);
    free(engine);
    return NULL;
}

/* The files are the past of every topic. */
static void follow_files(tw_engine *engine) {
    const tw_clean *files = NULL;
    for (size_t i = 0; i < engine->lanes_count; i++)
        if (engine->lanes[i].task == TW_TASK_FILES)
            files = engine->lanes[i].clean;
    for (size_t i = 0; i < engine->lanes_count; i++)
        if (engine->lanes[i].task != TW_TASK_FILES)
            tw_clean_follow(engine->lanes[i].clean, files);
}

tw_code tw_engine_share(tw_engine *engine, tw_changelog *changelog, tw_err *err) {
    TW_ASSERT(!engine->source && !engine->options.changelog);
    engine->options.changelog = changelog;
    tw_engine_requeue_owed(engine); /* nothing, before tasks are given to this process */
    return engine->fresh ? tw_engine_adopt_model(engine, err) : TW_OK;
}

uint32_t tw_engine_lane(tw_engine *engine, const char *name, int32_t partition) {
    uint32_t id = 0;
    for (size_t i = 0; i < engine->lanes_count; i++) {
        if (engine->lanes[i].partition == partition && strcmp(engine->lanes[i].name, name) == 0)
            return (uint32_t)i;
        if (engine->lanes[i].id >= id)
            id = engine->lanes[i].id + 1;
    }
    engine->lanes = tw_grow(engine->lanes, &engine->lanes_capacity, engine->lanes_count + 1, sizeof(tw_lane));
    tw_lane *lane = &engine->lanes[engine->lanes_count];
    bool files = strcmp(name, TW_LANE_FILES) == 0;
    engine->has_files |= files;
    *lane = (tw_lane){.partition = partition, .id = id, .task = files ? TW_TASK_FILES : (uint32_t)partition};
    snprintf(lane->name, sizeof lane->name, "%s", name);
    lane->clean = tw_clean_create(engine->config);
    engine->lanes_count++;
    follow_files(engine);
    return (uint32_t)engine->lanes_count - 1;
}

uint32_t tw_engine_position(tw_engine *engine, const char *identity, int32_t partition) {
    for (size_t i = 0; i < engine->positions_count; i++)
        if (engine->positions[i].partition == partition && strcmp(engine->positions[i].identity, identity) == 0)
            return (uint32_t)i;
    engine->positions =
        tw_grow(engine->positions, &engine->positions_capacity, engine->positions_count + 1, sizeof(tw_position));
    tw_position *position = &engine->positions[engine->positions_count];
    *position = (tw_position){.partition = partition, .opened_ms = tw_clock_wall_ms(&engine->clock), .offset = -1};
    snprintf(position->identity, sizeof position->identity, "%s", identity);
    return (uint32_t)engine->positions_count++;
}

uint64_t tw_lane_consumed(const tw_lane *lane) {
    const tw_clean_counters *counters = tw_clean_counters_get(lane->clean);
    uint64_t consumed = 0;
    for (int v = 0; v < TW_VERDICT_COUNT; v++)
        consumed += counters->verdicts[v];
    return consumed;
}

void tw_engine_totals(const tw_engine *engine, tw_totals *ret_totals) {
    *ret_totals = (tw_totals){.lists = engine->lists_total};
    for (size_t i = 0; i < engine->lanes_count; i++) {
        const tw_clean_counters *counters = tw_clean_counters_get(engine->lanes[i].clean);
        for (int v = 0; v < TW_VERDICT_COUNT; v++)
            ret_totals->verdicts[v] += counters->verdicts[v];
        for (int r = 0; r < TW_REASON_COUNT; r++)
            ret_totals->reasons[r] += counters->reasons[r];
        ret_totals->consumed += tw_lane_consumed(&engine->lanes[i]);
    }
}

size_t tw_engine_ids_live(const tw_engine *engine) {
    size_t live = 0;
    for (size_t i = 0; i < engine->lanes_count; i++)
        live += tw_clean_ids_live(engine->lanes[i].clean);
    return live;
}
size_t tw_engine_ids_bytes(const tw_engine *engine) {
    size_t bytes = 0;
    for (size_t i = 0; i < engine->lanes_count; i++)
        bytes += tw_clean_size_bytes(engine->lanes[i].clean);
    return bytes;
}

tw_model *tw_engine_model(tw_engine *engine) {
    return engine->model;
}
tw_ranker *tw_engine_ranker(tw_engine *engine) {
    return engine->ranker;
}
int64_t tw_engine_watermark_ms(const tw_engine *engine) {
    return engine->watermark_ms;
}
bool tw_engine_source_done(const tw_engine *engine) {
    return engine->end_committed;
}
bool tw_engine_ready(const tw_engine *engine) {
    return engine->ready;
}

uint64_t tw_engine_users_owed(tw_engine *engine) {
    uint64_t owed = 0;
    for (uint32_t user = 0; user < tw_model_user_slots(engine->model); user++)
        owed += tw_model_user_live(engine->model, user) && tw_model_user_owes(engine->model, user);
    return owed;
}

void tw_engine_store_stats(const tw_engine *engine, tw_store_stats *ret_stats) {
    *ret_stats = (tw_store_stats){0};
    if (engine->store)
        tw_store_stats_get(engine->store, ret_stats);
}

tw_code tw_engine_sound(const tw_engine *engine, tw_err *err) {
    return tw_model_sound(engine->model, err);
}

static int by_lane(const void *a, const void *b) {
    const tw_lane *x = *(tw_lane *const *)a, *y = *(tw_lane *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

static int by_position(const void *a, const void *b) {
    const tw_position *x = *(tw_position *const *)a, *y = *(tw_position *const *)b;
    int order = strcmp(x->identity, y->identity);
    return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

/* Lanes and positions were added in the order of arrival, which says nothing: they are hashed in the order of their names. */
tw_hash128 tw_engine_digest(tw_engine *engine) {
    tw_hasher *hasher = tw_hasher_create();
    tw_model_digest(engine->model, hasher);
    if (engine->drift)
        tw_drift_digest(engine->drift, hasher);
    tw_buf *buf = &engine->scratch;
    tw_buf_clear(buf);
    tw_lane **lanes = tw_alloc((engine->lanes_count + 1) * sizeof *lanes);
    for (size_t i = 0; i < engine->lanes_count; i++)
        lanes[i] = &engine->lanes[i];
    qsort(lanes, engine->lanes_count, sizeof *lanes, by_lane);
    for (size_t i = 0; i < engine->lanes_count; i++) {
        tw_buf_text(buf, tw_slice_of(lanes[i]->name));
        tw_buf_u32(buf, (uint32_t)lanes[i]->partition);
        tw_clean_digest(lanes[i]->clean, buf);
    }
    free(lanes);
    tw_position **positions = tw_alloc((engine->positions_count + 1) * sizeof *positions);
    for (size_t i = 0; i < engine->positions_count; i++)
        positions[i] = &engine->positions[i];
    qsort(positions, engine->positions_count, sizeof *positions, by_position);
    for (size_t i = 0; i < engine->positions_count; i++) {
        tw_buf_text(buf, tw_slice_of(positions[i]->identity));
        tw_buf_u32(buf, (uint32_t)positions[i]->partition);
        tw_buf_u64(buf, (uint64_t)positions[i]->offset);
    }
    free(positions);
    if (tw_engine_vectors_used(engine)) {
        tw_buf_u64(buf, engine->vectors_hash.hi);
        tw_buf_u64(buf, engine->vectors_hash.lo);
    }
    tw_hasher_add(hasher, buf->data, buf->size);
    tw_hash128 value = tw_hasher_value(hasher);
    tw_hasher_free(hasher);
    return value;
}
