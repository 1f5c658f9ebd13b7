/* The listening socket, made here rather than by the HTTP library so that a taken port has a sentence of its own. Called
 * once by tw_server_start. */
#include "serve/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128 /* chosen, not measured */

static bool is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return ntohl(in.sin_addr.s_addr) >> 24 == 127;
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static int port_of(int fd) {
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0)
        return 0;
    if (bound.ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, &bound, sizeof in);
        return ntohs(in.sin_port);
    }
    struct sockaddr_in6 in6;
    memcpy(&in6, &bound, sizeof in6);
    return ntohs(in6.sin6_port);
}

/* A socket that listens there, or -1 with errno. */
static int listen_at(const struct addrinfo *address) {
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
    if (fd < 0)
        return -1;
    int on = 1; /* a restart need not wait for the old connections' TIME_WAIT; a port that is listened on stays taken */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static tw_code listen_on(const char *host, int port, int *ret_socket, bool *ret_loopback, tw_err *err) {
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *addresses;
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    int found = getaddrinfo(host, service, &hints, &addresses);
    if (found != 0)
        return tw_fail(err, TW_E_IO, "serve.host %s: %s", host, gai_strerror(found));
    int fd = -1, why = 0;
    for (const struct addrinfo *a = addresses; a && fd < 0; a = a->ai_next) {
        fd = listen_at(a);
        why = errno;
        if (fd >= 0)
            *ret_loopback = is_loopback(a->ai_addr);
    }
    freeaddrinfo(addresses);
    if (fd >= 0) {
        *ret_socket = fd;
        return TW_OK;
    }
    if (why == EADDRINUSE)
        return tw_fail(err, TW_E_IO,
                       "port %d of %s is taken by another program: choose another by serve.port, or 0 for any", port,
                       host);
    errno = why;
    return tw_fail_errno(err, TW_E_IO, "cannot listen on port %d of %s", port, host);
}

tw_code tw_listen(const char *host, int port, int tried, int *ret_socket, int *ret_port, bool *ret_loopback,
                  tw_err *err) {
    tw_err first = {0};
    tw_code code = TW_E_IO;
    for (int i = 0; i <= tried && port + i <= 65535; i++) {
        code = listen_on(host, port + i, ret_socket, ret_loopback, i ? err : &first);
        if (code == TW_OK) {
            *ret_port = port_of(*ret_socket);
            return TW_OK;
        }
    }
    if (tried > 0)
        return tw_fail(err, code, "no free port from %d to %d: %s", port, port + tried > 65535 ? 65535 : port + tried,
                       first.text);
    if (err)
        *err = first;
    return code;
}
