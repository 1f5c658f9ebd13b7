/* Keys must be users: records of a stub source that has partitions, so that a thousand keys cost nothing. */
#include "base/alloc.h"
#include "base/buf.h"
#include "engine/engine.h"
#include "support/test.h"

typedef enum key_form { PLAIN, QUOTED, BINARY, OTHER, MISSING } key_form;

/* Records 0 to 1999, each of a user of its own; where bad says so, the key has that form, else it is plain. */
typedef struct stub {
    tw_source source; /* first */
    key_form form;
    int every; /* one record of so many has it */
    int from;  /* not before this record */
    int next;
    char bytes[64][200];
} stub;

static tw_code stub_poll(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *err) {
    stub *s = (stub *)source;
    int count = 0;
    (void)wait_ms, (void)err;
    for (; count < max && count < 64 && s->next < 2000; count++, s->next++) {
        char *user = s->bytes[count], *value = user + 50;
        int n =
            snprintf(value, 150, "{\"user_id\":\"u%d\",\"item_id\":\"i\",\"event_ms\":%d}", s->next, 1000 + s->next);
        key_form of = s->next >= s->from && s->next % s->every == 0 ? s->form : PLAIN;
        int k = snprintf(user, 50,
                         of == QUOTED   ? "\"u%d\""
                         : of == BINARY ? "\x01u%d"
                         : of == OTHER  ? "i%d"
                                        : "u%d",
                         s->next);
        records[count] = (tw_record){.partition = s->next % source->partitions,
                                     .offset = s->next,
                                     .timestamp_ms = -1,
                                     .key = of == MISSING ? (tw_slice){0} : (tw_slice){user, (size_t)k},
                                     .value = {value, (size_t)n}};
    }
    *ret_count = count;
    return TW_OK;
}

static void stub_ack(tw_source *source, uint16_t input, int32_t partition, int64_t offset) {
    (void)source, (void)input, (void)partition, (void)offset;
}

/* What the engine says to 2,000 records of which one of `every` has a key of that form. */
static tw_code judge(key_form form, int every, int from, int partitions, bool check, uint64_t *ret_applied,
                     tw_err *err) {
    static const tw_source_ops ops = {.poll = stub_poll, .ack = stub_ack};
    static tw_input input = {
        .name = "clicks", .format = TW_FORMAT_JSON, .kind = TW_KIND_CLICK, .identity = "topic clicks"};
    stub s = {.source = {.ops = &ops, .inputs = &input, .inputs_count = 1, .partitions = partitions},
              .form = form,
              .every = every,
              .from = from};
    tw_config config;
    tw_engine *engine;
    tw_totals totals;
    tw_code code = TW_OK;
    int count = 1;
    tw_config_init(&config);
    config.state_users_max = 5000;
    config.state_items_max = 1000;
    config.input_key_check = check;
    const tw_engine_options options = {.config = &config, .lists = TW_LISTS_NONE};
    ASSERT_EQ(tw_engine_open(&options, &engine, err), TW_OK);
    ASSERT_EQ(tw_engine_attach(engine, &s.source, err), TW_OK);
    while (code == TW_OK && count)
        code = tw_engine_step(engine, 0, &count, err);
    tw_engine_totals(engine, &totals);
    *ret_applied = totals.verdicts[TW_VERDICT_APPLIED];
    if (code != TW_OK) { /* what stopped halfway must never be committed */
        tw_err later;
        ASSERT_NE(tw_engine_commit(engine, &later), TW_OK);
    }
    tw_engine_close(engine);
    tw_config_done(&config);
    return code;
}

static void assert_goes_on(key_form form, int every, int from, int partitions, bool check) {
    uint64_t applied;
    tw_err err;
    ASSERT_OK(judge(form, every, from, partitions, check, &applied, &err));
    ASSERT_EQ(applied, 2000);
}

static void assert_stops(key_form form, int every, int partitions, const char *text) {
    uint64_t applied;
    tw_err err = {0};
    ASSERT_EQ(judge(form, every, 0, partitions, true, &applied, &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "topic \"clicks\""));
    ASSERT_TRUE(strstr(err.text, text));
    ASSERT_TRUE(strstr(err.text, "input.key.check: false"));
    ASSERT_LT(applied, 1000);
}

TEST(over_one_percent_of_keys_that_are_not_the_user_stop_the_stream) {
    assert_stops(OTHER, 1, 2, "11 of the first 11 keys are not the user id");
    assert_stops(OTHER, 99, 2, "11 of the first 991 keys are not the user id"); /* the 11th of 1,000 */
    assert_goes_on(OTHER, 100, 0, 2, true);                                     /* 10 of 1,000 */
    assert_goes_on(OTHER, 1, 1000, 2, true);                                    /* only the first 1,000 are looked at */
    assert_goes_on(OTHER, 1, 0, 2, false);
}

TEST(a_json_string_is_the_user_and_bytes_of_another_encoding_cannot_be_compared) {
    assert_goes_on(QUOTED, 1, 0, 2, true);
    assert_goes_on(BINARY, 1, 0, 2, true);
}

TEST(missing_keys_are_for_one_partition_only) {
    assert_goes_on(MISSING, 1, 0, 1, true);
    assert_stops(MISSING, 1, 2, "11 of the first 11 keys are missing");
    assert_goes_on(MISSING, 1, 0, 2, false);
}
