#include "pipeline/ingest/inputs.h"
#include "avro/fingerprint.h"
#include "avro/schema_files.h"
#include "avro/schemas.h"
#include "support/test.h"

static tw_err err;

static tw_code init(tw_inputs *inputs, tw_config *config, const char *const *settings, int count) {
    tw_config_init(config);
    for (int i = 0; i < count; i++)
        ASSERT_OK(tw_config_set(config, settings[i], &err));
    return tw_inputs_init(inputs, config, &err);
}

static bool knows(const tw_inputs *inputs, const char *file) {
    uint64_t fingerprint;
    ASSERT_OK(tw_avro_fingerprint(tw_schema_file(file), &fingerprint, &err));
    return tw_avro_schemas_by_fingerprint(inputs->schemas, fingerprint) != NULL;
}

TEST(our_own_schemas_are_known_by_their_fingerprints) {
    tw_inputs inputs;
    tw_config config;
    ASSERT_OK(init(&inputs, &config, NULL, 0));
    ASSERT_TRUE(knows(&inputs, "click.avsc") && knows(&inputs, "purchase.avsc") && knows(&inputs, "review.avsc") &&
                knows(&inputs, "item.avsc"));
    tw_inputs_done(&inputs);
    tw_config_done(&config);
}

TEST(names_of_the_shop_that_make_one_of_ours_unreadable_do_not_stop_the_start) {
    static const char *const settings[] = {"input.field.price=kind"}; /* an enum, in ours */
    tw_inputs inputs;
    tw_config config;
    ASSERT_OK(init(&inputs, &config, settings, 1));
    ASSERT_FALSE(knows(&inputs, "click.avsc"));
    ASSERT_TRUE(knows(&inputs, "review.avsc"));
    tw_inputs_done(&inputs);
    tw_config_done(&config);
}

TEST(names_and_kinds_that_are_none_are_told_by_their_keys) {
    static const char *const twice[] = {"input.field.user.id=who", "input.field.item.id=who"};
    static const char *const kinds[] = {"input.kinds=view=click,basket"};
    static const char *const ids[] = {"input.schemas=/nonexistent/ids"};
    static const char *const wanted[] = {"input.clicks.format=avro"};
    static const struct {
        const char *const *settings;
        int count;
        const char *text;
    } bad[] = {{twice, 2, "input.field.*"},
               {kinds, 1, "input.kinds"},
               {ids, 1, "input.schemas"},
               {wanted, 1, "input.clicks.schema"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tw_inputs inputs;
        tw_config config;
        ASSERT_NE(init(&inputs, &config, bad[i].settings, bad[i].count), TW_OK);
        if (!strstr(err.text, bad[i].text))
            tw_test_fail(__FILE__, __LINE__, "%s: %s", bad[i].text, err.text);
        tw_config_done(&config);
    }
}
