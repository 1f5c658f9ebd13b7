/* One JSON object (RFC 8259) to an event, by a strict pull parser of our own: bounded depth, no recursion, no tree. Called by the
 * engine for each record of a JSON input.
 *
 * Fields are known by the names of the schemas and of the CSV columns; unknown ones are skipped, null is absent, of two equal
 * names the last counts. Strings are borrowed unless they hold escapes; `category` may be a list of strings. */
#include "pipeline/decode/decode.h"

#include "base/alloc.h"
#include "base/mapping.h"
#include "base/number.h"

#include <stdlib.h>

#define DEPTH_MAX 64

/* The longest path of names into nested objects that a mapping can reach. */
#define PATH_MAX_SIZE 256

typedef struct json_decoder {
    tw_decoder decoder; /* first */
    const tw_mapping *mapping;
} json_decoder;

typedef struct parser {
    const char *at, *end;
    tw_arena *arena;
    const tw_mapping *mapping;
    tw_reason reason;         /* why parsing stopped */
    char path[PATH_MAX_SIZE]; /* of the object that is read: "a.b."; empty at the top */
    size_t path_size;
} parser;

static bool stop(parser *p, tw_reason reason) {
    if (p->reason == TW_REASON_NONE)
        p->reason = reason;
    return false;
}

