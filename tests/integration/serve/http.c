/* The tests' HTTP client; see http.h. */
#include "http.h"

#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 60 /* only a server that hangs takes so long */

int http_connect(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        tw_test_fail(__FILE__, __LINE__, "port %d refuses: %s", port, strerror(errno));
    }
    return fd;
}

void http_write(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        size -= (size_t)n;
    }
}

/* Joins the chunks of a body in place. */
static size_t join_chunks(char *body, size_t size) {
    char *in = body, *out = body, *end = body + size;
    for (;;) {
        char *line_end;
        size_t chunk = strtoul(in, &line_end, 16);
        if (line_end == in || line_end + 2 > end || chunk == 0)
            break;
        in = line_end + 2;
        if (chunk > (size_t)(end - in))
            chunk = (size_t)(end - in);
        memmove(out, in, chunk);
        out += chunk;
        in += chunk + 2;
        if (in >= end)
            break;
    }
    *out = '\0';
    return (size_t)(out - body);
}

http_answer http_read_all(int fd) {
    http_answer answer = {0};
    size_t size = 0, capacity = 1 << 16;
    char *all = malloc(capacity + 1);
    for (;;) {
        if (size == capacity)
            all = realloc(all, (capacity *= 2) + 1);
        ssize_t n = recv(fd, all + size, capacity - size, 0);
        if (n < 0 && errno == EAGAIN)
            tw_test_fail(__FILE__, __LINE__, "the server said nothing for %d s", PATIENCE_S);
        if (n <= 0)
            break;
        size += (size_t)n;
    }
    close(fd);
    all[size] = '\0';
    char *body = strstr(all, "\r\n\r\n");
    if (!body || strncmp(all, "HTTP/1.", 7) != 0) {
        free(all);
        return answer;
    }
    answer.status = atoi(all + 9);
    snprintf(answer.headers, sizeof answer.headers, "%.*s", (int)(body + 2 - all), all);
    body += 4;
    answer.body_size = size - (size_t)(body - all);
    answer.body = malloc(answer.body_size + 1);
    memcpy(answer.body, body, answer.body_size + 1);
    if (strcasecmp(http_field(&answer, "Transfer-Encoding"), "chunked") == 0)
        answer.body_size = join_chunks(answer.body, answer.body_size);
    free(all);
    return answer;
}

size_t http_read_until(int fd, const char *text, char *out, size_t size) {
    size_t have = 0;
    out[0] = '\0';
    while (!strstr(out, text)) {
        ssize_t n = have + 1 < size ? recv(fd, out + have, size - 1 - have, 0) : 0;
        if (n <= 0)
            return 0;
        have += (size_t)n;
        out[have] = '\0';
    }
    return have;
}

http_answer http_ask(int port, const char *method, const char *target, const char *extra) {
    int fd = http_connect(port);
    size_t room = strlen(method) + strlen(target) + strlen(extra) + 100;
    char *request = malloc(room);
    int size = snprintf(request, room, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", method,
                        target, extra);
    http_write(fd, request, (size_t)size);
    free(request);
    return http_read_all(fd);
}

http_answer http_get(int port, const char *target) {
    return http_ask(port, "GET", target, "");
}

void http_done(http_answer *answer) {
    free(answer->body);
    *answer = (http_answer){0};
}

const char *http_field(const http_answer *answer, const char *name) {
    static char value[1024];
    size_t length = strlen(name);
    for (const char *line = answer->headers; line; line = strstr(line, "\r\n")) {
        line += line == answer->headers ? 0 : 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *start = line + length + 1 + strspn(line + length + 1, " ");
            snprintf(value, sizeof value, "%.*s", (int)strcspn(start, "\r"), start);
            return value;
        }
    }
    return "";
}
