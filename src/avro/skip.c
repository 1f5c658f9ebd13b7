/* Finding the end of values without looking at them. Called by the reader for fields of no use, and by the container. */
#include "avro/take.h"

/* Elements that take no bytes (nulls, empty records) in one datum: more are a bomb, not data. */
#define EMPTY_ELEMENTS_MAX 65536

tw_taken tw_avro_take_bytewise(tw_reader *r, const char *at) {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (at == r->end)
            return (tw_taken){tw_avro_stop(r, TW_REASON_TRUNCATED), 0};
        uint64_t byte = (unsigned char)*at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80)
            return (tw_taken){at, tw_avro_unzigzag(value)};
    }
    return (tw_taken){tw_avro_stop(r, TW_REASON_MALFORMED), 0};
}

tw_block tw_avro_take_block(tw_reader *r, const char *at) {
    tw_taken count = tw_avro_take_long(r, at);
    tw_block b = {count.at, count.value, -1};
    if (!b.at || b.count >= 0)
        return b;
    tw_taken size = tw_avro_take_long(r, b.at);
    b.at = size.at;
    if (size.at && (b.count == INT64_MIN || size.value < 0))
        b.at = tw_avro_stop(r, TW_REASON_MALFORMED);
    else if (size.at && size.value > r->end - size.at)
        b.at = tw_avro_stop(r, TW_REASON_TRUNCATED);
    if (b.at)
        b.count = -b.count;
    b.size = size.value;
    return b;
}

static const char *skip_blocks(tw_reader *r, const char *at, const tw_node *node, int depth) {
    uint32_t element = r->plan->parts[node->parts].node;
    bool map = node->type == TW_NODE_MAP, empty = !map && r->plan->nodes[element].type == TW_NODE_EMPTY;
    for (;;) {
        tw_block b = tw_avro_take_block(r, at);
        if (!b.at || b.count == 0)
            return b.at;
        at = b.at;
        if (empty && (b.count > EMPTY_ELEMENTS_MAX || (r->empty_elements += b.count) > EMPTY_ELEMENTS_MAX))
            return tw_avro_stop(r, TW_REASON_MALFORMED);
        if (b.size >= 0) {
            at += b.size;
            continue;
        }
        for (int64_t i = 0; !empty && i < b.count; i++) { /* each takes a byte at least */
            tw_slice key;
            if ((map && !(at = tw_avro_take_text(r, at, &key))) || !(at = tw_avro_skip_node(r, at, element, depth)))
                return NULL;
        }
    }
}

const char *tw_avro_skip_node(tw_reader *r, const char *at, uint32_t index, int depth) {
    const tw_node *node = &r->plan->nodes[index];
    const tw_symbol *symbol;
    tw_slice text;
    if (depth > TW_AVRO_DEPTH_MAX)
        return tw_avro_stop(r, TW_REASON_TOO_DEEP);
    switch (node->type) {
    case TW_NODE_EMPTY:
        return at;
    case TW_NODE_BOOLEAN:
        return tw_avro_take_bytes(r, at, 1);
    case TW_NODE_INT:
        return tw_avro_take_long(r, at).at;
    case TW_NODE_FLOAT:
        return tw_avro_take_bytes(r, at, 4);
    case TW_NODE_DOUBLE:
        return tw_avro_take_bytes(r, at, 8);
    case TW_NODE_TEXT:
        return tw_avro_take_text(r, at, &text);
    case TW_NODE_FIXED:
        return tw_avro_take_bytes(r, at, node->size);
    case TW_NODE_ENUM:
        return tw_avro_take_symbol(r, at, node, &symbol);
    case TW_NODE_ARRAY:
    case TW_NODE_MAP:
        return skip_blocks(r, at, node, depth + 1);
    case TW_NODE_UNION: {
        tw_taken branch = tw_avro_take_branch(r, at, node);
        return branch.at ? tw_avro_skip_node(r, branch.at, r->plan->parts[node->parts + branch.value].node, depth + 1)
                         : NULL;
    }
    case TW_NODE_RECORD:
        for (uint32_t i = 0; at && i < node->count; i++)
            at = tw_avro_skip_node(r, at, r->plan->parts[node->parts + i].node, depth + 1);
        return at;
    }
    return NULL;
}

tw_reason tw_avro_plan_skip(const tw_avro_plan *plan, tw_slice bytes, size_t *ret_size) {
    tw_reader r = {.plan = plan, .end = bytes.data + bytes.size};
    const char *at = tw_avro_skip_node(&r, bytes.data, 0, 0);
    if (!at)
        return r.reason;
    *ret_size = (size_t)(at - bytes.data);
    return TW_REASON_NONE;
}
