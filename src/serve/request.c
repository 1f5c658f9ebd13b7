/* Targets taken apart; see request.h. Called by the server for each request, before anything else looks at it. */
#include "serve/request.h"

#include "base/event.h"

#include <string.h>
#include <strings.h>

/* ---- taking apart ------------------------------------------------------------------------------------------------- */

static int hex_of(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes raw to *at and moves that behind the text, which is never longer than raw. */
static tw_code decode(tw_slice raw, bool plus_is_space, char **at, tw_slice *ret_text, tw_err *err) {
    char *end = *at;
    for (size_t i = 0; i < raw.size; i++) {
        char c = raw.data[i];
        if (c == '%') {
            int high = raw.size - i > 2 ? hex_of(raw.data[i + 1]) : -1;
            int low = raw.size - i > 2 ? hex_of(raw.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return tw_fail(err, TW_E_USAGE, "a %% in the address is not followed by two hex digits");
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        *end++ = c;
    }
    *ret_text = (tw_slice){*at, (size_t)(end - *at)};
    *at = end;
    return TW_OK;
}

/* The piece of *rest before the next separator, which is dropped; false when nothing is left. */
static bool next_piece(tw_slice *rest, char separator, tw_slice *ret_piece) {
    if (!rest->data)
        return false;
    const char *stop = memchr(rest->data, separator, rest->size);
    size_t size = stop ? (size_t)(stop - rest->data) : rest->size;
    *ret_piece = (tw_slice){rest->data, size};
    *rest = stop ? (tw_slice){stop + 1, rest->size - size - 1} : (tw_slice){0};
    return true;
}

static tw_code parse_path(tw_slice path, char **at, tw_request *request, tw_err *err) {
    tw_slice piece;
    if (path.size == 0) /* the root */
        return TW_OK;
    while (next_piece(&path, '/', &piece)) {
        if (request->segments_count == TW_SEGMENTS_MAX)
            return tw_fail(err, TW_E_USAGE, "the path has more than %d parts", TW_SEGMENTS_MAX);
        TW_TRY(decode(piece, false, at, &request->segments[request->segments_count++], err));
    }
    return TW_OK;
}

static tw_code parse_query(tw_slice query, char **at, tw_request *request, tw_err *err) {
    tw_slice pair, name;
    while (next_piece(&query, '&', &pair)) {
        if (pair.size == 0)
            continue;
        if (request->parameters_count == TW_PARAMETERS_MAX)
            return tw_fail(err, TW_E_USAGE, "there are more than %d parameters", TW_PARAMETERS_MAX);
        tw_parameter *parameter = &request->parameters[request->parameters_count++];
        next_piece(&pair, '=', &name);
        TW_TRY(decode(name, true, at, &parameter->name, err));
        TW_TRY(decode(pair, true, at, &parameter->value, err));
    }
    return TW_OK;
}

tw_code tw_request_parse(const char *target, tw_request *ret_request, tw_err *err) {
    size_t size = strlen(target);
    if (size > TW_TARGET_SIZE_MAX)
        return tw_fail(err, TW_E_USAGE, "the address is longer than %d bytes", TW_TARGET_SIZE_MAX);
    if (target[0] != '/')
        return tw_fail(err, TW_E_USAGE, "the address does not begin with /");
    for (const char *c = target; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return tw_fail(err, TW_E_USAGE, "the address holds a space or a control character");
    char *at = ret_request->text;
    tw_slice query = {target + 1, size - 1}, path;
    ret_request->segments_count = 0;
    ret_request->parameters_count = 0;
    next_piece(&query, '?', &path);
    TW_TRY(parse_path(path, &at, ret_request, err));
    return parse_query(query, &at, ret_request, err);
}

/* ---- asking ------------------------------------------------------------------------------------------------------- */

bool tw_request_matches(const tw_request *request, const char *pattern) {
    tw_slice rest = tw_slice_of(pattern + 1), piece;
    int i = 0;
    if (rest.size == 0)
        return request->segments_count == 0;
    for (; next_piece(&rest, '/', &piece); i++) {
        if (i == request->segments_count)
            return false;
        bool any = tw_slice_equal(piece, TW_SLICE_LITERAL("*"));
        if (!any && !tw_slice_equal(piece, request->segments[i]))
            return false;
    }
    return i == request->segments_count;
}

/* A name from a request as it may stand in an error's text: printable and short. */
static const char *shown(tw_slice name, char text[static 41]) {
    size_t size = name.size < 40 ? name.size : 40;
    for (size_t i = 0; i < size; i++)
        text[i] = name.data[i] > ' ' && name.data[i] < 0x7f ? name.data[i] : '?';
    text[size] = '\0';
    return text;
}

tw_code tw_request_only(const tw_request *request, const char *const *names, tw_err *err) {
    char text[41];
    for (int i = 0; i < request->parameters_count; i++) {
        tw_slice name = request->parameters[i].name;
        int n = 0;
        while (names[n] && !tw_slice_equal(name, tw_slice_of(names[n])))
            n++;
        if (!names[n])
            return tw_fail(err, TW_E_USAGE, "unknown parameter \"%s\"", shown(name, text));
        for (int before = 0; before < i; before++)
            if (tw_slice_equal(name, request->parameters[before].name))
                return tw_fail(err, TW_E_USAGE, "parameter \"%s\" is there twice", shown(name, text));
    }
    return TW_OK;
}

bool tw_request_text(const tw_request *request, const char *name, tw_slice *ret_text) {
    for (int i = 0; i < request->parameters_count; i++)
        if (tw_slice_equal(request->parameters[i].name, tw_slice_of(name))) {
            *ret_text = request->parameters[i].value;
            return true;
        }
    return false;
}

tw_code tw_request_number(const tw_request *request, const char *name, int min, int max, int *ret_number, tw_err *err) {
    tw_slice text;
    int64_t number = 0;
    if (!tw_request_text(request, name, &text))
        return TW_OK;
    bool good = text.size >= 1 && text.size <= 9;
    for (size_t i = 0; good && i < text.size; i++) {
        good = text.data[i] >= '0' && text.data[i] <= '9';
        number = 10 * number + (text.data[i] - '0');
    }
    if (!good || number < min || number > max)
        return tw_fail(err, TW_E_USAGE, "parameter \"%s\" is not a whole number from %d to %d", name, min, max);
    *ret_number = (int)number;
    return TW_OK;
}

tw_code tw_request_check_text(tw_slice text, const char *what, tw_err *err) {
    if (text.size == 0)
        return tw_fail(err, TW_E_USAGE, "%s is empty", what);
    if (text.size > TW_ID_SIZE_MAX)
        return tw_fail(err, TW_E_USAGE, "%s is longer than %d bytes", what, TW_ID_SIZE_MAX);
    if (!tw_slice_is_utf8(text))
        return tw_fail(err, TW_E_USAGE, "%s is not UTF-8", what);
    return TW_OK;
}

/* ---- names of this machine ---------------------------------------------------------------------------------------- */

static bool is_name(tw_slice host, const char *name) {
    return host.size == strlen(name) && strncasecmp(host.data, name, host.size) == 0;
}

/* 127.0.0.0/8 in dotted form. */
static bool is_loopback4(tw_slice host) {
    tw_slice part;
    int parts = 0;
    for (; next_piece(&host, '.', &part); parts++) {
        int value = 0;
        if (part.size < 1 || part.size > 3)
            return false;
        for (size_t i = 0; i < part.size; i++) {
            if (part.data[i] < '0' || part.data[i] > '9')
                return false;
            value = 10 * value + (part.data[i] - '0');
        }
        if (value > 255 || (parts == 0 && value != 127))
            return false;
    }
    return parts == 4;
}

bool tw_request_host_is_local(const char *host, const char *own_host) {
    tw_slice name = tw_slice_of(host);
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
    const char *colon = bracket ? (bracket[1] == ':' ? bracket + 1 : NULL) : strchr(host, ':');
    if (colon) {
        name.size = (size_t)(colon - host);
        if (colon[1 + strspn(colon + 1, "0123456789")])
            return false;
    }
    if (bracket)
        return tw_slice_equal(name, TW_SLICE_LITERAL("[::1]"));
    static const char under[] = ".localhost";
    size_t tail = sizeof under - 1;
    bool below = name.size > tail && strncasecmp(name.data + name.size - tail, under, tail) == 0;
    return below || is_name(name, "localhost") || is_name(name, own_host) || is_loopback4(name);
}
