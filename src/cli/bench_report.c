/* Figures and how they are shown: as JSON for programs, as a table beside what is needed and beside an older run. Called by the sections
 * (add) and by bench.c (write). */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What the project promises of a figure, on any machine; * stands for one part of a name. */
typedef struct target {
    const char *name;
    bool at_most;
    double needed, hoped;
} target;

static const target targets[] = {
    {"decode.speedup_avro_c", false, 10, 20},
    {"dedup.vs_random_access", true, 1.5, 1.0},
    {"dedup.bytes_per_id", true, 16, 13},
    {"learn.mf.vs_random_rows", true, 1.7, 1.1},
    {"replay.default.*.events_per_s", false, 80000, 150000},
    {"rank.speedup_flat", false, 3, 10},
    {"rank.speedup_flat_worst", false, 2, 3},
    {"rank.speedup_hnsw", false, 1.5, 5},
    {"pipeline.vs_bare_poll", false, 0.3, 0.5},
    {"pipeline.vs_kafka_streams", false, 20, 40},
    {"pipeline.vs_python", false, 100, 300},
    {"freshness.p50_vs_echo", true, 3, 1.5},
    {"freshness.p99_vs_echo", true, 3, 1.5},
    {"recovery.vs_sequential_read", true, 2, 1.2},
    {"growth.users_10k_to_10m", true, 3, 2},
};

