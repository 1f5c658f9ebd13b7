/* The id under which a schema registry holds the schema of an output topic: registered as TOPIC-value (auto.register.schemas), or looked
 * up there. Asked once at start, before the first record goes out. Thread: its owner's. */
#ifndef TW_PUBLISH_OUTPUT_SCHEMA_H
#define TW_PUBLISH_OUTPUT_SCHEMA_H

#include "base/err.h"
#include "config/config.h"

typedef struct tw_output_schema tw_output_schema;

/* file: of schemas/; config and topic are borrowed. Errors: those of tw_registry_open. */
tw_code tw_output_schema_open(const tw_config *config, const char *topic, const char *file,
                              tw_output_schema **ret_schema, tw_err *err);
tw_output_schema *tw_output_schema_close(tw_output_schema *schema);

/* Asks on for at most wait_ms, until it answers once. Errors: TW_E_BUSY (not yet: ask again), TW_E_CONFIG (it is not there and must not be
 * registered, it does not fit what is there, the login is refused: all with what to do). */
tw_code tw_output_schema_id(tw_output_schema *schema, int wait_ms, uint32_t *ret_id, tw_err *err);

#endif
