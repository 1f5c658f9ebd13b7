/* Rows that their owner has forgotten: read back as they were committed, put in place at its wish, and what of that cannot be done. */
#include "base/failpoint.h"
#include "support/test.h"
#include "unit/store/shelf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MAP_MAX ((uint64_t)1 << 28)
#define TABLE TW_TABLE_USER

static tw_err err;

static tw_store *open_shelf(const char *dir, bool read_only, shelf *s) {
    tw_store *store;
    *s = (shelf){.size_max = 600, .read_back = true};
    ASSERT_OK(shelf_open(dir, MAP_MAX, read_only, s, &store, &err));
    return store;
}

/* A commit of rows put whole, as owners do whose rows may be cold, and of some deletions. */
static void change(shelf *s, tw_store *store, tw_rng *rng, int changes) {
    tw_buf buf = {0};
    bool touched[SHELF_ROWS] = {false};
    tw_store_begin(store);
    for (; changes > 0; changes--) {
        uint32_t row = tw_rng_below(rng, SHELF_ROWS);
        if (touched[row])
            continue;
        touched[row] = true;
        s->rows[TABLE][row] = tw_rng_below(rng, 10) ? 1 + tw_rng_below(rng, 1u << 30) : 0;
        tw_buf_clear(&buf);
        shelf_bytes(s, TABLE, row, &buf);
        if (s->rows[TABLE][row])
            tw_store_put(store, TABLE, row, tw_buf_slice(&buf));
        else
            tw_store_delete(store, TABLE, row);
    }
    tw_buf_done(&buf);
    ASSERT_OK(tw_store_commit(store, &err));
}

static bool reads_as(tw_store *store, const shelf *s, uint32_t row) {
    tw_buf got = {0}, wanted = {0};
    ASSERT_OK(tw_store_read(store, TABLE, row, &got, &err));
    shelf_bytes(s, TABLE, row, &wanted);
    bool same = tw_slice_equal(tw_buf_slice(&got), tw_buf_slice(&wanted));
    tw_buf_done(&got);
    tw_buf_done(&wanted);
    return same;
}

/* How many rows are in place; each of them must read as the owner has it. */
static int check_places(tw_store *store, const shelf *s) {
    int count = 0;
    for (uint32_t row = 0; row < SHELF_ROWS; row++)
        if (s->rows[TABLE][row] && tw_store_in_place(store, TABLE, row)) {
            ASSERT_TRUE(reads_as(store, s, row));
            count++;
        }
    return count;
}

static int count_rows(const shelf *s) {
    int count = 0;
    for (uint32_t row = 0; row < SHELF_ROWS; row++)
        count += s->rows[TABLE][row] != 0;
    return count;
}

/* Some of those that are there, each once. */
static size_t choose(const shelf *s, tw_rng *rng, uint32_t *ret_rows) {
    size_t count = 0;
    for (uint32_t row = 0; row < SHELF_ROWS; row++)
        if (s->rows[TABLE][row] && tw_rng_below(rng, 3) == 0)
            ret_rows[count++] = row;
    return count;
}

static void expect_same_after_opening(const char *dir, const shelf *s) {
    shelf loaded;
    tw_store *store = open_shelf(dir, false, &loaded);
    ASSERT_TRUE(memcmp(loaded.rows, s->rows, sizeof s->rows) == 0);
    ASSERT_OK(tw_store_fold_all(store, &err));
    ASSERT_EQ(check_places(store, s), count_rows(s));
    tw_store_close(store);
}

TEST(what_is_in_place_reads_as_it_was_committed_whatever_was_folded_and_settled) {
    const char *dir = tw_test_dir();
    tw_rng rng = tw_rng_at(tw_test_seed(), 7, 1);
    shelf s;
    tw_store *store = open_shelf(dir, false, &s);
    int settled = 0;
    for (int commit = 0; commit < 60; commit++) {
        uint32_t rows[SHELF_ROWS];
        change(&s, store, &rng, 60);
        if (tw_rng_below(&rng, 3) == 0) {
            size_t count = choose(&s, &rng, rows);
            ASSERT_OK(tw_store_settle(store, TABLE, rows, count, &err));
            settled += (int)count;
            for (size_t i = 0; i < count; i++)
                ASSERT_TRUE(tw_store_in_place(store, TABLE, rows[i]));
        }
        check_places(store, &s);
        if (tw_rng_below(&rng, 12) == 0) {
            const shelf before = s;
            tw_store_close(store);
            store = open_shelf(dir, false, &s);
            ASSERT_TRUE(memcmp(before.rows, s.rows, sizeof s.rows) == 0);
        }
    }
    ASSERT_GT(settled, 100);
    tw_store_close(store);
    expect_same_after_opening(dir, &s);
}

