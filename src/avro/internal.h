/* The compiled form of a schema, shared by its compiler and its reader. */
#ifndef TW_AVRO_INTERNAL_H
#define TW_AVRO_INTERNAL_H

#include "avro/plan.h"

#include <avro.h>

/* Parses a schema whose size and nesting were checked first. The caller owns the tree. Errors: TW_E_BAD_FILE. */
tw_code tw_avro_parse(tw_slice schema_json, avro_schema_t *ret_schema, tw_err *err);

typedef enum tw_node_type {
    TW_NODE_EMPTY, /* takes no bytes: null, and records and fixed of nothing */
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

typedef enum tw_logical {
    TW_LOGICAL_NONE,
    TW_LOGICAL_MS, /* timestamp-millis, also local */
    TW_LOGICAL_US,
    TW_LOGICAL_NS,
    TW_LOGICAL_DAYS,   /* date */
    TW_LOGICAL_DECIMAL /* big-endian two's complement, times ten to the power of -scale */
} tw_logical;

/* A type. Records, unions, arrays and maps name their parts by index in plan->parts, so that a recursive schema is a loop in
 * the graph and nothing more. A record's empty fields are left out, so that each part of it takes at least one byte. */
typedef struct tw_node {
    tw_node_type type;
    tw_logical logical;
    uint32_t parts,
        count;      /* RECORD, UNION: parts [parts, parts + count); ARRAY, MAP: one part; ENUM: symbols [parts, ...) */
    uint32_t size;  /* FIXED */
    uint32_t scale; /* DECIMAL */
    avro_schema_t schema; /* of a named type, while compiling */
    tw_slice text;        /* of the type, while compiling */
} tw_node;

typedef struct tw_part {
    uint32_t node;
    uint32_t field; /* of a record: which one of the schema's */
    tw_slice text;  /* of that field, while compiling */
} tw_part;

typedef struct tw_symbol {
    tw_slice text;
    tw_kind kind; /* TW_KIND_COUNT: not a kind */
} tw_symbol;

/* One step of the program that reads the top record. The usual forms of the usual fields have steps of their own. */
typedef enum tw_step_op {
    TW_STEP_TEXT,            /* string into the slice at offset */
    TW_STEP_OPTIONAL_TEXT,   /* the same, of a union with null */
    TW_STEP_MS,              /* long in milliseconds into event_ms */
    TW_STEP_KIND,            /* enum into kind */
    TW_STEP_DOUBLE,          /* into the number at offset */
    TW_STEP_OPTIONAL_DOUBLE, /* the same, of a union with null */
    TW_STEP_VALUE,           /* any other type of a field of ours */
    TW_STEP_ENTER, /* a union whose branch here is a record that the next steps read; of another they are left out */
    TW_STEP_SKIP,  /* a field of no use */
    TW_STEP_END    /* of the record */
} tw_step_op;

typedef struct tw_step {
    uint8_t op, field;       /* tw_step_op, tw_field */
    uint8_t absent, present; /* OPTIONAL_*: the branch's byte */
    uint32_t node;
    uint32_t offset;        /* of the slice or number in tw_event */
    uint32_t has;           /* TW_HAS_* of a number */
    uint32_t branch, count; /* ENTER: the branch, how many steps read it */
    int depth;              /* of the field, for what is skipped */
} tw_step;

struct tw_avro_plan {
    const tw_mapping *mapping;
    tw_kind kind;   /* that the record is named after, or TW_KIND_COUNT */
    tw_node *nodes; /* the first is the top record */
    size_t nodes_count, nodes_capacity;
    tw_part *parts;
    size_t parts_count, parts_capacity;
    tw_symbol *symbols;
    size_t symbols_count, symbols_capacity;
    tw_step *steps;
    size_t steps_count, steps_capacity;
    struct tw_arena *texts; /* of symbols */
};

#define TW_AVRO_DEPTH_MAX 32

/* Appends the steps that read the top record, once its nodes are there. Errors: TW_E_BAD_FILE naming a field of ours that is of a type
 * which cannot be read, or two fields that stand for the same. */
tw_code tw_avro_plan_add_steps(tw_avro_plan *plan, tw_err *err);

/* Both read the same bytes as the same events. */
bool tw_avro_plan_same(const tw_avro_plan *a, const tw_avro_plan *b);

#endif
