/* The only door to jansson. */
#include "base/json_tree.h"

#include <jansson.h>

static const json_t *in(const tw_json *value) {
    return (const json_t *)value;
}

tw_code tw_json_parse(tw_slice text, tw_json **ret_document, tw_err *err) {
    json_error_t why;
    json_t *document = json_loadb(text.data ? text.data : "", text.size, JSON_DECODE_ANY, &why);
    if (!document)
        return tw_fail(err, TW_E_CORRUPT, "JSON, line %d, column %d: %s", why.line, why.column, why.text);
    *ret_document = (tw_json *)document;
    return TW_OK;
}

tw_json *tw_json_free(tw_json *document) {
    json_decref((json_t *)document);
    return NULL;
}

const tw_json *tw_json_get(const tw_json *object, const char *name) {
    return (const tw_json *)json_object_get(in(object), name);
}
const tw_json *tw_json_at(const tw_json *array, size_t index) {
    return (const tw_json *)json_array_get(in(array), index);
}
size_t tw_json_count(const tw_json *array) {
    return json_array_size(in(array));
}
tw_slice tw_json_string(const tw_json *value) {
    return json_is_string(in(value)) ? (tw_slice){json_string_value(in(value)), json_string_length(in(value))}
                                     : (tw_slice){0};
}
double tw_json_number(const tw_json *value, double otherwise) {
    return json_is_number(in(value)) ? json_number_value(in(value)) : otherwise;
}
int64_t tw_json_integer(const tw_json *value, int64_t otherwise) {
    return json_is_integer(in(value)) ? (int64_t)json_integer_value(in(value)) : otherwise;
}
bool tw_json_is_true(const tw_json *value) {
    return json_is_true(in(value));
}