TEST(what_the_journal_alone_has_is_not_in_place_until_it_is_folded) {
    const char *dir = tw_test_dir();
    tw_rng rng = tw_rng_at(tw_test_seed(), 7, 2);
    shelf s;
    tw_store *store = open_shelf(dir, false, &s);
    change(&s, store, &rng, 50);
    ASSERT_EQ(check_places(store, &s), 0);
    ASSERT_OK(tw_store_fold_all(store, &err));
    ASSERT_EQ(check_places(store, &s), count_rows(&s));
    tw_store_close(store);
}

TEST(an_old_deletion_in_the_journal_does_not_take_a_settled_row_away) {
    const char *dir = tw_test_dir();
    shelf s;
    tw_store *store = open_shelf(dir, false, &s);
    const uint32_t row = 3;
    for (int commit = 0; commit < 3; commit++) { /* put, deleted, put */
        tw_buf bytes = {0};
        s.rows[TABLE][row] = commit == 1 ? 0 : 100 + (uint32_t)commit;
        shelf_bytes(&s, TABLE, row, &bytes);
        tw_store_begin(store);
        if (commit == 1)
            tw_store_delete(store, TABLE, row);
        else
            tw_store_put(store, TABLE, row, tw_buf_slice(&bytes));
        ASSERT_OK(tw_store_commit(store, &err));
        tw_buf_done(&bytes);
    }
    ASSERT_OK(tw_store_settle(store, TABLE, &row, 1, &err));
    ASSERT_TRUE(reads_as(store, &s, row));
    ASSERT_OK(tw_store_fold_all(store, &err));
    ASSERT_TRUE(tw_store_in_place(store, TABLE, row) && reads_as(store, &s, row));
    tw_store_close(store);
    expect_same_after_opening(dir, &s);
}

/* write_more DIR: a writer that changes and folds everything, several times over. */
HELPER(write_more) {
    tw_rng rng = tw_rng_at(5, 5, 5);
    shelf s;
    (void)argc;
    tw_store *store = open_shelf(argv[0], false, &s);
    for (int commit = 0; commit < 20; commit++) {
        change(&s, store, &rng, 300);
        ASSERT_OK(tw_store_fold_all(store, &err));
    }
    tw_store_close(store);
    return 0;
}

TEST(a_reader_reads_what_it_opened_with_while_a_writer_goes_on) {
    const char *dir = tw_test_dir();
    tw_rng rng = tw_rng_at(tw_test_seed(), 7, 3);
    shelf s, before;
    tw_store *store = open_shelf(dir, false, &s);
    change(&s, store, &rng, 300);
    ASSERT_OK(tw_store_fold_all(store, &err));
    tw_store_close(store);
    store = open_shelf(dir, true, &before);
    ASSERT_EQ(tw_test_wait(tw_test_spawn("write_more", (const char *[]){dir, NULL}, NULL)), 0);
    ASSERT_EQ(check_places(store, &before), count_rows(&before));
    ASSERT_GT(count_rows(&before), 100);
    tw_store_close(store);
}

/* ---- what cannot be done -------------------------------------------------------------------------------------------- */

TEST(a_row_that_is_not_there_is_told_by_its_number_and_table) {
    const char *dir = tw_test_dir();
    tw_rng rng = tw_rng_at(tw_test_seed(), 7, 4);
    char wanted[700];
    tw_buf row = {0};
    shelf s;
    tw_store *store = open_shelf(dir, false, &s);
    change(&s, store, &rng, 5);
    ASSERT_EQ(tw_store_read(store, TABLE, 100000, &row, &err), TW_E_STORE);
    snprintf(wanted, sizeof wanted,
             "%s: row 100000 of table user is damaged: bring back a copy, or remove the directory to begin anew", dir);
    ASSERT_STR(err.text, wanted);
    ASSERT_EQ(row.size, 0);
    tw_store_close(store);
}

