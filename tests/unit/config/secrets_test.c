#include "config/internal.h"
#include "support/test.h"

#include <stdlib.h>

static const char *pair(const tw_config *config, const char *name) {
    const char *n, *value;
    for (int i = 0; tw_config_kafka(config, i, &n, &value); i++)
        if (strcmp(n, name) == 0)
            return value;
    return NULL;
}

static bool shows(const tw_config *config, const char *text) {
    tw_buf out = {0};
    tw_config_write_yaml(config, &out);
    tw_config_write_json(config, &out);
    tw_buf_u8(&out, '\0');
    bool found = strstr(out.data, text) != NULL;
    tw_buf_done(&out);
    return found;
}

TEST(values_come_from_the_environment_and_from_files_and_are_not_shown) {
    char path[512], assignment[600];
    tw_config config;
    tw_config_init(&config);
    setenv("TW_TEST_SECRET", "sesame", 1);
    snprintf(path, sizeof path, "%s/secret", tw_test_dir());
    FILE *file = fopen(path, "wb");
    ASSERT_TRUE(file && fputs("simsim\r\n", file) >= 0 && fclose(file) == 0);
    snprintf(assignment, sizeof assignment, "kafka.sasl.password=${file:%s}-${env:TW_TEST_SECRET}", path);
    ASSERT_EQ(tw_config_set(&config, assignment, NULL), TW_OK);
    ASSERT_EQ(tw_config_set(&config, "kafka.client.rack=${env:TW_TEST_SECRET}", NULL), TW_OK);
    ASSERT_EQ(tw_config_set(&config, "application.id=${env:TW_TEST_SECRET}", NULL), TW_OK);
    ASSERT_EQ(strcmp(pair(&config, "sasl.password"), "simsim-sesame"), 0);
    ASSERT_EQ(strcmp(config.application_id, "sesame"), 0);
    ASSERT_FALSE(shows(&config, "sesame"));
    ASSERT_FALSE(shows(&config, "simsim"));
    ASSERT_TRUE(shows(&config, "${env:TW_TEST_SECRET}"));
    ASSERT_TRUE(tw_config_kafka_hidden(&config, 0) && tw_config_kafka_hidden(&config, 1));
    ASSERT_EQ(tw_config_set(&config, "application.id=plain", NULL), TW_OK); /* what is given last is shown */
    ASSERT_TRUE(shows(&config, "\"plain\""));
    tw_config_done(&config);
}

TEST(a_value_that_is_not_there_names_its_key_and_no_value) {
    tw_config config;
    tw_err err = {0};
    tw_config_init(&config);
    unsetenv("TW_TEST_NONE");
    setenv("TW_TEST_SECRET", "sesame", 1);
    ASSERT_EQ(tw_config_set(&config, "kafka.sasl.password=${env:TW_TEST_NONE}", &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "kafka.sasl.password") && strstr(err.text, "TW_TEST_NONE"));
    ASSERT_EQ(tw_config_set(&config, "seed=${env:TW_TEST_SECRET}", &err), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "seed") && !strstr(err.text, "sesame"));
    ASSERT_EQ(tw_config_set(&config, "kafka.x=${file:/no/such/file}", &err), TW_E_CONFIG);
    ASSERT_EQ(tw_config_set(&config, "kafka.x=${env:", &err), TW_E_CONFIG);
    ASSERT_EQ(tw_config_set(&config, "kafka.x=${env:}", &err), TW_E_CONFIG);
    ASSERT_EQ(tw_config_set(&config, "kafka.x=a$b${c}{env:d}", &err), TW_OK); /* a password may look like this */
    ASSERT_EQ(strcmp(pair(&config, "x"), "a$b${c}{env:d}"), 0);
    tw_config_done(&config);
}

static bool may_change(const char *key) {
    return strncmp(key, "rank.", 5) == 0;
}

TEST(a_second_reading_takes_over_what_may_change_and_names_the_rest) {
    tw_config config, fresh;
    tw_buf taken = {0}, ignored = {0};
    tw_config_init(&config);
    tw_config_init(&fresh);
    tw_config_set(&config, "kafka.linger.ms=5", NULL);
    tw_config_set(&fresh, "kafka.acks=1", NULL);
    tw_config_set(&fresh, "rank.list.size=7", NULL);
    tw_config_set(&fresh, "application.id=other", NULL);
    tw_config_take_over(&config, &fresh, may_change, &taken, &ignored);
    tw_buf_u8(&taken, '\0');
    tw_buf_u8(&ignored, '\0');
    ASSERT_EQ(strcmp(taken.data, "rank.list.size"), 0);
    ASSERT_EQ(strcmp(ignored.data, "application.id kafka.linger.ms kafka.acks"), 0);
    ASSERT_EQ(config.rank_list_size, 7);
    ASSERT_EQ(strcmp(config.application_id, "tailwater"), 0);
    tw_buf_done(&taken);
    tw_buf_done(&ignored);
    tw_config_done(&config);
    tw_config_done(&fresh);
}
