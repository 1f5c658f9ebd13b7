/* What `tailwater bench` is made of. A section measures one thing and adds figures to the report; bench.c lists the sections, in the order
 * in which they run. A figure is the median of several runs with its spread, and has a dotted name, which is its path in the JSON.
 * Thread: main. */
#ifndef TW_CLI_BENCH_H
#define TW_CLI_BENCH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/event.h"
#include "base/json_tree.h"
#include "config/config.h"
#include "engine/engine.h"

#include <stddef.h>

#define TW_BENCH_RUNS_MAX 99
#define TW_BENCH_SPREAD_MAX 0.2 /* a figure with more says so */

typedef struct tw_bench_figure {
    char name[96];
    const char *unit;
    double value, spread; /* median; (max - min) / median, 0 where it is stated and not measured */
    int runs;             /* 0: stated */
} tw_bench_figure;

/* This machine's own limits, measured in the same run as everything that is compared with them; medians. */
typedef struct tw_bench_machine {
    double stream_gb_per_s, random_independent_ns, random_dependent_ns, gemm_gflops;
} tw_bench_machine;

typedef struct tw_bench {
    const tw_config *config;
    char **files; /* (files_count) streams; none: the synthetic shop */
    size_t files_count;
    int runs;        /* of each figure */
    int64_t smaller; /* divides every size, for a try; 1: the sizes that the figures are promised for */
    bool peers;      /* also what needs other people's programs */
    tw_bench_figure *figures;
    size_t count, capacity;
} tw_bench;

/* ---- figures ---- */

/* Adds the median of count values, which are sorted. */
void tw_bench_add(tw_bench *bench, const char *name, const char *unit, double *values, int count);
/* The same of a_i / b_i: pairs that were measured beside one another. */
void tw_bench_add_ratio(tw_bench *bench, const char *name, const double *a, const double *b, int count);
/* A size or a count, which has no spread. */
void tw_bench_say(tw_bench *bench, const char *name, const char *unit, double value);
/* NULL: there is none. */
const tw_bench_figure *tw_bench_find(const tw_bench *bench, const char *name);

double tw_bench_median(double *values, int count); /* sorts them */
int64_t tw_bench_now_ns(void);
/* A size of the full benchmark, divided by what --smaller says; at least 1. */
static inline size_t tw_bench_size(const tw_bench *bench, size_t full) {
    return full / (size_t)bench->smaller > 0 ? full / (size_t)bench->smaller : 1;
}

/* ---- report ---- */

/* One JSON object: figures nested by the parts of their names, each with NAME_spread beside it, then `noisy` and `missed`: the names of
 * those with too large a spread and of those short of what is needed. */
void tw_bench_write_json(const tw_bench *bench, tw_buf *out);
/* A line a figure. before: an older run's JSON, or NULL. */
void tw_bench_write_table(const tw_bench *bench, const tw_json *before, tw_buf *out);

/* ---- events in memory, with the bytes they point to ---- */

typedef struct tw_bench_events {
    char stem[64]; /* name of the stream: file name up to the first dot, or "shop" */
    tw_event *events;
    size_t count, capacity;
    struct tw_arena *bytes;
} tw_bench_events;

/* Reads and decodes a whole file; bad rows are left out. */
tw_code tw_bench_events_read(const char *path, const tw_config *config, tw_bench_events *ret_events, tw_err *err);
/* Draws count events of so many users and items from the synthetic shop. */
tw_code tw_bench_events_draw(size_t count, uint32_t users, uint32_t items, const tw_config *config,
                             tw_bench_events *ret_events, tw_err *err);
void tw_bench_events_done(tw_bench_events *events);

/* ---- clicks by the million, made as they are taken ---- */

/* The i-th click of a user on an item, with an id of its own. Its texts are in text, which the next call with the same one overwrites. */
typedef struct tw_bench_click {
    char user[24], item[24], id[24];
} tw_bench_click;
void tw_bench_click_make(tw_bench_click *text, uint64_t i, uint32_t user, uint32_t item, int64_t event_ms,
                         tw_event *ret_event);

/* Clicks [next, end): users one after the other, or by Zipf 1.0 over ranks spread over all of them; items evenly. May be changed between
 * two steps. */
typedef struct tw_bench_clicks {
    uint32_t users, items;
    bool zipf;
    uint64_t next, end;
    int64_t made_ns; /* what making them has taken, which is not the engine's */
} tw_bench_clicks;
/* A bounded source of them, one partition; plan is borrowed until close. */
tw_source *tw_bench_clicks_source(tw_bench_clicks *plan);
/* Steps and commits as they are due, until the source ends or most_ns (0: no bound) have passed. */
tw_code tw_bench_clicks_take(tw_engine *engine, int64_t most_ns, tw_err *err);

/* ---- sections ---- */

typedef tw_code (*tw_bench_section_fn)(tw_bench *bench, tw_err *err);
tw_code tw_bench_machine_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_decode_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_dedup_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_learn_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_replay_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_rank_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_recovery_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_growth_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_memory_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_bounded_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_pipeline_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_freshness_run(tw_bench *bench, tw_err *err);
tw_code tw_bench_kafka_run(tw_bench *bench,
                           tw_err *err); /* the pipeline beside its peers on a real broker; with --peers alone */

/* A table of random words, for accesses all over it, in pages as a program gets them or in large ones where the system has them; released
 * by free(). */
#define TW_BENCH_TABLE_BYTES ((size_t)512 << 20) /* far beyond any cache */
uint64_t *tw_bench_table_make(size_t bytes, bool large_pages);
/* ns of one access at a random place that does not depend on others. */
double tw_bench_table_random_ns(const uint64_t *table, size_t bytes);
/* ns of reading one row of row_floats at a random place, asked for some rows ahead. */
double tw_bench_table_row_ns(const uint64_t *table, size_t bytes, int row_floats);
/* Runs a program of tests/bench and reads the JSON object that it prints. Errors: TW_E_IO, TW_E_CORRUPT, TW_E_NOT_FOUND (no tests/bench
 * above the executable or the working directory). */
tw_code tw_bench_peer(const char *script, const char *arguments, tw_json **ret_answer, tw_err *err);

#endif
