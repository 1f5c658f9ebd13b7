/* A JSON document as a tree, read by jansson: for answers of services and lists that come back from a topic. Events go through the
 * decoder instead. Thread: any, one document from one thread at a time. */
#ifndef TW_BASE_JSON_TREE_H
#define TW_BASE_JSON_TREE_H

#include "base/err.h"
#include "base/slice.h"

typedef struct tw_json tw_json; /* a document or a value in it; NULL stands for what is not there, in every call */

/* Reads a whole document; the caller frees it. Errors: TW_E_CORRUPT with line and column. */
tw_code tw_json_parse(tw_slice text, tw_json **ret_document, tw_err *err);
tw_json *tw_json_free(tw_json *document);

/* Borrowed from the document. */
const tw_json *tw_json_get(const tw_json *object, const char *name);
const tw_json *tw_json_at(const tw_json *array, size_t index);
size_t tw_json_count(const tw_json *array);
tw_slice tw_json_string(const tw_json *value);                    /* empty when it is no text */
double tw_json_number(const tw_json *value, double otherwise);    /* otherwise when it is no number */
int64_t tw_json_integer(const tw_json *value, int64_t otherwise); /* exact; otherwise when it is no whole number */
bool tw_json_is_true(const tw_json *value);

#endif
