/* One step of the engine: poll, decode, judge, learn, owe, rank. Read this first.
 *
 * Records are taken one by one and in order; a batch exists only so that memory can be touched ahead. Nothing here may
 * depend on where one batch ends and the next begins. */
#include "engine/tasks.h"

#include "base/alloc.h"
#include "base/failpoint.h"
#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>

/* Events that are touched ahead of the one being learned (FACTS: rows prefetched 4-8 events ahead). */
#define AHEAD 8

/* Ranking may take this much of a step before polling goes on, unless lists are delayed to the limit (chosen: at batches of
 * 256 records polling then gets most of the core; not measured). */
#define RANK_BUDGET_NS 5000000

/* How long the group may be kept waiting for the last commit of tasks that are given up. */
#define GIVE_UP_WAIT_NS 10000000000

static tw_code decoder_for(const tw_input *input, tw_decoder **ret_decoder, tw_err *err) {
    switch (input->format) {
    case TW_FORMAT_CSV:
        return tw_decoder_csv(input->schema, input->mapping, ret_decoder, err);
    case TW_FORMAT_JSON:
        return tw_decoder_json(input->mapping, ret_decoder, err);
    case TW_FORMAT_AVRO:
        return tw_decoder_avro(input->schema, input->mapping, ret_decoder, err);
    case TW_FORMAT_CONFLUENT:
        return tw_decoder_framed(TW_FRAMING_CONFLUENT, input->schemas, ret_decoder, err);
    case TW_FORMAT_SINGLE_OBJECT:
        return tw_decoder_framed(TW_FRAMING_SINGLE_OBJECT, input->schemas, ret_decoder, err);
    case TW_FORMAT_EVENT:
        return tw_decoder_event(ret_decoder, err);
    }
    return tw_fail(err, TW_E_USAGE, "%s: unknown format", input->name);
}

/* Files are one lane, whatever they are called; each has a position of its own. A topic is its own lane. */
static const tw_route *route_of(tw_engine *engine, uint16_t input_index, int32_t partition) {
    for (size_t n = 0, i = engine->route_last; n < engine->routes_count; n++, i = (i + 1) % engine->routes_count)
        if (engine->routes[i].input == input_index && engine->routes[i].partition == partition) {
            engine->route_last = i;
            return &engine->routes[i];
        }
    const tw_input *input = &engine->source->inputs[input_index];
    engine->routes = tw_grow(engine->routes, &engine->routes_capacity, engine->routes_count + 1, sizeof(tw_route));
    tw_route *route = &engine->routes[engine->routes_count++];
    *route = (tw_route){.input = input_index, .partition = partition};
    route->lane = tw_engine_lane(engine, engine->source->bounded ? TW_LANE_FILES : input->name, partition);
    route->position = tw_engine_position(engine, input->identity, partition);
    engine->lanes[route->lane].items = input->kind == TW_KIND_ITEM;
    return route;
}

static int64_t hook_assigned(void *self, uint16_t input, int32_t partition) {
    tw_engine *engine = self;
    uint32_t position = route_of(engine, input, partition)->position; /* may move engine->positions */
    return engine->positions[position].offset;
}

static tw_code hook_take_over(void *self, int32_t partition, tw_err *err) {
    tw_engine *engine = self;
    engine->ready = false; /* until what its inputs hold now is consumed */
    tw_code code = tw_engine_take_over(engine, (uint32_t)partition, err);
    if (code == TW_E_BUSY) { /* half of a task's state may be here */
        engine->failed = true;
        return tw_fail(err, TW_E_ABORTED, "the changelog of task %" PRId32 " could not be read", partition);
    }
    if (code == TW_OK)
        tw_engine_requeue_owed(engine);
    tw_model_cool(engine->model);
    return code == TW_OK ? tw_model_sound(engine->model, err) : code;
}

/* With a changelog the tasks may go to another process, which must find all that was done here: the commit has to come through now, or
 * what it would have held is discarded. */
static tw_code give_up_tasks(tw_engine *engine, bool lost, tw_err *err) {
    int64_t until_ns = tw_clock_steady_ns(&engine->clock) + GIVE_UP_WAIT_NS;
    tw_code code = lost ? tw_fail(err, TW_E_ABORTED, "the group has given the partitions away")
                   : engine->silent_lanes > 0
                       ? tw_fail(err, TW_E_ABORTED, "partitions were given up half way through a replay")
                       : TW_E_BUSY;
    while (code == TW_E_BUSY && tw_clock_steady_ns(&engine->clock) < until_ns)
        code = tw_engine_commit(engine, err);
    for (size_t t = 0; t < engine->tasks_count; t++)
        engine->tasks[t].owned = false;
    tw_engine_requeue_owed(engine);
    if (code == TW_OK)
        return TW_OK;
    engine->failed = true;
    return code == TW_E_BUSY ? tw_fail(err, TW_E_ABORTED, "no commit came through before partitions had to be given up")
                             : code;
}

