/* Copies of a state: one commit each beside a running writer, nothing where one failed or was killed, and a sentence for bad places. */
#include "base/failpoint.h"
#include "support/test.h"
#include "unit/store/shelf.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_MAX ((uint64_t)1 << 28)

static tw_err err;
static uint64_t bytes;

/* The commit that follows s: which changes it has is a matter of its number alone. */
static void next_commit(shelf *s, tw_store *store) {
    tw_rng rng = tw_rng_at(s->meta, 4, 4);
    shelf_change(s, store, &rng, 200);
    ASSERT_OK(tw_store_commit(store, &err));
}

static shelf make(const char *dir, int commits) {
    tw_store *store;
    shelf s = {.size_max = 600};
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    for (int i = 0; i < commits; i++)
        next_commit(&s, store);
    tw_store_close(store);
    return s;
}

static shelf load(const char *dir, bool read_only) {
    tw_store *store;
    shelf s = {.size_max = 600};
    ASSERT_OK(shelf_open(dir, MAP_MAX, read_only, &s, &store, &err));
    tw_store_close(store);
    return s;
}

/* Neither a state nor the bytes of one; a file that could not be locked may be there, empty. */
static void expect_nothing(const char *dir) {
    char path[800];
    struct stat st;
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    ASSERT_NE(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/data.mdb.new", dir);
    ASSERT_TRUE(stat(path, &st) != 0 || st.st_size == 0);
}

/* commit_for_ever DIR: says so after ten commits. */
HELPER(commit_for_ever) {
    tw_store *store;
    shelf s = {.size_max = 600};
    (void)argc;
    if (shelf_open(argv[0], MAP_MAX, false, &s, &store, &err) != TW_OK)
        return 3;
    for (;;) {
        next_commit(&s, store);
        if (s.meta == 10) {
            printf("ten\n");
            fflush(stdout);
        }
    }
}

TEST(each_copy_beside_a_running_writer_holds_exactly_one_commit) {
    enum { COPIES = 20 };
    char dir[600], to[700], text[8];
    shelf expected = {.size_max = 600};
    tw_store *again;
    int out, different = 0;
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    pid_t writer = tw_test_spawn("commit_for_ever", (const char *[]){dir, NULL}, &out);
    ASSERT_GT(read(out, text, sizeof text), 0);
    for (int i = 0; i < COPIES; i++) {
        snprintf(to, sizeof to, "%s-%d", dir, i);
        ASSERT_OK(tw_store_copy(dir, to, MAP_MAX, &bytes, &err));
        ASSERT_GT(bytes, 8192);
    }
    kill(writer, SIGKILL);
    ASSERT_EQ(tw_test_wait(writer), -SIGKILL);
    close(out);
    ASSERT_OK(shelf_open(tw_test_dir(), MAP_MAX, false, &expected, &again, &err));
    for (int i = 0; i < COPIES; i++) {
        snprintf(to, sizeof to, "%s-%d", dir, i);
        shelf copied = load(to, i % 2);
        different += copied.meta != expected.meta;
        while (expected.meta < copied.meta)
            next_commit(&expected, again);
        ASSERT_TRUE(shelf_same(&copied, &expected));
    }
    tw_store_close(again);
    printf("  %d copies, %d different commits, the last number %" PRIu64 "\n", COPIES, different, expected.meta);
    ASSERT_GT(different, 1);
}

TEST(a_copy_is_a_state_that_goes_on_and_is_copied_back) {
    char dir[600], backup[600], back[600];
    const char *root = tw_test_dir();
    tw_store *store;
    snprintf(dir, sizeof dir, "%s/a", root);
    snprintf(backup, sizeof backup, "%s/not/there/yet", root);
    snprintf(back, sizeof back, "%s/c", root);
    shelf whole = make(dir, 12), s = {.size_max = 600};
    ASSERT_OK(tw_store_copy(dir, backup, MAP_MAX, &bytes, &err));
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err)); /* the original goes on */
    next_commit(&s, store);
    tw_store_close(store);
    ASSERT_OK(tw_store_copy(backup, back, MAP_MAX, &bytes, &err));
    shelf loaded = load(back, false);
    ASSERT_TRUE(shelf_same(&loaded, &whole));
    ASSERT_OK(shelf_open(back, MAP_MAX, false, &loaded, &store, &err));
    next_commit(&loaded, store);
    ASSERT_OK(tw_store_fold_all(store, &err));
    tw_store_close(store);
    ASSERT_TRUE(shelf_same(&loaded, &s));
}

/* What a state left behind when its data.mdb went: a note of the owner, and LMDB's lock. */
TEST(a_state_whose_file_is_gone_is_brought_back_where_it_was) {
    char dir[600], backup[600], path[700];
    const char *root = tw_test_dir();
    snprintf(dir, sizeof dir, "%s/a", root);
    snprintf(backup, sizeof backup, "%s/b", root);
    shelf whole = make(dir, 3);
    ASSERT_OK(tw_store_copy(dir, backup, MAP_MAX, &bytes, &err));
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    ASSERT_EQ(unlink(path), 0);
    ASSERT_OK(tw_store_copy(backup, dir, MAP_MAX, &bytes, &err));
    shelf loaded = load(dir, false);
    ASSERT_TRUE(shelf_same(&loaded, &whole));
}

