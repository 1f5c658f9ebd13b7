/* Avro binary, written value by value (Avro 1.11 specification, "Binary Encoding"): for the few records that we send out, in the
 * order of their schemas. Thread: any. */
#ifndef TW_AVRO_WRITE_H
#define TW_AVRO_WRITE_H

#include "base/buf.h"

/* int, long, and the number of a union's branch or of an array's elements: a zig-zag varint. */
static inline void tw_avro_put_long(tw_buf *out, int64_t value) {
    uint64_t left = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
    char *to = tw_buf_reserve(out, 10);
    size_t n = 0;
    for (; left >= 0x80; left >>= 7)
        to[n++] = (char)(left | 0x80);
    to[n++] = (char)left;
    out->size += n;
}

static inline void tw_avro_put_text(tw_buf *out, tw_slice text) {
    tw_avro_put_long(out, (int64_t)text.size);
    tw_buf_put(out, text.data, text.size);
}

/* Of ["null", "string"]; empty is null. */
static inline void tw_avro_put_optional(tw_buf *out, tw_slice text) {
    tw_buf_u8(out, text.size ? 2 : 0);
    if (text.size)
        tw_avro_put_text(out, text);
}

#endif
