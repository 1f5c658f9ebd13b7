/* One connection after the other, one request each. */
#include "support/fake_registry.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct fake_registry {
    int fd, port;
    const fake_reply *replies;
    int replies_count;
    pthread_t thread;
    pthread_mutex_t lock; /* guards request */
    tw_buf request;
    atomic_int asked;
    atomic_bool stopping;
};

/* Head and body of a request; false: the other side went. */
static bool read_request(int fd, tw_buf *request) {
    for (;;) {
        char *head_end = request->size ? memmem(request->data, request->size, "\r\n\r\n", 4) : NULL;
        if (head_end) {
            char *length = memmem(request->data, request->size, "Content-Length: ", 16);
            size_t body = length && length < head_end ? strtoul(length + 16, NULL, 10) : 0;
            if (request->size >= (size_t)(head_end - request->data) + 4 + body)
                return true;
        }
        ssize_t n = recv(fd, tw_buf_reserve(request, 65536), 65536, 0);
        if (n <= 0)
            return false;
        request->size += (size_t)n;
    }
}

static void send_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        size -= (size_t)n;
    }
}

static bool is_allowed(const fake_reply *reply, const tw_buf *request) {
    char line[200];
    if (!reply->auth)
        return true;
    int size = snprintf(line, sizeof line, "Authorization: %s\r\n", reply->auth);
    return memmem(request->data, request->size, line, (size_t)size) != NULL;
}

static void answer(fake_registry *fake, int fd, const tw_buf *request) {
    static const fake_reply denied = {401, "{\"error_code\":40101,\"message\":\"Unauthorized\"}"};
    int n = atomic_load(&fake->asked) - 1;
    const fake_reply *reply = &fake->replies[n < fake->replies_count ? n : fake->replies_count - 1];
    if (!is_allowed(reply, request))
        reply = &denied;
    for (int ms = 0; ms < reply->wait_ms && !atomic_load(&fake->stopping); ms += 10)
        usleep(10000);
    tw_buf out = {0};
    size_t size = strlen(reply->body);
    tw_buf_printf(&out, "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", reply->status,
                  reply->filler + size);
    memset(tw_buf_reserve(&out, reply->filler), ' ', reply->filler);
    out.size += reply->filler;
    tw_buf_put(&out, reply->body, reply->cut ? size / 2 : size);
    send_all(fd, out.data, out.size);
    tw_buf_done(&out);
}

static void *serve(void *self) {
    fake_registry *fake = self;
    tw_buf request = {0};
    for (int fd; (fd = accept(fake->fd, NULL, NULL)) >= 0; close(fd)) {
        tw_buf_clear(&request);
        if (!read_request(fd, &request))
            continue;
        pthread_mutex_lock(&fake->lock);
        tw_buf_clear(&fake->request);
        tw_buf_put(&fake->request, request.data, request.size);
        pthread_mutex_unlock(&fake->lock);
        atomic_fetch_add(&fake->asked, 1);
        answer(fake, fd, &request);
    }
    tw_buf_done(&request);
    return NULL;
}

fake_registry *fake_registry_start(int port, const fake_reply *replies, int count) {
    fake_registry *fake = tw_zalloc(sizeof *fake);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof at;
    int yes = 1;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fake->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fake->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fake->fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fake->fd, 16) != 0 ||
        getsockname(fake->fd, (struct sockaddr *)&at, &size) != 0)
        tw_test_fail(__FILE__, __LINE__, "no port for the fake registry");
    fake->port = ntohs(at.sin_port);
    fake->replies = replies;
    fake->replies_count = count;
    pthread_mutex_init(&fake->lock, NULL);
    pthread_create(&fake->thread, NULL, serve, fake);
    return fake;
}

fake_registry *fake_registry_stop(fake_registry *fake) {
    atomic_store(&fake->stopping, true);
    shutdown(fake->fd, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->fd);
    pthread_mutex_destroy(&fake->lock);
    tw_buf_done(&fake->request);
    free(fake);
    return NULL;
}

int fake_registry_port(const fake_registry *fake) {
    return fake->port;
}

int fake_registry_asked(fake_registry *fake) {
    return atomic_load(&fake->asked);
}

const char *fake_registry_request(fake_registry *fake) {
    static char text[65536];
    pthread_mutex_lock(&fake->lock);
    snprintf(text, sizeof text, "%.*s", (int)fake->request.size, fake->request.data);
    pthread_mutex_unlock(&fake->lock);
    return text;
}
