/* Compiling a schema: avro-c parses the text, this walks its tree once and keeps what reading needs. Called when an input is opened
 * or a new schema id is met. */
#include "avro/plan.h"

#include "avro/internal.h"
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

#define SCHEMA_SIZE_MAX ((size_t)1 << 18)
#define NODES_MAX 4096 /* types in one schema */

static const tw_target targets[TW_FIELD_COUNT + 1] = {
    [TW_FIELD_EVENT_ID] = TW_TARGET_EVENT_ID, [TW_FIELD_USER_ID] = TW_TARGET_USER_ID,
    [TW_FIELD_ITEM_ID] = TW_TARGET_ITEM_ID,   [TW_FIELD_TIME] = TW_TARGET_TIME,
    [TW_FIELD_KIND] = TW_TARGET_KIND,         [TW_FIELD_CATEGORY] = TW_TARGET_CATEGORY,
    [TW_FIELD_TITLE] = TW_TARGET_TITLE,       [TW_FIELD_PRICE] = TW_TARGET_PRICE,
    [TW_FIELD_QUANTITY] = TW_TARGET_QUANTITY, [TW_FIELD_RATING] = TW_TARGET_RATING,
    [TW_FIELD_IN_STOCK] = TW_TARGET_IN_STOCK, [TW_FIELD_RETIRED] = TW_TARGET_RETIRED,
    [TW_FIELD_COUNT] = TW_TARGET_NONE};

static tw_target target_of(const tw_avro_plan *plan, const char *name) {
    return targets[tw_mapping_field(plan->mapping, tw_slice_of(name))];
}

/* avro-c parses by recursion and trusts its caller: size and nesting are bounded before it sees the text. */
static tw_code check_text(tw_slice text, tw_err *err) {
    int depth = 0;
    bool quoted = false;
    if (text.size > SCHEMA_SIZE_MAX)
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema of %zu bytes; at most %zu are read", text.size,
                       SCHEMA_SIZE_MAX);
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '\0')
            return tw_fail(err, TW_E_BAD_FILE, "Avro schema holds a zero byte");
        if (c == '\\' && quoted)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            depth++;
        else if (!quoted && (c == '}' || c == ']'))
            depth--;
        if (depth > 2 * TW_AVRO_DEPTH_MAX)
            return tw_fail(err, TW_E_BAD_FILE, "Avro schema is nested deeper than %d", 2 * TW_AVRO_DEPTH_MAX);
    }
    return TW_OK;
}

static uint32_t add_node(tw_avro_plan *plan, tw_node node) {
    plan->nodes = tw_grow(plan->nodes, &plan->nodes_capacity, plan->nodes_count + 1, sizeof node);
    plan->nodes[plan->nodes_count] = node;
    return (uint32_t)plan->nodes_count++;
}

static uint32_t add_parts(tw_avro_plan *plan, size_t count) {
    uint32_t first = (uint32_t)plan->parts_count;
    plan->parts = tw_grow(plan->parts, &plan->parts_capacity, plan->parts_count + count, sizeof *plan->parts);
    for (size_t i = 0; i < count; i++)
        plan->parts[first + i] = (tw_part){0};
    plan->parts_count += count;
    return first;
}

static uint32_t add_kinds(tw_avro_plan *plan, avro_schema_t schema, uint32_t count) {
    uint32_t first = (uint32_t)plan->kinds_count;
    plan->kinds = tw_grow(plan->kinds, &plan->kinds_capacity, plan->kinds_count + count, sizeof *plan->kinds);
    for (uint32_t i = 0; i < count; i++)
        plan->kinds[plan->kinds_count++] =
            tw_mapping_kind(plan->mapping, tw_slice_of(avro_schema_enum_get(schema, (int)i)));
    return first;
}

static tw_code compile(tw_avro_plan *plan, avro_schema_t schema, int depth, uint32_t *ret_node, tw_err *err);

