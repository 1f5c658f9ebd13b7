/* Targets taken apart; see request.h. Called by the server for each request, before anything else looks at it. */
#include "serve/request.h"

#include "base/event.h"

#include <string.h>
#include <strings.h>

static int hex_of(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes raw bytes to *at and moves it behind them; the text never grows. */
static tw_code decode(tw_slice raw, bool plus_is_space, char **at, tw_slice *ret_text, tw_err *err) {
    char *start = *at, *end = start;
    for (size_t i = 0; i < raw.size; i++) {
        char c = raw.data[i];
        if (c == '%') {
            int high = i + 2 < raw.size ? hex_of(raw.data[i + 1]) : -1;
            int low = i + 2 < raw.size ? hex_of(raw.data[i + 2]) : -1;
            if (i + 2 == raw.size - 0)
                high = -1;
            if (high < 0 || low < 0)
                return tw_fail(err, TW_E_USAGE, "a %% in the address is not followed by two hex digits");
            c = (char)(high << 4 | low);
            i += 2;
        }
        *end++ = c;
    }
    (void)plus_is_space;
    *ret_text = (tw_slice){start, (size_t)(end - start)};
    *at = end;
    return TW_OK;
}
