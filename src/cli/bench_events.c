/* Events for the benchmarks: a file or the synthetic shop, decoded once into memory. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "pipeline/decode/decode.h"
#include "pipeline/ingest/file.h"
#include "pipeline/ingest/shop.h"

#include <stdio.h>
#include <stdlib.h>

/* Rows without an id are left out: clean would drop them, and learning is also measured without it. */
static void keep(tw_bench_events *events, const tw_event *e) {
    if (!e->user_id.size || !e->item_id.size)
        return;
    events->events = tw_grow(events->events, &events->capacity, events->count + 1, sizeof(tw_event));
    tw_event *copy = &events->events[events->count++];
    *copy = *e;
    copy->event_id = tw_arena_copy(events->bytes, e->event_id);
    copy->user_id = tw_arena_copy(events->bytes, e->user_id);
    copy->item_id = tw_arena_copy(events->bytes, e->item_id);
    copy->category = tw_arena_copy(events->bytes, e->category);
    copy->title = tw_arena_copy(events->bytes, e->title);
}

static tw_code drain(tw_source *source, tw_decoder *decoder, const tw_config *config, tw_bench_events *events,
                     tw_err *err) {
    tw_record *records = tw_alloc((size_t)config->ingest_batch_max * sizeof *records);
    tw_arena *arena = tw_arena_create(1 << 16);
    int count = 0;
    tw_code code;
    do {
        code = source->ops->poll(source, records, (int)config->ingest_batch_max, 0, &count, err);
        for (int i = 0; code == TW_OK && i < count; i++) {
            tw_event e = {.kind = TW_KIND_COUNT};
            if (decoder->ops->decode(decoder, &records[i], arena, &e) == TW_REASON_NONE)
                keep(events, &e);
        }
        tw_arena_reset(arena);
    } while (code == TW_OK && count > 0);
    tw_arena_free(arena);
    free(records);
    return code;
}

tw_code tw_bench_events_read(const char *path, const tw_config *config, tw_bench_events *ret_events, tw_err *err) {
    tw_source *source;
    tw_decoder *decoder = NULL;
    *ret_events = (tw_bench_events){.bytes = tw_arena_create(1 << 20)};
    const char *slash = strrchr(path, '/');
    snprintf(ret_events->stem, sizeof ret_events->stem, "%s", slash ? slash + 1 : path);
    ret_events->stem[strcspn(ret_events->stem, ".")] = '\0';
    tw_code code = tw_source_file(path, config, &source, err);
    if (code != TW_OK)
        return code;
    switch (source->inputs[0].format) {
    case TW_FORMAT_CSV:
        code = tw_decoder_csv(source->inputs[0].schema, source->inputs[0].mapping, &decoder, err);
        break;
    case TW_FORMAT_AVRO:
        code = tw_decoder_avro(source->inputs[0].schema, source->inputs[0].mapping, &decoder, err);
        break;
    default:
        code = tw_decoder_json(source->inputs[0].mapping, &decoder, err);
        break;
    }
    if (code == TW_OK)
        code = drain(source, decoder, config, ret_events, err);
    if (decoder)
        decoder->ops->free(decoder);
    source->ops->close(source);
    return code;
}

tw_code tw_bench_events_draw(size_t count, uint32_t users, uint32_t items, const tw_config *config,
                             tw_bench_events *ret_events, tw_err *err) {
    tw_shop_options options;
    tw_decoder *decoder;
    tw_shop_defaults(&options);
    options.seed = (uint64_t)config->seed;
    options.users = users;
    options.items = items;
    options.events = count;
    options.events_per_s = 100;
    options.end_ms = 1700000000000; /* a fixed time: the same events in every run */
    *ret_events = (tw_bench_events){.stem = "shop", .bytes = tw_arena_create(1 << 20)};
    tw_source *source = tw_source_shop(&options);
    tw_code code = tw_decoder_event(&decoder, err);
    if (code == TW_OK) {
        code = drain(source, decoder, config, ret_events, err);
        decoder->ops->free(decoder);
    }
    source->ops->close(source);
    return code;
}

void tw_bench_events_done(tw_bench_events *events) {
    free(events->events);
    tw_arena_free(events->bytes);
    *events = (tw_bench_events){0};
}