static void skip_space(parser *p) {
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

/* The next character after blanks, 0 at the end. */
static char peek(parser *p) {
    skip_space(p);
    return p->at < p->end ? *p->at : 0;
}

static bool expect(parser *p, char c) {
    if (peek(p) != c)
        return stop(p, p->at < p->end ? TW_REASON_MALFORMED : TW_REASON_TRUNCATED);
    p->at++;
    return true;
}

static bool take_hex(const char *at, const char *end, uint32_t *ret_value) {
    *ret_value = 0;
    if (end - at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return false;
        *ret_value = *ret_value << 4 | (uint32_t)digit;
    }
    return true;
}

static char *put_utf8(char *to, uint32_t c) {
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* One \u escape, or a pair of surrogates; a lone surrogate is malformed. */
static bool take_unicode(parser *p, const char **at, const char *end, char **to) {
    uint32_t c, low;
    if (!take_hex(*at, end, &c))
        return stop(p, TW_REASON_MALFORMED);
    *at += 4;
    if (c >= 0xd800 && c < 0xe000) {
        if (c >= 0xdc00 || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' || !take_hex(*at + 2, end, &low) ||
            low < 0xdc00 || low >= 0xe000)
            return stop(p, TW_REASON_MALFORMED);
        *at += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    *to = put_utf8(*to, c);
    return true;
}

/* The escaped text [from, end) into the arena: never longer than it was. */
static bool unescape(parser *p, const char *from, const char *end, tw_slice *ret_text) {
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *copy = tw_arena_alloc(p->arena, (size_t)(end - from)), *to = copy;
    while (from < end) {
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        char c = from[1]; /* a backslash is never last: the closing quote was found behind it */
        from += 2;
        if (c == 'u') {
            if (!take_unicode(p, &from, end, &to))
                return false;
            continue;
        }
        const char *known = c ? strchr(plain, c) : NULL;
        if (!known)
            return stop(p, TW_REASON_MALFORMED);
        *to++ = meant[known - plain];
    }
    *ret_text = (tw_slice){copy, (size_t)(to - copy)};
    return true;
}

static bool take_string(parser *p, tw_slice *ret_text) {
    if (!expect(p, '"'))
        return false;
    const char *start = p->at;
    bool escaped = false;
    for (;; p->at++) {
        if (p->at >= p->end)
            return stop(p, TW_REASON_TRUNCATED);
        unsigned char c = (unsigned char)*p->at;
        if (c == '"')
            break;
        if (c < 0x20)
            return stop(p, TW_REASON_MALFORMED);
        if (c == '\\') {
            escaped = true;
            p->at++;
        }
    }
    const char *end = p->at++;
    *ret_text = (tw_slice){start, (size_t)(end - start)};
    return !escaped || unescape(p, start, end, ret_text);
}

/* A number, true, false or null: everything up to what cannot be part of it. */
static bool take_word(parser *p, tw_slice *ret_word) {
    skip_space(p);
    const char *start = p->at;
    while (p->at < p->end && (((*p->at | 32) >= 'a' && (*p->at | 32) <= 'z') || (*p->at >= '0' && *p->at <= '9') ||
                              *p->at == '-' || *p->at == '+' || *p->at == '.'))
        p->at++;
    *ret_word = (tw_slice){start, (size_t)(p->at - start)};
    if (ret_word->size == 0)
        return stop(p, p->at < p->end ? TW_REASON_MALFORMED : TW_REASON_TRUNCATED);
    return true;
}

static bool is_word(tw_slice word, const char *text) {
    return tw_slice_equal(word, tw_slice_of(text));
}

static const char *skip_digits(const char *at, const char *end) {
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* JSON's numbers are stricter than ours: a digit first, no leading zero, digits around the point and in the exponent, no nan, no inf. */
static bool is_number(tw_slice w) {
    const char *at = w.data, *end = at + w.size, *digits;
    at += at < end && *at == '-';
    digits = at;
    at = skip_digits(at, end);
    if (at == digits || (*digits == '0' && at > digits + 1))
        return false;
    if (at < end && *at == '.') {
        digits = ++at;
        if ((at = skip_digits(at, end)) == digits)
            return false;
    }
    if (at < end && (*at | 32) == 'e') {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        digits = at;
        if ((at = skip_digits(at, end)) == digits)
            return false;
    }
    return at == end;
}

/* Skips one value without recursion: a stack of one bit per open bracket. */
static bool skip_value(parser *p) {
    uint64_t objects = 0;
    int depth = 0;
    for (;;) {
        char c = peek(p);
        tw_slice ignored;
        bool opened = c == '{' || c == '[';
        if (opened) {
            if (depth == DEPTH_MAX)
                return stop(p, TW_REASON_TOO_DEEP);
            objects = objects << 1 | (c == '{');
            depth++;
            p->at++;
        } else if (c == '"') {
            if (!take_string(p, &ignored))
                return false;
        } else if (!take_word(p, &ignored)) {
            return false;
        } else if (!is_number(ignored) && !is_word(ignored, "true") && !is_word(ignored, "false") &&
                   !is_word(ignored, "null")) {
            return stop(p, TW_REASON_MALFORMED);
        }
        for (;;) { /* after a value: close what ends here, or go on behind a comma */
            if (depth == 0)
                return true;
            bool object = objects & 1;
            c = peek(p);
            if (c == (object ? '}' : ']')) {
                p->at++;
                objects >>= 1;
                depth--;
                opened = false;
                continue;
            }
            if (!opened && !expect(p, ','))
                return false;
            if (object && (!take_string(p, &ignored) || !expect(p, ':')))
                return false;
            break;
        }
    }
}

/* How long the list that was just opened is, up to its bracket: so much room, and no more, its text can take. */
static size_t list_size(const parser *p) {
    const char *at = p->at;
    for (bool quoted = false; at < p->end && (quoted || *at != ']'); at++) {
        if (*at == '"')
            quoted = !quoted;
        else if (*at == '\\' && quoted && at + 1 < p->end)
            at++;
    }
    return (size_t)(at - p->at);
}

/* A list of strings as one text, split by '|'. */
static bool take_list(parser *p, tw_slice *ret_text) {
    char *joined = NULL;
    size_t size = 0;
    *ret_text = (tw_slice){0};
    p->at++;
    if (peek(p) == ']') {
        p->at++;
        return true;
    }
    joined = tw_arena_alloc(p->arena, list_size(p));
    for (;;) {
        tw_slice one;
        if (!take_string(p, &one))
            return false;
        if (size)
            joined[size++] = '|';
        memcpy(joined + size, one.data, one.size);
        size += one.size;
        char c = peek(p);
        if (c == ']')
            break;
        if (!expect(p, ','))
            return false;
    }
    p->at++;
    *ret_text = (tw_slice){joined, size};
    return true;
}

/* A text, a list where lists are allowed, or null (absent). A number is taken as its text: ids are often numbers. */
static bool take_text(parser *p, bool list, tw_slice *ret_text) {
    char c = peek(p);
    if (c == '"')
        return take_string(p, ret_text);
    if (c == '[' && list)
        return take_list(p, ret_text);
    if (!take_word(p, ret_text))
        return false;
    if (is_word(*ret_text, "null"))
        *ret_text = (tw_slice){0};
    else if (!is_number(*ret_text))
        return stop(p, TW_REASON_MALFORMED);
    return true;
}

static bool take_real(parser *p, tw_event *e, uint32_t has, double *ret_value) {
    tw_slice word;
    e->has &= ~has;
    if (!take_word(p, &word))
        return false;
    if (is_word(word, "null"))
        return true;
    if (!is_number(word) || !tw_number_real(word, ret_value))
        return stop(p, TW_REASON_BAD_NUMBER);
    e->has |= has;
    return true;
}

/* A number in the mapping's unit, or a text of that or of ISO 8601. */
static bool take_time(parser *p, tw_event *e) {
    tw_slice text;
    e->has &= ~(uint32_t)TW_HAS_TIME;
    bool quoted = peek(p) == '"';
    if (!(quoted ? take_string(p, &text) : take_word(p, &text)))
        return false;
    if (!quoted && is_word(text, "null"))
        return true;
    if ((!quoted && !is_number(text)) || !tw_mapping_time_text(p->mapping, text, &e->event_ms))
        return stop(p, TW_REASON_BAD_NUMBER);
    e->has |= TW_HAS_TIME;
    return true;
}

static bool take_bool(parser *p, tw_event *e, uint32_t has, bool *ret_value) {
    tw_slice word;
    e->has &= ~has;
    if (!take_word(p, &word))
        return false;
    if (is_word(word, "null"))
        return true;
    if (!is_word(word, "true") && !is_word(word, "false"))
        return stop(p, TW_REASON_MALFORMED);
    *ret_value = is_word(word, "true");
    e->has |= has;
    return true;
}

static bool take_kind(parser *p, tw_event *e) {
    tw_slice text;
    if (!take_text(p, false, &text))
        return false;
    e->has &= ~(uint32_t)TW_HAS_KIND;
    e->kind = TW_KIND_COUNT;
    if (text.size == 0)
        return true;
    e->kind = tw_mapping_kind(p->mapping, text);
    e->has |= TW_HAS_KIND;
    return e->kind != TW_KIND_COUNT || stop(p, TW_REASON_UNKNOWN_TYPE);
}

static bool take_value(parser *p, tw_field field, tw_event *e) {
    switch (field) {
    case TW_FIELD_USER_ID:
        return take_text(p, false, &e->user_id);
    case TW_FIELD_ITEM_ID:
        return take_text(p, false, &e->item_id);
    case TW_FIELD_TIME:
        return take_time(p, e);
    case TW_FIELD_KIND:
        return take_kind(p, e);
    case TW_FIELD_EVENT_ID:
        return take_text(p, false, &e->event_id);
    case TW_FIELD_CATEGORY:
        return take_text(p, true, &e->category);
    case TW_FIELD_TITLE:
        return take_text(p, false, &e->title);
    case TW_FIELD_PRICE:
        return take_real(p, e, TW_HAS_PRICE, &e->price);
    case TW_FIELD_RATING:
        return take_real(p, e, TW_HAS_RATING, &e->rating);
    case TW_FIELD_QUANTITY:
        return take_real(p, e, TW_HAS_QUANTITY, &e->quantity);
    case TW_FIELD_IN_STOCK:
        return take_bool(p, e, TW_HAS_IN_STOCK, &e->in_stock);
    case TW_FIELD_RETIRED:
        return take_bool(p, e, TW_HAS_RETIRED, &e->retired);
    case TW_FIELD_COUNT:
        break;
    }
    return skip_value(p);
}

static bool take_object(parser *p, tw_event *e);

/* A value by its name; inside of an object by its path. An object that some path leads into is read, any other is skipped;
 * how deep that goes is bounded by the names in the mapping. */
static bool take_field(parser *p, tw_slice name, tw_event *e) {
    if (!p->mapping->nested)
        return take_value(p, tw_mapping_field(p->mapping, name), e);
    size_t outer_size = p->path_size;
    if (outer_size + name.size + 1 > sizeof p->path)
        return skip_value(p);
    memcpy(p->path + outer_size, name.data, name.size);
    tw_slice path = {p->path, outer_size + name.size};
    tw_field field = tw_mapping_field(p->mapping, path);
    if (field != TW_FIELD_COUNT || peek(p) != '{' || !tw_mapping_leads_to(p->mapping, path))
        return take_value(p, field, e);
    p->path_size = path.size;
    p->path[p->path_size++] = '.';
    bool taken = take_object(p, e);
    p->path_size = outer_size;
    return taken;
}

static bool take_object(parser *p, tw_event *e) {
    if (!expect(p, '{'))
        return false;
    if (peek(p) == '}') {
        p->at++;
        return true;
    }
    for (;;) {
        tw_slice name;
        if (!take_string(p, &name) || !expect(p, ':') || !take_field(p, name, e))
            return false;
        if (peek(p) == '}') {
            p->at++;
            return true;
        }
        if (!expect(p, ','))
            return false;
    }
}

static tw_reason json_decode(tw_decoder *decoder, const tw_record *record, tw_arena *arena, tw_event *ret_event) {
    parser p; /* not zeroed: the path is long */
    p.at = record->value.data;
    p.end = record->value.data + record->value.size;
    p.arena = arena;
    p.mapping = ((json_decoder *)decoder)->mapping;
    p.reason = TW_REASON_NONE;
    p.path_size = 0;
    *ret_event = (tw_event){.kind = TW_KIND_COUNT};
    if (take_object(&p, ret_event) && peek(&p) != 0)
        return TW_REASON_MALFORMED; /* something behind the object */
    return p.reason != TW_REASON_NONE || p.at == p.end ? p.reason : TW_REASON_MALFORMED;
}

static tw_decoder *json_free(tw_decoder *decoder) {
    free(decoder);
    return NULL;
}

tw_code tw_decoder_json(const tw_mapping *mapping, tw_decoder **ret_decoder, tw_err *err) {
    static const tw_decoder_ops ops = {json_decode, json_free};
    (void)err;
    json_decoder *self = tw_zalloc(sizeof *self);
    self->decoder.ops = &ops;
    self->mapping = mapping ? mapping : &tw_mapping_plain;
    *ret_decoder = &self->decoder;
    return TW_OK;
}
