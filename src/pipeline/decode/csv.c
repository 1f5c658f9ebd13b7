/* CSV rows (RFC 4180) to events: the header line decides once which column is which field. Called by the engine for each
 * record of a CSV input. Fields are borrowed from the row; only a field with doubled quotes is copied to the arena. */
#include "pipeline/decode/decode.h"

#include "base/alloc.h"
#include "base/mapping.h"
#include "base/number.h"

#include <stdlib.h>

#define COLUMNS_MAX 64

typedef struct csv_decoder {
    tw_decoder decoder; /* first */
    const tw_mapping *mapping;
    tw_field columns[COLUMNS_MAX]; /* TW_FIELD_COUNT: ignored */
    int columns_count;
} csv_decoder;

/* Takes one field off *at. false: a quote that is not closed, or text after a closing quote. */
static bool take_field(const char **at, const char *end, tw_arena *arena, tw_slice *ret_field) {
    const char *start = *at;
    if (start == end || *start != '"') {
        const char *comma = memchr(start, ',', (size_t)(end - start));
        *ret_field = (tw_slice){start, (size_t)((comma ? comma : end) - start)};
        *at = comma ? comma + 1 : NULL;
        return true;
    }
    bool doubled = false;
    const char *p = ++start;
    for (;;) {
        p = memchr(p, '"', (size_t)(end - p));
        if (!p)
            return false;
        if (p + 1 == end || p[1] != '"')
            break;
        doubled = true;
        p += 2;
    }
    if (p + 1 < end && p[1] != ',')
        return false;
    *ret_field = (tw_slice){start, (size_t)(p - start)};
    if (doubled) {
        char *copy = tw_arena_alloc(arena, ret_field->size), *to = copy;
        for (const char *from = start; from < p; from++) {
            *to++ = *from;
            from += *from == '"';
        }
        *ret_field = (tw_slice){copy, (size_t)(to - copy)};
    }
    *at = p + 1 < end ? p + 2 : NULL;
    return true;
}

static tw_reason take_bool(tw_slice text, tw_event *event, uint32_t has, bool *ret) {
    bool yes = tw_slice_equal(text, TW_SLICE_LITERAL("true")) || tw_slice_equal(text, TW_SLICE_LITERAL("1"));
    if (!yes && !tw_slice_equal(text, TW_SLICE_LITERAL("false")) && !tw_slice_equal(text, TW_SLICE_LITERAL("0")))
        return TW_REASON_MALFORMED;
    *ret = yes;
    event->has |= has;
    return TW_REASON_NONE;
}

static tw_reason take_real(tw_slice text, tw_event *event, uint32_t has, double *ret) {
    if (!tw_number_real(text, ret))
        return TW_REASON_BAD_NUMBER;
    event->has |= has;
    return TW_REASON_NONE;
}

static tw_reason take_kind(const tw_mapping *mapping, tw_slice text, tw_event *event) {
    event->kind = tw_mapping_kind(mapping, text);
    event->has |= TW_HAS_KIND;
    return event->kind == TW_KIND_COUNT ? TW_REASON_UNKNOWN_TYPE : TW_REASON_NONE;
}

