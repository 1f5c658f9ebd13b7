/* The plan against two readers of other make, avro-c and the oracle, on random datums of random schemas: fields in any order, more and
 * fewer of them, promoted, optional, renamed with an alias, among others of every type; then on the same bytes with a bit turned or
 * cut short. */
#include "avro/plan.h"
#include "avro/reference.h"
#include "property/avro/draw.h"
#include "support/test.h"

#include <stdlib.h>

#define SCHEMAS 2000
#define DATUMS 20

static tw_err err;

static bool same_number(double a, double b) {
    return a == b || (a != a && b != b);
}

static bool same(const tw_event *a, const tw_event *b) {
    return a->has == b->has && (!(a->has & TW_HAS_KIND) || a->kind == b->kind) &&
           (!(a->has & TW_HAS_TIME) || a->event_ms == b->event_ms) && tw_slice_equal(a->event_id, b->event_id) &&
           tw_slice_equal(a->user_id, b->user_id) && tw_slice_equal(a->item_id, b->item_id) &&
           tw_slice_equal(a->category, b->category) && tw_slice_equal(a->title, b->title) &&
           same_number(a->price, b->price) && same_number(a->quantity, b->quantity) &&
           same_number(a->rating, b->rating) && a->in_stock == b->in_stock && a->retired == b->retired;
}

static void fail(const char *what, tw_slice schema, tw_slice datum) {
    printf("  " TW_SLICE_FMT "\n  ", TW_SLICE_ARG(schema));
    for (size_t i = 0; i < datum.size; i++)
        printf("%02x", (unsigned char)datum.data[i]);
    printf("\n");
    tw_test_fail(__FILE__, __LINE__, "%s", what);
}

/* Bytes that may be of the schema or not: the plan and the oracle agree on whether, and on what they say. */
static void expect_agreement(const tw_avro_plan *plan, const tw_oracle_type *record, tw_slice schema, tw_slice bytes,
                             tw_arena *arena) {
    tw_event ours, theirs;
    size_t our_size, their_size, skipped;
    char *exact = malloc(bytes.size + 1); /* so that a sanitizer sees any step beyond */
    memcpy(exact + 1, bytes.data, bytes.size);
    bytes.data = exact + 1;
    bool read = tw_avro_plan_decode(plan, bytes, arena, &ours, &our_size) == TW_REASON_NONE;
    if (read != tw_oracle_read(record, bytes, arena, &theirs, &their_size))
        fail(read ? "the oracle refuses what the plan reads" : "the plan refuses what the oracle reads", schema, bytes);
    if (read && (our_size != their_size || !same(&ours, &theirs)))
        fail("the oracle reads something else", schema, bytes);
    if (read && (tw_avro_plan_skip(plan, bytes, &skipped) != TW_REASON_NONE || skipped != our_size))
        fail("skipping ends elsewhere", schema, bytes);
    free(exact);
}

static void expect_whole(const tw_avro_plan *plan, tw_slice schema, tw_slice datum, tw_arena *arena) {
    tw_event e;
    size_t size;
    if (tw_avro_plan_decode(plan, datum, arena, &e, &size) != TW_REASON_NONE || size != datum.size)
        fail("the plan refuses a good datum", schema, datum);
}

TEST(what_the_oracle_reads_of_random_schemas_the_plan_reads) {
    tw_arena *types = tw_arena_create(1 << 16), *arena = tw_arena_create(1 << 16);
    tw_buf schema = {0}, datum = {0};
    int overflown = 0;
    for (uint64_t s = 0; s < SCHEMAS; s++) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 20, s);
        tw_avro_plan *plan;
        tw_oracle_type *record = tw_draw_record(&rng, false, types);
        tw_buf_clear(&schema);
        tw_draw_schema(record, &schema);
        if (tw_avro_plan_create(tw_buf_slice(&schema), NULL, &plan, &err) != TW_OK)
            fail(err.text, tw_buf_slice(&schema), (tw_slice){0});
        for (int i = 0; i < DATUMS; i++) {
            tw_event e;
            size_t size;
            tw_buf_clear(&datum);
            tw_draw_datum(&rng, record, &datum);
            tw_slice bytes = tw_buf_slice(&datum);
            if (tw_oracle_read(record, bytes, arena, &e, &size)) /* else a time that no event can hold */
                expect_whole(plan, tw_buf_slice(&schema), bytes, arena);
            else
                overflown++;
            expect_agreement(plan, record, tw_buf_slice(&schema), bytes, arena);
            if (datum.size > 0) {
                datum.data[tw_rng_below(&rng, (uint32_t)datum.size)] ^= (char)(1 << tw_rng_below(&rng, 8));
                expect_agreement(plan, record, tw_buf_slice(&schema), bytes, arena);
                bytes.size = tw_rng_below(&rng, (uint32_t)bytes.size);
                expect_agreement(plan, record, tw_buf_slice(&schema), bytes, arena);
            }
            tw_arena_reset(arena);
        }
        tw_avro_plan_free(plan);
        tw_arena_reset(types);
    }
    ASSERT_LT(overflown, SCHEMAS * DATUMS / 20);
    tw_buf_done(&schema);
    tw_buf_done(&datum);
    tw_arena_free(types);
    tw_arena_free(arena);
}

TEST(what_avro_c_reads_of_random_schemas_the_plan_reads) {
    tw_arena *types = tw_arena_create(1 << 16), *arena = tw_arena_create(1 << 16);
    tw_buf schema = {0}, datum = {0};
    for (uint64_t s = 0; s < SCHEMAS; s++) {
        tw_rng rng = tw_rng_at(tw_test_seed(), 21, s);
        tw_avro_plan *plan;
        tw_avro_reference *reference;
        tw_oracle_type *record = tw_draw_record(&rng, true, types);
        tw_buf_clear(&schema);
        tw_draw_schema(record, &schema);
        ASSERT_OK(tw_avro_plan_create(tw_buf_slice(&schema), NULL, &plan, &err));
        ASSERT_OK(tw_avro_reference_create(tw_buf_slice(&schema), &reference, &err));
        for (int i = 0; i < DATUMS; i++) {
            tw_event ours, theirs;
            size_t size;
            tw_buf_clear(&datum);
            tw_draw_datum(&rng, record, &datum);
            tw_slice bytes = tw_buf_slice(&datum);
            if (tw_avro_plan_decode(plan, bytes, arena, &ours, &size) != TW_REASON_NONE || size != bytes.size)
                fail("the plan refuses a good datum", tw_buf_slice(&schema), bytes);
            if (!tw_avro_reference_read(reference, bytes, &theirs))
                fail("avro-c refuses a good datum", tw_buf_slice(&schema), bytes);
            if (!same(&ours, &theirs))
                fail("avro-c reads something else", tw_buf_slice(&schema), bytes);
            tw_arena_reset(arena);
        }
        tw_avro_reference_free(reference);
        tw_avro_plan_free(plan);
        tw_arena_reset(types);
    }
    tw_buf_done(&schema);
    tw_buf_done(&datum);
    tw_arena_free(types);
    tw_arena_free(arena);
}
