/* From the fields of the top record to the program that reads them. Called by the compiler.
 *
 * A field is ours by its name, else by one of its aliases where no other field has that name: a writer that renamed user_id to
 * customer and kept the old name as an alias is read. A mapped name a.b reaches into records, also optional ones. */
#include "avro/internal.h"
#include "avro/notes.h"
#include "base/alloc.h"

#include <stdio.h>

#define PATH_MAX_SIZE 256

typedef struct path { /* of the record whose fields are looked at: "a.b."; empty at the top */
    char text[PATH_MAX_SIZE];
    size_t size;
} path;

static const size_t offsets[TW_FIELD_COUNT] = {
    [TW_FIELD_EVENT_ID] = offsetof(tw_event, event_id), [TW_FIELD_USER_ID] = offsetof(tw_event, user_id),
    [TW_FIELD_ITEM_ID] = offsetof(tw_event, item_id),   [TW_FIELD_CATEGORY] = offsetof(tw_event, category),
    [TW_FIELD_TITLE] = offsetof(tw_event, title),       [TW_FIELD_PRICE] = offsetof(tw_event, price),
    [TW_FIELD_QUANTITY] = offsetof(tw_event, quantity), [TW_FIELD_RATING] = offsetof(tw_event, rating)};

static const uint32_t has[TW_FIELD_COUNT] = {
    [TW_FIELD_PRICE] = TW_HAS_PRICE, [TW_FIELD_QUANTITY] = TW_HAS_QUANTITY, [TW_FIELD_RATING] = TW_HAS_RATING};

static bool is_text(tw_field field) {
    return field == TW_FIELD_EVENT_ID || field == TW_FIELD_USER_ID || field == TW_FIELD_ITEM_ID ||
           field == TW_FIELD_CATEGORY || field == TW_FIELD_TITLE;
}

/* A value of that type can be read as the field; of a union, that of some branch. */
static bool readable(const tw_avro_plan *plan, const tw_node *node, tw_field field) {
    bool decimal = node->logical == TW_LOGICAL_DECIMAL;
    switch (node->type) {
    case TW_NODE_INT:
        return field != TW_FIELD_IN_STOCK && field != TW_FIELD_RETIRED;
    case TW_NODE_FLOAT:
    case TW_NODE_DOUBLE:
        return has[field] || field == TW_FIELD_TIME;
    case TW_NODE_TEXT:
        return decimal ? has[field] != 0 : is_text(field) || field == TW_FIELD_KIND || field == TW_FIELD_TIME;
    case TW_NODE_FIXED:
        return decimal ? has[field] != 0 : is_text(field);
    case TW_NODE_ENUM:
        return is_text(field) || field == TW_FIELD_KIND;
    case TW_NODE_BOOLEAN:
        return field == TW_FIELD_IN_STOCK || field == TW_FIELD_RETIRED;
    case TW_NODE_ARRAY: {
        const tw_node *element = &plan->nodes[plan->parts[node->parts].node];
        return field == TW_FIELD_CATEGORY && element->type == TW_NODE_TEXT && element->logical == TW_LOGICAL_NONE;
    }
    case TW_NODE_UNION:
        for (uint32_t b = 0; b < node->count; b++)
            if (readable(plan, &plan->nodes[plan->parts[node->parts + b].node], field))
                return true;
        return false;
    default:
        return false;
    }
}

/* The branch of a union with null that is not null; NULL: some other type. */
static const tw_node *optional(const tw_avro_plan *plan, const tw_node *node, tw_step *step) {
    if (node->type != TW_NODE_UNION || node->count != 2)
        return NULL;
    const tw_node *first = &plan->nodes[plan->parts[node->parts].node];
    const tw_node *second = &plan->nodes[plan->parts[node->parts + 1].node];
    bool null_first = first->type == TW_NODE_EMPTY;
    if (null_first == (second->type == TW_NODE_EMPTY))
        return NULL;
    step->absent = null_first ? 0 : 2; /* branches 0 and 1 as zig-zag varints */
    step->present = null_first ? 2 : 0;
    return null_first ? second : first;
}

static tw_step_op op_of(const tw_avro_plan *plan, const tw_node *node, tw_field field, tw_step *step) {
    const tw_node *inner = optional(plan, node, step), *value = inner ? inner : node;
    bool in_ms = value->logical == TW_LOGICAL_MS ||
                 (value->logical == TW_LOGICAL_NONE && plan->mapping->time_unit == TW_TIME_MS);
    if (is_text(field) && value->type == TW_NODE_TEXT && value->logical == TW_LOGICAL_NONE)
        return inner ? TW_STEP_OPTIONAL_TEXT : TW_STEP_TEXT;
    if (has[field] && value->type == TW_NODE_DOUBLE)
        return inner ? TW_STEP_OPTIONAL_DOUBLE : TW_STEP_DOUBLE;
    if (!inner && field == TW_FIELD_TIME && value->type == TW_NODE_INT && in_ms)
        return TW_STEP_MS;
    if (!inner && field == TW_FIELD_KIND && value->type == TW_NODE_ENUM)
        return TW_STEP_KIND;
    return TW_STEP_VALUE;
}

static tw_step *add_step(tw_avro_plan *plan, tw_step step) {
    plan->steps = tw_grow(plan->steps, &plan->steps_capacity, plan->steps_count + 1, sizeof step);
    plan->steps[plan->steps_count] = step;
    return &plan->steps[plan->steps_count++];
}

/* The path of a field; false: no name, or longer than any that a mapping can name. */
static bool join(const path *outer, tw_slice name, path *ret) {
    if (!name.size || outer->size + name.size + 1 > sizeof ret->text)
        return false;
    memcpy(ret->text, outer->text, outer->size);
    memcpy(ret->text + outer->size, name.data, name.size);
    ret->size = outer->size + name.size;
    return true;
}

