/* Encoding into a growing buffer and reading back with a cursor that cannot run over. Hosts are little-endian. */
#include "base/buf.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows on disk are little-endian");

void tw_buf_done(tw_buf *buf) {
    free(buf->data);
    *buf = (tw_buf){0};
}

void *tw_buf_reserve(tw_buf *buf, size_t more) {
    if (buf->size + more > buf->capacity)
        buf->data = tw_grow(buf->data, &buf->capacity, buf->size + more, 1);
    return buf->data + buf->size;
}

void tw_buf_put(tw_buf *buf, const void *bytes, size_t size) {
    if (size == 0)
        return;
    memcpy(tw_buf_reserve(buf, size), bytes, size);
    buf->size += size;
}

void tw_buf_u8(tw_buf *buf, uint8_t v) {
    *(uint8_t *)tw_buf_reserve(buf, 1) = v;
    buf->size++;
}
void tw_buf_u16(tw_buf *buf, uint16_t v) {
    tw_buf_put(buf, &v, sizeof v);
}
void tw_buf_u32(tw_buf *buf, uint32_t v) {
    tw_buf_put(buf, &v, sizeof v);
}
void tw_buf_u64(tw_buf *buf, uint64_t v) {
    tw_buf_put(buf, &v, sizeof v);
}
void tw_buf_f32(tw_buf *buf, float v) {
    tw_buf_put(buf, &v, sizeof v);
}
void tw_buf_f64(tw_buf *buf, double v) {
    tw_buf_put(buf, &v, sizeof v);
}

void tw_buf_text(tw_buf *buf, tw_slice s) {
    tw_buf_u32(buf, (uint32_t)s.size);
    tw_buf_put(buf, s.data, s.size);
}

void tw_buf_printf(tw_buf *buf, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int size = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (size < 0)
        return;
    va_start(args, fmt);
    vsnprintf(tw_buf_reserve(buf, (size_t)size + 1), (size_t)size + 1, fmt, args);
    va_end(args);
    buf->size += (size_t)size;
}

const void *tw_cursor_take(tw_cursor *c, size_t size) {
    if (c->bad || (size_t)(c->end - c->at) < size) {
        c->bad = true;
        return NULL;
    }
    const void *at = c->at;
    c->at += size;
    return at;
}

void tw_cursor_copy(tw_cursor *c, void *to, size_t size) {
    const void *at = tw_cursor_take(c, size);
    if (at && size)
        memcpy(to, at, size);
}

#define READ(type)                   \
    type v = 0;                      \
    tw_cursor_copy(c, &v, sizeof v); \
    return v

uint8_t tw_cursor_u8(tw_cursor *c) {
    READ(uint8_t);
}
uint16_t tw_cursor_u16(tw_cursor *c) {
    READ(uint16_t);
}
uint32_t tw_cursor_u32(tw_cursor *c) {
    READ(uint32_t);
}
uint64_t tw_cursor_u64(tw_cursor *c) {
    READ(uint64_t);
}
float tw_cursor_f32(tw_cursor *c) {
    READ(float);
}
double tw_cursor_f64(tw_cursor *c) {
    READ(double);
}

tw_slice tw_cursor_text(tw_cursor *c) {
    uint32_t size = tw_cursor_u32(c);
    const char *at = tw_cursor_take(c, size);
    return at ? (tw_slice){at, size} : (tw_slice){0};
}
