#include "store/store.h"
#include "support/quiet.h"
#include "support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct owner {
    int rows;
    uint32_t last;
    tw_buf fold_bytes;
} owner;

static tw_code load(void *self, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err) {
    (void)table, (void)bytes, (void)delta, (void)err;
    ((owner *)self)->rows++;
    ((owner *)self)->last = row;
    return TW_OK;
}
static void encode(void *self, tw_table table, uint32_t row, tw_buf *out) {
    (void)self, (void)table;
    tw_buf_u32(out, row);
}

static owner mine;
static tw_err err;

static tw_code open_with(const char *dir, uint64_t map_max, bool read_only, tw_store **ret, bool *ret_fresh) {
    tw_store_options options = {dir, map_max, 1 << 20, 100, read_only};
    tw_store_owner callbacks = {&mine, load, quiet_load_delete, quiet_load_meta, quiet_load_log, encode};
    mine = (owner){0};
    return tw_store_open(&options, &callbacks, ret, ret_fresh, &err);
}

static void put_rows(tw_store *store, uint32_t count, size_t size) {
    char *bytes = calloc(1, size);
    tw_store_begin(store);
    for (uint32_t r = 0; r < count; r++)
        tw_store_put(store, TW_TABLE_ITEM, r, (tw_slice){bytes, size});
    free(bytes);
}

TEST(a_fresh_directory_is_made_with_its_parents) {
    char dir[600];
    tw_store *store;
    bool fresh;
    snprintf(dir, sizeof dir, "%s/a/b/c", tw_test_dir());
    ASSERT_OK(open_with(dir, 1 << 24, false, &store, &fresh));
    ASSERT_TRUE(fresh);
    tw_store_close(store);
    ASSERT_OK(open_with(dir, 1 << 24, false, &store, &fresh));
    ASSERT_TRUE(fresh); /* nothing was committed yet */
    put_rows(store, 1, 8);
    ASSERT_OK(tw_store_commit(store, &err));
    tw_store_close(store);
    ASSERT_OK(open_with(dir, 1 << 24, false, &store, &fresh));
    ASSERT_FALSE(fresh);
    tw_store_close(store);
}

TEST(a_full_map_is_told_and_the_last_commit_stays) {
    const char *dir = tw_test_dir();
    tw_store *store;
    bool fresh;
    ASSERT_OK(open_with(dir, 1 << 20, false, &store, &fresh));
    put_rows(store, 100, 100);
    ASSERT_OK(tw_store_commit(store, &err));
    put_rows(store, 1000, 4000);
    ASSERT_EQ(tw_store_commit(store, &err), TW_E_FULL);
    ASSERT_TRUE(strstr(err.text, "state.map.max.bytes") != NULL);
    put_rows(store, 1, 100); /* what memory knows of the store is ahead of the file: no commit goes on from there */
    ASSERT_EQ(tw_store_commit(store, &err), TW_E_STORE);
    ASSERT_EQ(tw_store_fold_all(store, &err), TW_E_STORE);
    tw_store_close(store);
    ASSERT_OK(open_with(dir, 1 << 24, false, &store, &fresh));
    ASSERT_OK(tw_store_load(store, &err));
    ASSERT_EQ(mine.rows, 100);
    put_rows(store, 1000, 4000); /* with more room it goes on */
    ASSERT_OK(tw_store_commit(store, &err));
    tw_store_close(store);
}

TEST(a_reader_of_nothing_is_told_so) {
    char dir[600];
    tw_store *store;
    bool fresh;
    snprintf(dir, sizeof dir, "%s/none", tw_test_dir());
    ASSERT_EQ(open_with(dir, 1 << 24, true, &store, &fresh), TW_E_NOT_FOUND);
    ASSERT_NE(open_with(tw_test_dir(), 1 << 24, true, &store, &fresh), TW_OK);
}

/* Overwrites part of data.mdb. */
static void damage(const char *dir, off_t offset, const void *bytes, size_t size) {
    char path[600];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDWR);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(pwrite(fd, bytes, size, offset), size);
    close(fd);
}

TEST(a_file_that_is_no_store_is_an_error) {
    const char *dir = tw_test_dir();
    tw_store *store;
    bool fresh;
    char path[600], noise[8192];
    memset(noise, 0x5a, sizeof noise);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
    ASSERT_EQ(write(fd, noise, sizeof noise), sizeof noise);
    close(fd);
    ASSERT_EQ(open_with(dir, 1 << 24, false, &store, &fresh), TW_E_STORE);
}

TEST(a_damaged_journal_is_found_by_its_checksum) {
    const char *dir = tw_test_dir();
    tw_store *store;
    bool fresh;
    char path[600];
    ASSERT_OK(open_with(dir, 1 << 26, false, &store, &fresh));
    put_rows(store, 500, 1000);
    ASSERT_OK(tw_store_commit(store, &err));
    tw_store_close(store);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    FILE *file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    damage(dir, size / 2, "damage", 6);
    tw_code code = open_with(dir, 1 << 26, false, &store, &fresh);
    if (code == TW_OK) {
        code = tw_store_load(store, &err);
        tw_store_close(store);
    }
    ASSERT_EQ(code, TW_E_STORE);
}

TEST(folding_everything_empties_the_journal_and_keeps_the_rows) {
    const char *dir = tw_test_dir();
    tw_store *store;
    tw_store_stats stats;
    bool fresh;
    ASSERT_OK(open_with(dir, 1 << 26, false, &store, &fresh));
    for (int i = 0; i < 5; i++) {
        put_rows(store, 1000, 100);
        ASSERT_OK(tw_store_commit(store, &err));
    }
    ASSERT_OK(tw_store_fold_all(store, &err));
    tw_store_stats_get(store, &stats);
    ASSERT_EQ(stats.journal_bytes, 0);
    ASSERT_EQ(stats.folded_rows, 1000); /* each once: only the newest change of a row counts */
    tw_store_close(store);
    ASSERT_OK(open_with(dir, 1 << 26, false, &store, &fresh));
    ASSERT_OK(tw_store_load(store, &err));
    ASSERT_EQ(mine.rows, 1000);
    tw_store_close(store);
}
