/* Hands out pointers to events in memory, in order. Called by the engine; used by bench and tests. */
#include "pipeline/ingest/memory.h"

#include "base/alloc.h"

#include <stdlib.h>

typedef struct memory_source {
    tw_source source; /* first */
    tw_input input;
    const tw_event *events;
    size_t count, next;
} memory_source;

static tw_code memory_poll(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *err) {
    memory_source *self = (memory_source *)source;
    (void)wait_ms, (void)err;
    int n = 0;
    for (; n < max && self->next < self->count; n++, self->next++)
        records[n] = (tw_record){.offset = (int64_t)self->next,
                                 .timestamp_ms = -1,
                                 .value = {(const char *)&self->events[self->next], sizeof(tw_event)}};
    source->read_bytes = (int64_t)(self->next * sizeof(tw_event));
    *ret_count = n;
    return TW_OK;
}

static tw_code memory_seek(tw_source *source, uint16_t input, int32_t partition, int64_t offset, tw_err *err) {
    memory_source *self = (memory_source *)source;
    (void)input, (void)partition, (void)err;
    self->next = (size_t)offset < self->count ? (size_t)offset : self->count;
    return TW_OK;
}

static void memory_ack(tw_source *source, uint16_t input, int32_t partition, int64_t offset) {
    (void)source, (void)input, (void)partition, (void)offset;
}

static tw_source *memory_close(tw_source *source) {
    free(source);
    return NULL;
}

tw_source *tw_source_memory(const tw_event *events, size_t count) {
    static const tw_source_ops ops = {
        .poll = memory_poll, .seek = memory_seek, .ack = memory_ack, .close = memory_close};
    memory_source *self = tw_zalloc(sizeof *self);
    self->input = (tw_input){.name = "memory", .format = TW_FORMAT_EVENT, .kind = TW_KIND_COUNT, .identity = "memory"};
    self->source = (tw_source){.ops = &ops,
                               .inputs = &self->input,
                               .inputs_count = 1,
                               .bounded = true,
                               .size_bytes = (int64_t)(count * sizeof(tw_event))};
    self->events = events;
    self->count = count;
    return &self->source;
}
