/* Every call of the store that the world can make fail is made to fail once, one after another. */
#include "base/failpoint.h"
#include "support/test.h"
#include "unit/store/shelf.h"

#define MAP_MAX ((uint64_t)1 << 26)

static tw_err err;

/* Opens, commits often enough to fold and to drop logs, folds everything, closes. *ret_committed is what the last commit that
 * went through holds. */
static tw_code live(const char *dir, shelf *ret_committed) {
    tw_rng rng = tw_rng_at(17, 17, 17);
    tw_store *store;
    shelf s = {.size_max = 600};
    tw_code code = shelf_open(dir, MAP_MAX, false, &s, &store, &err);
    if (code != TW_OK)
        return code;
    for (int i = 0; i < 4 && code == TW_OK; i++) {
        shelf_change(&s, store, &rng, 100);
        code = tw_store_commit(store, &err);
        if (code == TW_OK)
            *ret_committed = s;
    }
    if (code == TW_OK)
        code = tw_store_fold_all(store, &err);
    if (code != TW_OK) { /* stopped: nothing goes on from here */
        tw_err later;
        shelf_change(&s, store, &rng, 10);
        ASSERT_EQ(tw_store_commit(store, &later), TW_E_STORE);
    }
    tw_store_close(store);
    return code;
}

static void expect_told(tw_code code) {
    if ((code != TW_E_STORE && code != TW_E_IO && code != TW_E_FULL) || !strstr(err.text, ": "))
        tw_test_fail(__FILE__, __LINE__, "code %d: %s", code, err.text);
}

/* What is there is what was committed, for a writer and for a reader. */
static void expect_kept(const char *dir, const shelf *committed) {
    for (int read_only = 0; read_only < 2; read_only++) {
        shelf loaded = {.size_max = 600};
        tw_store *store;
        ASSERT_OK(shelf_open(dir, MAP_MAX, read_only, &loaded, &store, &err));
        tw_store_close(store);
        ASSERT_TRUE(shelf_same(&loaded, committed));
    }
}

TEST(each_call_that_fails_is_told_and_nothing_is_lost) {
    char dir[700];
    const char *root = tw_test_dir();
    long n = 1, opening = 0;
    for (;; n++) {
        shelf committed = {.size_max = 600};
        snprintf(dir, sizeof dir, "%s/%ld", root, n);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, n);
        tw_code code = live(dir, &committed);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, 0);
        if (code == TW_OK)
            break;
        expect_told(code);
        opening += committed.meta == 0;
        expect_kept(dir, &committed);
    }
    printf("  %ld calls made to fail, %ld of them before the first commit\n", n - 1, opening);
    ASSERT_GT(n, 300);
}

TEST(each_call_of_a_second_opening_and_of_a_reader_that_fails_is_told_and_nothing_is_lost) {
    const char *dir = tw_test_dir();
    shelf committed = {.size_max = 600};
    ASSERT_OK(live(dir, &committed));
    for (int read_only = 0; read_only < 2; read_only++) {
        long n = 1;
        for (;; n++) {
            shelf loaded = {.size_max = 600};
            tw_store *store;
            tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, n);
            tw_code code = shelf_open(dir, MAP_MAX, read_only, &loaded, &store, &err);
            tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, 0);
            if (code == TW_OK) {
                tw_store_close(store);
                break;
            }
            expect_told(code);
            expect_kept(dir, &committed);
        }
        printf("  %s: %ld calls made to fail\n", read_only ? "reader" : "writer", n - 1);
        ASSERT_GT(n, 10);
    }
}
