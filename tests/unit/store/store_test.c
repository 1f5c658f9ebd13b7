#include "base/failpoint.h"
#include "store/store.h"
#include "support/test.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/wait.h>
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
static void load_delete(void *self, tw_table table, uint32_t row) {
    (void)self, (void)table, (void)row;
}
static tw_code load_meta(void *self, const char *name, tw_slice bytes, tw_err *err) {
    (void)self, (void)name, (void)bytes, (void)err;
    return TW_OK;
}
static tw_code load_log(void *self, uint32_t log, uint64_t bucket, tw_slice bytes, tw_err *err) {
    (void)self, (void)log, (void)bucket, (void)bytes, (void)err;
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
    tw_store_owner callbacks = {&mine, load, load_delete, load_meta, load_log, encode};
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
    ASSERT_FALSE(fresh);
    tw_store_close(store);
}

TEST(a_second_writer_is_refused_with_the_owner_named) {
    const char *dir = tw_test_dir();
    tw_store *store;
    bool fresh;
    int told[2];
    char pid_text[32], answer[8] = "";
    ASSERT_EQ(pipe(told), 0);
    ASSERT_OK(open_with(dir, 1 << 24, false, &store, &fresh));
    snprintf(pid_text, sizeof pid_text, "process %ld", (long)getpid());
    pid_t child = fork();
    if (child == 0) { /* another process: LMDB wants one open per process */
        tw_store *other;
        tw_code code = open_with(dir, 1 << 24, false, &other, &fresh);
        bool good = code == TW_E_LOCKED && strstr(err.text, pid_text);
        _exit(write(told[1], good ? "good" : "bad", 5) == 5 ? 0 : 1);
    }
    ASSERT_GT(read(told[0], answer, sizeof answer - 1), 0);
    waitpid(child, NULL, 0);
    ASSERT_STR(answer, "good");
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
static void damage(const char *dir, off_t offset, const void *bytes, size_t size, off_t cut_to) {
    char path[600];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDWR);
    ASSERT_GE(fd, 0);
    if (size)
        ASSERT_EQ(pwrite(fd, bytes, size, offset), size);
    if (cut_to >= 0)
        ASSERT_EQ(ftruncate(fd, cut_to), 0);
    close(fd);
}

TEST(a_cut_file_is_an_error_and_not_a_crash) {
    const char *dir = tw_test_dir();
    tw_store *store;
    bool fresh;
    ASSERT_OK(open_with(dir, 1 << 26, false, &store, &fresh));
    put_rows(store, 1000, 4000);
    ASSERT_OK(tw_store_commit(store, &err));
    tw_store_close(store);
    damage(dir, 0, NULL, 0, 1 << 20);
    ASSERT_EQ(open_with(dir, 1 << 26, false, &store, &fresh), TW_E_STORE);
    ASSERT_TRUE(strstr(err.text, "truncated") != NULL);
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
    damage(dir, size / 2, "damage", 6, -1);
    tw_code code = open_with(dir, 1 << 26, false, &store, &fresh);
    if (code == TW_OK) {
        code = tw_store_load(store, &err);
        tw_store_close(store);
    }
    ASSERT_EQ(code, TW_E_STORE);
}

TEST(a_store_of_another_format_is_refused_with_both_named) {
    const char *dir = tw_test_dir();
    tw_store *store;
    bool fresh;
    ASSERT_OK(open_with(dir, 1 << 24, false, &store, &fresh));
    tw_store_close(store);
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi metas;
    uint32_t format = 77;
    MDB_val key = {6, "format"}, value = {sizeof format, &format};
    ASSERT_EQ(mdb_env_create(&env), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(env, 8), 0);
    ASSERT_EQ(mdb_env_open(env, dir, 0, 0666), 0);
    ASSERT_EQ(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, "metas", 0, &metas), 0);
    ASSERT_EQ(mdb_put(txn, metas, &key, &value, 0), 0);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    for (int read_only = 0; read_only < 2; read_only++) {
        ASSERT_EQ(open_with(dir, 1 << 24, read_only, &store, &fresh), TW_E_VERSION);
        ASSERT_TRUE(strstr(err.text, "format 77") && strstr(err.text, "format 1"));
    }
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
