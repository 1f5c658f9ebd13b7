/* The heap against the slowest possible queue: a list that is searched from end to end. */
#include "base/rng.h"
#include "pipeline/rank/queue.h"
#include "support/test.h"

#define USERS 200
#define OPERATIONS 20000

TEST(queue_agrees_with_a_searched_list_under_random_adds_removes_and_takes) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 1, 2);
    tw_rank_queue *q = tw_rank_queue_create();
    struct {
        bool waits;
        int64_t due_ms;
        uint64_t sequence;
    } plain[USERS] = {0};
    size_t count = 0;
    for (uint64_t i = 1; i <= OPERATIONS; i++) {
        uint32_t user = tw_rng_below(&rng, USERS);
        if (!plain[user].waits) {
            plain[user].waits = true;
            plain[user].due_ms = tw_rng_below(&rng, 50);
            plain[user].sequence = i;
            tw_rank_queue_add(q, user, plain[user].due_ms, i);
            count++;
        } else if (tw_rng_below(&rng, 2)) {
            plain[user].waits = false;
            tw_rank_queue_remove(q, user);
            count--;
        }
        uint32_t best = USERS, first;
        int64_t due_ms;
        for (uint32_t u = 0; u < USERS; u++)
            if (plain[u].waits && (best == USERS || plain[u].due_ms < plain[best].due_ms ||
                                   (plain[u].due_ms == plain[best].due_ms && plain[u].sequence < plain[best].sequence)))
                best = u;
        ASSERT_EQ(tw_rank_queue_count(q), count);
        ASSERT_EQ(tw_rank_queue_first(q, &first, &due_ms), best != USERS);
        if (best != USERS)
            ASSERT_EQ(first, best);
    }
    tw_rank_queue_free(q);
}
