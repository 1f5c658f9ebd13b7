/* The engine on a small shop, with every call of its store made to fail once, one after another: it stops with a sentence, what
 * it had committed is what a new one opens with, and that one ends where an undisturbed run ends. */
#include "base/failpoint.h"
#include "property/engine/life.h"
#include "support/test.h"

static tw_err err;

/* Every stride-th call, from the first on; they are at least so many. */
static void fail_calls(bool bounded, int events, long first, long stride, long least) {
    life_begin(events, bounded);
    char dir[700];
    const char *root = tw_test_dir();
    life whole = {0}, one;
    int kept = 0, last = -1;
    long n = first, failed = 0;
    snprintf(dir, sizeof dir, "%s/whole", root);
    ASSERT_OK(life_go_on(dir, &whole, &err));
    for (;; n += stride, failed++) {
        snprintf(dir, sizeof dir, "%s/%ld", root, n);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, n);
        one = (life){.no_digests = true};
        tw_code code = life_go_on(dir, &one, &err);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, 0);
        if (code == TW_OK)
            break;
        if ((code != TW_E_STORE && code != TW_E_IO) || tw_code_class(code) != TW_CLASS_FATAL || !err.text[0])
            tw_test_fail(__FILE__, __LINE__, "call %ld: code %d: %s", n, code, err.text);
        if (one.opened) {
            ASSERT_TRUE(life_same(life_state(dir), whole.digests[one.commits])); /* exactly what was committed */
            kept += one.commits != last;
            last = one.commits;
        }
        one = (life){.no_digests = true};
        ASSERT_OK(life_go_on(dir, &one, &err));
        ASSERT_TRUE(life_same(life_state(dir), whole.digests[whole.commits]));
    }
    printf("  %ld of %ld calls made to fail, between %d different commits of %d\n", failed, n - 1, kept, whole.commits);
    ASSERT_GT(n, least);
    ASSERT_GT(kept, 3);
    life_end();
}

TEST(each_call_of_the_store_that_fails_stops_the_engine_and_loses_nothing) {
    fail_calls(false, 1500, 1, 1, 300);
}

/* Most of them read a user back. All would take minutes of waiting for the disk. */
TEST(calls_of_the_store_that_fail_under_a_bound_of_memory_stop_the_engine_and_lose_nothing) {
    fail_calls(true, 150, 1 + (long)(tw_test_seed() % 29), 29, 600);
}
