/* Decoding alone: the same click, as bytes of schemas/click.avsc, read by our plan and by avro-c's generic values. */
#include "cli/bench.h"

#include "avro/plan.h"
#include "avro/reference.h"
#include "avro/schema_files.h"
#include "avro/write.h"
#include "base/rng.h"

#include <stdio.h>

#define DATUMS \
    4096 /* different clicks, so that no branch predictor learns them by heart; they stay in the second-level cache */
#define ROUNDS 10        /* over all of them for each round of avro-c, which is slower by about as much */
#define ROUNDS_AVRO_C 25 /* about a hundred thousand events, and a million of ours */

typedef struct clicks {
    tw_buf bytes;
    tw_slice datums[DATUMS];
} clicks;

/* Clicks of about 80 bytes, as a shop writes them: ids, a category, a price on most, few titles. */
static void draw(clicks *c, uint64_t seed) {
    size_t starts[DATUMS + 1];
    for (size_t i = 0; i < DATUMS; i++) {
        tw_rng rng = tw_rng_at(seed, 80, i);
        char text[64];
        starts[i] = c->bytes.size;
        snprintf(text, sizeof text, "%016llx", (unsigned long long)tw_rng_next(&rng));
        tw_avro_put_optional(&c->bytes, tw_slice_of(text));
        snprintf(text, sizeof text, "user-%u", tw_rng_below(&rng, 1000000));
        tw_avro_put_text(&c->bytes, tw_slice_of(text));
        snprintf(text, sizeof text, "item-%u", tw_rng_below(&rng, 100000));
        tw_avro_put_text(&c->bytes, tw_slice_of(text));
        tw_avro_put_long(&c->bytes, 1700000000000 + (int64_t)tw_rng_below(&rng, 1u << 31));
        tw_avro_put_long(&c->bytes, tw_rng_below(&rng, 10) == 0);
        tw_avro_put_optional(&c->bytes, TW_SLICE_LITERAL("kitchen|small appliances"));
        tw_avro_put_optional(&c->bytes,
                             tw_rng_below(&rng, 10) == 0 ? TW_SLICE_LITERAL("Kettle, 1.7 l") : (tw_slice){0});
        bool priced = tw_rng_below(&rng, 10) != 0;
        tw_buf_u8(&c->bytes, priced ? 2 : 0);
        if (priced)
            tw_buf_f64(&c->bytes, (double)tw_rng_below(&rng, 10000) / 100);
    }
    starts[DATUMS] = c->bytes.size;
    for (size_t i = 0; i < DATUMS; i++)
        c->datums[i] = (tw_slice){c->bytes.data + starts[i], starts[i + 1] - starts[i]};
}

/* What both must agree on; read from the event, so that no field can be optimised away. */
static uint64_t digest(const tw_event *e) {
    return e->event_id.size + e->user_id.size * 3 + e->item_id.size * 5 + e->category.size * 7 + e->title.size * 11 +
           (uint64_t)e->event_ms + (uint64_t)(e->price * 100) * 13 + e->has * 17 + (uint64_t)e->kind * 19;
}

static double run_plan(const tw_avro_plan *plan, const clicks *c, int rounds, tw_arena *arena, uint64_t *ret_digest) {
    int64_t start_ns = tw_bench_now_ns();
    *ret_digest = 0;
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < DATUMS; i++) {
            tw_event e;
            size_t size;
            if (tw_avro_plan_decode(plan, c->datums[i], arena, &e, &size) == TW_REASON_NONE)
                *ret_digest += digest(&e);
        }
    return (double)(tw_bench_now_ns() - start_ns) / (rounds * (double)DATUMS);
}

static double run_avro_c(tw_avro_reference *reference, const clicks *c, int rounds, uint64_t *ret_digest) {
    int64_t start_ns = tw_bench_now_ns();
    *ret_digest = 0;
    for (int round = 0; round < rounds; round++)
        for (size_t i = 0; i < DATUMS; i++) {
            tw_event e;
            if (tw_avro_reference_read(reference, c->datums[i], &e))
                *ret_digest += digest(&e);
        }
    return (double)(tw_bench_now_ns() - start_ns) / (rounds * (double)DATUMS);
}

tw_code tw_bench_decode_run(tw_bench *bench, tw_err *err) {
    static clicks c;
    double ns[TW_BENCH_RUNS_MAX], avro_c_ns[TW_BENCH_RUNS_MAX];
    tw_slice schema = tw_schema_file("click.avsc");
    tw_avro_plan *plan = NULL;
    tw_avro_reference *reference = NULL;
    tw_arena *arena = tw_arena_create(4096);
    tw_code code = tw_avro_plan_create(schema, NULL, &plan, err);
    if (code != TW_OK || (code = tw_avro_reference_create(schema, &reference, err)) != TW_OK)
        goto done;
    int rounds = (int)tw_bench_size(bench, ROUNDS_AVRO_C);
    draw(&c, (uint64_t)bench->config->seed);
    for (int i = -1; i < bench->runs; i++) { /* one more, to warm up */
        uint64_t ours, theirs;
        double one_ns = run_plan(plan, &c, rounds * ROUNDS, arena, &ours);
        double one_avro_c_ns = run_avro_c(reference, &c, rounds, &theirs);
        TW_ASSERT(ours == theirs * ROUNDS); /* the same events */
        if (i >= 0)
            ns[i] = one_ns, avro_c_ns[i] = one_avro_c_ns;
    }
    tw_bench_say(bench, "decode.datum_bytes", "bytes", (double)c.bytes.size / DATUMS);
    tw_bench_add_ratio(bench, "decode.speedup_avro_c", avro_c_ns, ns, bench->runs);
    tw_bench_add(bench, "decode.ns", "ns", ns, bench->runs);
    tw_bench_add(bench, "decode.avro_c_ns", "ns", avro_c_ns, bench->runs);
done:
    tw_arena_free(arena);
    tw_buf_done(&c.bytes);
    tw_avro_reference_free(reference);
    tw_avro_plan_free(plan);
    return code;
}
