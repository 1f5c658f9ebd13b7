#include "train/skipgram.h"
#include "base/alloc.h"
#include "support/test.h"

#include <stdlib.h>

static bool go_on(void *self, int64_t done, int64_t all, uint64_t records) {
    (void)done, (void)all, (void)records;
    return !self;
}
static bool stop; /* its address says: stop */

/* ---- one step ------------------------------------------------------------------------------------------------------- */

#define WORDS 9
#define SIZE 20 /* not a multiple of 16 */

static void draw_rows(tw_skipgram *net, tw_rng *rng) {
    for (uint32_t w = 0; w < WORDS; w++)
        for (int d = 0; d < SIZE; d++) {
            net->in[(size_t)w * (size_t)net->D + (size_t)d] = (float)tw_rng_normal(rng);
            net->out[(size_t)w * (size_t)net->D + (size_t)d] = (float)tw_rng_normal(rng);
        }
}

/* The loss by its definition, in double, with one number of one row moved. */
static double loss_of(const tw_skipgram *net, uint32_t centre, const uint32_t *targets, int count, const float *moved,
                      double by) {
    double loss = 0;
    for (int j = 0; j < count; j++) {
        double z = 0;
        for (int d = 0; d < SIZE; d++) {
            const float *u = &net->in[(size_t)centre * (size_t)net->D + (size_t)d];
            const float *v = &net->out[(size_t)targets[j] * (size_t)net->D + (size_t)d];
            z += ((double)*u + (u == moved ? by : 0)) * ((double)*v + (v == moved ? by : 0));
        }
        loss += log1p(exp(j == 0 ? -z : z));
    }
    return loss;
}

TEST(a_step_goes_down_the_slopes_that_finite_differences_find) {
    static const tw_skipgram_options options = {.size = SIZE, .window = 5, .negatives = 5, .epochs = 1, .seed = 1};
    const uint64_t counts[WORDS] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    const float rate = 0.5f;
    const double h = 1e-4;
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 1);
    for (int round = 0; round < 20; round++) {
        tw_skipgram before, after;
        tw_skipgram_init(&before, counts, WORDS, &options);
        tw_skipgram_init(&after, counts, WORDS, &options);
        draw_rows(&before, &rng);
        size_t bytes = (size_t)WORDS * (size_t)before.D * sizeof(float);
        memcpy(after.in, before.in, bytes);
        memcpy(after.out, before.out, bytes);
        uint32_t centre = tw_rng_below(&rng, WORDS), first = tw_rng_below(&rng, WORDS), targets[6];
        for (uint32_t j = 0; j < 6; j++)
            targets[j] = (first + j) % WORDS; /* different; the centre may be among them, its other vector */
        double loss = loss_of(&before, centre, targets, 6, NULL, 0);
        ASSERT_NEAR(tw_skipgram_step(&after, centre, targets, 6, rate), loss, 1e-4 * (1 + loss));
        for (size_t i = 0; i < (size_t)WORDS * (size_t)before.D; i++) {
            double in = (loss_of(&before, centre, targets, 6, &before.in[i], h) -
                         loss_of(&before, centre, targets, 6, &before.in[i], -h)) /
                        (2 * h);
            double out = (loss_of(&before, centre, targets, 6, &before.out[i], h) -
                          loss_of(&before, centre, targets, 6, &before.out[i], -h)) /
                         (2 * h);
            ASSERT_NEAR((double)(before.in[i] - after.in[i]) / (double)rate, in, 2e-5 * (1 + fabs(in)));
            ASSERT_NEAR((double)(before.out[i] - after.out[i]) / (double)rate, out, 2e-5 * (1 + fabs(out)));
        }
        tw_skipgram_done(&before);
        tw_skipgram_done(&after);
    }
}

TEST(scores_of_any_size_leave_everything_finite) {
    static const tw_skipgram_options options = {.size = SIZE, .window = 5, .negatives = 5, .epochs = 1, .seed = 1};
    const uint64_t counts[2] = {1, 1};
    tw_skipgram net;
    tw_skipgram_init(&net, counts, 2, &options);
    for (int d = 0; d < SIZE; d++) {
        net.in[d] = 1000;
        net.out[d] = -1000; /* met, and as far away as can be */
        net.out[net.D + d] = 1000;
    }
    float loss = tw_skipgram_step(&net, 0, (const uint32_t[2]){0, 1}, 2, 0.025f);
    ASSERT_NEAR(loss, 4e7, 1e4);
    for (int d = 0; d < SIZE; d++)
        ASSERT_TRUE(isfinite(net.in[d]) && isfinite(net.out[d]) && isfinite(net.out[net.D + d]));
    tw_skipgram_done(&net);
}

TEST(negatives_are_drawn_by_the_power_of_their_counts) {
    static const tw_skipgram_options options = {.size = 4, .window = 5, .negatives = 5, .epochs = 1};
    enum { N = 50, DRAWS = 200000 };
    uint64_t counts[N];
    uint32_t drawn[N] = {0};
    double sum = 0;
    tw_rng rng = tw_rng_at(tw_test_seed(), 2, 2);
    for (int i = 0; i < N; i++) {
        counts[i] = 1 + tw_rng_below(&rng, i % 5 == 0 ? 100000 : 100);
        sum += pow((double)counts[i], 0.75);
    }
    tw_skipgram net;
    tw_skipgram_init(&net, counts, N, &options);
    for (int i = 0; i < DRAWS; i++)
        drawn[tw_skipgram_draw(&net, &rng)]++;
    for (int i = 0; i < N; i++) {
        double expected = DRAWS * pow((double)counts[i], 0.75) / sum;
        ASSERT_NEAR(drawn[i], expected, 6 * sqrt(expected) + 6); /* one in some hundred million by chance */
    }
    tw_skipgram_done(&net);
}