static tw_code compile_record(tw_avro_plan *plan, avro_schema_t schema, uint32_t self, int depth, tw_err *err) {
    size_t count = avro_schema_record_size(schema);
    uint32_t first = add_parts(plan, count);
    plan->nodes[self].parts = first;
    plan->nodes[self].count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        uint32_t node;
        TW_TRY(compile(plan, avro_schema_record_field_get_by_index(schema, (int)i), depth + 1, &node, err));
        plan->parts[first + i].node = node;
        if (self == 0)
            plan->parts[first + i].target = target_of(plan, avro_schema_record_field_name(schema, (int)i));
    }
    return TW_OK;
}

static tw_code compile_union(tw_avro_plan *plan, avro_schema_t schema, uint32_t self, int depth, tw_err *err) {
    size_t count = avro_schema_union_size(schema);
    uint32_t first = add_parts(plan, count);
    plan->nodes[self].parts = first;
    plan->nodes[self].count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        uint32_t node;
        TW_TRY(compile(plan, avro_schema_union_branch(schema, (int)i), depth + 1, &node, err));
        plan->parts[first + i].node = node;
    }
    return TW_OK;
}

static tw_code compile_elements(tw_avro_plan *plan, avro_schema_t elements, uint32_t self, int depth, tw_err *err) {
    uint32_t first = add_parts(plan, 1), node;
    plan->nodes[self].parts = first;
    plan->nodes[self].count = 1;
    TW_TRY(compile(plan, elements, depth + 1, &node, err));
    plan->parts[first].node = node;
    return TW_OK;
}

static tw_code compile(tw_avro_plan *plan, avro_schema_t schema, int depth, uint32_t *ret_node, tw_err *err) {
    static const tw_node_type types[] = {
        [AVRO_STRING] = TW_NODE_TEXT,     [AVRO_BYTES] = TW_NODE_TEXT,  [AVRO_INT32] = TW_NODE_INT,
        [AVRO_INT64] = TW_NODE_INT,       [AVRO_FLOAT] = TW_NODE_FLOAT, [AVRO_DOUBLE] = TW_NODE_DOUBLE,
        [AVRO_BOOLEAN] = TW_NODE_BOOLEAN, [AVRO_NULL] = TW_NODE_NULL,   [AVRO_RECORD] = TW_NODE_RECORD,
        [AVRO_ENUM] = TW_NODE_ENUM,       [AVRO_FIXED] = TW_NODE_FIXED, [AVRO_MAP] = TW_NODE_MAP,
        [AVRO_ARRAY] = TW_NODE_ARRAY,     [AVRO_UNION] = TW_NODE_UNION};
    if (depth > 2 * TW_AVRO_DEPTH_MAX || plan->nodes_count >= NODES_MAX)
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema is too large");
    if (is_avro_link(schema))
        schema = avro_schema_link_target(schema);
    for (size_t i = 0; i < plan->nodes_count; i++)
        if (plan->nodes[i].schema == schema) {
            *ret_node = (uint32_t)i;
            return TW_OK;
        }
    avro_type_t type = avro_typeof(schema);
    bool named =
        type == AVRO_RECORD || type == AVRO_ENUM || type == AVRO_FIXED; /* primitives are shared objects in avro-c */
    uint32_t self = add_node(plan, (tw_node){.type = types[type], .schema = named ? schema : NULL});
    *ret_node = self;
    switch (plan->nodes[self].type) {
    case TW_NODE_RECORD:
        return compile_record(plan, schema, self, depth, err);
    case TW_NODE_UNION:
        return compile_union(plan, schema, self, depth, err);
    case TW_NODE_ARRAY:
        return compile_elements(plan, avro_schema_array_items(schema), self, depth, err);
    case TW_NODE_MAP:
        return compile_elements(plan, avro_schema_map_values(schema), self, depth, err);
    case TW_NODE_FIXED:
        plan->nodes[self].size = (uint32_t)avro_schema_fixed_size(schema);
        return TW_OK;
    case TW_NODE_ENUM: {
        uint32_t count = (uint32_t)avro_schema_enum_number_of_symbols(schema);
        uint32_t first = add_kinds(plan, schema, count);
        plan->nodes[self].parts = first;
        plan->nodes[self].count = count;
        return TW_OK;
    }
    default:
        return TW_OK;
    }
}

