/* JSON text, for every encoder. Any thread. */
#include "base/json.h"

#include <math.h>

static bool is_plain(char c) {
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

void tw_json_text(tw_buf *out, tw_slice text) {
    const char *at = text.data, *end = text.data + text.size;
    tw_buf_u8(out, '"');
    while (at < end) {
        const char *start = at;
        while (at < end && is_plain(*at))
            at++;
        tw_buf_put(out, start, (size_t)(at - start));
        if (at == end)
            break;
        if (*at == '"' || *at == '\\')
            tw_buf_printf(out, "\\%c", *at);
        else
            tw_buf_printf(out, "\\u%04x", *at);
        at++;
    }
    tw_buf_u8(out, '"');
}

static void put_digits(tw_buf *out, uint64_t value) {
    char digits[20], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    tw_buf_put(out, at, (size_t)(digits + sizeof digits - at));
}

void tw_json_whole(tw_buf *out, int64_t value) {
    if (value < 0)
        tw_buf_u8(out, '-');
    put_digits(out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* x, at most 1e9, to the nearest whole number. false: so near to the middle of two that the product that made x may be on the wrong
 * side of it; then printf decides. */
static bool round_clearly(double x, uint64_t *ret_whole) {
    double below = floor(x), rest = x - below;
    *ret_whole = (uint64_t)below + (rest > 0.5);
    return fabs(rest - 0.5) > 1e-6;
}

/* Digits behind the point, zeros at the end left out. */
static void put_fraction(tw_buf *out, uint64_t fraction, int places) {
    char digits[10];
    for (int i = places; i-- > 0; fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    while (places > 0 && digits[places - 1] == '0')
        places--;
    if (places)
        tw_buf_u8(out, '.');
    tw_buf_put(out, digits, (size_t)places);
}

void tw_json_real(tw_buf *out, double value) {
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    static const uint64_t whole_tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
    double size = fabs(value);
    uint64_t whole;
    int places = 9; /* behind the point, so that six digits count */
    if (!(size >= 1e-4 && size < 1e5)) {
        tw_buf_printf(out, "%.6g", value);
        return;
    }
    while (places > 0 && size * tens[places] >= 1e6)
        places--;
    if (!round_clearly(size * tens[places], &whole)) {
        tw_buf_printf(out, "%.6g", value);
        return;
    }
    if (value < 0)
        tw_buf_u8(out, '-');
    put_digits(out, whole / whole_tens[places]);
    put_fraction(out, whole % whole_tens[places], places);
}

void tw_json_thousandths(tw_buf *out, double value) {
    uint64_t whole;
    if (!(value >= 0 && value < 1e5) || signbit(value) || !round_clearly(value * 1000, &whole)) {
        tw_buf_printf(out, "%.3f", value);
        return;
    }
    put_digits(out, whole / 1000);
    const char behind[] = {'.', (char)('0' + whole / 100 % 10), (char)('0' + whole / 10 % 10),
                           (char)('0' + whole % 10)};
    tw_buf_put(out, behind, sizeof behind);
}
