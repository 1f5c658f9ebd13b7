/* Pieces of `tailwater bench`. Each measures one thing and appends its part of the JSON and of the table. Thread: main. */
#ifndef TW_CLI_BENCH_H
#define TW_CLI_BENCH_H

#include "base/err.h"
#include "base/event.h"
#include "config/config.h"

/* Events in memory, with the bytes they point to. */
typedef struct tw_bench_events {
    char stem[128]; /* name of the stream: file name up to the first dot, or "shop" */
    tw_event *events;
    size_t count, capacity;
    struct tw_arena *bytes;
} tw_bench_events;

/* Reads and decodes a whole file; bad rows are left out. */
tw_code tw_bench_events_read(const char *path, const tw_config *config, tw_bench_events *ret_events, tw_err *err);
/* Draws count events from the synthetic shop. */
tw_code tw_bench_events_draw(size_t count, const tw_config *config, tw_bench_events *ret_events, tw_err *err);
void tw_bench_events_done(tw_bench_events *events);

/* Where the time of a replay from memory goes. */
typedef struct tw_bench_replay {
    double events_per_s;                            /* median of the runs: clean, learn and durable commits, no lists */
    double spread;                                  /* (max - min) / median */
    double clean_ns, learn_ns, commit_ns, other_ns; /* per event, of the median run; clean and learn alone */
    double written_bytes;                           /* per event, to the store */
    int runs;
} tw_bench_replay;

/* One engine thread, a state in a fresh directory below $TMPDIR, removed afterwards. */
tw_code tw_bench_replay_run(const tw_bench_events *events, const tw_config *config, int runs, tw_bench_replay *ret,
                            tw_err *err);

#define TW_BENCH_RUNS_MAX 99

/* An event of schemas/click.avsc from its Avro bytes, by our plan and by avro-c; both read the same bytes in turn. */
typedef struct tw_bench_decode {
    double ns, avro_c_ns;         /* an event; medians */
    double spread, avro_c_spread; /* (max - min) / median */
    double datum_bytes;           /* mean size */
    int runs;
} tw_bench_decode;
tw_code tw_bench_decode_run(uint64_t seed, int runs, tw_bench_decode *ret, tw_err *err);

/* The machine's own limits, for the ratios: read bandwidth and one dependent and one independent random access. */
typedef struct tw_bench_machine {
    double stream_gb_per_s, random_independent_ns, random_dependent_ns;
} tw_bench_machine;
void tw_bench_machine_measure(tw_bench_machine *ret);

int64_t tw_bench_now_ns(void);
double tw_bench_median(double *values, int count); /* sorts them */

#endif
