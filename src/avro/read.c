/* Running a plan over bytes. Called by the Avro decoder for each record, and by the container to find where datums end. */
#include "avro/internal.h"

#include <math.h>

/* Elements that take no bytes (nulls, empty records) in one datum: more are a bomb, not data. */
#define EMPTY_ELEMENTS_MAX 65536

typedef struct reader {
    const tw_avro_plan *plan;
    const char *at, *end;
    tw_arena *arena;
    tw_reason reason;
    uint32_t empty_elements;
} reader;

static bool stop(reader *r, tw_reason reason) {
    if (r->reason == TW_REASON_NONE)
        r->reason = reason;
    return false;
}

/* A zig-zag varint of at most 64 bits. One and two bytes, which most lengths and branches are, go first. */
static inline bool take_long(reader *r, int64_t *ret_value) {
    const unsigned char *p = (const unsigned char *)r->at, *end = (const unsigned char *)r->end;
    if (p < end && p[0] < 0x80) {
        *ret_value = (int64_t)(p[0] >> 1) ^ -(int64_t)(p[0] & 1);
        r->at++;
        return true;
    }
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (p == end)
            return stop(r, TW_REASON_TRUNCATED);
        uint64_t byte = *p++;
        if (shift == 63 && byte > 1)
            break;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            r->at = (const char *)p;
            *ret_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return stop(r, TW_REASON_MALFORMED);
}

static inline bool take_bytes(reader *r, size_t size, const char **ret_bytes) {
    if ((size_t)(r->end - r->at) < size)
        return stop(r, TW_REASON_TRUNCATED);
    *ret_bytes = r->at;
    r->at += size;
    return true;
}

static inline bool take_text(reader *r, tw_slice *ret_text) {
    int64_t size;
    if (!take_long(r, &size))
        return false;
    if (size < 0)
        return stop(r, TW_REASON_MALFORMED);
    if (size > r->end - r->at)
        return stop(r, TW_REASON_TRUNCATED);
    *ret_text = (tw_slice){r->at, (size_t)size};
    r->at += size;
    return true;
}

/* The head of an array's or map's block: its count (0: the end), and how many bytes it says to have (-1: does not say). */
static bool take_block(reader *r, int64_t *ret_count, int64_t *ret_size) {
    *ret_size = -1;
    if (!take_long(r, ret_count))
        return false;
    if (*ret_count < 0) {
        if (*ret_count == INT64_MIN || !take_long(r, ret_size))
            return stop(r, TW_REASON_MALFORMED);
        *ret_count = -*ret_count;
        if (*ret_size < 0)
            return stop(r, TW_REASON_MALFORMED);
        if (*ret_size > r->end - r->at)
            return stop(r, TW_REASON_TRUNCATED);
    }
    return true;
}

static bool skip(reader *r, uint32_t index, int depth);

static bool skip_blocks(reader *r, const tw_node *node, int depth) {
    for (;;) {
        int64_t count, size;
        if (!take_block(r, &count, &size))
            return false;
        if (count == 0)
            return true;
        if (size >= 0) {
            r->at += size;
            continue;
        }
        for (int64_t i = 0; i < count; i++) {
            const char *before = r->at;
            tw_slice key;
            if (node->type == TW_NODE_MAP && !take_text(r, &key))
                return false;
            if (!skip(r, r->plan->parts[node->parts].node, depth))
                return false;
            if (r->at == before && ++r->empty_elements > EMPTY_ELEMENTS_MAX)
                return stop(r, TW_REASON_MALFORMED);
        }
    }
}

static bool take_branch(reader *r, const tw_node *node, uint32_t *ret_index) {
    int64_t branch;
    if (!take_long(r, &branch))
        return false;
    if (branch < 0 || branch >= node->count)
        return stop(r, TW_REASON_MALFORMED);
    *ret_index = r->plan->parts[node->parts + branch].node;
    return true;
}