/* Turns a bit wherever the file holds these bytes. */
static int damage(const char *dir, tw_slice bytes) {
    char path[700];
    int found = 0;
    static char file[1 << 22];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDWR);
    size_t size = (size_t)read(fd, file, sizeof file);
    for (char *hit = file; (hit = memmem(hit, size - (size_t)(hit - file), bytes.data, bytes.size)) != NULL; hit++) {
        char turned = *hit ^ 4;
        ASSERT_EQ(pwrite(fd, &turned, 1, hit - file), 1);
        found++;
    }
    close(fd);
    return found;
}

TEST(a_row_that_was_damaged_since_the_opening_is_told_and_the_others_are_read) {
    const char *dir = tw_test_dir();
    tw_rng rng = tw_rng_at(tw_test_seed(), 7, 5);
    tw_buf row = {0}, got = {0};
    shelf s;
    tw_store *store = open_shelf(dir, false, &s);
    change(&s, store, &rng, 300);
    ASSERT_OK(tw_store_fold_all(store, &err));
    uint32_t victim = 0;
    while (shelf_bytes(&s, TABLE, victim, &row), !s.rows[TABLE][victim] || row.size < 40)
        victim++, tw_buf_clear(&row);
    ASSERT_GT(damage(dir, tw_buf_slice(&row)), 0);
    for (uint32_t r = 0; r < SHELF_ROWS; r++)
        if (s.rows[TABLE][r] && r != victim)
            ASSERT_TRUE(reads_as(store, &s, r));
    ASSERT_EQ(tw_store_read(store, TABLE, victim, &got, &err), TW_E_STORE);
    ASSERT_TRUE(strstr(err.text, "of table user is damaged") != NULL);
    ASSERT_EQ(got.size, 0);
    tw_buf_done(&row);
    tw_store_close(store);
}

TEST(each_call_of_a_read_that_fails_is_told_and_the_next_read_is_answered) {
    const char *dir = tw_test_dir();
    tw_rng rng = tw_rng_at(tw_test_seed(), 7, 6);
    shelf s;
    tw_store *store = open_shelf(dir, false, &s);
    change(&s, store, &rng, 200);
    ASSERT_OK(tw_store_fold_all(store, &err));
    uint32_t row = 0;
    while (!s.rows[TABLE][row])
        row++;
    for (int again = 0; again < 2; again++) { /* the first snapshot; one that is renewed */
        long n = 1;
        for (;; n++) {
            tw_buf got = {0};
            tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, n);
            tw_code code = tw_store_read(store, TABLE, row, &got, &err);
            tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, 0);
            tw_buf_done(&got);
            if (code == TW_OK)
                break;
            ASSERT_TRUE((code == TW_E_IO || code == TW_E_STORE) && strstr(err.text, "read back") != NULL);
        }
        ASSERT_GT(n, 1);
        ASSERT_TRUE(reads_as(store, &s, row));
        change(&s, store, &rng, 10);
        ASSERT_OK(tw_store_fold_all(store, &err));
    }
    tw_store_close(store);
}

TEST(each_call_of_a_settlement_that_fails_is_told_and_what_was_committed_stays) {
    char dir[700];
    const char *root = tw_test_dir();
    long n = 1;
    for (;; n++) {
        tw_rng rng = tw_rng_at(11, 11, 11);
        uint32_t rows[SHELF_ROWS];
        shelf s;
        snprintf(dir, sizeof dir, "%s/%ld", root, n);
        tw_store *store = open_shelf(dir, false, &s);
        change(&s, store, &rng, 40);
        size_t count = choose(&s, &rng, rows);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, n);
        tw_code code = tw_store_settle(store, TABLE, rows, count, &err);
        tw_failpoint_arm(TW_FAILPOINT_STORE_CALL, 0);
        if (code != TW_OK) {
            tw_err later;
            ASSERT_TRUE((code == TW_E_IO || code == TW_E_STORE || code == TW_E_FULL) && strstr(err.text, ": "));
            ASSERT_FALSE(tw_store_in_place(store, TABLE, rows[0])); /* none of them counts as put */
            ASSERT_EQ(tw_store_settle(store, TABLE, rows, count, &later), TW_E_STORE);
            tw_store_begin(store);
            ASSERT_EQ(tw_store_commit(store, &later), TW_E_STORE);
        }
        tw_store_close(store);
        expect_same_after_opening(dir, &s);
        if (code == TW_OK)
            break;
    }
    printf("  %ld calls made to fail\n", n - 1);
    ASSERT_GT(n, 5);
}
