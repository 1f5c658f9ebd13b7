/* First the id of the schema, then the schema of that id: a registry that counts its ids in two ways (Apicurio can) would have readers
 * decode by another schema. Called by the Kafka sink. */
#include "pipeline/publish/output_schema.h"

#include "avro/fingerprint.h"
#include "avro/schema_files.h"
#include "base/alloc.h"
#include "base/log.h"
#include "kafka/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct tw_output_schema {
    const tw_config *config;
    const char *file;
    char subject[260]; /* a topic's name has 249 bytes at most */
    tw_registry *registry;
    bool named; /* id is known, its schema is asked for */
    uint32_t id;
};

tw_code tw_output_schema_open(const tw_config *config, const char *topic, const char *file,
                              tw_output_schema **ret_schema, tw_err *err) {
    tw_registry *registry;
    TW_TRY(tw_registry_open(config, &registry, err));
    tw_output_schema *schema = tw_zalloc(sizeof *schema);
    schema->config = config;
    schema->file = file;
    schema->registry = registry;
    snprintf(schema->subject, sizeof schema->subject, "%s-value", topic);
    tw_registry_ask_id(registry, schema->subject, tw_schema_file(file), config->auto_register_schemas);
    *ret_schema = schema;
    return TW_OK;
}

tw_output_schema *tw_output_schema_close(tw_output_schema *schema) {
    if (schema) {
        tw_registry_close(schema->registry);
        free(schema);
    }
    return NULL;
}

static tw_code refuse(const tw_output_schema *schema, const tw_registry_answer *answer, tw_err *err) {
    if (answer->verdict == TW_REGISTRY_UNKNOWN && !schema->config->auto_register_schemas)
        return tw_fail(err, TW_E_CONFIG,
                       "subject \"%s\" does not hold schemas/%s, and auto.register.schemas is false: register it "
                       "there, or set it to true",
                       schema->subject, schema->file);
    if (answer->status == 409)
        return tw_fail(err, TW_E_CONFIG,
                       "schemas/%s is not compatible with what subject \"%s\" holds: write to another topic, or "
                       "change the subject; the registry says: %s",
                       schema->file, schema->subject, answer->why);
    return tw_fail(err, TW_E_CONFIG, "the schema registry refuses schemas/%s for subject \"%s\": %s", schema->file,
                   schema->subject, answer->why);
}

/* What readers will get for the id must be the schema that the lists are written with. */
static tw_code compare(const tw_output_schema *schema, const tw_registry_answer *answer, tw_err *err) {
    uint64_t ours, theirs;
    TW_TRY(tw_avro_fingerprint(tw_schema_file(schema->file), &ours, err));
    if (answer->verdict == TW_REGISTRY_FOUND && tw_avro_fingerprint(answer->schema, &theirs, NULL) == TW_OK &&
        ours == theirs)
        return TW_OK;
    return tw_fail(err, TW_E_CONFIG,
                   "the schema registry gives schemas/%s of subject \"%s\" the id %" PRIu32
                   ", and another schema for that id",
                   schema->file, schema->subject, schema->id);
}

tw_code tw_output_schema_id(tw_output_schema *schema, int wait_ms, uint32_t *ret_id, tw_err *err) {
    tw_registry_answer answer;
    TW_TRY(tw_registry_answered(schema->registry, wait_ms, &answer, err));
    if (!schema->named) {
        if (answer.verdict != TW_REGISTRY_FOUND)
            return refuse(schema, &answer, err);
        schema->named = true;
        schema->id = answer.id;
        tw_registry_ask_schema(schema->registry, answer.id);
        TW_TRY(tw_registry_answered(schema->registry, wait_ms, &answer, err));
    }
    TW_TRY(compare(schema, &answer, err));
    tw_log_info("schema", "subject=%s id=%" PRIu32, schema->subject, schema->id);
    *ret_id = schema->id;
    return TW_OK;
}
