/* Reading by the letter of the specification. Called by the property tests. */
#include "support/avro_oracle.h"

#include <math.h>
#include <stdio.h>

#define DEPTH_MAX 32    /* as the plan promises */
#define EMPTY_MAX 65536 /* elements without bytes in one datum, as the plan promises */

typedef struct reader {
    const unsigned char *at, *end;
    tw_arena *arena;
    tw_event *event;
    long empty;
} reader;

typedef struct value { /* of a primitive */
    int64_t number;
    double real;
    tw_slice text;
} value;

static bool read_long(reader *r, int64_t *ret) {
    unsigned __int128 bits = 0;
    for (int i = 0; i < 10; i++) {
        if (r->at == r->end)
            return false;
        unsigned char byte = *r->at++;
        bits |= (unsigned __int128)(byte % 128) << (7 * i);
        if (byte < 128) {
            if (bits > UINT64_MAX)
                return false;
            *ret = bits % 2 ? (int64_t)(-(__int128)(bits / 2) - 1) : (int64_t)(bits / 2);
            return true;
        }
    }
    return false;
}

static bool read_bytes(reader *r, int64_t size, tw_slice *ret) {
    if (size < 0 || size > r->end - r->at)
        return false;
    *ret = (tw_slice){(const char *)r->at, (size_t)size};
    r->at += size;
    return true;
}

static bool is_empty(const tw_oracle_type *t) { /* takes no bytes, whatever its value */
    if (t->kind == TW_ORACLE_RECORD) {
        for (int i = 0; i < t->count; i++)
            if (t->parts[i] == t || !is_empty(t->parts[i]))
                return false;
        return true;
    }
    return t->kind == TW_ORACLE_NULL || (t->kind == TW_ORACLE_FIXED && t->size == 0);
}

static bool set_ms(reader *r, const tw_oracle_type *t, int64_t number) {
    __int128 ms = number;
    if (t->logical && strstr(t->logical, "micros"))
        ms = (__int128)floorl((long double)number / 1000);
    if (t->logical && strstr(t->logical, "nanos"))
        ms = (__int128)floorl((long double)number / 1000000);
    if (t->logical && strcmp(t->logical, "date") == 0)
        ms = (__int128)number * 86400000;
    if (ms > INT64_MAX || ms < INT64_MIN)
        return false;
    r->event->event_ms = (int64_t)ms;
    r->event->has |= TW_HAS_TIME;
    return true;
}

static bool set_kind(reader *r, tw_slice name) {
    static const char *const names[] = {"click", "cart", "purchase", "review", "return", "item"};
    for (int k = 0; k < 6; k++)
        if (tw_slice_equal(name, tw_slice_of(names[k]))) {
            r->event->kind = (tw_kind)k;
            r->event->has |= TW_HAS_KIND;
            return true;
        }
    return false;
}

static bool set_text(reader *r, tw_field field, tw_slice text) {
    tw_event *e = r->event;
    if (field == TW_FIELD_KIND)
        return set_kind(r, text);
    tw_slice *place = field == TW_FIELD_EVENT_ID   ? &e->event_id
                      : field == TW_FIELD_USER_ID  ? &e->user_id
                      : field == TW_FIELD_ITEM_ID  ? &e->item_id
                      : field == TW_FIELD_CATEGORY ? &e->category
                      : field == TW_FIELD_TITLE    ? &e->title
                                                   : NULL;
    if (place)
        *place = text;
    return place != NULL;
}

static bool set_real(reader *r, tw_field field, double real) {
    tw_event *e = r->event;
    switch (field) {
    case TW_FIELD_PRICE:
        e->price = real, e->has |= TW_HAS_PRICE;
        return true;
    case TW_FIELD_QUANTITY:
        e->quantity = real, e->has |= TW_HAS_QUANTITY;
        return true;
    case TW_FIELD_RATING:
        e->rating = real, e->has |= TW_HAS_RATING;
        return true;
    case TW_FIELD_TIME:
        if (!(real > -9e15 && real < 9e15))
            return false;
        e->event_ms = (int64_t)floor(real), e->has |= TW_HAS_TIME;
        return true;
    default:
        return false;
    }
}

static bool set_number(reader *r, const tw_oracle_type *t, tw_field field, int64_t number) {
    char digits[32];
    if (field == TW_FIELD_TIME)
        return set_ms(r, t, number);
    if (set_real(r, field, (double)number))
        return true;
    snprintf(digits, sizeof digits, "%lld", (long long)number);
    return set_text(r, field, tw_arena_copy(r->arena, tw_slice_of(digits)));
}

static bool set_flag(reader *r, tw_field field, bool flag) {
    if (field == TW_FIELD_IN_STOCK)
        r->event->in_stock = flag, r->event->has |= TW_HAS_IN_STOCK;
    else if (field == TW_FIELD_RETIRED)
        r->event->retired = flag, r->event->has |= TW_HAS_RETIRED;
    else
        return false;
    return true;
}

static bool read_type(reader *r, const tw_oracle_type *t, tw_field field, int depth);

