/* Compiling a schema: avro-c parses the text, this walks its tree once and keeps what reading needs. Called when an input is opened
 * or a new schema id is met. */
#include "avro/plan.h"

#include "avro/internal.h"
#include "avro/notes.h"
#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

#define SCHEMA_SIZE_MAX ((size_t)1 << 18)
#define NODES_MAX 4096 /* types in one schema */
#define FIXED_MAX ((int64_t)1 << 30)
#define TEXTS_CHUNK 256

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
    plan->parts = tw_grow(plan->parts, &plan->parts_capacity, plan->parts_count + count + 1, sizeof *plan->parts);
    for (size_t i = 0; i < count; i++)
        plan->parts[first + i] = (tw_part){0};
    plan->parts_count += count;
    return first;
}

static uint32_t add_symbols(tw_avro_plan *plan, avro_schema_t schema, uint32_t count) {
    uint32_t first = (uint32_t)plan->symbols_count;
    plan->symbols = tw_grow(plan->symbols, &plan->symbols_capacity, plan->symbols_count + count, sizeof *plan->symbols);
    for (uint32_t i = 0; i < count; i++) {
        tw_slice text = tw_arena_copy(plan->texts, tw_slice_of(avro_schema_enum_get(schema, (int)i)));
        plan->symbols[plan->symbols_count++] = (tw_symbol){text, tw_mapping_kind(plan->mapping, text)};
    }
    return first;
}

static tw_code compile(tw_avro_plan *plan, avro_schema_t schema, tw_slice text, int depth, uint32_t *ret_node,
                       tw_err *err);

/* The fields that take bytes. A record without one is empty itself. */
static tw_code compile_record(tw_avro_plan *plan, avro_schema_t schema, uint32_t self, int depth, tw_err *err) {
    uint32_t count = (uint32_t)avro_schema_record_size(schema), kept = 0;
    uint32_t first = add_parts(plan, count);
    tw_slice fields = tw_notes_member(plan->nodes[self].text, "fields");
    plan->nodes[self].parts = first;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node;
        tw_slice field = tw_notes_next(&fields);
        TW_TRY(compile(plan, avro_schema_record_field_get_by_index(schema, (int)i), tw_notes_member(field, "type"),
                       depth + 1, &node, err));
        if (plan->nodes[node].type != TW_NODE_EMPTY)
            plan->parts[first + kept++] = (tw_part){node, i, field};
    }
    plan->nodes[self].count = kept;
    if (kept == 0)
        plan->nodes[self].type = TW_NODE_EMPTY;
    return TW_OK;
}

static tw_code compile_union(tw_avro_plan *plan, avro_schema_t schema, uint32_t self, int depth, tw_err *err) {
    uint32_t count = (uint32_t)avro_schema_union_size(schema);
    uint32_t first = add_parts(plan, count);
    tw_slice branches = plan->nodes[self].text;
    plan->nodes[self].parts = first;
    plan->nodes[self].count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node;
        TW_TRY(
            compile(plan, avro_schema_union_branch(schema, (int)i), tw_notes_next(&branches), depth + 1, &node, err));
        plan->parts[first + i].node = node;
    }
    return TW_OK;
}

static tw_code compile_elements(tw_avro_plan *plan, avro_schema_t elements, const char *key, uint32_t self, int depth,
                                tw_err *err) {
    uint32_t first = add_parts(plan, 1), node;
    plan->nodes[self].parts = first;
    plan->nodes[self].count = 1;
    TW_TRY(compile(plan, elements, tw_notes_member(plan->nodes[self].text, key), depth + 1, &node, err));
    plan->parts[first].node = node;
    return TW_OK;
}

static tw_code compile_fixed(tw_avro_plan *plan, avro_schema_t schema, uint32_t self, tw_err *err) {
    int64_t size = avro_schema_fixed_size(schema);
    if (size < 0 || size > FIXED_MAX)
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema: fixed \"%s\" of %" PRId64 " bytes", avro_schema_name(schema),
                       size);
    plan->nodes[self].size = (uint32_t)size;
    if (size == 0)
        plan->nodes[self].type = TW_NODE_EMPTY;
    return TW_OK;
}

