/* A schema registry that answers what a test tells it to, well or badly, over plain sockets of loopback; a thread of its own. */
#ifndef TW_TEST_FAKE_REGISTRY_H
#define TW_TEST_FAKE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fake_reply {
    int status;
    const char *body;
    int wait_ms;      /* before it answers */
    bool cut;         /* half of the body, then the connection is gone */
    size_t filler;    /* bytes of blanks before the body */
    const char *auth; /* the value of Authorization that it wants, else 401; NULL: none */
} fake_reply;

typedef struct fake_registry fake_registry;

/* The n-th request gets the n-th reply, those beyond count the last one. replies are borrowed. port 0: any. */
fake_registry *fake_registry_start(int port, const fake_reply *replies, int count);
fake_registry *fake_registry_stop(fake_registry *fake);

int fake_registry_port(const fake_registry *fake);
int fake_registry_asked(fake_registry *fake); /* requests so far */
/* The last request, head and body, zero-terminated; static storage. */
const char *fake_registry_request(fake_registry *fake);

#endif
