/* Taking values off Avro bytes, shared by what skips and what reads. Where we are in the bytes is passed by value and handed
 * back, NULL when the bytes are refused: so it stays in a register. */
#ifndef TW_AVRO_TAKE_H
#define TW_AVRO_TAKE_H

#include "avro/internal.h"

typedef struct tw_reader {
    const tw_avro_plan *plan;
    const char *end;
    tw_arena *arena;
    tw_reason reason;       /* why the bytes were refused */
    int64_t empty_elements; /* met so far */
} tw_reader;

typedef struct tw_taken { /* a number, and where it ends; NULL: refused */
    const char *at;
    int64_t value;
} tw_taken;

typedef struct tw_block { /* of an array or map */
    const char *at;
    int64_t count, size; /* count 0: the end; size -1: it does not say */
} tw_block;

#define TW_UNLIKELY(fact) __builtin_expect(!!(fact), 0)

/* Refuses the bytes; the first reason counts. Returns NULL, and the compiler sees that. */
static inline const char *tw_avro_stop(tw_reader *r, tw_reason reason) {
    if (r->reason == TW_REASON_NONE)
        r->reason = reason;
    return NULL;
}

tw_taken tw_avro_take_bytewise(tw_reader *r, const char *at);
tw_block tw_avro_take_block(tw_reader *r, const char *at);
const char *tw_avro_skip_node(tw_reader *r, const char *at, uint32_t index, int depth);

static inline int64_t tw_avro_unzigzag(uint64_t value) {
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* A zig-zag varint of at most 64 bits. One byte, which most lengths and branches are, goes first. */
static inline tw_taken tw_avro_take_long(tw_reader *r, const char *at) {
    if (at < r->end && (unsigned char)*at < 0x80)
        return (tw_taken){at + 1, tw_avro_unzigzag((unsigned char)*at)};
    return tw_avro_take_bytewise(r, at);
}

/* The same for numbers that are large, as times are: up to eight bytes without a branch for each, where eight can be read. Groups of
 * seven bits are drawn together pairwise. */
static inline tw_taken tw_avro_take_large(tw_reader *r, const char *at) {
    uint64_t word;
    if (r->end - at < (ptrdiff_t)sizeof word || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__)
        return tw_avro_take_bytewise(r, at);
    memcpy(&word, at, sizeof word);
    uint64_t stops = ~word & 0x8080808080808080u;
    if (TW_UNLIKELY(stops == 0))
        return tw_avro_take_bytewise(r, at);
    at += (__builtin_ctzll(stops) >> 3) + 1;
    word &= stops ^ (stops - 1); /* up to and with the last byte */
    word &= 0x7f7f7f7f7f7f7f7fu;
    word = (word & 0x007f007f007f007fu) | (word & 0x7f007f007f007f00u) >> 1;
    word = (word & 0x00003fff00003fffu) | (word & 0x3fff00003fff0000u) >> 2;
    word = (word & 0x000000000fffffffu) | (word & 0x0fffffff00000000u) >> 4;
    return (tw_taken){at, tw_avro_unzigzag(word)};
}

static inline const char *tw_avro_take_bytes(tw_reader *r, const char *at, size_t size) {
    return TW_UNLIKELY((size_t)(r->end - at) < size) ? tw_avro_stop(r, TW_REASON_TRUNCATED) : at + size;
}

static inline const char *tw_avro_take_text(tw_reader *r, const char *at, tw_slice *ret_text) {
    if (at < r->end &&
        !(*at & 0x81)) { /* at most 63 bytes, as most are: the shortest way to where the next value begins */
        size_t short_size = (size_t)*at >> 1;
        if ((size_t)(r->end - at) <= short_size)
            return tw_avro_stop(r, TW_REASON_TRUNCATED);
        *ret_text = (tw_slice){at + 1, short_size};
        return at + 1 + short_size;
    }
    tw_taken size = tw_avro_take_bytewise(r, at);
    if (TW_UNLIKELY(!size.at))
        return NULL;
    if (TW_UNLIKELY((uint64_t)size.value > (uint64_t)(r->end - size.at)))
        return tw_avro_stop(r, size.value < 0 ? TW_REASON_MALFORMED : TW_REASON_TRUNCATED);
    *ret_text = (tw_slice){size.at, (size_t)size.value};
    return size.at + size.value;
}

/* A union's branch. */
static inline tw_taken tw_avro_take_branch(tw_reader *r, const char *at, const tw_node *node) {
    tw_taken branch = tw_avro_take_long(r, at);
    if (branch.at && (branch.value < 0 || branch.value >= node->count))
        branch.at = tw_avro_stop(r, TW_REASON_MALFORMED);
    return branch;
}

static inline const char *tw_avro_take_symbol(tw_reader *r, const char *at, const tw_node *node,
                                              const tw_symbol **ret_symbol) {
    tw_taken number = tw_avro_take_long(r, at);
    if (TW_UNLIKELY(!number.at))
        return NULL;
    if (TW_UNLIKELY(number.value < 0 || number.value >= node->count))
        return tw_avro_stop(r, TW_REASON_MALFORMED);
    *ret_symbol = &r->plan->symbols[node->parts + number.value];
    return number.at;
}

#endif