/* ---- all of it ------------------------------------------------------------------------------------------------------ */

#define GROUPS 8
#define OF_GROUP 12
#define ITEMS (GROUPS * OF_GROUP)
#define USERS 600

/* Each user keeps to one group for a while, then goes over to another: what is met together belongs together. */
static void shop(tw_sequences *s, uint64_t seed) {
    tw_rng rng = tw_rng_at(seed, 3, 3);
    char user[16], item[16];
    tw_sequences_init(s, 0);
    for (int u = 0; u < USERS; u++)
        for (int visit = 0; visit < 2; visit++) {
            uint32_t group = tw_rng_below(&rng, GROUPS);
            for (int i = 0; i < 8; i++) {
                snprintf(user, sizeof user, "u%d", u);
                snprintf(item, sizeof item, "g%" PRIu32 ".%" PRIu32, group, tw_rng_below(&rng, OF_GROUP));
                tw_event event = {.kind = TW_KIND_CLICK,
                                  .user_id = tw_slice_of(user),
                                  .item_id = tw_slice_of(item),
                                  .event_ms = visit * 1000 + i};
                tw_sequences_add(s, &event);
            }
        }
    tw_sequences_close(s, 1);
}

static const tw_skipgram_options planted = {
    .size = 24, .window = 5, .negatives = 5, .epochs = 12, .rate = 0.05, .seed = 7};

static void learn(tw_skipgram *net, const tw_sequences *s, const tw_skipgram_options *options) {
    tw_err err;
    tw_skipgram_init(net, s->counts, s->words_count, options);
    ASSERT_OK(tw_skipgram_train(net, s, options, (tw_train_beat){go_on, NULL}, &err));
}

static double cosine(const tw_skipgram *net, uint32_t a, uint32_t b) {
    const float *x = tw_skipgram_vector(net, a), *y = tw_skipgram_vector(net, b);
    return (double)net->kernels->dot(x, y, net->D) /
           sqrt((double)net->kernels->dot(x, x, net->D) * (double)net->kernels->dot(y, y, net->D));
}

/* The share of words whose nearest word is of their group. */
static double in_group(const tw_skipgram *net, const tw_sequences *s) {
    int right = 0;
    for (uint32_t a = 0; a < s->words_count; a++) {
        uint32_t nearest = a == 0;
        for (uint32_t b = 0; b < s->words_count; b++)
            if (b != a && cosine(net, a, b) > cosine(net, a, nearest))
                nearest = b;
        right += tw_sequences_word(s, a).data[1] == tw_sequences_word(s, nearest).data[1];
    }
    return (double)right / s->words_count;
}

TEST(what_is_met_together_ends_near_each_other) {
    tw_sequences s;
    tw_skipgram net;
    shop(&s, tw_test_seed());
    ASSERT_EQ(s.words_count, ITEMS);
    tw_skipgram_init(&net, s.counts, s.words_count, &planted);
    double untrained = in_group(&net, &s); /* 11 of 95 by chance */
    tw_skipgram_done(&net);
    learn(&net, &s, &planted);
    ASSERT_TRUE(untrained < 0.4);
    ASSERT_TRUE(in_group(&net, &s) >= 0.95);
    ASSERT_TRUE(net.loss[planted.epochs - 1] < 0.9 * net.loss[0]);
    ASSERT_TRUE(net.loss[0] < 6 * log(2)); /* where all scores are zero */
    tw_skipgram_done(&net);
    tw_sequences_done(&s);
}

TEST(the_same_seed_gives_the_same_bits_and_another_does_not) {
    tw_sequences s;
    tw_skipgram a, b, c;
    tw_skipgram_options few = planted, other;
    few.epochs = 2;
    other = few;
    other.seed = 8;
    shop(&s, 1);
    learn(&a, &s, &few);
    learn(&b, &s, &few);
    learn(&c, &s, &other);
    size_t bytes = (size_t)s.words_count * (size_t)a.D * sizeof(float);
    ASSERT_TRUE(memcmp(a.in, b.in, bytes) == 0);
    ASSERT_TRUE(memcmp(a.in, c.in, bytes) != 0);
    for (uint32_t w = 0; w < s.words_count; w++)
        for (int d = few.size; d < a.D; d++)
            ASSERT_TRUE(tw_skipgram_vector(&a, w)[d] == 0); /* what rounds the width up */
    tw_skipgram_done(&a);
    tw_skipgram_done(&b);
    tw_skipgram_done(&c);
    tw_sequences_done(&s);
}

TEST(a_signal_ends_it_and_a_rate_beyond_reason_is_told) {
    tw_sequences s;
    tw_skipgram net;
    tw_err err = {0};
    tw_skipgram_options wild = planted;
    wild.rate = 1e30;
    shop(&s, 1);
    tw_skipgram_init(&net, s.counts, s.words_count, &planted);
    ASSERT_EQ(tw_skipgram_train(&net, &s, &planted, (tw_train_beat){go_on, &stop}, &err), TW_E_INTERRUPTED);
    tw_skipgram_done(&net);
    tw_skipgram_init(&net, s.counts, s.words_count, &wild);
    ASSERT_EQ(tw_skipgram_train(&net, &s, &wild, (tw_train_beat){go_on, NULL}, &err), TW_E_DIVERGED);
    tw_skipgram_done(&net);
    tw_sequences_done(&s);
}
