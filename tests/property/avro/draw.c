/* Drawing schemas and datums. Called by the property tests. */
#include "property/avro/draw.h"

#include "avro/write.h"

#include <stdio.h>

typedef struct drawing {
    tw_rng *rng;
    tw_arena *arena;
    int named; /* types so far */
    bool plain;
} drawing;

static const char *const fields[TW_FIELD_COUNT] = {
#define NAME(name, text, alias) text,
    TW_FIELD_LIST(NAME)
#undef NAME
};

static tw_oracle_type *make(drawing *d, tw_oracle_kind kind) {
    tw_oracle_type *t = tw_arena_alloc(d->arena, sizeof *t);
    memset(t, 0, sizeof *t);
    t->kind = kind;
    t->number = d->named++;
    return t;
}

static const char *print(drawing *d, const char *format, int number) {
    char text[40];
    snprintf(text, sizeof text, format, number);
    return tw_arena_copy(d->arena, (tw_slice){text, strlen(text) + 1}).data;
}

static tw_oracle_type *make_enum(drawing *d, const char *const *symbols, int count) {
    tw_oracle_type *t = make(d, TW_ORACLE_ENUM);
    int first = (int)tw_rng_below(d->rng, (uint32_t)count);
    t->count = count;
    for (int i = 0; i < count; i++)
        t->names[i] = symbols[(first + i) % count];
    return t;
}

static tw_oracle_type *draw_any(drawing *d, int depth, tw_oracle_type *around) {
    static const char *const symbols[] = {"A", "B", "C"};
    tw_oracle_kind kind = (tw_oracle_kind)tw_rng_below(d->rng, depth > 3 ? TW_ORACLE_ARRAY : TW_ORACLE_RECORD + 1);
    if (kind == TW_ORACLE_ENUM)
        return make_enum(d, symbols, 3);
    tw_oracle_type *t = make(d, kind);
    switch (kind) {
    case TW_ORACLE_FIXED:
        t->size = d->plain + tw_rng_below(d->rng, 5); /* avro-c reads no fixed of nothing */
        break;
    case TW_ORACLE_ARRAY:
    case TW_ORACLE_MAP:
        t->count = 1;
        t->parts[0] = draw_any(d, depth + 1, around);
        break;
    case TW_ORACLE_UNION: /* null, a text and a record, at most: kinds must differ */
        t->count = 2;
        t->parts[0] = make(d, TW_ORACLE_NULL);
        t->parts[1] = around && tw_rng_below(d->rng, 2) ? around : make(d, TW_ORACLE_STRING);
        if (tw_rng_below(d->rng, 2))
            t->parts[t->count++] = make(d, TW_ORACLE_DOUBLE);
        break;
    case TW_ORACLE_RECORD:
        t->count = d->plain + (int)tw_rng_below(d->rng, 3); /* nor an array of records of nothing */
        for (int i = 0; i < t->count; i++) {
            t->names[i] = tw_rng_below(d->rng, 3) ? print(d, "f%d", i) : fields[(i + t->number) % TW_FIELD_COUNT];
            t->parts[i] = draw_any(d, depth + 1, t);
            t->fields[i] = TW_FIELD_COUNT;
        }
        break;
    default:
        break;
    }
    return t;
}

static tw_oracle_type *draw_time(drawing *d) {
    static const char *const logical[] = {NULL, "timestamp-millis", "timestamp-micros", "local-timestamp-nanos"};
    tw_oracle_type *t = make(d, d->plain ? TW_ORACLE_LONG : (tw_oracle_kind)(TW_ORACLE_INT + tw_rng_below(d->rng, 4)));
    if (!d->plain && t->kind == TW_ORACLE_LONG)
        t->logical = logical[tw_rng_below(d->rng, 4)];
    if (t->kind == TW_ORACLE_INT && tw_rng_below(d->rng, 2))
        t->logical = "date";
    return t;
}

/* Some type that can be read as a field. */
static tw_oracle_type *draw_of(drawing *d, tw_field field) {
    static const char *const kinds[] = {"click", "cart", "purchase", "review", "return"};
    static const char *const words[] = {"red", "green"};
    uint32_t choice = tw_rng_below(d->rng, 6);
    switch (field) {
    case TW_FIELD_TIME:
        return draw_time(d);
    case TW_FIELD_KIND:
        return choice < 3 ? make_enum(d, kinds, 5) : make(d, TW_ORACLE_STRING);
    case TW_FIELD_PRICE:
    case TW_FIELD_QUANTITY:
    case TW_FIELD_RATING:
        return make(d, (tw_oracle_kind)(TW_ORACLE_INT + tw_rng_below(d->rng, 4)));
    case TW_FIELD_IN_STOCK:
    case TW_FIELD_RETIRED:
        return make(d, TW_ORACLE_BOOLEAN);
    default:
        break;
    }
    if (d->plain || choice < 2)
        return make(d, TW_ORACLE_STRING);
    if (choice == 2)
        return make_enum(d, words, 2);
    if (choice == 3 && field == TW_FIELD_CATEGORY) {
        tw_oracle_type *list = make(d, TW_ORACLE_ARRAY);
        list->count = 1;
        list->parts[0] = make(d, TW_ORACLE_STRING);
        return list;
    }
    static const tw_oracle_kind others[] = {TW_ORACLE_BYTES, TW_ORACLE_FIXED, TW_ORACLE_INT, TW_ORACLE_LONG};
    tw_oracle_type *t = make(d, others[tw_rng_below(d->rng, 4)]);
    t->size = 1 + tw_rng_below(d->rng, 8);
    return t;
}

