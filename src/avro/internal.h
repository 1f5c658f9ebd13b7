/* The compiled form of a schema, shared by its compiler and its reader. */
#ifndef TW_AVRO_INTERNAL_H
#define TW_AVRO_INTERNAL_H

#include "avro/plan.h"

#include <avro.h>

/* Parses a schema whose size and nesting were checked first. The caller owns the tree. Errors: TW_E_BAD_FILE. */
tw_code tw_avro_parse(tw_slice schema_json, avro_schema_t *ret_schema, tw_err *err);

typedef enum tw_node_type {
    TW_NODE_NULL,
    TW_NODE_BOOLEAN,
    TW_NODE_INT, /* int and long are the same on the wire */
    TW_NODE_FLOAT,
    TW_NODE_DOUBLE,
    TW_NODE_TEXT, /* string and bytes */
    TW_NODE_FIXED,
    TW_NODE_ENUM,
    TW_NODE_ARRAY,
    TW_NODE_MAP,
    TW_NODE_UNION,
    TW_NODE_RECORD
} tw_node_type;

typedef enum tw_target {
    TW_TARGET_NONE,
    TW_TARGET_EVENT_ID,
    TW_TARGET_USER_ID,
    TW_TARGET_ITEM_ID,
    TW_TARGET_CATEGORY,
    TW_TARGET_TITLE,
    TW_TARGET_TIME,
    TW_TARGET_KIND,
    TW_TARGET_PRICE,
    TW_TARGET_QUANTITY,
    TW_TARGET_RATING,
    TW_TARGET_IN_STOCK,
    TW_TARGET_RETIRED
} tw_target;

/* A type. Records, unions, arrays and maps name their parts by index in plan->parts, so that a recursive schema is a loop in
 * the graph and nothing more. */
typedef struct tw_node {
    tw_node_type type;
    uint32_t parts,
        count;     /* RECORD, UNION: parts [parts, parts + count); ARRAY, MAP: one part; ENUM: kinds [parts, ...) */
    uint32_t size; /* FIXED */
    const tw_mapping *time; /* INT: the unit when it is the time; NULL: the plan's own mapping */
    const void *schema;     /* while compiling: to find a type that was seen */
} tw_node;

typedef struct tw_part {
    uint32_t node;
    tw_target target; /* of a field of the top record */
} tw_part;

struct tw_avro_plan {
    const tw_mapping *mapping;
    tw_kind kind;   /* that the record is named after, or TW_KIND_COUNT */
    tw_node *nodes; /* the first is the top record */
    size_t nodes_count, nodes_capacity;
    tw_part *parts;
    size_t parts_count, parts_capacity;
    tw_kind *kinds; /* of enum symbols; TW_KIND_COUNT: not a kind */
    size_t kinds_count, kinds_capacity;
};

#define TW_AVRO_DEPTH_MAX 32

#endif
