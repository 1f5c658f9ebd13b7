/* Learning with restarts at random points gives what learning without gives, bit for bit: digest and scores. */
#include "base/alloc.h"
#include "base/rng.h"
#include "model/model.h"
#include "pipeline/ingest/shop.h"
#include "support/test.h"

#include <stdlib.h>

#define EVENTS 6000
#define ROWS_MAX 20000

/* What a store would hold: each row whole, then its changes. */
typedef struct kept {
    tw_buf rows[TW_TABLE_COUNT][ROWS_MAX], deltas[TW_TABLE_COUNT][ROWS_MAX];
    bool there[TW_TABLE_COUNT][ROWS_MAX];
} kept;

static kept *disk;
static const tw_vectors *vectors; /* that new items start from; NULL: none */

static tw_model *create(const tw_config *config) {
    tw_model *model = tw_model_create(config, NULL, NULL);
    if (vectors)
        tw_model_start_from(model, vectors);
    return model;
}

static void put(void *self, tw_table table, uint32_t row, tw_slice bytes) {
    (void)self;
    ASSERT_LT(row, ROWS_MAX);
    tw_buf_clear(&disk->rows[table][row]);
    tw_buf_clear(&disk->deltas[table][row]);
    tw_buf_put(&disk->rows[table][row], bytes.data, bytes.size);
    disk->there[table][row] = true;
}
static void put_delta(void *self, tw_table table, uint32_t row, tw_slice bytes) {
    (void)self;
    ASSERT_TRUE(disk->there[table][row]);
    tw_buf_text(&disk->deltas[table][row], bytes);
}
static void del(void *self, tw_table table, uint32_t row) {
    (void)self;
    disk->there[table][row] = false;
    tw_buf_clear(&disk->rows[table][row]);
    tw_buf_clear(&disk->deltas[table][row]);
}

static tw_model *restart(tw_model *model, const tw_config *config, bool backwards) {
    tw_err err;
    tw_model_free(model);
    model = create(config);
    for (int i = 1; i < TW_TABLE_COUNT; i++) { /* tables may come in any order: rows in place know none */
        int t = backwards ? TW_TABLE_COUNT - i : i;
        for (uint32_t r = 0; r < ROWS_MAX; r++)
            if (disk->there[t][r]) {
                ASSERT_OK(tw_model_load(model, (tw_table)t, r, tw_buf_slice(&disk->rows[t][r]), false, &err));
                tw_cursor c = tw_cursor_of(tw_buf_slice(&disk->deltas[t][r]));
                while (c.at != c.end)
                    ASSERT_OK(tw_model_load(model, (tw_table)t, r, tw_cursor_text(&c), true, &err));
            }
    }
    ASSERT_OK(tw_model_loaded(model, &err));
    return model;
}

static tw_hash128 digest(tw_model *model) {
    tw_hasher *h = tw_hasher_create();
    tw_model_digest(model, h);
    tw_hash128 value = tw_hasher_value(h);
    tw_hasher_free(h);
    return value;
}

static void expect_same_profile(tw_model *a, tw_model *b, uint32_t user, int64_t now_ms) {
    const float *p = tw_model_profile(a, user, now_ms), *q = tw_model_profile(b, user, now_ms);
    uint32_t n = tw_model_categories(a);
    ASSERT_EQ(n, tw_model_categories(b));
    ASSERT_EQ(p == NULL, q == NULL);
    ASSERT_TRUE(!p || memcmp(p, q, n * sizeof *p) == 0);
}

static void expect_same_scores(tw_model *a, tw_model *b, int64_t now_ms) {
    uint32_t n = tw_model_item_slots(a);
    ASSERT_EQ(n, tw_model_item_slots(b));
    float *x = tw_alloc(n * sizeof *x), *y = tw_alloc(n * sizeof *y);
    for (uint32_t user = 0; user < tw_model_user_slots(a) && user < 20; user++) {
        uint32_t asked = tw_model_user_live(a, user) ? user : TW_SLOT_NONE;
        tw_model_score(a, asked, now_ms, x);
        tw_model_score(b, asked, now_ms, y);
        ASSERT_EQ(memcmp(x, y, n * sizeof *x), 0);
        if (asked != TW_SLOT_NONE)
            expect_same_profile(a, b, user, now_ms);
    }
    free(x);
    free(y);
}

/* And what the vectors know of them, both by id and by words. */
static void expect_same_hits(const tw_model *a, const tw_model *b) {
    tw_model_hits x, y;
    tw_model_vectors_hits(a, &x);
    tw_model_vectors_hits(b, &y);
    ASSERT_TRUE(x.by_id == y.by_id && x.by_words == y.by_words && x.unknown == y.unknown);
    ASSERT_EQ(x.by_id + x.by_words + x.unknown, vectors ? tw_model_item_count(a) : 0);
    ASSERT_TRUE(!vectors || (x.by_id > 0 && x.by_words > 0));
}