/* The same, perhaps in a union with null and a type of no use, in any order. */
static tw_oracle_type *draw_optional(drawing *d, tw_field field) {
    tw_oracle_type *value = draw_of(d, field);
    if (tw_rng_below(d->rng, 2))
        return value;
    tw_oracle_type *t = make(d, TW_ORACLE_UNION), *null = make(d, TW_ORACLE_NULL);
    int at = (int)tw_rng_below(d->rng, 2);
    t->count = 2;
    t->parts[at] = value;
    t->parts[1 - at] = null;
    if (!d->plain && tw_rng_below(d->rng, 4) == 0)
        t->parts[t->count++] = draw_any(d, 9, NULL)->kind == TW_ORACLE_FIXED && value->kind != TW_ORACLE_FIXED
                                   ? make(d, TW_ORACLE_FIXED)
                                   : make(d, value->kind == TW_ORACLE_BOOLEAN ? TW_ORACLE_DOUBLE : TW_ORACLE_BOOLEAN);
    return t;
}

tw_oracle_type *tw_draw_record(tw_rng *rng, bool plain, tw_arena *arena) {
    drawing state = {.rng = rng, .arena = arena, .plain = plain}, *d = &state;
    tw_oracle_type *top = make(d, TW_ORACLE_RECORD);
    bool taken[TW_FIELD_COUNT] = {false};
    top->count = 1 + (int)tw_rng_below(rng, TW_ORACLE_PARTS_MAX);
    for (int i = 0; i < top->count; i++) {
        tw_field field = (tw_field)tw_rng_below(rng, TW_FIELD_COUNT + 6);
        top->names[i] = print(d, "x%d", i);
        if (field >= TW_FIELD_COUNT || taken[field]) {
            top->fields[i] = TW_FIELD_COUNT;
            top->parts[i] = draw_any(d, 0, NULL);
            continue;
        }
        taken[field] = true;
        top->fields[i] = field;
        top->parts[i] = draw_optional(d, field);
        if (!plain && tw_rng_below(rng, 4) == 0)
            top->aliases[i] = fields[field];
        else
            top->names[i] = fields[field];
    }
    return top;
}

/* ---- the schema --------------------------------------------------------------------------------------------------- */

static void write_type(const tw_oracle_type *t, bool *written, tw_buf *out);

static void write_fields(const tw_oracle_type *t, bool *written, tw_buf *out) {
    tw_buf_printf(out, ",\"fields\":[");
    for (int i = 0; i < t->count; i++) {
        tw_buf_printf(out, "%s{\"name\":\"%s\",", i ? ", " : "", t->names[i]);
        if (t->aliases[i])
            tw_buf_printf(out, "\"doc\":\"a, \\\"b\\\": [\",\"aliases\":[ \"old\" , \"%s\"],", t->aliases[i]);
        tw_buf_printf(out, "\"type\":");
        write_type(t->parts[i], written, out);
        tw_buf_printf(out, "}");
    }
    tw_buf_printf(out, "]");
}

