/* The inputs of a stream as the settings describe them (input.*): topics, forms of their values, schemas, names. Made once at start
 * for the Kafka source; files take the names from here as well. */
#ifndef TW_INGEST_INPUTS_H
#define TW_INGEST_INPUTS_H

#include "base/buf.h"
#include "config/config.h"
#include "pipeline/ingest/source.h"

struct tw_avro_schemas;

#define TW_INPUTS_MAX 5

typedef struct tw_inputs {
    tw_mapping mapping;
    struct tw_avro_schemas *schemas; /* NULL: no input names its schemas */
    tw_buf texts[TW_INPUTS_MAX];     /* of fixed schemas */
    tw_input list[TW_INPUTS_MAX];    /* (count) */
    int count;
} tw_inputs;

/* The names of fields and kinds and the unit of time. Texts stay with the config. Errors: TW_E_CONFIG naming the key. */
tw_code tw_inputs_mapping(const tw_config *config, tw_mapping *ret_mapping, tw_err *err);

/* All inputs; inputs must not move afterwards. Errors: TW_E_CONFIG (no topic, one twice, a schema is wanted), TW_E_IO, TW_E_BAD_FILE. */
tw_code tw_inputs_init(tw_inputs *inputs, const tw_config *config, tw_err *err);
void tw_inputs_done(tw_inputs *inputs);

#endif