/* What a type's logicalType says, where that matters here. */
static tw_logical logical_of(tw_node_type type, tw_slice text, uint32_t *ret_scale) {
    static const struct {
        const char *name;
        tw_logical logical;
    } names[] = {{"timestamp-millis", TW_LOGICAL_MS},
                 {"local-timestamp-millis", TW_LOGICAL_MS},
                 {"timestamp-micros", TW_LOGICAL_US},
                 {"local-timestamp-micros", TW_LOGICAL_US},
                 {"timestamp-nanos", TW_LOGICAL_NS},
                 {"local-timestamp-nanos", TW_LOGICAL_NS},
                 {"date", TW_LOGICAL_DAYS}};
    tw_slice name = tw_notes_string(tw_notes_member(text, "logicalType"));
    if (type == TW_NODE_INT)
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (tw_slice_equal(name, tw_slice_of(names[i].name)))
                return names[i].logical;
    if ((type != TW_NODE_TEXT && type != TW_NODE_FIXED) || !tw_slice_equal(name, TW_SLICE_LITERAL("decimal")))
        return TW_LOGICAL_NONE;
    tw_slice scale = tw_notes_member(text, "scale");
    *ret_scale = 0; /* as the specification says where there is none */
    for (size_t i = 0; i < scale.size; i++) {
        if (scale.data[i] < '0' || scale.data[i] > '9' || i == 2)
            return TW_LOGICAL_NONE; /* not valid: the underlying type counts */
        *ret_scale = *ret_scale * 10 + (uint32_t)(scale.data[i] - '0');
    }
    return TW_LOGICAL_DECIMAL;
}

static bool is_named(avro_schema_t schema) { /* the others are shared objects in avro-c, or not to be met twice */
    return is_avro_record(schema) || is_avro_enum(schema) || is_avro_fixed(schema);
}

