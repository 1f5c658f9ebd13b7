/* JSON text into a buffer: what more than one encoder needs. Thread: any. */
#ifndef TW_BASE_JSON_H
#define TW_BASE_JSON_H

#include "base/buf.h"

/* A text as a JSON string, quoted and escaped; text is UTF-8. */
void tw_json_text(tw_buf *out, tw_slice text);

#endif
