/* JSON text into a buffer: what more than one encoder needs. Thread: any. */
#ifndef TW_BASE_JSON_H
#define TW_BASE_JSON_H

#include "base/buf.h"

/* A text as a JSON string, quoted and escaped; text is UTF-8. */
void tw_json_text(tw_buf *out, tw_slice text);

/* Numbers as printf writes them, without its cost: %.6g, %.3f, and whole ones. A real that is not finite is not JSON; it is written as
 * printf would. */
void tw_json_real(tw_buf *out, double value);
void tw_json_thousandths(tw_buf *out, double value);
void tw_json_whole(tw_buf *out, int64_t value);

/* A part of the text that is known beforehand. */
#define TW_JSON_PUT(out, literal) tw_buf_put(out, "" literal, sizeof literal - 1)

#endif