static bool read_blocks(reader *r, const tw_oracle_type *t, tw_field field, int depth) {
    char *joined = tw_arena_alloc(r->arena, (size_t)(r->end - r->at) + 1);
    size_t joined_size = 0;
    bool wanted = field != TW_FIELD_COUNT,
         text = t->parts[0]->kind == TW_ORACLE_STRING || t->parts[0]->kind == TW_ORACLE_BYTES;
    if (wanted && (t->kind == TW_ORACLE_MAP || field != TW_FIELD_CATEGORY || !text))
        return false;
    for (;;) {
        int64_t count, size = -1;
        if (!read_long(r, &count))
            return false;
        if (count < 0 && (count == INT64_MIN || !read_long(r, &size) || size < 0 || size > r->end - r->at))
            return false;
        count = count < 0 ? -count : count;
        if (count == 0)
            break;
        const unsigned char *end = r->at + size;
        if (t->kind == TW_ORACLE_ARRAY && is_empty(t->parts[0]) &&
            (count > EMPTY_MAX || (r->empty += count) > EMPTY_MAX))
            return false;
        if (size >= 0 && !wanted) {
            r->at = end;
            continue;
        }
        for (; count > 0 && (t->kind == TW_ORACLE_MAP || !is_empty(t->parts[0])); count--) {
            tw_slice one;
            int64_t length;
            if (t->kind == TW_ORACLE_MAP && (!read_long(r, &length) || !read_bytes(r, length, &one)))
                return false;
            if (!wanted && !read_type(r, t->parts[0], TW_FIELD_COUNT, depth + 1))
                return false;
            if (!wanted)
                continue;
            if (!read_long(r, &length) || !read_bytes(r, length, &one))
                return false;
            if (joined_size)
                joined[joined_size++] = '|';
            memcpy(joined + joined_size, one.data, one.size);
            joined_size += one.size;
        }
        if (size >= 0 && r->at != end)
            return false;
    }
    return !wanted || set_text(r, field, (tw_slice){joined, joined_size});
}

static bool read_primitive(reader *r, const tw_oracle_type *t, tw_field field) {
    value v = {0};
    float single;
    bool wanted = field != TW_FIELD_COUNT;
    switch (t->kind) {
    case TW_ORACLE_BOOLEAN:
        return read_bytes(r, 1, &v.text) && (!wanted || set_flag(r, field, v.text.data[0] != 0));
    case TW_ORACLE_INT:
    case TW_ORACLE_LONG:
        return read_long(r, &v.number) && (!wanted || set_number(r, t, field, v.number));
    case TW_ORACLE_FLOAT:
        if (!read_bytes(r, 4, &v.text))
            return false;
        memcpy(&single, v.text.data, 4);
        return !wanted || set_real(r, field, (double)single);
    case TW_ORACLE_DOUBLE:
        if (!read_bytes(r, 8, &v.text))
            return false;
        memcpy(&v.real, v.text.data, 8);
        return !wanted || set_real(r, field, v.real);
    case TW_ORACLE_FIXED:
        return read_bytes(r, (int64_t)t->size, &v.text) && (!wanted || set_text(r, field, v.text));
    case TW_ORACLE_ENUM:
        if (!read_long(r, &v.number) || v.number < 0 || v.number >= t->count)
            return false;
        return !wanted || set_text(r, field, tw_slice_of(t->names[v.number]));
    default: /* string, bytes */
        return read_long(r, &v.number) && read_bytes(r, v.number, &v.text) && (!wanted || set_text(r, field, v.text));
    }
}

static bool read_type(reader *r, const tw_oracle_type *t, tw_field field, int depth) {
    int64_t branch;
    if (depth > DEPTH_MAX)
        return false;
    if (is_empty(t))
        return true;
    switch (t->kind) {
    case TW_ORACLE_ARRAY:
    case TW_ORACLE_MAP:
        return read_blocks(r, t, field, depth);
    case TW_ORACLE_UNION:
        return read_long(r, &branch) && branch >= 0 && branch < t->count &&
               read_type(r, t->parts[branch], field, depth + 1);
    case TW_ORACLE_RECORD:
        if (field != TW_FIELD_COUNT)
            return false;
        for (int i = 0; i < t->count; i++)
            if (!is_empty(t->parts[i]) && !read_type(r, t->parts[i], TW_FIELD_COUNT, depth + 1))
                return false;
        return true;
    default:
        return read_primitive(r, t, field);
    }
}

bool tw_oracle_read(const tw_oracle_type *record, tw_slice bytes, tw_arena *arena, tw_event *ret_event,
                    size_t *ret_size) {
    reader r = {.at = (const unsigned char *)bytes.data, .arena = arena, .event = ret_event};
    r.end = r.at + bytes.size;
    memset(ret_event, 0, sizeof *ret_event);
    ret_event->kind = TW_KIND_COUNT;
    for (int i = 0; i < record->count; i++)
        if (!is_empty(record->parts[i]) && !read_type(&r, record->parts[i], record->fields[i], 1))
            return false;
    *ret_size = (size_t)(r.at - (const unsigned char *)bytes.data);
    return true;
}