static void write_type(const tw_oracle_type *t, bool *written, tw_buf *out) {
    static const char *const names[] = {"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                        "string", "fixed",   "enum", "array", "map",   "",       "record"};
    bool named = t->kind == TW_ORACLE_FIXED || t->kind == TW_ORACLE_ENUM || t->kind == TW_ORACLE_RECORD;
    if (named && written[t->number]) {
        tw_buf_printf(out, "\"N%d\"", t->number);
        return;
    }
    if (t->kind == TW_ORACLE_UNION) {
        for (int i = 0; i < t->count; i++) {
            tw_buf_printf(out, i ? "," : "[");
            write_type(t->parts[i], written, out);
        }
        tw_buf_printf(out, "]");
        return;
    }
    tw_buf_printf(out, "{\"type\": \"%s\"", names[t->kind]);
    if (named) {
        tw_buf_printf(out, ",\"name\":\"N%d\"", t->number);
        written[t->number] = true;
    }
    if (t->logical)
        tw_buf_printf(out, ",\"logicalType\":\"%s\"", t->logical);
    if (t->kind == TW_ORACLE_FIXED)
        tw_buf_printf(out, ",\"size\":%zu", t->size);
    for (int i = 0; t->kind == TW_ORACLE_ENUM && i < t->count; i++)
        tw_buf_printf(out, "%s\"%s\"%s", i ? "," : ",\"symbols\":[", t->names[i], i + 1 < t->count ? "" : "]");
    if (t->kind == TW_ORACLE_ARRAY || t->kind == TW_ORACLE_MAP) {
        tw_buf_printf(out, ",\"%s\":", t->kind == TW_ORACLE_ARRAY ? "items" : "values");
        write_type(t->parts[0], written, out);
    }
    if (t->kind == TW_ORACLE_RECORD)
        write_fields(t, written, out);
    tw_buf_printf(out, "}");
}

void tw_draw_schema(const tw_oracle_type *record, tw_buf *out) {
    bool written[4096] = {false};
    write_type(record, written, out);
}

/* ---- the datum ---------------------------------------------------------------------------------------------------- */

static void draw_value(tw_rng *rng, const tw_oracle_type *t, tw_field field, int depth, tw_buf *out);

static void draw_text(tw_rng *rng, tw_field field, tw_buf *out) {
    static const char *const kinds[] = {"click", "cart", "purchase", "review", "return", "item"};
    char text[200];
    if (field == TW_FIELD_KIND) {
        tw_avro_put_text(out, tw_slice_of(kinds[tw_rng_below(rng, 6)]));
        return;
    }
    size_t size = tw_rng_below(rng, tw_rng_below(rng, 8) ? 12 : sizeof text);
    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + tw_rng_below(rng, 26));
    tw_avro_put_text(out, (tw_slice){text, size});
}

static void draw_blocks(tw_rng *rng, const tw_oracle_type *t, int depth, tw_buf *out) {
    for (uint32_t blocks = tw_rng_below(rng, 3); blocks > 0; blocks--) {
        tw_buf inside = {0};
        int64_t count = 1 + (int64_t)tw_rng_below(rng, 3);
        for (int64_t i = 0; i < count; i++) {
            if (t->kind == TW_ORACLE_MAP)
                draw_text(rng, TW_FIELD_COUNT, &inside);
            draw_value(rng, t->parts[0], TW_FIELD_COUNT, depth + 1, &inside);
        }
        bool sized = tw_rng_below(rng, 2);
        tw_avro_put_long(out, sized ? -count : count);
        if (sized)
            tw_avro_put_long(out, (int64_t)inside.size);
        tw_buf_put(out, inside.data, inside.size);
        tw_buf_done(&inside);
    }
    tw_avro_put_long(out, 0);
}

static void draw_union(tw_rng *rng, const tw_oracle_type *t, tw_field field, int depth, tw_buf *out) {
    int branch = (int)tw_rng_below(rng, (uint32_t)t->count);
    for (int i = 0; (depth > 8 || field != TW_FIELD_COUNT) && branch != i && i < t->count; i++)
        if (t->parts[i]->kind == TW_ORACLE_NULL && (depth > 8 || branch > 1))
            branch = i; /* an end to recursion; of a field of ours the third branch is none that can be read */
    tw_avro_put_long(out, branch);
    draw_value(rng, t->parts[branch], field, depth + 1, out);
}

static void draw_value(tw_rng *rng, const tw_oracle_type *t, tw_field field, int depth, tw_buf *out) {
    int64_t number = (int64_t)tw_rng_next(rng) >> tw_rng_below(rng, 64);
    switch (t->kind) {
    case TW_ORACLE_NULL:
        break;
    case TW_ORACLE_BOOLEAN:
        tw_buf_u8(out, number & 1);
        break;
    case TW_ORACLE_INT:
        tw_avro_put_long(out, (int32_t)number);
        break;
    case TW_ORACLE_LONG:
        tw_avro_put_long(out, number);
        break;
    case TW_ORACLE_FLOAT:
        tw_buf_f32(out, (float)(int32_t)number / 7);
        break;
    case TW_ORACLE_DOUBLE:
        tw_buf_f64(out, (double)(int32_t)number / 7);
        break;
    case TW_ORACLE_BYTES:
    case TW_ORACLE_STRING:
        draw_text(rng, field, out);
        break;
    case TW_ORACLE_FIXED:
        tw_buf_put(out, "0123456789", t->size);
        break;
    case TW_ORACLE_ENUM:
        tw_avro_put_long(out, tw_rng_below(rng, (uint32_t)t->count));
        break;
    case TW_ORACLE_ARRAY:
    case TW_ORACLE_MAP:
        draw_blocks(rng, t, depth, out);
        break;
    case TW_ORACLE_UNION:
        draw_union(rng, t, field, depth, out);
        break;
    case TW_ORACLE_RECORD:
        for (int i = 0; i < t->count; i++)
            draw_value(rng, t->parts[i], depth == 0 ? t->fields[i] : TW_FIELD_COUNT, depth + 1, out);
        break;
    }
}

void tw_draw_datum(tw_rng *rng, const tw_oracle_type *record, tw_buf *out) {
    draw_value(rng, record, TW_FIELD_COUNT, 0, out);
}
