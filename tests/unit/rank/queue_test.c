#include "pipeline/rank/queue.h"
#include "support/test.h"

TEST(queue_gives_the_earliest_due_first_and_ties_in_order_of_debt) {
    tw_rank_queue *q = tw_rank_queue_create();
    tw_rank_queue_add(q, 7, 300, 1);
    tw_rank_queue_add(q, 3, 100, 3);
    tw_rank_queue_add(q, 5, 100, 2);
    const uint32_t expected[] = {5, 3, 7};
    for (int i = 0; i < 3; i++) {
        uint32_t user;
        int64_t due_ms;
        ASSERT_TRUE(tw_rank_queue_first(q, &user, &due_ms));
        ASSERT_EQ(user, expected[i]);
        tw_rank_queue_remove(q, user);
    }
    ASSERT_EQ(tw_rank_queue_count(q), 0);
    tw_rank_queue_free(q);
}

TEST(queue_forgets_a_user_that_is_gone_and_ignores_one_that_never_waited) {
    tw_rank_queue *q = tw_rank_queue_create();
    uint32_t user;
    int64_t due_ms;
    tw_rank_queue_add(q, 1, 10, 1);
    tw_rank_queue_add(q, 2, 20, 2);
    tw_rank_queue_remove(q, 1);
    tw_rank_queue_remove(q, 99);
    ASSERT_FALSE(tw_rank_queue_has(q, 1));
    ASSERT_TRUE(tw_rank_queue_first(q, &user, &due_ms));
    ASSERT_EQ(user, 2);
    tw_rank_queue_free(q);
}

TEST(a_first_list_is_due_at_once_and_the_next_only_after_the_interval) {
    ASSERT_EQ(tw_rank_due_ms(1000, INT64_MIN, 500), 1000);
    ASSERT_EQ(tw_rank_due_ms(1000, 900, 500), 1400);
    ASSERT_EQ(tw_rank_due_ms(1000, 500, 500), 1000); /* edge: exactly the interval ago */
    ASSERT_EQ(tw_rank_due_ms(1000, 1000, 0), 1000);
}
