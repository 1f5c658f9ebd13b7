/* The form of the values of one output topic: JSON, or Avro behind what names its schema (output.format). Thread: its owner's. */
#ifndef TW_PUBLISH_OUTPUT_FORM_H
#define TW_PUBLISH_OUTPUT_FORM_H

#include "base/buf.h"
#include "pipeline/publish/output_schema.h"

typedef struct tw_output_form {
    bool json;
    tw_output_schema *schema; /* whose id is asked for; NULL: known, or not wanted */
    char prefix[10];          /* before each value */
    size_t prefix_size;
} tw_output_form;

/* file: of schemas/; id: the schema's, where the user gave it (0: not), by the setting key. An empty topic has no form. config and texts are
 * borrowed. Errors: TW_E_CONFIG, those of tw_output_schema_open. */
tw_code tw_output_form_open(const tw_config *config, tw_output_form *form, const char *file, const char *topic,
                            int64_t id, const char *key, tw_err *err);
void tw_output_form_close(tw_output_form *form);

/* As tw_output_schema_id, where there is something to ask. */
tw_code tw_output_form_ready(tw_output_form *form, int wait_ms, tw_err *err);

/* Clears value and puts what comes before the datum. True: JSON is to follow, else Avro. */
bool tw_output_form_begin(const tw_output_form *form, tw_buf *value);

#endif
