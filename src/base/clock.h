/* Wall and steady time, behind a struct so that tests may stop it. Event time never comes from here. */
#ifndef TW_BASE_CLOCK_H
#define TW_BASE_CLOCK_H

#include <stdint.h>

typedef struct tw_clock {
    int64_t (*wall_ms)(void *self);   /* milliseconds since 1970 */
    int64_t (*steady_ns)(void *self); /* never goes back; zero means nothing */
    void *self;
} tw_clock;

/* The system's clocks. Thread: any. */
extern const tw_clock tw_clock_system;

static inline int64_t tw_clock_wall_ms(const tw_clock *c) {
    return c->wall_ms(c->self);
}
static inline int64_t tw_clock_steady_ns(const tw_clock *c) {
    return c->steady_ns(c->self);
}

#endif
