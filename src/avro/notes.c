/* A cursor over JSON text, without a tree. Called while a schema is compiled. */
#include "avro/notes.h"

static tw_slice trimmed(const char *at, const char *end) {
    while (at < end && strchr(" \t\r\n", *at))
        at++;
    while (at < end && strchr(" \t\r\n", end[-1]))
        end--;
    return (tw_slice){at, (size_t)(end - at)};
}

/* Where the value at the front ends: at a comma, colon or closing bracket of the level around it. */
static const char *end_of(const char *at, const char *end) {
    int depth = 0;
    bool quoted = false;
    for (; at < end; at++) {
        if (quoted) {
            if (*at == '\\')
                at++;
            else if (*at == '"')
                quoted = false;
        } else if (*at == '"') {
            quoted = true;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            if (depth-- == 0)
                return at;
        } else if ((*at == ',' || *at == ':') && depth == 0) {
            return at;
        }
    }
    return end;
}

static tw_slice take(const char **at, const char *end) {
    const char *stop = end_of(*at, end);
    tw_slice value = trimmed(*at, stop);
    *at = stop < end ? stop + 1 : end;
    return value;
}

tw_slice tw_notes_trimmed(tw_slice text) {
    return trimmed(text.data, text.data + text.size);
}

tw_slice tw_notes_string(tw_slice text) {
    if (text.size < 2 || text.data[0] != '"' || memchr(text.data, '\\', text.size))
        return (tw_slice){0};
    return (tw_slice){text.data + 1, text.size - 2};
}

tw_slice tw_notes_member(tw_slice text, const char *name) {
    tw_slice found = {0};
    if (!text.size || text.data[0] != '{')
        return found;
    for (const char *at = text.data + 1, *end = text.data + text.size; at < end;) {
        tw_slice key = take(&at, end), value = take(&at, end);
        if (tw_slice_equal(tw_notes_string(key), tw_slice_of(name)))
            found = value;
    }
    return found;
}

tw_slice tw_notes_next(tw_slice *rest) {
    if (!rest->size || (rest->data[0] != '[' && rest->data[0] != ','))
        return (tw_slice){0};
    const char *at = rest->data + 1, *end = rest->data + rest->size, *stop = end_of(at, end);
    *rest = (tw_slice){stop, (size_t)(end - stop)}; /* begins with a comma, or with the bracket that ends it */
    return trimmed(at, stop);
}

tw_slice tw_notes_type(tw_slice text) {
    for (;;) {
        tw_slice inner = tw_notes_member(text, "type");
        if (!inner.size || (inner.data[0] != '{' && inner.data[0] != '['))
            return text;
        text = inner;
    }
}
