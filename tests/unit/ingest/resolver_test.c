#include "avro/schemas.h"
#include "base/clock.h"
#include "pipeline/ingest/resolver.h"
#include "support/fake_registry.h"
#include "support/test.h"

#include <unistd.h>

#define CLICK                                                                                \
    "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Click\\\",\\\"fields\\\":[" \
    "{\\\"name\\\":\\\"user_id\\\",\\\"type\\\":\\\"string\\\"},"                            \
    "{\\\"name\\\":\\\"item_id\\\",\\\"type\\\":\\\"string\\\"}]}\"}"
#define NOT_AN_EVENT "{\"schema\":\"{\\\"type\\\":\\\"string\\\"}\"}"
#define UNKNOWN "{\"error_code\":40403,\"message\":\"Schema not found\"}"

static tw_err err;
static tw_config config;
static tw_inputs inputs;
static fake_registry *fake;
static tw_resolver *resolver;

static void begin(const fake_reply *replies, int count) {
    char url[100];
    fake = fake_registry_start(0, replies, count);
    tw_config_init(&config);
    snprintf(url, sizeof url, "schema.registry.url=http://127.0.0.1:%d", fake_registry_port(fake));
    ASSERT_OK(tw_config_set(&config, url, &err));
    ASSERT_OK(tw_config_set(&config, "input.clicks.format=confluent", &err));
    ASSERT_OK(tw_inputs_init(&inputs, &config, &err));
    ASSERT_OK(tw_resolver_open(&config, &inputs, &resolver, &err));
    ASSERT_TRUE(resolver != NULL);
}

static void end(void) {
    tw_resolver_close(resolver);
    tw_inputs_done(&inputs);
    tw_config_done(&config);
    fake_registry_stop(fake);
}

/* A click (input 0) whose value begins with 0x00 and id. */
static tw_record click(char *bytes, uint32_t id) {
    for (int i = 0; i < 5; i++)
        bytes[i] = (char)(i ? id >> 8 * (4 - i) : 0);
    return (tw_record){.value = {bytes, 5}};
}

/* Whether all is resolved within some seconds. */
static bool resolves(int patience_ms) {
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + (int64_t)patience_ms * 1000000;
    while (!tw_resolver_resolve(resolver, 20))
        if (tw_clock_steady_ns(&tw_clock_system) > until_ns)
            return false;
    return true;
}

TEST(a_batch_is_held_until_its_ids_are_known_and_no_later_one_for_the_same_ids) {
    const fake_reply good = {200, CLICK};
    char bytes[3][5];
    tw_record out[3];
    begin(&good, 1);
    tw_record in[3] = {click(bytes[0], 70000), click(bytes[1], 8), click(bytes[2], 70000)};
    in[2].offset = 5;
    ASSERT_TRUE(tw_resolver_hold(resolver, in, 3));
    ASSERT_TRUE(tw_resolver_holds(resolver));
    ASSERT_TRUE(resolves(10000));
    ASSERT_EQ(tw_resolver_take(resolver, out), 3);
    ASSERT_EQ(out[2].offset, 5);
    ASSERT_FALSE(tw_resolver_holds(resolver));
    ASSERT_TRUE(tw_avro_schemas_by_id(inputs.schemas, 70000) != NULL && tw_avro_schemas_by_id(inputs.schemas, 8));
    ASSERT_FALSE(tw_resolver_hold(resolver, in, 3));
    ASSERT_EQ(fake_registry_asked(fake), 2);
    end();
}

TEST(only_a_whole_header_of_a_confluent_input_is_asked_for) {
    const fake_reply good = {200, CLICK};
    char bytes[5];
    begin(&good, 1);
    tw_record records[] = {{.input = 0},                                           /* a tombstone */
                           {.value = TW_SLICE_LITERAL("\0\0\0\1")},                /* cut */
                           {.value = TW_SLICE_LITERAL("\1\0\0\0\1")},              /* another magic byte */
                           {.input = 1, .value = TW_SLICE_LITERAL("\0\0\0\0\1")}}; /* purchases are JSON */
    ASSERT_FALSE(tw_resolver_hold(resolver, records, 4));
    ASSERT_FALSE(tw_resolver_hold(resolver, records, 0));
    ASSERT_FALSE(tw_resolver_hold(NULL, &(tw_record){0}, 1));
    records[0] = click(bytes, 1);
    ASSERT_TRUE(tw_resolver_hold(resolver, records, 4));
    end();
}

TEST(an_id_that_is_unknown_or_no_event_lets_the_batch_go_and_is_not_asked_for_again) {
    const fake_reply replies[] = {{404, UNKNOWN}, {200, NOT_AN_EVENT}, {200, "{\"schema\":\"{]\"}"}};
    char bytes[3][5];
    tw_record out[3];
    begin(replies, 3);
    tw_record in[3] = {click(bytes[0], 1), click(bytes[1], 2), click(bytes[2], 3)};
    ASSERT_TRUE(tw_resolver_hold(resolver, in, 3));
    ASSERT_TRUE(resolves(10000));
    ASSERT_EQ(tw_resolver_take(resolver, out), 3);
    for (uint32_t id = 1; id <= 3; id++)
        ASSERT_TRUE(tw_avro_schemas_by_id(inputs.schemas, id) == NULL);
    ASSERT_FALSE(tw_resolver_hold(resolver, in, 3));
    ASSERT_EQ(fake_registry_asked(fake), 3);
    end();
}

