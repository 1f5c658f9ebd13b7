/* Reading events from Avro binary by a plan: the writer's schema, parsed once and compiled, then run for each record straight
 * into a tw_event (Avro 1.11 specification, "Data Serialization and Deserialization" and "Schema Resolution").
 *
 * Fields are matched by name, else by an alias that the writer's schema gives them, in any order; unknown ones are skipped, missing
 * ones stay absent. A union may list its branches in any order. A mapped name a.b is b in record a, also where a may be null.
 * Numbers are promoted (int, long, float, double, decimal), string and bytes are the same, ids and categories may be
 * numbers, fixed or enums too, an enum, a string or a number names the kind, an array of strings joins into a category. The time's
 * logical type (timestamp-millis, -micros, -nanos, date) gives its unit.
 *
 * Hostile bytes: every length is checked against what is left before it is used, nesting is bounded, work is proportional to the
 * bytes (an array of nulls, which takes none, is bounded by count). Nothing is allocated but a joined category and the text of a
 * number in the arena. */
#ifndef TW_AVRO_PLAN_H
#define TW_AVRO_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/event.h"
#include "base/mapping.h"

typedef struct tw_avro_plan tw_avro_plan;

/* Compiles the writer's schema (JSON text, a record). mapping (borrowed as long as the plan lives; NULL: plain) names the fields;
 * a time field's own logical type goes before the mapping's unit. Errors: TW_E_BAD_FILE with what is wrong, also for a field of ours
 * of a type that cannot be read as it, and for two fields that stand for the same. Thread: one at a time (avro-c
 * keeps its last error in a global). */
tw_code tw_avro_plan_create(tw_slice schema_json, const tw_mapping *mapping, tw_avro_plan **ret_plan, tw_err *err);

/* The same for tw_avro_plan_skip alone, for whoever cuts records out of a stream: any record will do, also one that we cannot read. */
tw_code tw_avro_plan_create_skipper(tw_slice schema_json, tw_avro_plan **ret_plan, tw_err *err);
tw_avro_plan *tw_avro_plan_free(tw_avro_plan *plan);

/* The kind that the record is named after (Click, Purchase, or a name of the mapping), or TW_KIND_COUNT. */
tw_kind tw_avro_plan_kind(const tw_avro_plan *plan);

/* Reads one datum from the front of bytes; *ret_size: how many bytes it took. Texts are borrowed from bytes or the arena.
 * Thread: any (the plan is not changed). */
tw_reason tw_avro_plan_decode(const tw_avro_plan *plan, tw_slice bytes, tw_arena *arena, tw_event *ret_event,
                              size_t *ret_size);

/* How many bytes one datum at the front of bytes takes. Thread: any. */
tw_reason tw_avro_plan_skip(const tw_avro_plan *plan, tw_slice bytes, size_t *ret_size);

#endif
