/* What a long-running command owes to whoever supervises it: systemd's words, a reload on SIGHUP, and an end within a stated time.
 * Thread: main. */
#ifndef TW_CLI_SERVICE_H
#define TW_CLI_SERVICE_H

#include "cli/stream.h"

#include <stdbool.h>

/* After shutdown.timeout.ms, what a stop may still take: leaving the group, closing clients and the store. */
#define TW_SERVICE_REST_MS 5000

typedef struct tw_service {
    tw_config *config;
    /* Reads the settings anew as the command line says. Errors: those of tw_args_parse. */
    tw_code (*read)(void *self, tw_config *fresh, tw_err *err);
    void *read_self;
    tw_engine *engine; /* NULL: not open yet */
    int64_t watchdog_ns, beat_ns, status_ns;
    bool ready, stopping;
} tw_service;

/* Catches SIGHUP. config, read and read_self are set. */
void tw_service_begin(tw_service *service);

/* The engine came round: tells systemd, and reloads when asked to. self: the service. */
void tw_service_beat(void *self);

/* A stop begins (once): from now on the process ends within shutdown.timeout.ms and TW_SERVICE_REST_MS, by force if need be; what is
 * committed is safe in any case. */
void tw_service_stop(tw_service *service);

/* The last commit is done: an end by force is a good one from now on. */
void tw_service_committed(void);

#endif
