/* New items that start from vectors: what the file knows them by, that they start at what was learned of items like them, and that nothing
 * else is touched. */
#include "model/internal.h"
#include "support/test.h"

#include <stdlib.h>

#define D 16

static tw_config config;
static tw_model *model;
static tw_vectors *vectors;
static int64_t offset, now_ms;

static void begin(const char *file) {
    tw_err err;
    tw_config_init(&config);
    config.learn_dim = D;
    config.learn_negatives = 32;
    config.learn_blend_every = 4;
    vectors = NULL;
    if (file)
        ASSERT_OK(tw_vectors_of(tw_slice_of(file), "vectors", TW_VECTORS_AUTO, &vectors, &err));
    model = tw_model_create(&config, NULL, NULL);
    if (file)
        tw_model_start_from(model, vectors);
    offset = 0;
    now_ms = 1700000000000;
}

static void end(void) {
    model = tw_model_free(model);
    tw_vectors_close(vectors);
    tw_config_done(&config);
}

static void meet(tw_kind kind, const char *user, const char *item, const char *title, const char *category) {
    tw_event e = {.kind = kind,
                  .event_ms = now_ms += 1000,
                  .user_id = tw_slice_of(user),
                  .item_id = tw_slice_of(item),
                  .title = tw_slice_of(title),
                  .category = tw_slice_of(category)};
    tw_err err;
    uint32_t met;
    ASSERT_OK(tw_model_learn(model, 0, &e, 0, offset++, &met, &err));
}

static void hear_of(const char *item, const char *title, const char *category) {
    meet(TW_KIND_ITEM, "", item, title, category);
}

static uint32_t item_of(const char *id) {
    uint32_t item = tw_model_item_find(model, tw_slice_of(id));
    ASSERT_TRUE(item != TW_SLOT_NONE);
    return item;
}

static tw_cold_by known_by(const char *id) {
    return (tw_cold_by)model->cold.by[item_of(id)];
}

static double cosine(const float *x, const float *y) {
    const tw_kernels *k = model->kernels;
    return (double)k->dot(x, y, D) / sqrt((double)k->dot(x, x, D) * (double)k->dot(y, y, D));
}

/* ---- places ------------------------------------------------------------------------------------------------------- */

#define SMALL         \
    "red 1 0 0\n"     \
    "shoe 0 2 0\n"    \
    "i_1 0 0 5\n"     \
    "anti -1 0 0\n"   \
    "nothing 0 0 0\n" \
    "caf\xc3\xa9 0 1 1\n"

TEST(an_item_is_known_by_its_id_else_by_the_words_of_title_and_category) {
    begin(SMALL);
    hear_of("i 1", "red", "");         /* its blank is '_' in such files */
    hear_of("a", "RED,unheard", "");   /* whatever its case and what stands beside it */
    hear_of("b", "", "hats|Shoe");     /* of the category */
    hear_of("c", "green hat", "hats"); /* no word */
    hear_of("d", "nothing", "");       /* a vector without a direction says nothing */
    hear_of("e", "red anti", "");      /* two that cancel out */
    hear_of("f", "caf\xc3\xa9s caf\xc3\xa9", "");
    hear_of("g", "", "");
    ASSERT_EQ(known_by("i 1"), TW_COLD_BY_ID);
    ASSERT_EQ(known_by("a"), TW_COLD_BY_WORDS);
    ASSERT_EQ(known_by("b"), TW_COLD_BY_WORDS);
    ASSERT_EQ(known_by("c"), TW_COLD_UNKNOWN);
    ASSERT_EQ(known_by("d"), TW_COLD_UNKNOWN);
    ASSERT_EQ(known_by("e"), TW_COLD_UNKNOWN);
    ASSERT_EQ(known_by("f"), TW_COLD_BY_WORDS);
    ASSERT_EQ(known_by("g"), TW_COLD_UNKNOWN);
    tw_model_hits hits;
    tw_model_vectors_hits(model, &hits);
    ASSERT_TRUE(hits.by_id == 1 && hits.by_words == 3 && hits.unknown == 4);
    hear_of("c", "red hat", ""); /* a title that comes later */
    ASSERT_EQ(known_by("c"), TW_COLD_BY_WORDS);
    ASSERT_NEAR(cosine(tw_row(&model->cold.places, item_of("c")), tw_row(&model->cold.places, item_of("a"))), 1, 1e-6);
    end();
}

TEST(places_keep_the_angles_of_the_file) {
    tw_buf text = {0};
    float file[2][300];
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 1);
    double off = 0;
    for (int round = 0; round < 40; round++) {
        tw_buf_clear(&text);
        double dot = 0, square[2] = {0};
        for (int w = 0; w < 2; w++) {
            tw_buf_printf(&text, "i%d", w);
            for (int f = 0; f < 300; f++) {
                file[w][f] = (float)tw_rng_normal(&rng) + (w ? file[0][f] : 0);
                square[w] += (double)file[w][f] * (double)file[w][f];
                dot += w ? (double)file[0][f] * (double)file[1][f] : 0;
                tw_buf_printf(&text, " %.9g", (double)file[w][f]);
            }
            tw_buf_u8(&text, '\n');
        }
        tw_buf_u8(&text, '\0');
        begin(text.data);
        hear_of("i0", "", "");
        hear_of("i1", "", "");
        const float *x = tw_row(&model->cold.places, item_of("i0")), *y = tw_row(&model->cold.places, item_of("i1"));
        ASSERT_NEAR(model->kernels->dot(x, x, D), 1, 1e-5);
        off += fabs(cosine(x, y) - dot / sqrt(square[0] * square[1])) / 40;
        end();
    }
    ASSERT_TRUE(off < 1 / sqrt(D)); /* the deviation for vectors at right angles; these are nearer */
    tw_buf_done(&text);
}

