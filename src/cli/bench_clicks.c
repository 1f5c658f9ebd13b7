/* Clicks by the million that cost little to make, as a source for an engine: for states of a given size. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

#define BATCH_MAX 4096
#define START_MS 1700000000000
#define STEP_MS 10 /* of event time between two clicks */
/* Ranks are spread over the users, so that the busy ones are not neighbours in memory: a prime above any count of users. */
#define SPREAD 4294967291u

typedef struct clicks_source {
    tw_source source; /* first */
    tw_input input;
    tw_bench_clicks *plan;
    tw_bench_click texts[BATCH_MAX];
    tw_event events[BATCH_MAX];
} clicks_source;

static tw_slice put_id(char *to, char kind, uint64_t number) {
    char digits[24], *at = to;
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    *at++ = kind;
    while (count)
        *at++ = digits[--count];
    return (tw_slice){to, (size_t)(at - to)};
}

void tw_bench_click_make(tw_bench_click *text, uint64_t i, uint32_t user, uint32_t item, int64_t event_ms,
                         tw_event *ret_event) {
    *ret_event = (tw_event){.kind = TW_KIND_CLICK, .has = TW_HAS_KIND | TW_HAS_TIME, .event_ms = event_ms};
    ret_event->user_id = put_id(text->user, 'u', user);
    ret_event->item_id = put_id(text->item, 'i', item);
    ret_event->event_id = put_id(text->id, 'e', i);
}

static uint32_t zipf(double uniform, uint32_t n) {
    uint32_t rank = (uint32_t)(exp(uniform * log1p((double)n)) - 1.0);
    return rank < n ? rank : n - 1;
}

static tw_code clicks_poll(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *err) {
    clicks_source *self = (clicks_source *)source;
    tw_bench_clicks *plan = self->plan;
    int64_t start_ns = tw_bench_now_ns();
    int n = 0;
    (void)wait_ms, (void)err;
    for (; n < max && n < BATCH_MAX && plan->next < plan->end; n++, plan->next++) {
        tw_rng rng = tw_rng_at(82, 0, plan->next);
        uint32_t user = plan->zipf ? (uint32_t)((uint64_t)zipf(tw_rng_unit(&rng), plan->users) * SPREAD % plan->users)
                                   : (uint32_t)(plan->next % plan->users);
        tw_bench_click_make(&self->texts[n], plan->next, user, tw_rng_below(&rng, plan->items),
                            START_MS + (int64_t)plan->next * STEP_MS, &self->events[n]);
        records[n] = (tw_record){.offset = (int64_t)plan->next,
                                 .timestamp_ms = -1,
                                 .value = {(const char *)&self->events[n], sizeof(tw_event)}};
    }
    plan->made_ns += tw_bench_now_ns() - start_ns;
    *ret_count = n;
    return TW_OK;
}

static tw_code clicks_seek(tw_source *source, uint16_t input, int32_t partition, int64_t offset, tw_err *err) {
    (void)input, (void)partition, (void)err;
    ((clicks_source *)source)->plan->next = (uint64_t)offset;
    return TW_OK;
}

static void clicks_ack(tw_source *source, uint16_t input, int32_t partition, int64_t offset) {
    (void)source, (void)input, (void)partition, (void)offset;
}

static tw_source *clicks_close(tw_source *source) {
    free(source);
    return NULL;
}

tw_source *tw_bench_clicks_source(tw_bench_clicks *plan) {
    static const tw_source_ops ops = {
        .poll = clicks_poll, .seek = clicks_seek, .ack = clicks_ack, .close = clicks_close};
    clicks_source *self = tw_zalloc(sizeof *self);
    self->plan = plan;
    self->input = (tw_input){.name = "clicks", .format = TW_FORMAT_EVENT, .kind = TW_KIND_COUNT, .identity = "clicks"};
    self->source = (tw_source){.ops = &ops, .inputs = &self->input, .inputs_count = 1, .bounded = true};
    return &self->source;
}

tw_code tw_bench_clicks_take(tw_engine *engine, int64_t most_ns, tw_err *err) {
    int64_t start_ns = tw_bench_now_ns();
    int count;
    do {
        TW_TRY(tw_engine_step(engine, 0, &count, err));
        TW_TRY(tw_engine_commit_due(engine, err));
    } while (count > 0 && (most_ns == 0 || tw_bench_now_ns() - start_ns < most_ns));
    return TW_OK;
}
