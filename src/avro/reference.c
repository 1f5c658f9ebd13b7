/* Reading through avro-c. Called by `tailwater bench` and by property tests. */
#include "avro/reference.h"

#include "avro/internal.h"
#include "base/alloc.h"

#include <stdlib.h>

struct tw_avro_reference {
    avro_value_iface_t *class;
    avro_value_t value;
    avro_reader_t reader;
    tw_field *fields; /* (fields_count); TW_FIELD_COUNT: not of ours */
    size_t fields_count;
};

tw_code tw_avro_reference_create(tw_slice schema_json, tw_avro_reference **ret_reference, tw_err *err) {
    avro_schema_t schema = NULL;
    TW_TRY(tw_avro_parse(schema_json, &schema, err));
    if (!is_avro_record(schema)) {
        avro_schema_decref(schema);
        return tw_fail(err, TW_E_BAD_FILE, "Avro schema: an event is a record");
    }
    tw_avro_reference *self = tw_zalloc(sizeof *self);
    self->fields_count = avro_schema_record_size(schema);
    self->fields = tw_alloc(self->fields_count * sizeof *self->fields + 1);
    for (size_t i = 0; i < self->fields_count; i++)
        self->fields[i] =
            tw_mapping_field(&tw_mapping_plain, tw_slice_of(avro_schema_record_field_name(schema, (int)i)));
    self->class = avro_generic_class_from_schema(schema);
    avro_generic_value_new(self->class, &self->value);
    self->reader = avro_reader_memory("", 0);
    avro_schema_decref(schema);
    *ret_reference = self;
    return TW_OK;
}

tw_avro_reference *tw_avro_reference_free(tw_avro_reference *reference) {
    if (reference) {
        avro_value_decref(&reference->value);
        avro_value_iface_decref(reference->class);
        avro_reader_free(reference->reader);
        free(reference->fields);
        free(reference);
    }
    return NULL;
}

static tw_slice text_of(avro_value_t *value) {
    const char *text = "";
    size_t size = 1; /* avro-c counts the terminator */
    avro_value_get_string(value, &text, &size);
    return (tw_slice){text, size - 1};
}

/* Any number, as a double. */
static double number_of(avro_value_t *value) {
    int32_t i = 0;
    int64_t l = 0;
    float f = 0;
    double d = 0;
    switch (avro_value_get_type(value)) {
    case AVRO_INT32:
        avro_value_get_int(value, &i);
        return i;
    case AVRO_INT64:
        avro_value_get_long(value, &l);
        return (double)l;
    case AVRO_FLOAT:
        avro_value_get_float(value, &f);
        return (double)f;
    default:
        avro_value_get_double(value, &d);
        return d;
    }
}

static bool flag_of(avro_value_t *value) {
    int flag = 0;
    avro_value_get_boolean(value, &flag);
    return flag != 0;
}

static tw_kind kind_of(avro_value_t *value) {
    int symbol = 0;
    if (avro_value_get_type(value) == AVRO_STRING)
        return tw_kind_of(text_of(value));
    avro_value_get_enum(value, &symbol);
    return tw_kind_of(tw_slice_of(avro_schema_enum_get(avro_value_get_schema(value), symbol)));
}

static void set(tw_field field, avro_value_t *value, tw_event *e) {
    switch (field) {
    case TW_FIELD_EVENT_ID:
        e->event_id = text_of(value);
        break;
    case TW_FIELD_USER_ID:
        e->user_id = text_of(value);
        break;
    case TW_FIELD_ITEM_ID:
        e->item_id = text_of(value);
        break;
    case TW_FIELD_CATEGORY:
        e->category = text_of(value);
        break;
    case TW_FIELD_TITLE:
        e->title = text_of(value);
        break;
    case TW_FIELD_TIME:
        avro_value_get_long(value, &e->event_ms);
        e->has |= TW_HAS_TIME;
        break;
    case TW_FIELD_KIND:
        e->kind = kind_of(value);
        e->has |= TW_HAS_KIND;
        break;
    case TW_FIELD_PRICE:
        e->price = number_of(value);
        e->has |= TW_HAS_PRICE;
        break;
    case TW_FIELD_QUANTITY:
        e->quantity = number_of(value);
        e->has |= TW_HAS_QUANTITY;
        break;
    case TW_FIELD_RATING:
        e->rating = number_of(value);
        e->has |= TW_HAS_RATING;
        break;
    case TW_FIELD_IN_STOCK:
        e->in_stock = flag_of(value);
        e->has |= TW_HAS_IN_STOCK;
        break;
    case TW_FIELD_RETIRED:
        e->retired = flag_of(value);
        e->has |= TW_HAS_RETIRED;
        break;
    case TW_FIELD_COUNT:
        break;
    }
}

bool tw_avro_reference_read(tw_avro_reference *reference, tw_slice bytes, tw_event *ret_event) {
    avro_reader_memory_set_source(reference->reader, bytes.data, (int64_t)bytes.size);
    if (avro_value_reset(&reference->value) != 0 || avro_value_read(reference->reader, &reference->value) != 0)
        return false;
    *ret_event = (tw_event){.kind = TW_KIND_COUNT};
    for (size_t i = 0; i < reference->fields_count; i++) {
        avro_value_t field, branch, *found = &field;
        if (reference->fields[i] == TW_FIELD_COUNT)
            continue;
        avro_value_get_by_index(&reference->value, i, &field, NULL);
        if (avro_value_get_type(&field) == AVRO_UNION) {
            avro_value_get_current_branch(&field, &branch);
            found = &branch;
        }
        if (avro_value_get_type(found) != AVRO_NULL)
            set(reference->fields[i], found, ret_event);
    }
    return true;
}