/* ---- starts ------------------------------------------------------------------------------------------------------- */

/* Two tastes that never meet, of ten items each. */
static void two_tastes(void) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 2, 2);
    for (int i = 0; i < 1500; i++) {
        char user[16], item[16];
        uint32_t u = tw_rng_below(&rng, 40);
        snprintf(user, sizeof user, "u%" PRIu32, u);
        snprintf(item, sizeof item, "%c%" PRIu32, u % 2 ? 'r' : 's', tw_rng_below(&rng, 10));
        meet(TW_KIND_CLICK, user, item, u % 2 ? "red one" : "a shoe", "");
    }
}

/* How much more the context scorer gives a user of taste r the item r than the item s, of both of which they only heard. */
static float prefers(const char *r, const char *s) {
    float *scores = malloc(tw_model_item_slots(model) * sizeof *scores);
    uint32_t user = tw_model_user_find(model, 0, TW_SLICE_LITERAL("u1"));
    tw_model_score(model, user, now_ms, scores);
    ASSERT_TRUE(tw_model_score_alone(model, TW_BY_CONTEXT, scores));
    float more = scores[item_of(r)] - scores[item_of(s)];
    free(scores);
    return more;
}

TEST(an_item_that_nobody_met_goes_to_those_who_like_its_kind) {
    begin(SMALL);
    two_tastes();
    hear_of("r new", "Red two", "");
    hear_of("s new", "shoe!", "");
    ASSERT_TRUE(prefers("r new", "s new") > 0.5f);
    double like = cosine(tw_row(&model->items.out, item_of("r new")), tw_row(&model->items.out, item_of("r3")));
    double other = cosine(tw_row(&model->items.out, item_of("r new")), tw_row(&model->items.out, item_of("s3")));
    ASSERT_TRUE(like > other + 0.3);
    end();
    begin(NULL); /* and without vectors it is like any other */
    two_tastes();
    hear_of("r new", "Red two", "");
    hear_of("s new", "shoe!", "");
    ASSERT_NEAR(prefers("r new", "s new"), 0, 1e-6);
    end();
}

TEST(what_has_taken_a_step_stays_when_its_title_changes) {
    begin(SMALL);
    two_tastes();
    uint32_t item = item_of("r3");
    float in[D], out[D];
    ASSERT_TRUE(model->items.out_sum[item] > 0);
    memcpy(in, tw_row(&model->items.in, item), sizeof in);
    memcpy(out, tw_row(&model->items.out, item), sizeof out);
    hear_of("r3", "a shoe after all", "");
    ASSERT_TRUE(memcmp(in, tw_row(&model->items.in, item), sizeof in) == 0);
    ASSERT_TRUE(memcmp(out, tw_row(&model->items.out, item), sizeof out) == 0);
    ASSERT_NEAR(cosine(tw_row(&model->cold.places, item), tw_row(&model->cold.places, item_of("s3"))), 1, 1e-6);
    end();
}

TEST(what_the_file_does_not_know_starts_as_it_would_without) {
    float with[D];
    begin(SMALL);
    two_tastes();
    hear_of("new", "green hat", "hats");
    memcpy(with, tw_row(&model->items.in, item_of("new")), sizeof with);
    for (int d = 0; d < D; d++)
        ASSERT_TRUE(tw_row(&model->items.out, item_of("new"))[d] == 0);
    end();
    begin(NULL);
    two_tastes();
    hear_of("new", "green hat", "hats");
    ASSERT_TRUE(memcmp(with, tw_row(&model->items.in, item_of("new")), sizeof with) == 0);
    tw_model_hits hits;
    tw_model_vectors_hits(model, &hits);
    ASSERT_TRUE(hits.by_id == 0 && hits.by_words == 0 && hits.unknown == 0);
    end();
}

/* Beyond the bound the search starts at a chunk by the item's id; with fewer items it sees all, wherever the like ones are. */
TEST(the_search_is_bounded_and_finds_among_what_it_sees) {
    begin("red 1 0 0\nshoe 0 2 0\n");
    for (uint32_t i = 0; i < 3 * TW_TABLE_CHUNK_ROWS; i++) {
        char id[16];
        snprintf(id, sizeof id, "x%" PRIu32, i);
        hear_of(id, "", "");
    }
    two_tastes(); /* in the last of four chunks */
    hear_of("r new", "red", "");
    hear_of("s new", "shoe", "");
    ASSERT_TRUE(prefers("r new", "s new") > 0.5f);
    ASSERT_TRUE(tw_model_item_slots(model) < TW_COLD_LOOK);
    end();
}
