/* Directories that hold something else: refused with a sentence that names the directory, and left as they are. */
#include "base/hash.h"
#include "support/test.h"
#include "tailwater/version.h"
#include "unit/store/shelf.h"

#include <fcntl.h>
#include <lmdb.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_MAX ((uint64_t)1 << 24)

static tw_err err;

/* Writes one value into a table of the environment there (NULL: the main one). */
static void write_value(const char *dir, const char *table, const char *name, const void *bytes, size_t size) {
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    MDB_val key = {strlen(name), (void *)name}, value = {size, (void *)bytes};
    ASSERT_EQ(mdb_env_create(&env), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(env, 8), 0);
    ASSERT_EQ(mdb_env_open(env, dir, 0, 0666), 0);
    ASSERT_EQ(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ASSERT_EQ(mdb_dbi_open(txn, table, table ? MDB_CREATE : 0, &dbi), 0);
    ASSERT_EQ(mdb_put(txn, dbi, &key, &value, 0), 0);
    ASSERT_EQ(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static uint64_t hash_of_data(const char *dir) {
    static char bytes[1 << 20];
    char path[700];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, bytes, sizeof bytes);
    close(fd);
    return n < 0 ? 0 : tw_hash64((tw_slice){bytes, (size_t)n});
}

static void expect_refusal(const char *dir, tw_code wanted, const char *text) {
    tw_store *store;
    struct stat st;
    char path[700];
    uint64_t before = hash_of_data(dir);
    for (int read_only = 0; read_only < 2; read_only++) {
        shelf s = {0};
        tw_code code = shelf_open(dir, MAP_MAX, read_only, &s, &store, &err);
        if (code != wanted || !strstr(err.text, text) || !strstr(err.text, dir))
            tw_test_fail(__FILE__, __LINE__, "code %d: %s", code, code == TW_OK ? "opened" : err.text);
    }
    uint64_t bytes;
    snprintf(path, sizeof path, "%s-copy", dir);
    tw_code code = tw_store_copy(dir, path, MAP_MAX, &bytes, &err); /* a backup of it, or one that is brought back */
    if (code != wanted || !strstr(err.text, text) || access(path, F_OK) == 0)
        tw_test_fail(__FILE__, __LINE__, "copied: code %d: %s", code, err.text);
    ASSERT_TRUE(hash_of_data(dir) == before);
    snprintf(path, sizeof path, "%s/owner.pid", dir);
    if (!strstr(text, "missing"))
        ASSERT_NE(stat(path, &st), 0);
}

/* A store with one commit, unsigned, as if it had come from elsewhere. */
static void make_store(const char *dir) {
    tw_store *store;
    shelf s = {0};
    tw_rng rng = tw_rng_at(1, 1, 1);
    char path[700];
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    shelf_change(&s, store, &rng, 10);
    ASSERT_OK(tw_store_commit(store, &err));
    tw_store_close(store);
    snprintf(path, sizeof path, "%s/owner.pid", dir);
    ASSERT_EQ(unlink(path), 0);
}

TEST(a_store_of_another_format_is_refused_with_both_named_and_what_to_do) {
    const char *dir = tw_test_dir();
    uint32_t format = 1;
    char both[100];
    make_store(dir);
    write_value(dir, "metas", "format", &format, sizeof format);
    snprintf(both, sizeof both, "store format 1, this program writes format %d", TW_STORE_FORMAT);
    expect_refusal(dir, TW_E_VERSION, both);
    expect_refusal(dir, TW_E_VERSION, "read the input again from its beginning");
    format = 77;
    write_value(dir, "metas", "format", &format, sizeof format);
    expect_refusal(dir, TW_E_VERSION, "format 77");
}

TEST(a_format_of_the_wrong_size_is_not_ours) {
    const char *dir = tw_test_dir();
    make_store(dir);
    write_value(dir, "metas", "format", "\2\0\0\0\0\0\0\0", 8);
    expect_refusal(dir, TW_E_MISMATCH, "its format has 8 bytes");
    write_value(dir, "metas", "format", "", 0);
    expect_refusal(dir, TW_E_MISMATCH, "its format has 0 bytes");
}

TEST(tables_of_another_program_are_not_adopted) {
    const char *dir = tw_test_dir();
    write_value(dir, "accounts", "alice", "12", 2);
    expect_refusal(dir, TW_E_MISMATCH, "LMDB data of another program");
    dir = tw_test_dir();
    write_value(dir, "metas", "author", "them", 4);
    expect_refusal(dir, TW_E_MISMATCH, "names no format");
}

TEST(values_in_the_main_table_are_not_adopted) {
    const char *dir = tw_test_dir();
    write_value(dir, NULL, "alice", "12", 2);
    expect_refusal(dir, TW_E_MISMATCH, "LMDB data of another program");
    dir = tw_test_dir();
    write_value(dir, NULL, "metas", "12", 2);
    expect_refusal(dir, TW_E_MISMATCH, "LMDB data of another program");
}

TEST(a_fifth_table_is_not_ours) {
    const char *dir = tw_test_dir();
    make_store(dir);
    write_value(dir, "accounts", "alice", "12", 2);
    expect_refusal(dir, TW_E_MISMATCH, "5 tables");
}

TEST(an_environment_with_nothing_in_it_is_not_ours) {
    const char *dir = tw_test_dir();
    MDB_env *env;
    ASSERT_EQ(mdb_env_create(&env), 0);
    ASSERT_EQ(mdb_env_open(env, dir, 0, 0666), 0);
    mdb_env_close(env);
    expect_refusal(dir, TW_E_MISMATCH, "there is no table metas");
}

TEST(a_state_whose_file_is_gone_is_not_begun_anew_in_silence) {
    const char *dir = tw_test_dir();
    tw_store *store;
    shelf s = {0};
    char path[700];
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    tw_store_close(store);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    ASSERT_EQ(unlink(path), 0);
    expect_refusal(dir, TW_E_STORE, "data.mdb is missing");
}

TEST(what_a_killed_first_start_left_is_no_obstacle) {
    const char *dir = tw_test_dir();
    tw_store *store;
    shelf s = {0};
    char path[700];
    snprintf(path, sizeof path, "%s/data.mdb.new", dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0666);
    ASSERT_EQ(write(fd, "half of a page", 14), 14);
    close(fd);
    ASSERT_EQ(shelf_open(dir, MAP_MAX, true, &s, &store, &err), TW_E_NOT_FOUND);
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    tw_store_close(store);
    ASSERT_NE(access(path, F_OK), 0);
}