TEST(a_registry_that_fails_holds_the_batch_and_costs_the_caller_no_more_than_it_says) {
    const fake_reply replies[] = {{500, "{}"}, {.status = 200, .body = CLICK, .wait_ms = 400}};
    char bytes[5];
    begin(replies, 2);
    tw_record in = click(bytes, 1);
    ASSERT_TRUE(tw_resolver_hold(resolver, &in, 1));
    int64_t start_ns = tw_clock_steady_ns(&tw_clock_system);
    ASSERT_FALSE(tw_resolver_resolve(resolver, 20));
    ASSERT_FALSE(tw_resolver_resolve(resolver, 0));
    ASSERT_LT(tw_clock_steady_ns(&tw_clock_system) - start_ns, 200000000);
    ASSERT_TRUE(tw_resolver_holds(resolver));
    ASSERT_TRUE(resolves(10000));
    ASSERT_GE(tw_resolver_held_ms(resolver), 400);
    end();
}

TEST(what_a_rebalance_takes_is_let_go_and_the_answer_is_kept) {
    const fake_reply slow = {.status = 200, .body = CLICK, .wait_ms = 100};
    char bytes[3][5];
    tw_record out[2];
    begin(&slow, 1);
    tw_record in[3] = {click(bytes[0], 1), click(bytes[1], 2), click(bytes[2], 3)};
    ASSERT_TRUE(tw_resolver_hold(resolver, in, 2));
    tw_resolver_keep(resolver, 0);
    ASSERT_FALSE(tw_resolver_holds(resolver));
    ASSERT_TRUE(tw_resolver_hold(resolver, in + 1, 2)); /* while id 1 is being asked for */
    tw_resolver_keep(resolver, 1);
    ASSERT_TRUE(resolves(10000));
    ASSERT_EQ(tw_resolver_take(resolver, out), 1);
    ASSERT_TRUE(tw_avro_schemas_by_id(inputs.schemas, 1) && tw_avro_schemas_by_id(inputs.schemas, 2));
    ASSERT_TRUE(tw_avro_schemas_by_id(inputs.schemas, 3) == NULL);
    end();
}

TEST(a_question_whose_batch_was_taken_is_still_asked_to_its_end) {
    const fake_reply slow = {.status = 200, .body = CLICK, .wait_ms = 100};
    char bytes[5];
    begin(&slow, 1);
    tw_record in = click(bytes, 1);
    ASSERT_TRUE(tw_resolver_hold(resolver, &in, 1));
    tw_resolver_keep(resolver, 0);
    for (int i = 0; i < 1000 && !tw_avro_schemas_by_id(inputs.schemas, 1); i++, usleep(10000))
        ASSERT_FALSE(tw_resolver_hold(resolver, NULL, 0));
    ASSERT_TRUE(tw_avro_schemas_by_id(inputs.schemas, 1) != NULL);
    end();
}

TEST(a_batch_of_more_unknown_ids_than_are_remembered_still_ends) {
    enum { COUNT = 1500 };
    const fake_reply unknown = {404, UNKNOWN};
    static char bytes[COUNT][5];
    static tw_record in[COUNT], out[COUNT];
    begin(&unknown, 1);
    for (int i = 0; i < COUNT; i++)
        in[i] = click(bytes[i], (uint32_t)(i + 1));
    ASSERT_TRUE(tw_resolver_hold(resolver, in, COUNT));
    ASSERT_TRUE(resolves(60000));
    ASSERT_EQ(fake_registry_asked(fake), COUNT);
    ASSERT_EQ(tw_resolver_take(resolver, out), COUNT);
    end();
}

TEST(without_a_registry_or_an_input_of_that_form_there_is_nothing_to_resolve) {
    tw_config_init(&config);
    ASSERT_OK(tw_config_set(&config, "schema.registry.url=http://127.0.0.1:1", &err));
    ASSERT_OK(tw_inputs_init(&inputs, &config, &err));
    ASSERT_OK(tw_resolver_open(&config, &inputs, &resolver, &err));
    ASSERT_TRUE(resolver == NULL);
    ASSERT_FALSE(tw_resolver_holds(resolver));
    tw_inputs_done(&inputs);
    ASSERT_OK(tw_config_set(&config, "input.format=confluent", &err));
    ASSERT_OK(tw_config_set(&config, "schema.registry.url=", &err));
    ASSERT_OK(tw_inputs_init(&inputs, &config, &err));
    ASSERT_OK(tw_resolver_open(&config, &inputs, &resolver, &err));
    ASSERT_TRUE(resolver == NULL);
    tw_inputs_done(&inputs);
    tw_config_done(&config);
}