int64_t tw_bench_now_ns(void) {
    return tw_clock_steady_ns(&tw_clock_system);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double tw_bench_median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void add(tw_bench *bench, tw_bench_figure figure, const char *name) {
    snprintf(figure.name, sizeof figure.name, "%s", name);
    bench->figures = tw_grow(bench->figures, &bench->capacity, bench->count + 1, sizeof figure);
    bench->figures[bench->count++] = figure;
}

void tw_bench_add(tw_bench *bench, const char *name, const char *unit, double *values, int count) {
    double median = tw_bench_median(values, count);
    double spread = median != 0 ? (values[count - 1] - values[0]) / median : 0;
    add(bench, (tw_bench_figure){.unit = unit, .value = median, .spread = spread, .runs = count}, name);
}

void tw_bench_add_ratio(tw_bench *bench, const char *name, const double *a, const double *b, int count) {
    double ratios[TW_BENCH_RUNS_MAX];
    for (int i = 0; i < count; i++)
        ratios[i] = a[i] / b[i];
    tw_bench_add(bench, name, "", ratios, count);
}

void tw_bench_say(tw_bench *bench, const char *name, const char *unit, double value) {
    add(bench, (tw_bench_figure){.unit = unit, .value = value}, name);
}

const tw_bench_figure *tw_bench_find(const tw_bench *bench, const char *name) {
    for (size_t i = 0; i < bench->count; i++)
        if (strcmp(bench->figures[i].name, name) == 0)
            return &bench->figures[i];
    return NULL;
}

static bool matches(const char *pattern, const char *name) {
    for (; *pattern; pattern++, name++) {
        if (*pattern == '*') {
            name += strcspn(name, ".");
            pattern++;
        }
        if (*pattern != *name)
            return false;
    }
    return *name == '\0';
}

static const target *target_of(const tw_bench_figure *figure) {
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        if (matches(targets[i].name, figure->name))
            return &targets[i];
    return NULL;
}

static bool missed(const tw_bench_figure *figure) {
    const target *t = target_of(figure);
    return t && (t->at_most ? figure->value > t->needed : figure->value < t->needed);
}

static bool noisy(const tw_bench_figure *figure) {
    return figure->spread > TW_BENCH_SPREAD_MAX;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static bool below(const tw_bench_figure *figure, tw_slice prefix) {
    return strlen(figure->name) > prefix.size && memcmp(figure->name, prefix.data, prefix.size) == 0;
}

static void write_number(tw_buf *out, double value) {
    if (isfinite(value))
        tw_buf_printf(out, "%.6g", value);
    else
        tw_buf_printf(out, "null");
}

/* The object of all figures whose names begin with prefix; each part of a name is met first by its first figure. */
static void write_object(const tw_bench *bench, tw_slice prefix, tw_buf *out) {
    bool first = true;
    for (size_t i = 0; i < bench->count; i++) {
        const tw_bench_figure *figure = &bench->figures[i];
        if (!below(figure, prefix))
            continue;
        const char *part = figure->name + prefix.size;
        size_t size = strcspn(part, ".");
        tw_slice longer = {figure->name, prefix.size + size + 1};
        bool leaf = part[size] == '\0', again = false;
        for (size_t j = 0; !leaf && j < i; j++)
            again |= below(&bench->figures[j], longer);
        if (again)
            continue;
        tw_buf_printf(out, "%s\"%.*s\":", first ? "" : ",", (int)size, part);
        first = false;
        if (leaf) {
            write_number(out, figure->value);
            if (figure->runs > 1)
                tw_buf_printf(out, ",\"%s_spread\":%.3f,\"%s_runs\":%d", part, figure->spread, part, figure->runs);
        } else {
            tw_buf_u8(out, '{');
            write_object(bench, longer, out);
            tw_buf_u8(out, '}');
        }
    }
}

static void write_names(const tw_bench *bench, const char *name, bool (*chosen)(const tw_bench_figure *), tw_buf *out) {
    bool first = true;
    tw_buf_printf(out, "%s\"%s\":[", bench->count ? "," : "", name);
    for (size_t i = 0; i < bench->count; i++)
        if (chosen(&bench->figures[i])) {
            tw_buf_printf(out, "%s\"%s\"", first ? "" : ",", bench->figures[i].name);
            first = false;
        }
    tw_buf_u8(out, ']');
}

void tw_bench_write_json(const tw_bench *bench, tw_buf *out) {
    tw_buf_u8(out, '{');
    write_object(bench, tw_slice_of(""), out);
    write_names(bench, "noisy", noisy, out);
    write_names(bench, "missed", missed, out);
    tw_buf_u8(out, '}');
}

/* ---- table -------------------------------------------------------------------------------------------------------- */

static double old_value(const tw_json *before, const char *name) {
    char part[96];
    for (; before; name++) {
        size_t size = strcspn(name, ".");
        snprintf(part, sizeof part, "%.*s", (int)size, name);
        before = tw_json_get(before, part);
        name += size;
        if (*name == '\0')
            break;
    }
    return tw_json_number(before, NAN);
}

static int digits_of(double value) {
    double size = fabs(value);
    return size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
}

void tw_bench_write_table(const tw_bench *bench, const tw_json *before, tw_buf *out) {
    tw_buf_printf(out, "%-44s %14s %-10s %7s%s  needed (hoped for)\n", "figure", "median", "", "spread",
                  before ? "        before   change" : "");
    for (size_t i = 0; i < bench->count; i++) {
        const tw_bench_figure *f = &bench->figures[i];
        const target *t = target_of(f);
        tw_buf_printf(out, "%-44s %14.*f %-10s ", f->name, digits_of(f->value), f->value, f->unit);
        if (f->runs > 1)
            tw_buf_printf(out, "%5.0f %%", f->spread * 100);
        else
            tw_buf_printf(out, "%7s", "");
        if (before) {
            double old = old_value(before, f->name);
            if (isfinite(old) && old != 0)
                tw_buf_printf(out, " %13.*f %+7.1f%%", digits_of(old), old, (f->value / old - 1) * 100);
            else
                tw_buf_printf(out, " %13s %8s", "-", "");
        }
        if (t)
            tw_buf_printf(out, "  %s %g (%g)%s", t->at_most ? "at most" : "at least", t->needed, t->hoped,
                          missed(f) ? " MISSED" : "");
        if (noisy(f))
            tw_buf_printf(out, "  spread above %.0f %%: the machine was not quiet", TW_BENCH_SPREAD_MAX * 100);
        tw_buf_u8(out, '\n');
    }
    if (bench->smaller > 1)
        tw_buf_printf(out, "sizes divided by %lld: these are not the promised figures\n", (long long)bench->smaller);
}
