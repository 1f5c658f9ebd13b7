/* The best ten of a hundred thousand items, exactly: vectors that the factor model learned from the synthetic shop, and vectors on which no
 * bound helps. With --peers the same vectors and users go through FAISS, in the same run, on one core. */
#include "cli/bench.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/folder.h"
#include "base/rng.h"
#include "model/scan.h"
#include "pipeline/ingest/shop.h"

#include <stdio.h>
#include <stdlib.h>

#define ITEMS 100000
#define USERS 100000
#define EVENTS 5000000
#define QUERIES 4096
#define TOP 10

typedef struct vectors {
    tw_items items;
    float *queries; /* (QUERIES, D) */
    int D;
} vectors;

static void vectors_init(vectors *v, int D) {
    *v = (vectors){.D = D, .queries = tw_alloc_lines((size_t)QUERIES * (size_t)D * sizeof(float))};
    tw_items_init(&v->items, D);
}

static void vectors_done(vectors *v) {
    tw_items_done(&v->items);
    free(v->queries);
}

static float *add_item(vectors *v, uint32_t number) {
    tw_bench_click text;
    tw_event event;
    tw_bench_click_make(&text, 0, 0, number, 0, &event);
    return tw_row(&v->items.out, tw_items_add(&v->items, event.item_id, 0));
}

/* The shop's stream through the factor model; its users' vectors ask. */
static tw_code learn(const tw_bench *bench, vectors *v, tw_err *err) {
    tw_config config = *bench->config;
    config.learn_model = TW_LEARN_MF;
    tw_shop_options options;
    tw_shop_defaults(&options);
    options.seed = (uint64_t)config.seed;
    options.users = (uint32_t)tw_bench_size(bench, USERS);
    options.items = (uint32_t)tw_bench_size(bench, ITEMS);
    options.events = tw_bench_size(bench, EVENTS);
    options.end_ms = 1700000000000;
    tw_shop *shop = tw_shop_create(&options);
    tw_model *model = tw_model_create(&config, NULL, NULL);
    tw_arena *arena = tw_arena_create(4096);
    tw_event event;
    tw_code code = TW_OK;
    uint32_t user;
    bool broken;
    for (int64_t at = 0; code == TW_OK && tw_shop_next(shop, arena, &event, &broken); at++) {
        if (!broken)
            code = tw_model_learn(model, 0, &event, 0, at, &user, err);
        tw_arena_reset(arena);
    }
    size_t bytes = (size_t)v->D * sizeof(float);
    for (uint32_t item = 0; code == TW_OK && item < options.items;
         item++) { /* those nobody met stay where they began */
        float *row = add_item(v, item);
        if (item < tw_model_item_slots(model))
            memcpy(row, tw_model_item_vector(model, item), bytes);
    }
    for (uint32_t q = 0; code == TW_OK && q < QUERIES; q++)
        memcpy(v->queries + (size_t)q * (size_t)v->D,
               tw_model_user_vector(model, (uint32_t)(tw_rng_mix(q) % tw_model_user_slots(model))), bytes);
    tw_arena_free(arena);
    tw_model_free(model);
    tw_shop_free(shop);
    return code;
}

/* Independent normal numbers: no item is near another, and every score is near every other. */
static void draw(const tw_bench *bench, vectors *v) {
    tw_rng rng = tw_rng_at((uint64_t)bench->config->seed, 81, 0);
    for (uint32_t item = 0; item < tw_bench_size(bench, ITEMS); item++) {
        float *row = add_item(v, item);
        for (int d = 0; d < v->D; d++)
            row[d] = (float)tw_rng_normal(&rng);
    }
    for (size_t i = 0; i < (size_t)QUERIES * (size_t)v->D; i++)
        v->queries[i] = (float)tw_rng_normal(&rng);
}

static void find_best(tw_scan *scan, const vectors *v, int queries) {
    const float *asking[TW_SCAN_AHEAD];
    for (int at = 0; at < queries; at += TW_SCAN_AHEAD) {
        int count = queries - at < TW_SCAN_AHEAD ? queries - at : TW_SCAN_AHEAD;
        for (int u = 0; u < count; u++)
            asking[u] = v->queries + (size_t)(at + u) * (size_t)v->D;
        tw_scan_look_ahead(scan, &v->items, asking, count);
        for (int u = 0; u < count; u++)
            tw_scan_best(scan, &v->items, asking[u], NULL, 0, TOP);
    }
}