/* An empty field is an absent one. */
static tw_reason set_field(const tw_mapping *mapping, tw_field field, tw_slice text, tw_event *event) {
    if (text.size == 0)
        return TW_REASON_NONE;
    switch (field) {
    case TW_FIELD_TIME:
        if (!tw_mapping_time_text(mapping, text, &event->event_ms))
            return TW_REASON_BAD_NUMBER;
        event->has |= TW_HAS_TIME;
        return TW_REASON_NONE;
    case TW_FIELD_KIND:
        return take_kind(mapping, text, event);
    case TW_FIELD_USER_ID:
        event->user_id = text;
        return TW_REASON_NONE;
    case TW_FIELD_ITEM_ID:
        event->item_id = text;
        return TW_REASON_NONE;
    case TW_FIELD_CATEGORY:
        event->category = text;
        return TW_REASON_NONE;
    case TW_FIELD_TITLE:
        event->title = text;
        return TW_REASON_NONE;
    case TW_FIELD_EVENT_ID:
        event->event_id = text;
        return TW_REASON_NONE;
    case TW_FIELD_RATING:
        return take_real(text, event, TW_HAS_RATING, &event->rating);
    case TW_FIELD_PRICE:
        return take_real(text, event, TW_HAS_PRICE, &event->price);
    case TW_FIELD_QUANTITY:
        return take_real(text, event, TW_HAS_QUANTITY, &event->quantity);
    case TW_FIELD_IN_STOCK:
        return take_bool(text, event, TW_HAS_IN_STOCK, &event->in_stock);
    case TW_FIELD_RETIRED:
        return take_bool(text, event, TW_HAS_RETIRED, &event->retired);
    case TW_FIELD_COUNT:
        break;
    }
    return TW_REASON_NONE;
}

static tw_reason csv_decode(tw_decoder *decoder, const tw_record *record, tw_arena *arena, tw_event *ret_event) {
    const csv_decoder *self = (const csv_decoder *)decoder;
    const char *at = record->value.data, *end = at + record->value.size;
    *ret_event = (tw_event){.kind = TW_KIND_COUNT};
    int i = 0;
    for (; at && i < self->columns_count; i++) {
        tw_slice text;
        if (!take_field(&at, end, arena, &text))
            return TW_REASON_MALFORMED;
        tw_reason reason = set_field(self->mapping, self->columns[i], text, ret_event);
        if (reason != TW_REASON_NONE)
            return reason;
    }
    if (at)
        return TW_REASON_MALFORMED; /* more fields than the header has */
    return i < self->columns_count ? TW_REASON_TRUNCATED : TW_REASON_NONE;
}

static tw_decoder *csv_free(tw_decoder *decoder) {
    free(decoder);
    return NULL;
}

static tw_code read_header(csv_decoder *self, tw_slice header, tw_arena *arena, tw_err *err) {
    static const tw_field required[] = {TW_FIELD_TIME, TW_FIELD_KIND, TW_FIELD_USER_ID, TW_FIELD_ITEM_ID};
    bool there[TW_FIELD_COUNT] = {false};
    const char *at = header.data;
    while (at) {
        tw_slice name;
        if (self->columns_count == COLUMNS_MAX)
            return tw_fail(err, TW_E_BAD_FILE, "CSV header: more than %d columns", COLUMNS_MAX);
        if (!take_field(&at, header.data + header.size, arena, &name))
            return tw_fail(err, TW_E_BAD_FILE, "CSV header: a quote is not closed");
        tw_field field = tw_mapping_field(self->mapping, name);
        if (field != TW_FIELD_COUNT && there[field])
            return tw_fail(err, TW_E_BAD_FILE, "CSV header: column \"" TW_SLICE_FMT "\" is there twice",
                           TW_SLICE_ARG(name));
        if (field != TW_FIELD_COUNT)
            there[field] = true;
        self->columns[self->columns_count++] = field;
    }
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++)
        if (!there[required[i]])
            return tw_fail(err, TW_E_BAD_FILE, "CSV header: column \"" TW_SLICE_FMT "\" is missing",
                           TW_SLICE_ARG(tw_mapping_name_of(self->mapping, required[i])));
    return TW_OK;
}

tw_code tw_decoder_csv(tw_slice header, const tw_mapping *mapping, tw_decoder **ret_decoder, tw_err *err) {
    static const tw_decoder_ops ops = {csv_decode, csv_free};
    csv_decoder *self = tw_zalloc(sizeof *self);
    tw_arena *arena = tw_arena_create(4096);
    self->decoder.ops = &ops;
    self->mapping = mapping ? mapping : &tw_mapping_plain;
    tw_code code = read_header(self, header, arena, err);
    tw_arena_free(arena);
    if (code != TW_OK) {
        free(self);
        return code;
    }
    *ret_decoder = &self->decoder;
    return TW_OK;
}
