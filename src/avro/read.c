/* Running a plan over bytes, straight into the event. Called by the Avro decoder for each record. */
#include "avro/take.h"

#include <stdio.h>

static const char *set_number(tw_reader *r, const char *at, tw_field field, double value, tw_event *e) {
    switch (field) {
    case TW_FIELD_PRICE:
        e->price = value;
        e->has |= TW_HAS_PRICE;
        return at;
    case TW_FIELD_QUANTITY:
        e->quantity = value;
        e->has |= TW_HAS_QUANTITY;
        return at;
    case TW_FIELD_RATING:
        e->rating = value;
        e->has |= TW_HAS_RATING;
        return at;
    case TW_FIELD_TIME:
        if (!tw_mapping_time_real(r->plan->mapping->time_unit, value, &e->event_ms))
            return tw_avro_stop(r, TW_REASON_BAD_NUMBER);
        e->has |= TW_HAS_TIME;
        return at;
    default:
        return tw_avro_stop(r, TW_REASON_MALFORMED);
    }
}

static const char *set_time(tw_reader *r, const char *at, const tw_node *node, int64_t value, tw_event *e) {
    static const tw_time_unit units[] = {[TW_LOGICAL_MS] = TW_TIME_MS,
                                         [TW_LOGICAL_US] = TW_TIME_US,
                                         [TW_LOGICAL_NS] = TW_TIME_NS,
                                         [TW_LOGICAL_DAYS] = TW_TIME_S};
    tw_time_unit unit = node->logical == TW_LOGICAL_NONE ? r->plan->mapping->time_unit : units[node->logical];
    if (node->logical == TW_LOGICAL_DAYS && __builtin_mul_overflow(value, 86400, &value))
        return tw_avro_stop(r, TW_REASON_BAD_NUMBER);
    if (!tw_mapping_time(unit, value, &e->event_ms))
        return tw_avro_stop(r, TW_REASON_BAD_NUMBER);
    e->has |= TW_HAS_TIME;
    return at;
}

static const char *set_kind(tw_reader *r, const char *at, tw_kind kind, tw_event *e) {
    e->kind = kind;
    e->has |= TW_HAS_KIND;
    return kind != TW_KIND_COUNT ? at : tw_avro_stop(r, TW_REASON_UNKNOWN_TYPE);
}

/* The place of a field that is text; NULL: it is not. */
static tw_slice *text_of(tw_event *e, tw_field field) {
    switch (field) {
    case TW_FIELD_USER_ID:
        return &e->user_id;
    case TW_FIELD_ITEM_ID:
        return &e->item_id;
    case TW_FIELD_EVENT_ID:
        return &e->event_id;
    case TW_FIELD_CATEGORY:
        return &e->category;
    case TW_FIELD_TITLE:
        return &e->title;
    default:
        return NULL;
    }
}

/* Numbers as ids, names or kinds become their decimal text, as in JSON. */
static const char *set_long(tw_reader *r, const char *at, const tw_node *node, tw_field field, int64_t value,
                            tw_event *e) {
    char digits[24];
    tw_slice *place = text_of(e, field);
    if (field == TW_FIELD_TIME)
        return set_time(r, at, node, value, e);
    if (!place && field != TW_FIELD_KIND)
        return set_number(r, at, field, (double)value, e);
    tw_slice text = {digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)value)};
    if (!place)
        return set_kind(r, at, tw_mapping_kind(r->plan->mapping, text), e);
    *place = tw_arena_copy(r->arena, text);
    return at;
}

static const char *set_text(tw_reader *r, const char *at, tw_field field, tw_slice text, tw_event *e) {
    tw_slice *place = text_of(e, field);
    if (place) {
        *place = text;
        return at;
    }
    if (field == TW_FIELD_KIND)
        return set_kind(r, at, tw_mapping_kind(r->plan->mapping, text), e);
    if (field != TW_FIELD_TIME)
        return tw_avro_stop(r, TW_REASON_MALFORMED);
    if (!tw_mapping_time_text(r->plan->mapping, text, &e->event_ms))
        return tw_avro_stop(r, TW_REASON_BAD_NUMBER);
    e->has |= TW_HAS_TIME;
    return at;
}

/* Of up to 16 bytes; money has no more. Up to 2^53 and 10^22 both are exact and the quotient is rounded once; beyond, a long double is
 * within one unit in the last place. */
static const char *set_decimal(tw_reader *r, const char *at, const tw_node *node, tw_field field, tw_slice bytes,
                               tw_event *e) {
    unsigned __int128 bits = bytes.size && bytes.data[0] & 0x80 ? ~(unsigned __int128)0 : 0;
    long double power = 1;
    if (bytes.size > sizeof bits)
        return tw_avro_stop(r, TW_REASON_BAD_NUMBER);
    for (size_t i = 0; i < bytes.size; i++)
        bits = bits << 8 | (unsigned char)bytes.data[i];
    for (uint32_t i = 0; i < node->scale; i++)
        power *= 10;
    __int128 value = (__int128)bits;
    bool exact = value <= (int64_t)1 << 53 && value >= -((int64_t)1 << 53) && node->scale <= 22;
    return set_number(r, at, field, exact ? (double)value / (double)power : (double)((long double)value / power), e);
}

