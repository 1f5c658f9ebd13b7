/* A copy of a state, to keep or to bring back. Called by `tailwater backup` and `tailwater restore`; main thread.
 *
 * LMDB reads the last commit in one transaction, which no writer disturbs, and writes it out page by page without those that are free;
 * while that takes, the writer cannot use again the pages that it frees, so its file grows by what it changes meanwhile. */
#include "store/internal.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static tw_code hear_row(void *self, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err) {
    (void)self, (void)table, (void)row, (void)bytes, (void)delta, (void)err;
    return TW_OK;
}
static void hear_delete(void *self, tw_table table, uint32_t row) {
    (void)self, (void)table, (void)row;
}
static tw_code hear_meta(void *self, const char *name, tw_slice bytes, tw_err *err) {
    (void)self, (void)name, (void)bytes, (void)err;
    return TW_OK;
}
static tw_code hear_log(void *self, uint32_t log, uint64_t bucket, tw_slice bytes, tw_err *err) {
    (void)self, (void)log, (void)bucket, (void)bytes, (void)err;
    return TW_OK;
}

/* Nobody: the store checks each value before it hands it over. */
static const tw_store_owner nobody = {
    .load = hear_row, .load_delete = hear_delete, .load_meta = hear_meta, .load_log = hear_log};

static tw_code open_reader(const char *dir, uint64_t map_max_bytes, tw_store **ret_store, tw_err *err) {
    const tw_store_options options = {.dir = dir, .map_max_bytes = map_max_bytes, .read_only = true};
    bool fresh;
    return tw_store_open(&options, &nobody, ret_store, &fresh, err);
}

static tw_code read_back(const char *dir, uint64_t map_max_bytes, tw_err *err) {
    tw_store *store;
    TW_TRY(open_reader(dir, map_max_bytes, &store, err));
    tw_code code = tw_store_load(store, err);
    tw_store_close(store);
    return code;
}

static tw_code write_pages(tw_store *from, const tw_store *to, tw_err *err) {
    MDB_txn *txn;
    int result = MDB_MAP_RESIZED;
    while (result == MDB_MAP_RESIZED) { /* the writer made it larger since we last looked */
        result = tw_store_begin_read(from, &txn);
        if (result != 0)
            return tw_store_fail(from, result, "begin", err);
        mdb_txn_abort(txn);
        result = TW_STORE_CALL(mdb_env_copyfd2(from->env, to->lock_fd, MDB_CP_COMPACT));
    }
    if (result != 0)
        return tw_store_fail(to, result, "copy", err);
    return TW_STORE_SYSTEM(fsync(to->lock_fd)) == 0 ? TW_OK : tw_fail_errno(err, TW_E_IO, "%s: copy", to->dir);
}

static void remove_file(const tw_store *store, const char *name) {
    char path[4300];
    snprintf(path, sizeof path, "%s/%s", store->dir, name);
    unlink(path);
}

/* Into the file that is locked. What is no copy goes again, and so does what another state has left of LMDB's lock. */
static tw_code copy_locked(tw_store *from, tw_store *to, uint64_t map_max_bytes, uint64_t *ret_bytes, tw_err *err) {
    struct stat st;
    tw_code code = write_pages(from, to, err);
    (void)TW_FAILPOINT(STORE_COPIED);
    if (code == TW_OK && TW_STORE_SYSTEM(fstat(to->lock_fd, &st)) != 0)
        code = tw_fail_errno(err, TW_E_IO, "%s", to->dir);
    if (code != TW_OK) {
        remove_file(to, TW_STORE_NEW_FILE);
        return code;
    }
    remove_file(to, "lock.mdb");
    code = tw_store_keep_new(to, err);
    if (code == TW_OK)
        code = read_back(to->dir, map_max_bytes, err);
    if (code == TW_OK) {
        *ret_bytes = (uint64_t)st.st_size;
        return TW_OK;
    }
    remove_file(to, "data.mdb");
    remove_file(to, TW_STORE_NEW_FILE);
    return tw_wrap(err, "the copy of %s could not be read back and is removed", from->dir);
}

tw_code tw_store_copy(const char *from, const char *to, uint64_t map_max_bytes, uint64_t *ret_bytes, tw_err *err) {
    tw_store *source, target = {.dir = (char *)(uintptr_t)to, .lock_fd = -1};
    bool there = false;
    TW_TRY(open_reader(from, map_max_bytes, &source, err));
    tw_code code = tw_store_make_dir(to, err);
    if (code == TW_OK)
        code = tw_store_lock_new(&target, &there, err);
    if (code == TW_OK && there)
        code = tw_fail(err, TW_E_USAGE,
                       "%s holds a state: name another directory, or delete it (tailwater reset --all)", to);
    if (code == TW_OK)
        code = copy_locked(source, &target, map_max_bytes, ret_bytes, err);
    tw_store_unlock(&target);
    tw_store_close(source);
    return code;
}
