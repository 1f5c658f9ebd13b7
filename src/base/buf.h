/* A growing byte buffer for encoding rows and text. Little-endian fixed width numbers; one owner, one thread. */
#ifndef TW_BASE_BUF_H
#define TW_BASE_BUF_H

#include "base/slice.h"

typedef struct tw_buf {
    char *data;
    size_t size, capacity;
} tw_buf;

void tw_buf_done(tw_buf *buf); /* releases the bytes; a zeroed tw_buf is a valid empty one */
static inline void tw_buf_clear(tw_buf *buf) {
    buf->size = 0;
}
static inline tw_slice tw_buf_slice(const tw_buf *buf) {
    return (tw_slice){buf->data, buf->size};
}

void *tw_buf_reserve(tw_buf *buf, size_t more); /* room for more bytes; returns the end, size is unchanged */
void tw_buf_put(tw_buf *buf, const void *bytes, size_t size);
void tw_buf_u8(tw_buf *buf, uint8_t v);
void tw_buf_u16(tw_buf *buf, uint16_t v);
void tw_buf_u32(tw_buf *buf, uint32_t v);
void tw_buf_u64(tw_buf *buf, uint64_t v);
void tw_buf_f32(tw_buf *buf, float v);
void tw_buf_f64(tw_buf *buf, double v);
void tw_buf_text(tw_buf *buf, tw_slice s); /* u32 length, then the bytes */
__attribute__((format(printf, 2, 3))) void tw_buf_printf(tw_buf *buf, const char *fmt, ...);

/* Reading back. A cursor past the end sets `bad`, returns zeros and stays there: check once at the end. */
typedef struct tw_cursor {
    const char *at, *end;
    bool bad;
} tw_cursor;

static inline tw_cursor tw_cursor_of(tw_slice s) {
    return (tw_cursor){s.data, s.data + s.size, false};
}
const void *tw_cursor_take(tw_cursor *c, size_t size); /* NULL and bad when there are fewer bytes */
/* The same, copied; nothing when there are fewer. size 0 asks nothing of to. */
void tw_cursor_copy(tw_cursor *c, void *to, size_t size);
uint8_t tw_cursor_u8(tw_cursor *c);
uint16_t tw_cursor_u16(tw_cursor *c);
uint32_t tw_cursor_u32(tw_cursor *c);
uint64_t tw_cursor_u64(tw_cursor *c);
float tw_cursor_f32(tw_cursor *c);
double tw_cursor_f64(tw_cursor *c);
tw_slice tw_cursor_text(tw_cursor *c); /* borrowed from the cursor's bytes */

#endif
