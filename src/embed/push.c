/* A stream without an end of one partition, which somebody else fills: the embedding program calls, the engine polls. Used by
 * recommender.c; engine thread.
 *
 * Offsets are numbers of events: the stored position is how many the state has seen, whatever became of them. */
#include "embed/push.h"

#include "base/alloc.h"

#include <stdlib.h>

#define INPUTS_COUNT 2

typedef struct push_source {
    tw_source source; /* first */
    tw_input inputs[INPUTS_COUNT];
    int64_t next; /* -1: not asked for yet */
    tw_record record;
    bool full;
} push_source;

static int64_t next_of(push_source *self) {
    if (self->next < 0) {
        int64_t stored = self->source.hooks.assigned(self->source.hooks.self, TW_PUSH_EVENT, 0);
        self->next = stored > 0 ? stored : 0;
    }
    return self->next;
}

static tw_code push_poll(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *err) {
    push_source *self = (push_source *)source;
    (void)max, (void)wait_ms, (void)err;
    int64_t offset = next_of(self);
    source->caught_up = true;
    *ret_count = self->full;
    if (!self->full)
        return TW_OK;
    self->record.offset = offset;
    records[0] = self->record;
    self->next++;
    self->full = false;
    return TW_OK;
}

static tw_code push_seek(tw_source *source, uint16_t input, int32_t partition, int64_t offset, tw_err *err) {
    (void)input, (void)partition, (void)err;
    ((push_source *)source)->next = offset;
    return TW_OK;
}

static void push_ack(tw_source *source, uint16_t input, int32_t partition, int64_t offset) {
    (void)source, (void)input, (void)partition, (void)offset;
}

static tw_source *push_close(tw_source *source) {
    free(source);
    return NULL;
}

tw_source *tw_source_push(void) {
    static const tw_source_ops ops = {.poll = push_poll, .seek = push_seek, .ack = push_ack, .close = push_close};
    push_source *self = tw_zalloc(sizeof *self);
    const tw_input input = {.name = "embedded", .kind = TW_KIND_COUNT, .identity = "embedded"};
    self->inputs[TW_PUSH_EVENT] = self->inputs[TW_PUSH_JSON] = input;
    self->inputs[TW_PUSH_EVENT].format = TW_FORMAT_EVENT;
    self->inputs[TW_PUSH_JSON].format = TW_FORMAT_JSON;
    self->source = (tw_source){.ops = &ops, .inputs = self->inputs, .inputs_count = INPUTS_COUNT, .partitions = 1};
    self->next = -1;
    return &self->source;
}

void tw_push(tw_source *source, uint16_t input, tw_slice value) {
    push_source *self = (push_source *)source;
    self->record = (tw_record){.input = input, .timestamp_ms = -1, .value = value};
    self->full = true;
}

uint64_t tw_pushed(const tw_source *source) {
    const push_source *self = (const push_source *)source;
    return self->next < 0 ? 0 : (uint64_t)self->next;
}
