/* A request's target taken apart: path segments and query parameters, percent-decoded; and the routes they lead to. Pure
 * text work without sockets or the HTTP library. Thread: any. */
#ifndef TW_SERVE_REQUEST_H
#define TW_SERVE_REQUEST_H

#include "base/err.h"
#include "base/slice.h"

#include <stdint.h>

/* An id of 1,024 bytes takes 3,072 characters when each is escaped; the longest request has an id and a category. */
#define TW_TARGET_SIZE_MAX 8192
#define TW_SEGMENTS_MAX 8
#define TW_PARAMETERS_MAX 8

typedef struct tw_parameter {
    tw_slice name, value;
} tw_parameter;

typedef struct tw_request {
    tw_slice segments[TW_SEGMENTS_MAX]; /* "/a/b" is a, b; "/" is none; "/a/" is a and an empty one */
    int segments_count;
    tw_parameter parameters[TW_PARAMETERS_MAX];
    int parameters_count;
    char text[TW_TARGET_SIZE_MAX]; /* what the slices point into */
} tw_request;

/* Takes a target apart ("/path?query", as it stood in the request line). In the path '+' is itself, in the query a space.
 * Errors, all TW_E_USAGE with a sentence for the client: no leading '/', longer than TW_TARGET_SIZE_MAX, a '%' without two
 * hex digits, a control character, too many segments or parameters. */
tw_code tw_request_parse(const char *target, tw_request *ret_request, tw_err *err);

/* Whether the path is the pattern's, in which a segment "*" stands for any one. */
bool tw_request_matches(const tw_request *request, const char *pattern);

/* The parameters must be among names (NULL ends) and each must be there once. Errors: TW_E_USAGE naming the parameter. */
tw_code tw_request_only(const tw_request *request, const char *const *names, tw_err *err);

/* A parameter's text; false: not there. */
bool tw_request_text(const tw_request *request, const char *name, tw_slice *ret_text);

/* A whole number from min to max; left as it is when not there. Errors: TW_E_USAGE naming the parameter and its range. */
tw_code tw_request_number(const tw_request *request, const char *name, int min, int max, int *ret_number, tw_err *err);

/* An id or another text of 1 to TW_ID_SIZE_MAX bytes of UTF-8. Errors: TW_E_USAGE naming what it is. */
tw_code tw_request_check_text(tw_slice text, const char *what, tw_err *err);

/* Whether a Host header names this machine: an address of the loopback, "localhost" or a name under it, or own_host; with
 * or without a port. */
bool tw_request_host_is_local(const char *host, const char *own_host);

#endif
