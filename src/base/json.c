/* JSON text, for every encoder. Any thread. */
#include "base/json.h"

void tw_json_text(tw_buf *out, tw_slice text) {
    tw_buf_u8(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            tw_buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            tw_buf_printf(out, "\\u%04x", c);
        else
            tw_buf_u8(out, c);
    }
    tw_buf_u8(out, '"');
}
