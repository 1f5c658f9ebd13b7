/* A plain HTTP client for tests: sends exactly the bytes it is given and shows exactly what came back. */
#ifndef TW_TEST_HTTP_H
#define TW_TEST_HTTP_H

#include <stddef.h>

typedef struct http_answer {
    int status;         /* 0: the server closed the connection without one */
    char headers[4096]; /* status line and fields, as text */
    char *body;         /* zero-terminated; chunks joined; released by http_done */
    size_t body_size;
} http_answer;

int http_connect(int port);                              /* a socket to 127.0.0.1; the test fails if refused */
void http_write(int fd, const char *bytes, size_t size); /* a server that has closed already is fine */
http_answer http_read_all(int fd);                       /* until the server closes; closes fd */
size_t http_read_until(int fd, const char *text, char *out,
                       size_t size); /* reads until text is there; 0: closed before */

/* One request with "Connection: close" and the extra header lines (each ending in CRLF; may be ""). */
http_answer http_ask(int port, const char *method, const char *target, const char *extra);
http_answer http_get(int port, const char *target);
void http_done(http_answer *answer);

/* The value of a header field, or "" (static storage). */
const char *http_field(const http_answer *answer, const char *name);

#endif