/* us a list, of every run. */
static void measure(tw_bench *bench, vectors *v, const char *name, double *us) {
    tw_scan scan;
    char full[64];
    int queries = (int)tw_bench_size(bench, QUERIES);
    tw_scan_init(&scan, tw_kernels_get(), &v->items);
    find_best(&scan, v, queries < 64 ? queries : 64); /* copies the items */
    for (int i = 0; i < bench->runs; i++) {
        int64_t start_ns = tw_bench_now_ns();
        find_best(&scan, v, queries);
        us[i] = (double)(tw_bench_now_ns() - start_ns) * 1e-3 / queries;
    }
    snprintf(full, sizeof full, "rank.%s_us", name);
    double sorted[TW_BENCH_RUNS_MAX];
    memcpy(sorted, us, sizeof sorted);
    tw_bench_add(bench, full, "us/list", sorted, bench->runs);
    tw_scan_done(&scan);
}

static tw_code write_floats(const char *dir, const char *name, const vectors *v, tw_err *err) {
    char path[600];
    size_t D = (size_t)v->D;
    snprintf(path, sizeof path, "%s/%s.items", dir, name);
    FILE *file = fopen(path, "wb");
    for (uint32_t item = 0; file && item < v->items.slots.end; item++)
        fwrite(tw_row(&v->items.out, item), sizeof(float), D, file);
    bool good = file && fclose(file) == 0;
    snprintf(path, sizeof path, "%s/%s.users", dir, name);
    file = fopen(path, "wb");
    good &= file && fwrite(v->queries, D * sizeof(float), QUERIES, file) == QUERIES;
    return file && fclose(file) == 0 && good ? TW_OK : tw_fail(err, TW_E_IO, "%s cannot be written", path);
}

static void add_speedup(tw_bench *bench, const tw_json *answer, const char *set, const char *index, const char *name,
                        const double *us) {
    double theirs[TW_BENCH_RUNS_MAX];
    char full[64];
    const tw_json *list = tw_json_get(tw_json_get(answer, set), index);
    for (int i = 0; i < bench->runs; i++)
        theirs[i] = tw_json_number(tw_json_at(list, (size_t)i), 0);
    snprintf(full, sizeof full, "rank.%s", name);
    tw_bench_add_ratio(bench, full, theirs, us, bench->runs);
    snprintf(full, sizeof full, "rank.faiss_%s_%s_us", index, set);
    tw_bench_add(bench, full, "us/list", theirs, bench->runs);
}

static tw_code compare(tw_bench *bench, const vectors *learned, const vectors *worst, const double *learned_us,
                       const double *worst_us, tw_err *err) {
    char dir[512], arguments[600];
    tw_json *answer = NULL;
    TW_TRY(tw_folder_temporary("tailwater-bench", dir, sizeof dir, err));
    tw_code code = write_floats(dir, "learned", learned, err);
    if (code == TW_OK)
        code = write_floats(dir, "worst", worst, err);
    snprintf(arguments, sizeof arguments, "'%s' %d %d %d", dir, learned->D, TOP, bench->runs);
    if (code == TW_OK)
        code = tw_bench_peer("peers/faiss/run.sh", arguments, &answer, err);
    if (code == TW_OK) {
        add_speedup(bench, answer, "learned", "flat", "speedup_flat", learned_us);
        add_speedup(bench, answer, "worst", "flat", "speedup_flat_worst", worst_us);
        add_speedup(bench, answer, "learned", "hnsw", "speedup_hnsw", learned_us);
        add_speedup(bench, answer, "learned", "ivf", "speedup_ivf", learned_us);
        tw_bench_say(bench, "rank.faiss_hnsw_recall", "",
                     tw_json_number(tw_json_get(tw_json_get(answer, "learned"), "hnsw_recall"), 0));
        tw_bench_say(bench, "rank.faiss_ivf_recall", "",
                     tw_json_number(tw_json_get(tw_json_get(answer, "learned"), "ivf_recall"), 0));
    }
    tw_json_free(answer);
    tw_folder_remove(dir);
    return code;
}

tw_code tw_bench_rank_run(tw_bench *bench, tw_err *err) {
    double learned_us[TW_BENCH_RUNS_MAX], worst_us[TW_BENCH_RUNS_MAX];
    vectors learned, worst;
    vectors_init(&learned, (int)bench->config->learn_dim);
    vectors_init(&worst, (int)bench->config->learn_dim);
    tw_code code = learn(bench, &learned, err);
    if (code == TW_OK) {
        draw(bench, &worst);
        measure(bench, &learned, "learned", learned_us);
        measure(bench, &worst, "worst", worst_us);
    }
    if (code == TW_OK && bench->peers)
        code = compare(bench, &learned, &worst, learned_us, worst_us, err);
    vectors_done(&learned);
    vectors_done(&worst);
    return code;
}