static bool skip(reader *r, uint32_t index, int depth) {
    const tw_node *node = &r->plan->nodes[index];
    const char *bytes;
    int64_t number;
    tw_slice text;
    if (depth > TW_AVRO_DEPTH_MAX)
        return stop(r, TW_REASON_TOO_DEEP);
    switch (node->type) {
    case TW_NODE_NULL:
        return true;
    case TW_NODE_BOOLEAN:
        return take_bytes(r, 1, &bytes);
    case TW_NODE_INT:
        return take_long(r, &number);
    case TW_NODE_FLOAT:
        return take_bytes(r, 4, &bytes);
    case TW_NODE_DOUBLE:
        return take_bytes(r, 8, &bytes);
    case TW_NODE_TEXT:
        return take_text(r, &text);
    case TW_NODE_FIXED:
        return take_bytes(r, node->size, &bytes);
    case TW_NODE_ENUM:
        return take_long(r, &number) && ((number >= 0 && number < node->count) || stop(r, TW_REASON_MALFORMED));
    case TW_NODE_ARRAY:
    case TW_NODE_MAP:
        return skip_blocks(r, node, depth + 1);
    case TW_NODE_UNION:
        return take_branch(r, node, &index) && skip(r, index, depth + 1);
    case TW_NODE_RECORD:
        for (uint32_t i = 0; i < node->count; i++)
            if (!skip(r, r->plan->parts[node->parts + i].node, depth + 1))
                return false;
        return true;
    }
    return false;
}

/* ---- into the event ----------------------------------------------------------------------------------------------- */

static bool set_number(reader *r, tw_target target, double value, tw_event *e) {
    switch (target) {
    case TW_TARGET_PRICE:
        e->price = value;
        e->has |= TW_HAS_PRICE;
        return true;
    case TW_TARGET_QUANTITY:
        e->quantity = value;
        e->has |= TW_HAS_QUANTITY;
        return true;
    case TW_TARGET_RATING:
        e->rating = value;
        e->has |= TW_HAS_RATING;
        return true;
    case TW_TARGET_TIME: /* a time as float: whole units that a double can hold */
        if (!(fabs(value) < 9e15) || !tw_mapping_time(r->plan->mapping, (int64_t)value, &e->event_ms))
            return stop(r, TW_REASON_BAD_NUMBER);
        e->has |= TW_HAS_TIME;
        return true;
    default:
        return stop(r, TW_REASON_MALFORMED);
    }
}

/* Numbers as ids become their decimal text, as in JSON. */
static bool set_long(reader *r, const tw_node *node, tw_target target, int64_t value, tw_event *e) {
    char digits[24], *end = digits + sizeof digits, *at = end;
    tw_slice *id = target == TW_TARGET_USER_ID    ? &e->user_id
                   : target == TW_TARGET_ITEM_ID  ? &e->item_id
                   : target == TW_TARGET_EVENT_ID ? &e->event_id
                                                  : NULL;
    if (target == TW_TARGET_TIME) {
        if (!tw_mapping_time(node->time ? node->time : r->plan->mapping, value, &e->event_ms))
            return stop(r, TW_REASON_BAD_NUMBER);
        e->has |= TW_HAS_TIME;
        return true;
    }
    if (!id)
        return set_number(r, target, (double)value, e);
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    *id = tw_arena_copy(r->arena, (tw_slice){at, (size_t)(end - at)});
    return true;
}

static bool set_kind(reader *r, tw_kind kind, tw_event *e) {
    e->kind = kind;
    e->has |= TW_HAS_KIND;
    return kind != TW_KIND_COUNT || stop(r, TW_REASON_UNKNOWN_TYPE);
}

static bool set_text(reader *r, tw_target target, tw_slice text, tw_event *e) {
    switch (target) {
    case TW_TARGET_USER_ID:
        e->user_id = text;
        return true;
    case TW_TARGET_ITEM_ID:
        e->item_id = text;
        return true;
    case TW_TARGET_EVENT_ID:
        e->event_id = text;
        return true;
    case TW_TARGET_CATEGORY:
        e->category = text;
        return true;
    case TW_TARGET_TITLE:
        e->title = text;
        return true;
    case TW_TARGET_KIND:
        return set_kind(r, tw_mapping_kind(r->plan->mapping, text), e);
    case TW_TARGET_TIME:
        if (!tw_mapping_time_text(r->plan->mapping, text, &e->event_ms))
            return stop(r, TW_REASON_BAD_NUMBER);
        e->has |= TW_HAS_TIME;
        return true;
    default:
        return stop(r, TW_REASON_MALFORMED);
    }
}

static bool set_bool(reader *r, tw_target target, bool value, tw_event *e) {
    if (target == TW_TARGET_IN_STOCK) {
        e->in_stock = value;
        e->has |= TW_HAS_IN_STOCK;
    } else if (target == TW_TARGET_RETIRED) {
        e->retired = value;
        e->has |= TW_HAS_RETIRED;
    } else {
        return stop(r, TW_REASON_MALFORMED);
    }
    return true;
}

