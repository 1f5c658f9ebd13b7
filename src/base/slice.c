/* UTF-8 check of a slice. Called by clean for every text field; any thread. */
#include "base/slice.h"

bool tw_slice_is_utf8(tw_slice s) {
    const unsigned char *p = (const unsigned char *)s.data, *end = p + s.size;
    while (p < end) {
        uint64_t word;
        if (end - p >= 8 && (memcpy(&word, p, 8), (word & 0x8080808080808080u) == 0)) {
            p += 8; /* eight ASCII bytes at once: the common case */
            continue;
        }
        unsigned c = *p;
        int more;
        uint32_t point, least;
        if (c < 0x80) {
            p++;
            continue;
        }
        if (c >= 0xc2 && c < 0xe0)
            more = 1, point = c & 0x1f, least = 0x80;
        else if (c >= 0xe0 && c < 0xf0)
            more = 2, point = c & 0x0f, least = 0x800;
        else if (c >= 0xf0 && c < 0xf5)
            more = 3, point = c & 0x07, least = 0x10000;
        else
            return false;
        if (end - p <= more)
            return false;
        for (int i = 1; i <= more; i++) {
            if ((p[i] & 0xc0) != 0x80)
                return false;
            point = point << 6 | (p[i] & 0x3f);
        }
        if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
            return false;
        p += more + 1;
    }
    return true;
}
