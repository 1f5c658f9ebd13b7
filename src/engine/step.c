/* One step of the engine: poll, decode, judge, learn, owe, rank. Read this first.
 *
 * Records are taken one by one and in order; a batch exists only so that memory can be touched ahead. Nothing here may
 * depend on where one batch ends and the next begins. */
#include "engine/internal.h"

#include "base/alloc.h"
#include "base/failpoint.h"

#include <inttypes.h>
#include <stdlib.h>

/* Events that are touched ahead of the one being learned (FACTS: rows prefetched 4-8 events ahead). */
#define AHEAD 8

/* Ranking may take this much of a step before polling goes on, unless lists are delayed to the limit (chosen: at batches of
 * 256 records polling then gets most of the core; not measured). */
#define RANK_BUDGET_NS 5000000

static tw_code decoder_for(const tw_input *input, tw_decoder **ret_decoder, tw_err *err) {
    switch (input->format) {
    case TW_FORMAT_CSV:
        return tw_decoder_csv(input->schema, ret_decoder, err);
    case TW_FORMAT_JSON:
        return tw_decoder_json(ret_decoder, err);
    case TW_FORMAT_AVRO:
        return tw_decoder_avro(input->schema, ret_decoder, err);
    case TW_FORMAT_EVENT:
        return tw_decoder_event(ret_decoder, err);
    }
    return tw_fail(err, TW_E_USAGE, "%s: unknown format", input->name);
}

/* Files are one lane, whatever they are called; each has a position of its own. A topic is its own lane. */
static const tw_route *route_of(tw_engine *engine, uint16_t input_index, int32_t partition) {
    for (size_t i = 0; i < engine->routes_count; i++)
        if (engine->routes[i].input == input_index && engine->routes[i].partition == partition)
            return &engine->routes[i];
    const tw_input *input = &engine->source->inputs[input_index];
    engine->routes = tw_grow(engine->routes, &engine->routes_capacity, engine->routes_count + 1, sizeof(tw_route));
    tw_route *route = &engine->routes[engine->routes_count++];
    *route = (tw_route){.input = input_index, .partition = partition};
    route->lane = tw_engine_lane(engine, engine->source->bounded ? "file" : input->name, partition);
    route->position = tw_engine_position(engine, input->identity, partition);
    engine->lanes[route->lane].items = input->kind == TW_KIND_ITEM;
    return route;
}

static int64_t hook_assigned(void *self, uint16_t input, int32_t partition) {
    tw_engine *engine = self;
    uint32_t position = route_of(engine, input, partition)->position; /* may move engine->positions */
    return engine->positions[position].offset;
}

static tw_code hook_revoked(void *self, bool lost, tw_err *err) {
    tw_engine *engine = self;
    if (!lost)
        return tw_engine_commit(engine, err);
    engine->failed = true;
    return tw_fail(err, TW_E_FENCED, "partitions were lost to another member");
}

tw_code tw_engine_attach(tw_engine *engine, tw_source *source, tw_err *err) {
    size_t batch = (size_t)engine->config->ingest_batch_max;
    TW_ASSERT(!engine->source);
    engine->source = source;
    engine->decoders = tw_zalloc((size_t)source->inputs_count * sizeof *engine->decoders);
    engine->records = tw_zalloc(batch * sizeof *engine->records);
    engine->events = tw_zalloc(batch * sizeof *engine->events);
    engine->reasons = tw_zalloc(batch * sizeof *engine->reasons);
    for (int i = 0; i < source->inputs_count; i++) {
        tw_code code = decoder_for(&source->inputs[i], &engine->decoders[i], err);
        if (code != TW_OK)
            return tw_wrap(err, "%s", source->inputs[i].name);
    }
    source->hooks = (tw_source_hooks){engine, hook_assigned, hook_revoked};
    if (source->bounded)
        for (int i = 0; i < source->inputs_count; i++) {
            int64_t offset = hook_assigned(engine, (uint16_t)i, 0);
            if (offset > 0)
                TW_TRY(source->ops->seek(source, (uint16_t)i, 0, offset, err));
        }
    return TW_OK;
}

/* The event as it is meant: what the record itself does not say comes from its input and its timestamp. */
static tw_reason decode(tw_engine *engine, const tw_record *record, tw_event *event) {
    const tw_input *input = &engine->source->inputs[record->input];
    tw_decoder *decoder = engine->decoders[record->input];
    if (record->value.size > (size_t)engine->config->ingest_record_max_bytes)
        return TW_REASON_OVERSIZED;
    *event = (tw_event){.kind = TW_KIND_COUNT};
    tw_reason reason = decoder->ops->decode(decoder, record, engine->arena, event);
    if (reason != TW_REASON_NONE)
        return reason;
    if (!(event->has & TW_HAS_KIND) && input->kind != TW_KIND_COUNT) {
        event->kind = input->kind;
        event->has |= TW_HAS_KIND;
    }
    if (!(event->has & TW_HAS_TIME) && record->timestamp_ms >= 0) {
        event->event_ms = record->timestamp_ms;
        event->has |= TW_HAS_TIME;
    }
    return TW_REASON_NONE;
}