static void mark_time(tw_avro_plan *plan, uint32_t index, const tw_mapping *unit) {
    tw_node *node = &plan->nodes[index];
    if (node->type == TW_NODE_INT)
        node->time = unit;
    for (uint32_t b = 0; node->type == TW_NODE_UNION && b < node->count; b++)
        if (plan->nodes[plan->parts[node->parts + b].node].type == TW_NODE_INT)
            plan->nodes[plan->parts[node->parts + b].node].time = unit;
}

/* avro-c drops logical types: the unit of a time field is looked up in the text of its field. */
static void find_time_units(tw_avro_plan *plan, avro_schema_t schema, const char *text) {
    static const tw_mapping millis = {.time_unit = TW_TIME_MS}, micros = {.time_unit = TW_TIME_US};
    const tw_node *top = &plan->nodes[0];
    for (uint32_t i = 0; i < top->count; i++) {
        if (plan->parts[top->parts + i].target != TW_TARGET_TIME)
            continue;
        char name[300];
        snprintf(name, sizeof name, "\"%s\"", avro_schema_record_field_name(schema, (int)i));
        const char *field = strstr(text, name);
        const char *unit = field ? strstr(field, "timestamp-mi") : NULL;
        const char *next = field ? strstr(field + strlen(name), "\"name\"") : NULL;
        if (unit && (!next || unit < next))
            mark_time(plan, plan->parts[top->parts + i].node,
                      strncmp(unit, "timestamp-micros", 16) == 0 ? &micros : &millis);
    }
}

tw_code tw_avro_parse(tw_slice schema_json, avro_schema_t *ret_schema, tw_err *err) {
    TW_TRY(check_text(schema_json, err));
    if (avro_schema_from_json_length(schema_json.data, schema_json.size, ret_schema) != 0)
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema: %s", avro_strerror());
    return TW_OK;
}

/* The kind that a record is named after, in the shop's own words or in ours. */
static tw_kind kind_of_name(const tw_mapping *mapping, const char *name) {
    char lower[64];
    size_t n = 0;
    tw_kind kind = tw_mapping_kind(mapping, tw_slice_of(name));
    for (; name[n] && n < sizeof lower; n++)
        lower[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] | 32) : name[n];
    return kind != TW_KIND_COUNT ? kind : tw_mapping_kind(mapping, (tw_slice){lower, n});
}

tw_code tw_avro_plan_create(tw_slice schema_json, const tw_mapping *mapping, tw_avro_plan **ret_plan, tw_err *err) {
    avro_schema_t schema = NULL;
    uint32_t top;
    TW_TRY(tw_avro_parse(schema_json, &schema, err));
    if (!is_avro_record(schema)) {
        avro_schema_decref(schema);
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema: an event is a record");
    }
    tw_avro_plan *plan = tw_zalloc(sizeof *plan);
    plan->mapping = mapping ? mapping : &tw_mapping_plain;
    plan->kind = kind_of_name(plan->mapping, avro_schema_name(schema));
    tw_code code = compile(plan, schema, 0, &top, err);
    if (code == TW_OK) {
        char *text = tw_alloc(schema_json.size + 1);
        memcpy(text, schema_json.data, schema_json.size);
        text[schema_json.size] = '\0';
        find_time_units(plan, schema, text);
        free(text);
    }
    avro_schema_decref(schema);
    if (code != TW_OK) {
        tw_avro_plan_free(plan);
        return code;
    }
    *ret_plan = plan;
    return TW_OK;
}

tw_kind tw_avro_plan_kind(const tw_avro_plan *plan) {
    return plan->kind;
}

tw_avro_plan *tw_avro_plan_free(tw_avro_plan *plan) {
    if (plan) {
        free(plan->nodes);
        free(plan->parts);
        free(plan->kinds);
        free(plan);
    }
    return NULL;
}