TEST(each_call_of_a_copy_that_fails_is_told_and_leaves_no_state_behind) {
    char dir[600], to[700];
    const char *root = tw_test_dir();
    long n = 1;
    snprintf(dir, sizeof dir, "%s/s", root);
    shelf whole = make(dir, 3);
    for (;; n++) {
        snprintf(to, sizeof to, "%s/%ld", root, n);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, n);
        tw_code code = tw_store_copy(dir, to, MAP_MAX, &bytes, &err);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, 0);
        if (code == TW_OK)
            break;
        if ((code != TW_E_STORE && code != TW_E_IO && code != TW_E_FULL) || !strstr(err.text, ": "))
            tw_test_fail(__FILE__, __LINE__, "call %ld: code %d: %s", n, code, err.text);
        expect_nothing(to);
        ASSERT_OK(tw_store_copy(dir, to, MAP_MAX, &bytes, &err)); /* the place is good for the next one */
        shelf copied = load(to, true), kept = load(dir, true);
        ASSERT_TRUE(shelf_same(&copied, &whole) && shelf_same(&kept, &whole));
    }
    printf("  %ld calls made to fail\n", n - 1);
    ASSERT_GT(n, 25);
}

/* copy FROM TO */
HELPER(copy) {
    (void)argc;
    return tw_store_copy(argv[0], argv[1], MAP_MAX, &bytes, &err) == TW_OK ? 0 : 3;
}

TEST(a_copy_that_is_killed_leaves_no_state_and_the_next_one_takes_its_place) {
    char dir[600], to[600];
    const char *root = tw_test_dir();
    tw_store *store;
    snprintf(dir, sizeof dir, "%s/a", root);
    snprintf(to, sizeof to, "%s/b", root);
    shelf whole = make(dir, 5), s = {.size_max = 600};
    setenv("TAILWATER_FAILPOINT", "store.copied:1", 1);
    int end = tw_test_wait(tw_test_spawn("copy", (const char *[]){dir, to, NULL}, NULL));
    unsetenv("TAILWATER_FAILPOINT");
    ASSERT_EQ(end, -SIGKILL);
    ASSERT_EQ(shelf_open(to, MAP_MAX, true, &s, &store, &err), TW_E_NOT_FOUND);
    ASSERT_EQ(tw_store_copy(to, dir, MAP_MAX, &bytes, &err), TW_E_NOT_FOUND); /* brought back it is none either */
    ASSERT_OK(tw_store_copy(dir, to, MAP_MAX, &bytes, &err));
    shelf copied = load(to, false);
    ASSERT_TRUE(shelf_same(&copied, &whole));
}

static void expect_refusal(const char *from, const char *to, tw_code wanted, const char *text) {
    tw_code code = tw_store_copy(from, to, MAP_MAX, &bytes, &err);
    if (code != wanted || !strstr(err.text, text))
        tw_test_fail(__FILE__, __LINE__, "code %d: %s", code, code == TW_OK ? "copied" : err.text);
}

TEST(bad_places_are_refused_and_left_as_they_are) {
    char a[600], b[600], file[600], none[600], cut[600];
    const char *root = tw_test_dir();
    snprintf(a, sizeof a, "%s/a", root);
    snprintf(b, sizeof b, "%s/b", root);
    snprintf(file, sizeof file, "%s/file", root);
    snprintf(none, sizeof none, "%s/none", root);
    snprintf(cut, sizeof cut, "%s/cut", root);
    shelf first = make(a, 4), second = make(b, 2);
    FILE *f = fopen(file, "w");
    fputs("not a directory\n", f);
    fclose(f);
    expect_refusal(a, b, TW_E_USAGE, "holds a state");
    expect_refusal(a, a, TW_E_USAGE, "holds a state");
    expect_refusal(a, file, TW_E_IO, file);
    expect_refusal(none, b, TW_E_NOT_FOUND, "no such directory");
    expect_refusal(root, none, TW_E_NOT_FOUND, "holds no state");
    expect_refusal(file, none, TW_E_IO, file);
    shelf_copy(a, cut, 3 * 4096);
    expect_refusal(cut, none, TW_E_STORE, "truncated");
    ASSERT_NE(access(none, F_OK), 0);
    shelf kept = load(a, true);
    ASSERT_TRUE(shelf_same(&kept, &first));
    kept = load(b, true);
    ASSERT_TRUE(shelf_same(&kept, &second));
}

TEST(a_damaged_value_is_found_when_the_copy_is_read_back) {
    char dir[600], to[700], path[800];
    snprintf(dir, sizeof dir, "%s/a", tw_test_dir());
    snprintf(to, sizeof to, "%s-copy", dir);
    tw_store *store;
    shelf s = {.size_max = 600};
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    for (int i = 0; i < 6; i++)
        next_commit(&s, store);
    ASSERT_OK(tw_store_fold_all(store, &err));
    tw_store_close(store);
    tw_buf row = {0};
    uint32_t r = 0;
    while (s.rows[TW_TABLE_ITEM][r] == 0)
        r++;
    shelf_bytes(&s, TW_TABLE_ITEM, r, &row);
    static char data[1 << 24];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    FILE *f = fopen(path, "r+");
    size_t size = fread(data, 1, sizeof data, f);
    for (size_t at = 0; at + row.size <= size; at++) /* wherever it lies, in pages that are free too */
        if (memcmp(data + at, row.data, row.size) == 0) {
            fseek(f, (long)(at + row.size - 1), SEEK_SET);
            fputc(row.data[row.size - 1] ^ 1, f);
        }
    fclose(f);
    tw_buf_done(&row);
    expect_refusal(dir, to, TW_E_STORE, "is damaged");
    ASSERT_TRUE(strstr(err.text, "of table item is damaged") != NULL && strstr(err.text, "is removed") != NULL);
    expect_nothing(to);
}