static const char *set_bool(tw_reader *r, const char *at, tw_field field, bool value, tw_event *e) {
    if (field == TW_FIELD_IN_STOCK) {
        e->in_stock = value;
        e->has |= TW_HAS_IN_STOCK;
    } else if (field == TW_FIELD_RETIRED) {
        e->retired = value;
        e->has |= TW_HAS_RETIRED;
    } else {
        return tw_avro_stop(r, TW_REASON_MALFORMED);
    }
    return at;
}

/* One pass over an array of strings: into joined, split by '|', or only counting when that is NULL. */
static const char *join_texts(tw_reader *r, const char *at, char *joined, size_t *ret_size) {
    size_t size = 0;
    for (;;) {
        tw_block b = tw_avro_take_block(r, at);
        if (!b.at || b.count == 0) {
            *ret_size = size;
            return b.at;
        }
        const char *block_end = b.size >= 0 ? b.at + b.size : NULL;
        for (at = b.at; b.count > 0; b.count--) {
            tw_slice text;
            if (!(at = tw_avro_take_text(r, at, &text)))
                return NULL;
            if (joined && size)
                joined[size] = '|';
            size += size > 0;
            if (joined)
                memcpy(joined + size, text.data, text.size);
            size += text.size;
        }
        if (block_end && at != block_end) /* whoever skips by the size must end where we do */
            return tw_avro_stop(r, TW_REASON_MALFORMED);
    }
}

/* Read twice, so that the arena gets no more than it needs. */
static const char *take_joined(tw_reader *r, const char *at, const tw_node *node, tw_event *e) {
    size_t size;
    if (r->plan->nodes[r->plan->parts[node->parts].node].type != TW_NODE_TEXT)
        return tw_avro_stop(r, TW_REASON_MALFORMED);
    if (!join_texts(r, at, NULL, &size))
        return NULL;
    char *joined = tw_arena_alloc(r->arena, size);
    at = join_texts(r, at, joined, &size);
    e->category = (tw_slice){joined, size};
    return at;
}

/* Text and bytes, fixed, and decimals of either. */
static const char *take_string(tw_reader *r, const char *at, const tw_node *node, tw_field field, tw_event *e) {
    tw_slice text = {at, node->size};
    at = node->type == TW_NODE_TEXT ? tw_avro_take_text(r, at, &text) : tw_avro_take_bytes(r, at, node->size);
    if (!at)
        return NULL;
    return node->logical == TW_LOGICAL_DECIMAL ? set_decimal(r, at, node, field, text, e)
                                               : set_text(r, at, field, text, e);
}

/* A value of any type that a field of ours may be of; of a union, a branch may still be none. */
static const char *take_value(tw_reader *r, const char *at, uint32_t index, tw_field field, tw_event *e) {
    const tw_node *node = &r->plan->nodes[index];
    if (node->type == TW_NODE_UNION) {
        tw_taken branch = tw_avro_take_branch(r, at, node);
        if (!(at = branch.at))
            return NULL;
        node = &r->plan->nodes[r->plan->parts[node->parts + branch.value].node]; /* never a union itself */
    }
    switch (node->type) {
    case TW_NODE_EMPTY:
        return at;
    case TW_NODE_TEXT:
    case TW_NODE_FIXED:
        return take_string(r, at, node, field, e);
    case TW_NODE_INT: {
        tw_taken number = tw_avro_take_long(r, at);
        return number.at ? set_long(r, number.at, node, field, number.value, e) : NULL;
    }
    case TW_NODE_BOOLEAN:
        return tw_avro_take_bytes(r, at, 1) ? set_bool(r, at + 1, field, *at != 0, e) : NULL;
    case TW_NODE_FLOAT: {
        float value;
        if (!tw_avro_take_bytes(r, at, sizeof value))
            return NULL;
        memcpy(&value, at, sizeof value);
        return set_number(r, at + sizeof value, field, (double)value, e);
    }
    case TW_NODE_DOUBLE: {
        double value;
        if (!tw_avro_take_bytes(r, at, sizeof value))
            return NULL;
        memcpy(&value, at, sizeof value);
        return set_number(r, at + sizeof value, field, value, e);
    }
    case TW_NODE_ENUM: {
        const tw_symbol *symbol;
        if (!(at = tw_avro_take_symbol(r, at, node, &symbol)))
            return NULL;
        return field == TW_FIELD_KIND ? set_kind(r, at, symbol->kind, e) : set_text(r, at, field, symbol->text, e);
    }
    case TW_NODE_ARRAY:
        return field == TW_FIELD_CATEGORY ? take_joined(r, at, node, e) : tw_avro_stop(r, TW_REASON_MALFORMED);
    default:
        return tw_avro_stop(r, TW_REASON_MALFORMED);
    }
}

