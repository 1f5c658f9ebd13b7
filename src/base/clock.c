/* The system's clocks behind tw_clock. Any thread. */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t wall_ms(void *self) {
    (void)self;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t steady_ns(void *self) {
    (void)self;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

const tw_clock tw_clock_system = {wall_ms, steady_ns, NULL};