static tw_code compile(tw_avro_plan *plan, avro_schema_t schema, tw_slice text, int depth, uint32_t *ret_node,
                       tw_err *err) {
    static const tw_node_type types[] = {
        [AVRO_STRING] = TW_NODE_TEXT,     [AVRO_BYTES] = TW_NODE_TEXT,  [AVRO_INT32] = TW_NODE_INT,
        [AVRO_INT64] = TW_NODE_INT,       [AVRO_FLOAT] = TW_NODE_FLOAT, [AVRO_DOUBLE] = TW_NODE_DOUBLE,
        [AVRO_BOOLEAN] = TW_NODE_BOOLEAN, [AVRO_NULL] = TW_NODE_EMPTY,  [AVRO_RECORD] = TW_NODE_RECORD,
        [AVRO_ENUM] = TW_NODE_ENUM,       [AVRO_FIXED] = TW_NODE_FIXED, [AVRO_MAP] = TW_NODE_MAP,
        [AVRO_ARRAY] = TW_NODE_ARRAY,     [AVRO_UNION] = TW_NODE_UNION};
    if (depth > 2 * TW_AVRO_DEPTH_MAX || plan->nodes_count >= NODES_MAX)
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema is too large");
    if (is_avro_link(schema))
        schema = avro_schema_link_target(schema);
    for (size_t i = 0; is_named(schema) && i < plan->nodes_count; i++)
        if (plan->nodes[i].schema == schema) {
            *ret_node = (uint32_t)i;
            return TW_OK;
        }
    tw_node node = {.type = types[avro_typeof(schema)], .text = tw_notes_type(text)};
    node.schema = is_named(schema) ? schema : NULL;
    node.logical = logical_of(node.type, node.text, &node.scale);
    uint32_t self = *ret_node = add_node(plan, node);
    switch (node.type) {
    case TW_NODE_RECORD:
        return compile_record(plan, schema, self, depth, err);
    case TW_NODE_UNION:
        return compile_union(plan, schema, self, depth, err);
    case TW_NODE_ARRAY:
        return compile_elements(plan, avro_schema_array_items(schema), "items", self, depth, err);
    case TW_NODE_MAP:
        return compile_elements(plan, avro_schema_map_values(schema), "values", self, depth, err);
    case TW_NODE_FIXED:
        return compile_fixed(plan, schema, self, err);
    case TW_NODE_ENUM:
        plan->nodes[self].count = (uint32_t)avro_schema_enum_number_of_symbols(schema);
        plan->nodes[self].parts = add_symbols(plan, schema, plan->nodes[self].count);
        return TW_OK;
    default:
        return TW_OK;
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

/* The texts and schemas that compiling needed live no longer than it. */
static void forget_sources(tw_avro_plan *plan) {
    for (size_t i = 0; i < plan->nodes_count; i++) {
        plan->nodes[i].schema = NULL;
        plan->nodes[i].text = (tw_slice){0};
    }
    for (size_t i = 0; i < plan->parts_count; i++)
        plan->parts[i].text = (tw_slice){0};
}

static tw_code create(tw_slice schema_json, const tw_mapping *mapping, bool reads, tw_avro_plan **ret_plan,
                      tw_err *err) {
    avro_schema_t schema = NULL;
    uint32_t top;
    TW_TRY(tw_avro_parse(schema_json, &schema, err));
    if (!is_avro_record(schema)) {
        avro_schema_decref(schema);
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema: an event is a record");
    }
    tw_avro_plan *plan = tw_zalloc(sizeof *plan);
    plan->texts = tw_arena_create(TEXTS_CHUNK);
    plan->mapping = mapping;
    plan->kind = kind_of_name(plan->mapping, avro_schema_name(schema));
    tw_code code = compile(plan, schema, tw_notes_trimmed(schema_json), 0, &top, err);
    if (code == TW_OK && reads)
        code = tw_avro_plan_add_steps(plan, err);
    forget_sources(plan);
    avro_schema_decref(schema);
    if (code != TW_OK) {
        tw_avro_plan_free(plan);
        return code;
    }
    *ret_plan = plan;
    return TW_OK;
}

tw_code tw_avro_plan_create(tw_slice schema_json, const tw_mapping *mapping, tw_avro_plan **ret_plan, tw_err *err) {
    return create(schema_json, mapping ? mapping : &tw_mapping_plain, true, ret_plan, err);
}

tw_code tw_avro_plan_create_skipper(tw_slice schema_json, tw_avro_plan **ret_plan, tw_err *err) {
    return create(schema_json, &tw_mapping_plain, false, ret_plan, err);
}

tw_kind tw_avro_plan_kind(const tw_avro_plan *plan) {
    return plan->kind;
}

tw_avro_plan *tw_avro_plan_free(tw_avro_plan *plan) {
    if (plan) {
        tw_arena_free(plan->texts);
        free(plan->nodes);
        free(plan->parts);
        free(plan->symbols);
        free(plan->steps);
        free(plan);
    }
    return NULL;
}

static bool same_node(const tw_node *a, const tw_node *b) {
    return a->type == b->type && a->logical == b->logical && a->parts == b->parts && a->count == b->count &&
           a->size == b->size && a->scale == b->scale;
}

static bool same_step(const tw_step *a, const tw_step *b) {
    return a->op == b->op && a->field == b->field && a->node == b->node && a->branch == b->branch &&
           a->count == b->count && a->absent == b->absent;
}

bool tw_avro_plan_same(const tw_avro_plan *a, const tw_avro_plan *b) {
    bool same = a->mapping == b->mapping && a->kind == b->kind && a->nodes_count == b->nodes_count &&
                a->parts_count == b->parts_count && a->symbols_count == b->symbols_count &&
                a->steps_count == b->steps_count;
    for (size_t i = 0; same && i < a->nodes_count; i++)
        same = same_node(&a->nodes[i], &b->nodes[i]);
    for (size_t i = 0; same && i < a->parts_count; i++)
        same = a->parts[i].node == b->parts[i].node;
    for (size_t i = 0; same && i < a->symbols_count; i++)
        same = tw_slice_equal(a->symbols[i].text, b->symbols[i].text);
    for (size_t i = 0; same && i < a->steps_count; i++)
        same = same_step(&a->steps[i], &b->steps[i]);
    return same;
}