/* ---- the program -------------------------------------------------------------------------------------------------- */

static inline const char *take_double(tw_reader *r, const char *at, const tw_step *step, tw_event *e) {
    if (TW_UNLIKELY(r->end - at < (ptrdiff_t)sizeof(double)))
        return tw_avro_stop(r, TW_REASON_TRUNCATED);
    memcpy((char *)e + step->offset, at, sizeof(double));
    e->has |= step->has;
    return at + sizeof(double);
}

static inline const char *take_ms(tw_reader *r, const char *at, tw_event *e) {
    tw_taken number = tw_avro_take_large(r, at);
    e->event_ms = number.value;
    e->has |= TW_HAS_TIME;
    return number.at;
}

/* The branch of a union with null, when it is written in one byte as it should be; 1, which is no branch, at the end. */
static inline uint8_t peek_branch(const tw_reader *r, const char *at) {
    return at < r->end ? (uint8_t)*at : 1;
}

static inline const char *take_kind(tw_reader *r, const char *at, const tw_step *step, tw_event *e) {
    const tw_symbol *symbol;
    if (TW_UNLIKELY(!(at = tw_avro_take_symbol(r, at, &r->plan->nodes[step->node], &symbol))))
        return NULL;
    e->kind = symbol->kind;
    e->has |= TW_HAS_KIND;
    return TW_UNLIKELY(symbol->kind == TW_KIND_COUNT) ? tw_avro_stop(r, TW_REASON_UNKNOWN_TYPE) : at;
}

/* A union with a record that the next steps read: leaves them out when it holds something else. */
static const char *enter(tw_reader *r, const char *at, const tw_step **step) {
    const tw_node *node = &r->plan->nodes[(*step)->node];
    tw_taken branch = tw_avro_take_branch(r, at, node);
    if (!branch.at || branch.value == (*step)->branch)
        return branch.at;
    at = tw_avro_skip_node(r, branch.at, r->plan->parts[node->parts + branch.value].node, (*step)->depth + 1);
    *step += (*step)->count;
    return at;
}

/* As *e = (tw_event){.kind = TW_KIND_COUNT}, for which gcc 12 calls on `rep stos`, which took a quarter of the whole decode. */
static inline void clear(tw_event *e) {
    e->kind = TW_KIND_COUNT;
    e->has = 0;
    e->event_ms = 0;
    e->event_id = (tw_slice){0}; /* not a chain of assignments: it would copy, and wait for each store */
    e->user_id = (tw_slice){0};
    e->item_id = (tw_slice){0};
    e->category = (tw_slice){0};
    e->title = (tw_slice){0};
    e->rating = e->price = e->quantity = 0;
    e->in_stock = e->retired = false;
}

tw_reason tw_avro_plan_decode(const tw_avro_plan *plan, tw_slice bytes, tw_arena *arena, tw_event *ret_event,
                              size_t *ret_size) {
    tw_reader reading = {.plan = plan, .end = bytes.data + bytes.size, .arena = arena}, *r = &reading;
    const char *at = bytes.data;
    tw_event *e = ret_event;
    clear(e);
    for (const tw_step *step = plan->steps;; step++) {
        switch ((tw_step_op)step->op) {
        case TW_STEP_OPTIONAL_TEXT: {
            uint8_t branch = peek_branch(r, at);
            if (branch == step->absent) {
                at++;
                continue;
            }
            if (TW_UNLIKELY(branch != step->present)) {
                at = take_value(r, at, step->node, (tw_field)step->field, e);
                break;
            }
            at++;
        }
            __attribute__((fallthrough));
        case TW_STEP_TEXT:
            at = tw_avro_take_text(r, at, (tw_slice *)((char *)e + step->offset));
            break;
        case TW_STEP_MS:
            at = take_ms(r, at, e);
            break;
        case TW_STEP_KIND:
            at = take_kind(r, at, step, e);
            break;
        case TW_STEP_OPTIONAL_DOUBLE: {
            uint8_t branch = peek_branch(r, at);
            if (branch == step->absent) {
                at++;
                continue;
            }
            if (TW_UNLIKELY(branch != step->present)) {
                at = take_value(r, at, step->node, (tw_field)step->field, e);
                break;
            }
            at++;
        }
            __attribute__((fallthrough));
        case TW_STEP_DOUBLE:
            at = take_double(r, at, step, e);
            break;
        case TW_STEP_VALUE:
            at = take_value(r, at, step->node, (tw_field)step->field, e);
            break;
        case TW_STEP_ENTER:
            at = enter(r, at, &step);
            break;
        case TW_STEP_SKIP:
            at = tw_avro_skip_node(r, at, step->node, step->depth);
            break;
        case TW_STEP_END:
            *ret_size = (size_t)(at - bytes.data);
            return TW_REASON_NONE;
        }
        if (TW_UNLIKELY(!at))
            return reading.reason;
    }
}