static tw_field field_at(const tw_avro_plan *plan, const path *outer, tw_slice name, path *ret_path) {
    if (!join(outer, name, ret_path))
        return TW_FIELD_COUNT;
    return tw_mapping_field(plan->mapping, (tw_slice){ret_path->text, ret_path->size});
}

static tw_slice name_of(const tw_node *record, const tw_part *part) {
    return tw_slice_of(avro_schema_record_field_name(record->schema, (int)part->field));
}

/* Which field of ours each part of a record is. */
static tw_code find_fields(const tw_avro_plan *plan, const tw_node *record, const path *outer, tw_field *fields,
                           tw_err *err) {
    const tw_part *parts = plan->parts + record->parts, *by[TW_FIELD_COUNT] = {NULL};
    path inner;
    for (uint32_t i = 0; i < record->count; i++) {
        fields[i] = field_at(plan, outer, name_of(record, &parts[i]), &inner);
        if (fields[i] == TW_FIELD_COUNT)
            continue;
        const tw_part *other = by[fields[i]];
        if (other)
            return tw_fail(err, TW_E_BAD_FILE,
                           "Avro schema: fields \"%s\" and \"%s\" are one to us; input.field.* says which it is",
                           name_of(record, other).data, name_of(record, &parts[i]).data);
        by[fields[i]] = &parts[i];
    }
    for (uint32_t i = 0; i < record->count; i++) {
        tw_slice aliases = tw_notes_member(parts[i].text, "aliases"), alias;
        while (fields[i] == TW_FIELD_COUNT && (alias = tw_notes_next(&aliases)).size) {
            tw_field field = field_at(plan, outer, tw_notes_string(alias), &inner);
            if (field == TW_FIELD_COUNT || by[field])
                continue;
            fields[i] = field;
            by[field] = &parts[i];
        }
    }
    return TW_OK;
}

static tw_code add_record(tw_avro_plan *plan, uint32_t record, const path *outer, int depth, tw_err *err);

/* A field of no use to us itself; a record, or a union with one, may lead to some that are. */
static tw_code add_other(tw_avro_plan *plan, uint32_t node, const path *inner, int depth, tw_err *err) {
    path outer = *inner;
    size_t enter = plan->steps_count;
    uint32_t record = node, branch = 0;
    if (plan->nodes[node].type == TW_NODE_UNION) {
        const tw_node *all = &plan->nodes[node];
        while (branch < all->count && plan->nodes[plan->parts[all->parts + branch].node].type != TW_NODE_RECORD)
            branch++;
        record = branch < all->count ? plan->parts[all->parts + branch].node : node;
    }
    if (plan->nodes[record].type != TW_NODE_RECORD ||
        !tw_mapping_leads_to(plan->mapping, (tw_slice){inner->text, inner->size})) {
        add_step(plan, (tw_step){.op = TW_STEP_SKIP, .node = node, .depth = depth});
        return TW_OK;
    }
    outer.text[outer.size++] = '.';
    if (record == node)
        return add_record(plan, record, &outer, depth + 1, err);
    add_step(plan, (tw_step){.op = TW_STEP_ENTER, .node = node, .branch = branch, .depth = depth});
    TW_TRY(add_record(plan, record, &outer, depth + 2, err));
    plan->steps[enter].count = (uint32_t)(plan->steps_count - enter - 1);
    return TW_OK;
}

static tw_code add_field(tw_avro_plan *plan, uint32_t node, tw_field field, const path *inner, int depth, tw_err *err) {
    tw_step step = {.field = (uint8_t)field, .node = node, .depth = depth};
    if (!readable(plan, &plan->nodes[node], field))
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema: field \"%.*s\" is of a type that cannot be read as \"%s\"",
                       (int)inner->size, inner->text, tw_mapping_name_of(&tw_mapping_plain, field).data);
    step.op = (uint8_t)op_of(plan, &plan->nodes[node], field, &step);
    step.offset = (uint32_t)offsets[field];
    step.has = has[field];
    add_step(plan, step);
    return TW_OK;
}

static tw_code add_record(tw_avro_plan *plan, uint32_t record, const path *outer, int depth, tw_err *err) {
    const tw_node *node = &plan->nodes[record]; /* no node is added any more */
    if (depth >
        TW_AVRO_DEPTH_MAX - 2) /* a field may be a union of arrays, and what reads must not go deeper than what skips */
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema: \"%.*s\" is too deep", (int)outer->size, outer->text);
    tw_field *fields = tw_alloc((node->count + 1) * sizeof *fields);
    tw_code code = find_fields(plan, node, outer, fields, err);
    for (uint32_t i = 0; code == TW_OK && i < node->count; i++) {
        const tw_part *part = &plan->parts[node->parts + i];
        path inner;
        if (!join(outer, name_of(node, part), &inner))
            add_step(plan, (tw_step){.op = TW_STEP_SKIP, .node = part->node, .depth = depth});
        else if (fields[i] != TW_FIELD_COUNT)
            code = add_field(plan, part->node, fields[i], &inner, depth, err);
        else
            code = add_other(plan, part->node, &inner, depth, err);
    }
    free(fields);
    return code;
}

tw_code tw_avro_plan_add_steps(tw_avro_plan *plan, tw_err *err) {
    path top;
    top.size = 0;
    TW_TRY(add_record(plan, 0, &top, 1, err));
    add_step(plan, (tw_step){.op = TW_STEP_END});
    return TW_OK;
}