static void run(void (*change)(tw_config *config)) {
    tw_config config;
    tw_err err;
    tw_config_init(&config);
    config.learn_dim = 16;
    config.learn_negatives = 32;
    config.learn_blend_every = 8;
    change(&config);
    tw_shop_options options;
    tw_shop_defaults(&options);
    options.seed = tw_test_seed();
    options.users = 150;
    options.items = 400;
    options.events = EVENTS;
    options.events_per_s = 1;
    options.end_ms = 1700000000000;
    options.broken = 0;
    disk = tw_zalloc(sizeof *disk);
    tw_shop *shop = tw_shop_create(&options);
    tw_arena *arena = tw_arena_create(4096);
    tw_rng cuts = tw_rng_at(tw_test_seed(), 8, 0);
    tw_row_sink sink = {NULL, put, put_delta, del};
    tw_model *whole = create(&config), *cut = create(&config);
    tw_event e;
    bool broken;
    int restarts = 0;
    for (int64_t offset = 0; tw_shop_next(shop, arena, &e, &broken); offset++) {
        uint32_t a, b;
        ASSERT_OK(tw_model_learn(whole, 0, &e, 0, offset, &a, &err));
        ASSERT_OK(tw_model_learn(cut, 0, &e, 0, offset, &b, &err));
        ASSERT_EQ(a, b);
        uint32_t die = tw_rng_below(&cuts, 300);
        if (die < 3)
            tw_model_changes(cut, &sink);
        if (die == 0) {
            cut = restart(cut, &config, restarts % 2);
            restarts++;
        }
        tw_arena_reset(arena);
    }
    ASSERT_GT(restarts, 3);
    tw_hash128 x = digest(whole), y = digest(cut);
    ASSERT_EQ(x.lo, y.lo);
    ASSERT_EQ(x.hi, y.hi);
    expect_same_scores(whole, cut, options.end_ms);
    expect_same_hits(whole, cut);
    tw_model_free(whole);
    tw_model_free(cut);
    tw_shop_free(shop);
    tw_arena_free(arena);
    for (int t = 0; t < TW_TABLE_COUNT; t++)
        for (int r = 0; r < ROWS_MAX; r++) {
            tw_buf_done(&disk->rows[t][r]);
            tw_buf_done(&disk->deltas[t][r]);
        }
    free(disk);
    tw_config_done(&config);
}

static void as_is(tw_config *config) {
    (void)config;
}
static void tight(tw_config *config) { /* every bound at work */
    config->state_users_max = 100;
    config->state_items_max = 150;
    config->learn_transitions_pairs_max = 2000;
    config->learn_past_max = 10;
    config->learn_popular_events = 50; /* the unit comes round */
    config->rank_exclude = TW_EXCLUDE_PURCHASED;
}
static void idle(tw_config *config) {
    config->state_ttl_ms = 600000;
}
static void factors(tw_config *config) {
    config->learn_model = TW_LEARN_MF;
}

static void
profiles(tw_config *config) { /* more categories than are told apart, a batch that the cuts fall into, moments */
    config->learn_model = TW_LEARN_MF;
    config->profile_enabled = true;
    config->profile_optimizer = TW_OPTIMIZER_ADAM;
    config->profile_rate = 0.001;
    config->profile_categories_max = 5;
    config->profile_batch = 61;
}

TEST(restarts_change_nothing_in_profiles_of_another_optimizer_and_with_a_full_table_of_categories) {
    run(profiles);
}
TEST(restarts_change_nothing_with_the_defaults) {
    run(as_is);
}
TEST(restarts_change_nothing_when_every_bound_is_at_work) {
    run(tight);
}
TEST(restarts_change_nothing_when_idle_users_are_dropped) {
    run(idle);
}
TEST(restarts_change_nothing_in_the_factor_model) {
    run(factors);
}

/* Every second item by its id, and the names of some categories: 12 numbers, which are not learn.dim. */
static void run_from_vectors(void (*change)(tw_config *config)) {
    tw_buf text = {0};
    tw_vectors *opened;
    tw_err err;
    tw_rng rng = tw_rng_at(tw_test_seed(), 9, 0);
    for (uint32_t word = 0; word < 208; word++) {
        if (word < 8)
            tw_buf_printf(&text, "%s", tw_shop_category(word));
        else
            tw_buf_printf(&text, "item-%" PRIu32, 2 * (word - 8));
        for (int d = 0; d < 12; d++)
            tw_buf_printf(&text, " %.4f", tw_rng_normal(&rng));
        tw_buf_u8(&text, '\n');
    }
    ASSERT_OK(tw_vectors_of(tw_buf_slice(&text), "vectors", TW_VECTORS_AUTO, &opened, &err));
    vectors = opened;
    run(change);
    vectors = NULL;
    tw_vectors_close(opened);
    tw_buf_done(&text);
}
TEST(restarts_change_nothing_when_items_start_from_vectors) {
    run_from_vectors(as_is);
}
TEST(restarts_change_nothing_when_items_that_start_from_vectors_are_evicted) {
    run_from_vectors(tight);
}
