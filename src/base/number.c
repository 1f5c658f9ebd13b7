/* Strict number parsing without locale. Called for each numeric field of an event and each number of a file of vectors. */
#include "base/number.h"

#include <math.h>
#include <stdlib.h>
#include <strings.h>

/* The characters of a number and nothing else: strtod alone would take hexadecimal and leading blanks. */
static bool is_decimal(const char *at, const char *end) {
    int digits = 0;
    at += at < end && (*at == '-' || *at == '+');
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        digits++;
    if (at < end && *at == '.')
        for (at++; at < end && *at >= '0' && *at <= '9'; at++)
            digits++;
    if (digits == 0)
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        if (at == end)
            return false;
        while (at < end && *at >= '0' && *at <= '9')
            at++;
    }
    return at == end;
}

static bool is_special(tw_slice text) {
    static const char *const names[] = {"nan", "inf", "infinity", "-nan", "-inf", "-infinity", "+inf", "+infinity"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text.size == strlen(names[i]) && strncasecmp(text.data, names[i], text.size) == 0)
            return true;
    return false;
}

bool tw_number_real(tw_slice text, double *ret_value) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const char *at = text.data, *end = at + text.size;
    bool negative = at < end && *at == '-';
    uint64_t digits = 0;
    int count = 0, fraction = 0;
    for (at += negative; at < end && count <= 15; at++) { /* 15 digits and a power of ten are both exact doubles */
        if (*at >= '0' && *at <= '9') {
            digits = digits * 10 + (uint64_t)(*at - '0');
            count++;
            fraction += fraction > 0;
        } else if (*at == '.' && fraction == 0) {
            fraction = 1;
        } else {
            break;
        }
    }
    if (at == end && count > 0 && count <= 15) {
        double value = (double)digits / powers[fraction ? fraction - 1 : 0];
        *ret_value = negative ? -value : value;
        return true;
    }
    char copy[128];
    if (text.size == 0 || text.size >= sizeof copy || (!is_decimal(text.data, end) && !is_special(text)))
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *ret_value = strtod(copy, NULL); /* the process never leaves the C locale */
    return true;
}
