#include "avro/schema_files.h"
#include "base/json.h"
#include "pipeline/publish/output_schema.h"
#include "support/fake_registry.h"
#include "support/test.h"

#include <stdio.h>

static tw_err err;
static tw_config config;
static fake_registry *fake;
static tw_output_schema *schema;

static void begin(const fake_reply *replies, int count, const char *assignment) {
    char url[100];
    fake = fake_registry_start(0, replies, count);
    tw_config_init(&config);
    snprintf(url, sizeof url, "schema.registry.url=http://127.0.0.1:%d", fake_registry_port(fake));
    ASSERT_OK(tw_config_set(&config, url, &err));
    ASSERT_OK(tw_config_set(&config, assignment, &err));
    ASSERT_OK(tw_output_schema_open(&config, "lists", "recommendation.avsc", &schema, &err));
}

static tw_code ask(uint32_t *ret_id) {
    tw_code code;
    for (int i = 0; (code = tw_output_schema_id(schema, 50, ret_id, &err)) == TW_E_BUSY && i < 200; i++) {
    }
    return code;
}

static void end(void) {
    tw_output_schema_close(schema);
    tw_config_done(&config);
    fake_registry_stop(fake);
}

/* What a registry says of an id that stands for a file of schemas/; the caller frees it. */
static tw_buf answer_with(const char *file) {
    tw_buf out = {0};
    tw_buf_printf(&out, "{\"schema\":");
    tw_json_text(&out, tw_schema_file(file));
    tw_buf_u8(&out, '}');
    tw_buf_u8(&out, '\0');
    return out;
}

TEST(the_schema_is_registered_and_what_readers_get_for_its_id_is_the_same) {
    tw_buf ours = answer_with("recommendation.avsc");
    const fake_reply replies[] = {{500, "{}"}, {200, "{\"id\":300}"}, {503, "{}"}, {200, ours.data}};
    uint32_t id;
    begin(replies, 4, "auto.register.schemas=true");
    ASSERT_OK(ask(&id));
    ASSERT_EQ(id, 300);
    ASSERT_TRUE(strstr(fake_registry_request(fake), "GET /schemas/ids/300 ") != NULL);
    end();
    tw_buf_done(&ours);
}

TEST(an_id_that_readers_would_take_for_another_schema_stops) {
    tw_buf other = answer_with("click.avsc");
    const fake_reply replies[] = {{200, "{\"id\":300}"}, {200, other.data}};
    uint32_t id;
    begin(replies, 2, "auto.register.schemas=true");
    ASSERT_EQ(ask(&id), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "the id 300, and another schema for that id") != NULL);
    end();
    tw_buf_done(&other);
}

TEST(without_auto_register_it_is_looked_up_and_missing_stops_with_what_to_do) {
    tw_buf ours = answer_with("recommendation.avsc");
    const fake_reply there[] = {{200, "{\"id\":9,\"version\":1}"}, {200, ours.data}};
    const fake_reply missing = {404, "{\"error_code\":40401,\"message\":\"Subject not found\"}"};
    uint32_t id;
    begin(there, 2, "auto.register.schemas=false");
    ASSERT_OK(ask(&id));
    ASSERT_EQ(id, 9);
    end();
    begin(&missing, 1, "auto.register.schemas=false");
    ASSERT_EQ(ask(&id), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "\"lists-value\" does not hold schemas/recommendation.avsc, and "
                                 "auto.register.schemas is false") != NULL);
    ASSERT_TRUE(strstr(fake_registry_request(fake), "POST /subjects/lists-value ") != NULL);
    end();
    tw_buf_done(&ours);
}

TEST(incompatible_and_not_allowed_stop_with_the_registrys_words) {
    const fake_reply incompatible = {409, "{\"error_code\":409,\"message\":\"READER_FIELD_MISSING_DEFAULT\"}"};
    const fake_reply denied = {403, "{\"error_code\":40301,\"message\":\"read only\"}"};
    uint32_t id;
    begin(&incompatible, 1, "auto.register.schemas=true");
    ASSERT_EQ(ask(&id), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "is not compatible with what subject \"lists-value\" holds") != NULL);
    ASSERT_TRUE(strstr(err.text, "READER_FIELD_MISSING_DEFAULT") != NULL);
    end();
    begin(&denied, 1, "auto.register.schemas=true");
    ASSERT_EQ(ask(&id), TW_E_CONFIG);
    ASSERT_TRUE(strstr(err.text, "refuses schemas/recommendation.avsc for subject \"lists-value\": read only") != NULL);
    end();
}