static tw_code hook_revoked(void *self, bool lost, tw_err *err) {
    tw_engine *engine = self;
    if (engine->options.changelog)
        return give_up_tasks(engine, lost, err);
    if (!lost) {
        tw_code code = tw_engine_commit(engine, err);
        return code == TW_E_BUSY ? TW_OK : code; /* what is in memory stays good, and the next commit takes it */
    }
    engine->failed = true;
    return tw_fail(err, TW_E_FENCED, "partitions were lost to another member");
}

/* Lists are made on event time, after each record. */
static bool lists_in_step(const tw_engine *engine) {
    return engine->options.lists == TW_LISTS_ALL && !engine->options.wall_intervals;
}

tw_code tw_engine_attach(tw_engine *engine, tw_source *source, tw_err *err) {
    size_t batch = (size_t)engine->config->ingest_batch_max;
    TW_ASSERT(!engine->source);
    if (source->partitions && engine->partitions && source->partitions != engine->partitions)
        return tw_fail(err, TW_E_MISMATCH,
                       "the topics have %d partitions and had %d when this state was made: their keys have moved, so "
                       "start with a fresh "
                       "state.dir",
                       source->partitions, engine->partitions);
    if (source->partitions)
        engine->partitions = source->partitions;
    engine->source = source;
    engine->decoders_count = source->inputs_count;
    engine->decoders = tw_zalloc((size_t)source->inputs_count * sizeof *engine->decoders);
    engine->records = tw_zalloc(batch * sizeof *engine->records);
    engine->events = tw_zalloc(batch * sizeof *engine->events);
    engine->reasons = tw_zalloc(batch * sizeof *engine->reasons);
    engine->ids = tw_zalloc(batch * sizeof *engine->ids);
    engine->ids_known = tw_zalloc(batch * sizeof *engine->ids_known);
    for (int i = 0; i < source->inputs_count; i++) {
        tw_code code = decoder_for(&source->inputs[i], &engine->decoders[i], err);
        if (code != TW_OK)
            return tw_wrap(err, "%s", source->inputs[i].name);
    }
    source->hooks = (tw_source_hooks){.self = engine, .assigned = hook_assigned, .revoked = hook_revoked};
    if (engine->options.changelog)
        source->hooks.take_over = hook_take_over;
    engine->keys_checked = !source->bounded && engine->config->input_key_check;
    if (source->bounded)
        for (int i = 0; i < source->inputs_count; i++) {
            int64_t offset = hook_assigned(engine, (uint16_t)i, 0);
            if (offset > 0)
                TW_TRY(source->ops->seek(source, (uint16_t)i, 0, offset, err));
        }
    if (engine->listing && lists_in_step(engine)) /* the lists that a commit came between, before anything is learned */
        return tw_engine_make_due(engine, engine->watermark_ms, 0, err);
    return TW_OK;
}

/* A null value says that the item of that key is gone. The key is the id as text, or as a JSON string. */
static void retire(const tw_record *record, tw_event *event) {
    tw_slice id = record->key;
    if (id.size > 2 && id.data[0] == '"' && id.data[id.size - 1] == '"')
        id = (tw_slice){id.data + 1, id.size - 2};
    *event = (tw_event){.kind = TW_KIND_ITEM,
                        .has = TW_HAS_KIND | TW_HAS_RETIRED | TW_HAS_TIME,
                        .item_id = id,
                        .retired = true,
                        .event_ms = record->timestamp_ms > 0 ? record->timestamp_ms : 0};
}

/* The event as it is meant: what the record itself does not say comes from its input, its schema's name and its timestamp. */
static tw_reason decode(tw_engine *engine, const tw_record *record, tw_event *event) {
    const tw_input *input = &engine->source->inputs[record->input];
    tw_decoder *decoder = engine->decoders[record->input];
    if (record->value.size > (size_t)engine->config->ingest_record_max_bytes)
        return TW_REASON_OVERSIZED;
    if (!record->value.data && input->kind == TW_KIND_ITEM) {
        retire(record, event);
        return TW_REASON_NONE;
    }
    *event = (tw_event){.kind = TW_KIND_COUNT};
    tw_reason reason = decoder->ops->decode(decoder, record, engine->arena, event);
    if (reason != TW_REASON_NONE)
        return reason;
    if (!(event->has & TW_HAS_KIND) && input->kind != TW_KIND_COUNT)
        event->kind = input->kind;
    if (event->kind != TW_KIND_COUNT)
        event->has |= TW_HAS_KIND;
    if (!(event->has & TW_HAS_TIME) && record->timestamp_ms >= 0) {
        event->event_ms = record->timestamp_ms;
        event->has |= TW_HAS_TIME;
    }
    return TW_REASON_NONE;
}