/* An array of strings, joined by '|'; read twice, so that the arena gets no more than it needs. */
static bool take_joined(reader *r, const tw_node *node, tw_event *e) {
    const char *start = r->at;
    char *joined = NULL;
    size_t size = 0;
    if (r->plan->nodes[r->plan->parts[node->parts].node].type != TW_NODE_TEXT)
        return stop(r, TW_REASON_MALFORMED);
    for (int pass = 0; pass < 2; pass++) {
        r->at = start;
        joined = pass ? tw_arena_alloc(r->arena, size) : NULL;
        size = 0;
        for (;;) {
            int64_t count, block_size;
            tw_slice text;
            if (!take_block(r, &count, &block_size))
                return false;
            if (count == 0)
                break;
            const char *block_end = block_size >= 0 ? r->at + block_size : NULL;
            for (; count > 0; count--) {
                if (!take_text(r, &text))
                    return false;
                if (joined && size)
                    joined[size] = '|';
                size += size > 0;
                if (joined)
                    memcpy(joined + size, text.data, text.size);
                size += text.size;
            }
            if (block_end && r->at != block_end) /* whoever skips by the size must end where we do */
                return stop(r, TW_REASON_MALFORMED);
        }
    }
    e->category = (tw_slice){joined, size};
    return true;
}

static bool take_value(reader *r, uint32_t index, tw_target target, tw_event *e) {
    const tw_node *node = &r->plan->nodes[index];
    const char *bytes;
    int64_t number;
    tw_slice text;
    if (node->type == TW_NODE_UNION) {
        if (!take_branch(r, node, &index))
            return false;
        node = &r->plan->nodes[index]; /* a union is never directly in a union */
    }
    switch (node->type) {
    case TW_NODE_NULL:
        return true;
    case TW_NODE_TEXT:
        return take_text(r, &text) && set_text(r, target, text, e);
    case TW_NODE_INT:
        return take_long(r, &number) && set_long(r, node, target, number, e);
    case TW_NODE_BOOLEAN:
        return take_bytes(r, 1, &bytes) && set_bool(r, target, *bytes != 0, e);
    case TW_NODE_FLOAT: {
        float value;
        if (!take_bytes(r, sizeof value, &bytes))
            return false;
        memcpy(&value, bytes, sizeof value);
        return set_number(r, target, (double)value, e);
    }
    case TW_NODE_DOUBLE: {
        double value;
        if (!take_bytes(r, sizeof value, &bytes))
            return false;
        memcpy(&value, bytes, sizeof value);
        return set_number(r, target, value, e);
    }
    case TW_NODE_ENUM:
        if (!take_long(r, &number))
            return false;
        if (number < 0 || number >= node->count || target != TW_TARGET_KIND)
            return stop(r, TW_REASON_MALFORMED);
        return set_kind(r, r->plan->kinds[node->parts + number], e);
    case TW_NODE_ARRAY:
        return target == TW_TARGET_CATEGORY ? take_joined(r, node, e) : stop(r, TW_REASON_MALFORMED);
    default:
        return stop(r, TW_REASON_MALFORMED);
    }
}

tw_reason tw_avro_plan_decode(const tw_avro_plan *plan, tw_slice bytes, tw_arena *arena, tw_event *ret_event,
                              size_t *ret_size) {
    reader r = {.plan = plan, .at = bytes.data, .end = bytes.data + bytes.size, .arena = arena};
    const tw_node *top = &plan->nodes[0];
    *ret_event = (tw_event){.kind = TW_KIND_COUNT};
    for (const tw_part *part = plan->parts + top->parts, *end = part + top->count; part < end; part++) {
        bool taken = part->target == TW_TARGET_NONE ? skip(&r, part->node, 1)
                                                    : take_value(&r, part->node, part->target, ret_event);
        if (!taken)
            return r.reason;
    }
    *ret_size = (size_t)(r.at - bytes.data);
    return TW_REASON_NONE;
}

tw_reason tw_avro_plan_skip(const tw_avro_plan *plan, tw_slice bytes, size_t *ret_size) {
    reader r = {.plan = plan, .at = bytes.data, .end = bytes.data + bytes.size};
    if (!skip(&r, 0, 0))
        return r.reason;
    *ret_size = (size_t)(r.at - bytes.data);
    return TW_REASON_NONE;
}
