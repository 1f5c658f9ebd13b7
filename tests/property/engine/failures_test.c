/* The engine on a small shop, with every call of its store made to fail once, one after another: it stops with a sentence, what
 * it had committed is what a new one opens with, and that one ends where an undisturbed run ends. */
#include "base/failpoint.h"
#include "property/engine/life.h"
#include "support/test.h"

static tw_err err;

TEST(each_call_of_the_store_that_fails_stops_the_engine_and_loses_nothing) {
    life_begin(1500);
    char dir[700];
    const char *root = tw_test_dir();
    life whole = {0}, one;
    tw_hash128 last = {0};
    long n = 1, kept = 0;
    snprintf(dir, sizeof dir, "%s/whole", root);
    ASSERT_OK(life_go_on(dir, &whole, &err));
    for (;; n++) {
        snprintf(dir, sizeof dir, "%s/%ld", root, n);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, n);
        one = (life){0};
        tw_code code = life_go_on(dir, &one, &err);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, 0);
        if (code == TW_OK)
            break;
        if ((code != TW_E_STORE && code != TW_E_IO) || tw_code_class(code) != TW_CLASS_FATAL || !err.text[0])
            tw_test_fail(__FILE__, __LINE__, "call %ld: code %d: %s", n, code, err.text);
        if (one.opened) {
            tw_hash128 state = one.digests[one.commits];
            ASSERT_TRUE(life_same(life_state(dir), state)); /* exactly what was committed */
            kept += !life_same(state, last);
            last = state;
        }
        one = (life){0};
        ASSERT_OK(life_go_on(dir, &one, &err));
        ASSERT_TRUE(life_same(one.digests[one.commits], whole.digests[whole.commits]));
    }
    printf("  %ld calls made to fail, between %ld different commits\n", n - 1, kept);
    ASSERT_GT(n, 300);
    ASSERT_GT(kept, 3);
    life_end();
}