/* A user known from files alone goes over to the partition in which they are met. */
static void adopt(tw_engine *engine, const tw_lane *lane, tw_slice user_id) {
    if (lane->task == TW_TASK_FILES || !engine->has_files ||
        tw_model_user_find(engine->model, lane->task, user_id) != TW_SLOT_NONE)
        return;
    uint32_t user = tw_model_user_find(engine->model, TW_TASK_FILES, user_id);
    if (user != TW_SLOT_NONE)
        tw_model_user_move(engine->model, user, lane->task);
}

/* The clock that the skew guard goes by: the broker's append time; the producer's word as far as it is not ahead of the wall; the wall. A
 * file has the wall of its first open, so that it reads the same again. */
static int64_t now_of(const tw_engine *engine, const tw_record *record, const tw_position *position) {
    if (record->appended)
        return record->timestamp_ms;
    int64_t wall_ms = engine->source->bounded ? position->opened_ms : tw_clock_wall_ms(&engine->clock);
    return record->timestamp_ms >= 0 && record->timestamp_ms < wall_ms ? record->timestamp_ms : wall_ms;
}

static tw_code apply(tw_engine *engine, const tw_lane *lane, const tw_record *record, const tw_event *event,
                     tw_err *err) {
    uint32_t user;
    adopt(engine, lane, event->user_id);
    if (engine->options.before_learn && event->kind != TW_KIND_ITEM)
        engine->options.before_learn(engine->options.before_learn_self, engine, lane->task, event, record->offset);
    TW_TRY(tw_model_learn(engine->model, lane->task, event, record->partition, record->offset, &user, err));
    if (user == TW_SLOT_NONE)
        return TW_OK;
    tw_engine_owe(engine, user, lane, record, event->event_ms);
    return tw_engine_watch(engine, lane, user, event, err);
}

static tw_code take(tw_engine *engine, int index, tw_err *err) {
    const tw_record *record = &engine->records[index];
    const tw_event *event = &engine->events[index];
    const tw_route *route = route_of(engine, record->input, record->partition);
    tw_lane *lane = &engine->lanes[route->lane];
    tw_position *position = &engine->positions[route->position];
    TW_ASSERT(record->offset >= position->offset);
    tw_reason reason;
    if (engine->keys_checked && !lane->items && engine->reasons[index] == TW_REASON_NONE)
        TW_TRY(tw_engine_check_key(engine, record, event, err));
    int64_t now_ms = now_of(engine, record, position);
    tw_verdict verdict = engine->ids_known[index]
                             ? tw_clean_judge_id(lane->clean, event, engine->ids[index], now_ms, &reason)
                             : tw_clean_judge(lane->clean, event, engine->reasons[index], now_ms, &reason);
    tw_engine_count(verdict, reason);
    if (lane->items)
        engine->items_offsets += (uint64_t)(record->offset + 1 - (position->offset > 0 ? position->offset : 0));
    position->offset = record->offset + 1;
    bool silent = lane->silent_until != 0;
    tw_task *task = lane->items ? NULL : tw_engine_task(engine, lane->task);
    if (task)
        task->changed = true;
    if (verdict == TW_VERDICT_DEAD && engine->options.sink && !silent)
        TW_TRY(engine->options.sink->ops->dead(engine->options.sink, engine->source->inputs[record->input].name, record,
                                               reason, err));
    engine->silent = silent;
    if (verdict == TW_VERDICT_APPLIED)
        TW_TRY(apply(engine, lane, record, event, err));
    if (silent)
        tw_engine_silent_step(engine, lane, position->offset);
    if (verdict != TW_VERDICT_APPLIED)
        return TW_OK;
    int64_t watermark_ms = tw_clean_watermark_ms(lane->clean);
    if (watermark_ms > engine->watermark_ms)
        engine->watermark_ms = watermark_ms;
    if (lists_in_step(engine))
        return tw_engine_make_due(engine, engine->watermark_ms, 0, err);
    return TW_OK;
}

static const tw_lane *lane_of(tw_engine *engine, int index) {
    const tw_record *record = &engine->records[index];
    const tw_route *route = route_of(engine, record->input, record->partition); /* may move engine->lanes */
    return &engine->lanes[route->lane];
}

static void find_id(tw_engine *engine, int index) {
    const tw_event *event = &engine->events[index];
    engine->ids_known[index] = engine->reasons[index] == TW_REASON_NONE && (event->has & TW_HAS_KIND) &&
                               tw_clean_id(lane_of(engine, index)->clean, event, &engine->ids[index]);
}

