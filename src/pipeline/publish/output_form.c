/* Prefixes of Avro values. Called by the Kafka sink. */
#include "pipeline/publish/output_form.h"

#include "avro/fingerprint.h"
#include "avro/schema_files.h"

enum { FORMAT_JSON, FORMAT_AVRO, FORMAT_CONFLUENT, FORMAT_SINGLE_OBJECT };

/* Confluent: 0x00 and the id, big-endian. Single object: 0xC3 0x01 and the fingerprint, little-endian. */
static void put_id(tw_output_form *form, uint32_t id) {
    form->prefix_size = 5;
    for (int i = 0; i < 4; i++)
        form->prefix[4 - i] = (char)(id >> 8 * i);
}

static tw_code put_fingerprint(tw_output_form *form, const char *file, tw_err *err) {
    uint64_t name;
    TW_TRY(tw_avro_fingerprint(tw_schema_file(file), &name, err));
    form->prefix_size = 10;
    form->prefix[0] = (char)0xc3;
    form->prefix[1] = 1;
    for (int i = 0; i < 8; i++)
        form->prefix[2 + i] = (char)(name >> 8 * i);
    return TW_OK;
}

tw_code tw_output_form_open(const tw_config *config, tw_output_form *form, const char *file, const char *topic,
                            int64_t id, const char *key, tw_err *err) {
    form->json = config->output_format == FORMAT_JSON;
    if (config->output_format == FORMAT_SINGLE_OBJECT)
        return put_fingerprint(form, file, err);
    if (config->output_format != FORMAT_CONFLUENT || !*topic)
        return TW_OK;
    if (id)
        put_id(form, (uint32_t)id);
    else if (*config->schema_registry_url)
        return tw_output_schema_open(config, topic, file, &form->schema, err);
    else
        return tw_fail(err, TW_E_CONFIG,
                       "output.format confluent wants schema.registry.url, or %s: the registry's id of schemas/%s", key,
                       file);
    return TW_OK;
}

void tw_output_form_close(tw_output_form *form) {
    form->schema = tw_output_schema_close(form->schema);
}

tw_code tw_output_form_ready(tw_output_form *form, int wait_ms, tw_err *err) {
    uint32_t id;
    if (!form->schema)
        return TW_OK;
    TW_TRY(tw_output_schema_id(form->schema, wait_ms, &id, err));
    tw_output_form_close(form);
    put_id(form, id);
    return TW_OK;
}

bool tw_output_form_begin(const tw_output_form *form, tw_buf *value) {
    TW_ASSERT(!form->schema);
    tw_buf_clear(value);
    tw_buf_put(value, form->prefix, form->prefix_size);
    return form->json;
}
