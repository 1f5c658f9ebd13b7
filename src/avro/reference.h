/* The same events read the ordinary way: through avro-c's generic values, field by field, by index. Slower than a plan and not for
 * hostile bytes (avro-c trusts the lengths that it reads): for comparison, in the benchmark and in property tests. */
#ifndef TW_AVRO_REFERENCE_H
#define TW_AVRO_REFERENCE_H

#include "base/err.h"
#include "base/event.h"

typedef struct tw_avro_reference tw_avro_reference;

/* Of the writer's schema (JSON text, a record); fields have the names of the schemas. Errors: TW_E_BAD_FILE. Thread: one at a time. */
tw_code tw_avro_reference_create(tw_slice schema_json, tw_avro_reference **ret_reference, tw_err *err);
tw_avro_reference *tw_avro_reference_free(tw_avro_reference *reference);

/* Reads one datum; false when avro-c refuses it. Times are taken as milliseconds. Texts live until the next call. Thread: its owner's. */
bool tw_avro_reference_read(tw_avro_reference *reference, tw_slice bytes, tw_event *ret_event);

#endif