typedef void (*touch_fn)(const tw_clean *clean, tw_kind kind, tw_hash128 id);

/* The ids of the block from `first` on, all of them and nothing else. */
static void touch_ids(tw_engine *engine, int first, int count, touch_fn touch) {
    for (int i = first; i < first + TW_CLEAN_BLOCK && i < count; i++)
        if (engine->ids_known[i])
            touch(lane_of(engine, i)->clean, engine->events[i].kind, engine->ids[i]);
}

static void touch_rows(tw_engine *engine, int index) {
    const tw_record *record = &engine->records[index];
    const tw_event *event = &engine->events[index];
    if (engine->reasons[index] == TW_REASON_NONE && (event->has & TW_HAS_KIND))
        tw_model_prefetch(engine->model, lane_of(engine, index)->task, event, record->partition, record->offset);
}

/* Decodes the whole batch first, so that what clean and learn will need can be touched some events ahead. */
static tw_code take_batch(tw_engine *engine, int count, tw_err *err) {
    for (int i = 0; i < count; i++)
        engine->reasons[i] = decode(engine, &engine->records[i], &engine->events[i]);
    for (int i = 0; i < count; i++)
        find_id(engine, i);
    touch_ids(engine, 0, count, tw_clean_prefetch);
    for (int i = 0; i < count + AHEAD; i++) {
        if (i % TW_CLEAN_BLOCK == 0) {
            touch_ids(engine, i, count, tw_clean_prefetch_more);
            touch_ids(engine, i + TW_CLEAN_BLOCK, count, tw_clean_prefetch);
        }
        if (i < count)
            touch_rows(engine, i);
        if (i >= AHEAD)
            TW_TRY(take(engine, i - AHEAD, err));
    }
    return TW_OK;
}

/* Back-pressure: while the sink cannot take more, or a commit waits for it, partitions are paused and nothing is polled. */
static void stall_or_go_on(tw_engine *engine) {
    const tw_sink *sink = engine->options.sink;
    bool stalled = engine->unflushed || (sink && sink->ops->full && sink->ops->full(engine->options.sink));
    if (stalled == engine->stalled)
        return;
    engine->stalled = stalled;
    if (stalled && engine->pressed)
        tw_engine_count_memory_stall();
    if (engine->source->ops->pause)
        engine->source->ops->pause(engine->source, stalled);
    if (stalled)
        tw_log_warn("paused", "text=\"outputs are not acknowledged; inputs wait\"");
    else
        tw_log_info("resumed", "text=\"outputs are acknowledged again\"");
    tw_engine_count_stall(stalled);
}

/* Lists go out: none of them may know less than one that is out already, and beside a state made just now there is none. */
static bool publishing(const tw_engine *engine) {
    return (engine->ready || engine->first) && engine->silent_lanes == 0;
}

int tw_engine_idle_ms(const tw_engine *engine, int most_ms) {
    uint32_t user;
    int64_t due_ms;
    if (!engine->options.wall_intervals || engine->options.lists != TW_LISTS_ALL || !publishing(engine) ||
        engine->stalled || !tw_rank_queue_first(engine->queue, &user, &due_ms))
        return most_ms;
    int64_t wait_ms = due_ms - tw_clock_wall_ms(&engine->clock);
    return wait_ms < 0 ? 0 : wait_ms < most_ms ? (int)wait_ms : most_ms;
}

tw_code tw_engine_step(tw_engine *engine, int wait_ms, int *ret_count, tw_err *err) {
    int count = 0;
    tw_source *source = engine->source;
    tw_engine_serve(engine);
    tw_model_cool(engine->model);
    stall_or_go_on(engine);
    TW_TRY(source->ops->poll(source, engine->records, (int)engine->config->ingest_batch_max, wait_ms, &count, err));
    tw_arena_reset(engine->arena);
    tw_code code = take_batch(engine, count, err);
    if (source->bounded || source->caught_up)
        engine->ready = true;
    if (code == TW_OK && engine->options.wall_intervals && engine->options.lists == TW_LISTS_ALL &&
        publishing(engine) && !engine->stalled)
        code = tw_engine_make_due(engine, tw_clock_wall_ms(&engine->clock), RANK_BUDGET_NS, err);
    if (code != TW_OK) { /* half a record may be learned: what is in memory must not be committed */
        engine->failed = true;
        return code;
    }
    (void)TW_FAILPOINT(ENGINE_STEP);
    engine->behind = count == (int)engine->config->ingest_batch_max;
    if (count > 0)
        engine->changed = true;
    else if (source->bounded)
        engine->source_ended = true;
    *ret_count = count;
    return TW_OK;
}
