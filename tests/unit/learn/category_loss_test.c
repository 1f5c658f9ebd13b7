#include "pipeline/learn/category_loss.h"
#include "support/test.h"

TEST(a_profile_is_measured_by_what_it_gives_to_the_categories_of_the_item) {
    tw_category_loss loss = {0};
    tw_category_loss_add(&loss, (const float[]){0.5f, 0.25f, 0.25f}, (const float[]){0, 0.5f, 0.5f}, 3);
    tw_category_loss_add(&loss, (const float[]){0.5f, 0.5f, 0}, (const float[]){1, 0, 0},
                         3); /* of equal ones the first */
    ASSERT_EQ(loss.asked, 2);
    ASSERT_NEAR(tw_category_loss_cross_entropy(&loss), (log(4) + log(2)) / 2, 1e-6);
    ASSERT_NEAR(tw_category_loss_top1(&loss), 0.5, 1e-12);
}

TEST(an_answer_without_a_chance_costs_much_but_not_all) {
    tw_category_loss loss = {0};
    tw_category_loss_add(&loss, (const float[]){1, 0}, (const float[]){0, 1}, 2);
    ASSERT_NEAR(tw_category_loss_cross_entropy(&loss), -log(1e-12), 1e-3);
    ASSERT_NEAR(tw_category_loss_top1(&loss), 0, 0);
}

TEST(no_profile_asked_is_zero_and_not_nan) {
    tw_category_loss loss = {0};
    ASSERT_NEAR(tw_category_loss_cross_entropy(&loss), 0, 0);
    ASSERT_NEAR(tw_category_loss_top1(&loss), 0, 0);
}
