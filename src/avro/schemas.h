/* The writer schemas that framed records may name: by the id that a registry gave them, and by fingerprint.
 *
 * Ids come from a file, one line each: the id, blanks, the path of the schema (relative to that file); # begins a comment. A
 * schema is compiled when it is added; every schema is known by its fingerprint. Thread: adding from one at a time, finding
 * from any once all are added. */
#ifndef TW_AVRO_SCHEMAS_H
#define TW_AVRO_SCHEMAS_H

#include "avro/plan.h"

typedef struct tw_avro_schemas tw_avro_schemas;

#define TW_AVRO_NO_ID (-1)

/* mapping as for tw_avro_plan_create, for all of them. */
tw_avro_schemas *tw_avro_schemas_create(const tw_mapping *mapping);
tw_avro_schemas *tw_avro_schemas_free(tw_avro_schemas *schemas);

/* Adds a schema; id TW_AVRO_NO_ID: known by its fingerprint only. A schema that reads alike is kept once.
 * Errors: TW_E_BAD_FILE, TW_E_CONFIG (the id stands for another schema already). */
tw_code tw_avro_schemas_add(tw_avro_schemas *schemas, int64_t id, tw_slice schema_json, tw_err *err);

/* Adds one schema from a file, or all that a map of ids names. Errors: also TW_E_IO; TW_E_CONFIG names file and line. */
tw_code tw_avro_schemas_add_file(tw_avro_schemas *schemas, int64_t id, const char *path, tw_err *err);
tw_code tw_avro_schemas_add_map(tw_avro_schemas *schemas, const char *path, tw_err *err);

/* The plan, borrowed, or NULL. A fingerprint says nothing of units of time and aliases: of two schemas that differ in these only, none
 * is known by it, both are by their ids. */
const tw_avro_plan *tw_avro_schemas_by_id(const tw_avro_schemas *schemas, uint32_t id);
const tw_avro_plan *tw_avro_schemas_by_fingerprint(const tw_avro_schemas *schemas, uint64_t fingerprint);

#endif