static tw_code apply(tw_engine *engine, const tw_lane *lane, const tw_record *record, const tw_event *event,
                     tw_err *err) {
    uint32_t user;
    if (engine->options.before_learn && event->kind != TW_KIND_ITEM)
        engine->options.before_learn(engine->options.before_learn_self, engine, event, record->offset);
    TW_TRY(tw_model_learn(engine->model, lane->task, event, record->partition, record->offset, &user, err));
    if (user != TW_SLOT_NONE)
        tw_engine_owe(engine, user, record, event->event_ms);
    return TW_OK;
}

static tw_code take(tw_engine *engine, int index, tw_err *err) {
    const tw_record *record = &engine->records[index];
    const tw_event *event = &engine->events[index];
    const tw_route *route = route_of(engine, record->input, record->partition);
    const tw_lane *lane = &engine->lanes[route->lane];
    tw_position *position = &engine->positions[route->position];
    TW_ASSERT(record->offset >= position->offset);
    int64_t now_ms = record->timestamp_ms >= 0 ? record->timestamp_ms
                     : engine->source->bounded ? position->opened_ms
                                               : tw_clock_wall_ms(&engine->clock);
    tw_reason reason;
    tw_verdict verdict = tw_clean_judge(lane->clean, event, engine->reasons[index], now_ms, &reason);
    tw_engine_count(verdict, reason);
    engine->items_consumed += lane->items;
    position->offset = record->offset + 1;
    if (verdict == TW_VERDICT_DEAD && engine->options.sink)
        TW_TRY(engine->options.sink->ops->dead(engine->options.sink, engine->source->inputs[record->input].name, record,
                                               reason, err));
    if (verdict != TW_VERDICT_APPLIED)
        return TW_OK;
    TW_TRY(apply(engine, lane, record, event, err));
    int64_t watermark_ms = tw_clean_watermark_ms(lane->clean);
    if (watermark_ms > engine->watermark_ms)
        engine->watermark_ms = watermark_ms;
    if (engine->options.lists == TW_LISTS_ALL && !engine->options.wall_intervals)
        return tw_engine_make_due(engine, engine->watermark_ms, 0, err);
    return TW_OK;
}

/* Decodes the whole batch first, so that what clean and learn will need can be touched some events ahead. */
static tw_code take_batch(tw_engine *engine, int count, tw_err *err) {
    for (int i = 0; i < count; i++)
        engine->reasons[i] = decode(engine, &engine->records[i], &engine->events[i]);
    for (int i = 0; i < count + AHEAD; i++) {
        if (i < count && engine->reasons[i] == TW_REASON_NONE && (engine->events[i].has & TW_HAS_KIND)) {
            const tw_lane *lane =
                &engine->lanes[route_of(engine, engine->records[i].input, engine->records[i].partition)->lane];
            tw_clean_prefetch(lane->clean, &engine->events[i]);
            tw_model_prefetch(engine->model, lane->task, &engine->events[i]);
        }
        if (i >= AHEAD)
            TW_TRY(take(engine, i - AHEAD, err));
    }
    return TW_OK;
}

tw_code tw_engine_step(tw_engine *engine, int wait_ms, int *ret_count, tw_err *err) {
    int count = 0;
    tw_source *source = engine->source;
    tw_engine_serve(engine);
    TW_TRY(source->ops->poll(source, engine->records, (int)engine->config->ingest_batch_max, wait_ms, &count, err));
    tw_arena_reset(engine->arena);
    tw_code code = take_batch(engine, count, err);
    if (source->bounded || source->caught_up || engine->fresh)
        engine->ready = true;
    if (code == TW_OK && engine->options.wall_intervals && engine->options.lists == TW_LISTS_ALL && engine->ready)
        code = tw_engine_make_due(engine, tw_clock_wall_ms(&engine->clock), RANK_BUDGET_NS, err);
    if (code != TW_OK) { /* half a record may be learned: what is in memory must not be committed */
        engine->failed = true;
        return code;
    }
    (void)TW_FAILPOINT(ENGINE_STEP);
    if (count > 0)
        engine->changed = true;
    else if (source->bounded)
        engine->source_ended = true;
    *ret_count = count;
    return TW_OK;
}
