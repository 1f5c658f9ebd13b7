/* The loop over epochs, with a learner whose losses are written down. */
#include "train/trainer.h"

#include "support/test.h"

#include <stdlib.h>

#define EXAMPLES 10

typedef struct script {
    float weight;  /* counts the epochs that were learned */
    float more[2]; /* the same twice over */
    int learned, batches, met[EXAMPLES];
    const double *losses; /* on the validation part, by epoch */
    double train_loss;
    int stop_after; /* batches; 0: never */
} script;

static tw_code learn(void *self, const uint32_t *rows, int count, double *ret_loss, tw_err *err) {
    script *s = self;
    (void)err;
    for (int i = 0; i < count; i++)
        s->met[rows[i]]++;
    s->learned += count;
    s->batches++;
    s->weight = (float)(s->learned / EXAMPLES);
    s->more[0] = s->more[1] = 2 * s->weight;
    *ret_loss = s->train_loss;
    return TW_OK;
}

static void judge(void *self, const uint32_t *rows, size_t count, double *ret_loss, double *ret_score) {
    script *s = self;
    (void)rows, (void)count;
    *ret_loss = s->losses[(int)s->weight - 1];
    *ret_score = 1 - *ret_loss;
}

static bool go_on(void *self, int64_t done, int64_t all, uint64_t records) {
    script *s = self;
    (void)done, (void)all, (void)records;
    return s->stop_after == 0 || s->batches < s->stop_after;
}

static tw_curve curve;

static tw_code train(script *s, int epochs, int patience, tw_err *err) {
    uint32_t rows[EXAMPLES];
    for (uint32_t i = 0; i < EXAMPLES; i++)
        rows[i] = i;
    const tw_split split = {.rows = {rows, rows, rows}, .counts = {EXAMPLES, EXAMPLES, EXAMPLES}};
    const tw_training training = {.epochs = epochs, .batch = 4, .patience = patience, .seed = 3};
    const tw_learner learner = {s, {{&s->weight, 1}, {s->more, 2}}, learn, judge};
    return tw_train(&learner, &training, &split, (tw_train_beat){go_on, s}, &curve, err);
}

TEST(training_stops_after_its_patience_and_keeps_the_best_epoch) {
    const double losses[] = {0.9, 0.5, 0.6, 0.7, 0.1};
    script s = {.losses = losses, .train_loss = 2};
    tw_err err;
    ASSERT_OK(train(&s, 5, 2, &err));
    ASSERT_EQ(curve.count, 4);
    ASSERT_EQ(curve.best, 1);
    ASSERT_NEAR(s.weight, 2, 0);
    ASSERT_NEAR(s.more[1], 4, 0);
    ASSERT_NEAR(curve.epochs[3].validation_loss, 0.7, 0);
    ASSERT_NEAR(curve.epochs[3].validation_score, 0.3, 1e-9);
    ASSERT_NEAR(curve.epochs[3].train_loss, 2, 1e-9);
}

TEST(more_patience_reaches_the_better_epoch_behind) {
    const double losses[] = {0.9, 0.5, 0.6, 0.7, 0.1};
    script s = {.losses = losses};
    tw_err err;
    ASSERT_OK(train(&s, 5, 3, &err));
    ASSERT_EQ(curve.count, 5);
    ASSERT_EQ(curve.best, 4);
    ASSERT_NEAR(s.weight, 5, 0);
}

TEST(every_example_is_learned_from_once_an_epoch_in_batches_that_fit) {
    const double losses[] = {0.9, 0.5, 0.4};
    script s = {.losses = losses};
    tw_err err;
    ASSERT_OK(train(&s, 3, 1, &err));
    for (int i = 0; i < EXAMPLES; i++)
        ASSERT_EQ(s.met[i], 3);
    ASSERT_EQ(s.batches, 9); /* 4, 4 and 2 */
}

TEST(a_loss_that_is_not_finite_ends_training_with_the_weights_of_before) {
    const double losses[] = {0.9};
    script s = {.losses = losses, .train_loss = NAN, .weight = 0};
    tw_err err;
    ASSERT_EQ(train(&s, 3, 1, &err), TW_E_DIVERGED);
    ASSERT_EQ(curve.count, 0);
    ASSERT_NEAR(s.weight, 0, 0);
}

TEST(training_that_is_told_to_stop_says_so) {
    const double losses[] = {0.9, 0.8, 0.7};
    script s = {.losses = losses, .stop_after = 5};
    tw_err err;
    ASSERT_EQ(train(&s, 3, 1, &err), TW_E_INTERRUPTED);
    ASSERT_EQ(s.batches, 5);
    ASSERT_NEAR(s.weight, 1, 0);
}
