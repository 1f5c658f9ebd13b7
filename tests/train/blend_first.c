/* blend_first FILE...: learns where the blend starts (src/model/blend_first.h) and prints that header.
 *
 * From small random weights it goes over the first 30 % of each file, twice over all files, with a new model each time and the
 * weights and Adagrad sums of the blend handed on. Run by hand when the inputs of the blend change:
 *   build/release/tests/blend_first ml1m_pos.csv.gz online_retail.csv.gz yoochoose17d.csv.gz >src/model/blend_first.h
 * Files whose name begins with ml1m are ranked without what the user had. */
#include "base/alloc.h"
#include "base/rng.h"
#include "cli/bench.h"
#include "model/internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 2
#define SHARE 0.3
#define EVERY 4

static void draw(tw_blend *blend) {
    tw_rng rng = tw_rng_at(1, 4, 0);
    tw_blend_weights *w = &blend->weights;
    memset(w, 0, sizeof *w);
    w->shared[TW_X_CONTEXT] = 1.6f; /* the first look, nearly */
    w->shared[TW_X_NEXT] = w->shared[TW_X_AFTER] = 1.0f;
    w->shared[TW_X_BEFORE] = 0.5f;
    for (int h = 0; h < TW_BLEND_HIDDEN; h++) {
        for (int f = 0; f < TW_X_COUNT; f++)
            w->in[h][f] = (float)tw_rng_normal(&rng) / sqrtf(TW_X_COUNT);
        w->out[h] = 0.1f * (float)tw_rng_normal(&rng);
    }
    float *sums = (float *)&blend->sums;
    for (size_t i = 0; i < sizeof blend->sums / sizeof *sums; i++)
        sums[i] = 1.0f;
}

static tw_code learn(const char *path, tw_blend *blend, tw_err *err) {
    tw_config config;
    tw_bench_events events = {0};
    tw_config_init(&config);
    config.learn_blend_every = EVERY;
    const char *name = strrchr(path, '/');
    if (strncmp(name ? name + 1 : path, "ml1m", 4) == 0)
        config.rank_exclude = TW_EXCLUDE_CONSUMED;
    tw_code code = tw_bench_events_read(path, &config, &events, err);
    tw_model *model = tw_model_create(&config, NULL, NULL);
    model->blend.weights = blend->weights;
    model->blend.sums = blend->sums;
    size_t n = (size_t)(SHARE * (double)events.count);
    uint32_t user;
    for (size_t i = 0; code == TW_OK && i < n; i++)
        code = tw_model_learn(model, 0, &events.events[i], 0, (int64_t)i, &user, err);
    *blend = model->blend;
    tw_model_free(model);
    tw_bench_events_done(&events);
    tw_config_done(&config);
    return code;
}

static void print_row(const char *before, const float *row, int n, const char *after) {
    printf("%s{", before);
    for (int i = 0; i < n; i++)
        printf("%s%.3ff", i ? ", " : "", (double)row[i]);
    printf("}%s", after);
}

static void print(const tw_blend_weights *w) {
    puts("/* Where the blend starts: what tests/train/blend_first.c learned on the first 30 % of ml1m_pos, "
         "online_retail and\n"
         " * yoochoose17d together. A stream moves it from there. */\n"
         "#ifndef TW_MODEL_BLEND_FIRST_H\n#define TW_MODEL_BLEND_FIRST_H\n\n#include \"model/blend.h\"\n\n"
         "static const tw_blend_weights tw_blend_first = {");
    print_row("    .shared = ", w->shared, TW_X_COUNT, ",\n    .by_length = {");
    for (int b = 0; b < TW_BLEND_BUCKETS; b++)
        print_row("", w->by_length[b], TW_X_COUNT, b < TW_BLEND_BUCKETS - 1 ? ", " : "},\n    .in = {");
    for (int h = 0; h < TW_BLEND_HIDDEN; h++)
        print_row("", w->in[h], TW_X_COUNT, h < TW_BLEND_HIDDEN - 1 ? ", " : "},\n");
    print_row("    .out = ", w->out, TW_BLEND_HIDDEN, "};\n\n#endif\n");
}

int main(int argc, char **argv) {
    static tw_blend blend;
    tw_err err;
    draw(&blend);
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 1; i < argc; i++)
            if (learn(argv[i], &blend, &err) != TW_OK) {
                fprintf(stderr, "%s: %s\n", argv[i], err.text);
                return 1;
            }
    print(&blend.weights);
    return 0;
}
