/* Opening and closing, and what the files of the store share. Called by the engine at start and end. Who may open is in lock.c, what
 * is ours in open.c, whether it is all there in whole.c; then load.c, and commit.c with fold.c. */
#include "store/internal.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* LMDB answers a write that came out short with EIO, whatever the reason. What the system says to a megabyte more, in a file
 * without a name, tells a full disk or quota from a broken disk. */
static int why_short(const tw_store *store) {
    struct statvfs fs;
    int fd = open(store->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    int result = fd < 0 ? errno : posix_fallocate(fd, 0, 1 << 20);
    if (fd >= 0)
        close(fd);
    if (result == ENOSPC || result == EDQUOT)
        return result;
    bool full = fd < 0 && statvfs(store->dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < (1 << 20);
    return full ? ENOSPC : EIO;
}

tw_code tw_store_fail(const tw_store *store, int result, const char *what, tw_err *err) {
    if (result == EIO)
        result = why_short(store);
    switch (result) {
    case MDB_MAP_FULL:
        return tw_fail(err, TW_E_FULL,
                       "%s: the store has reached state.map.max.bytes (%" PRIu64
                       "); nothing is lost: raise it and start again",
                       store->dir, store->options.map_max_bytes);
    case ENOSPC:
        return tw_fail(err, TW_E_FULL, "%s: the disk is full; nothing is lost: make room and start again", store->dir);
    case EDQUOT:
        return tw_fail(err, TW_E_FULL, "%s: the disk quota is used up; nothing is lost: make room and start again",
                       store->dir);
    case EACCES:
    case EPERM:
    case EROFS:
        return tw_fail(err, TW_E_IO, "%s: %s: %s", store->dir, what, strerror(result));
    case ENOMEM:
        return tw_fail(err, TW_E_NO_MEMORY, "%s: %s: cannot map %" PRIu64 " bytes", store->dir, what,
                       store->options.map_max_bytes);
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return tw_fail(err, TW_E_STORE, "%s: %s: data.mdb is not a store or is damaged (%s)", store->dir, what,
                       mdb_strerror(result));
    default:
        return tw_fail(err, TW_E_STORE, "%s: %s: %s", store->dir, what, mdb_strerror(result));
    }
}

uint64_t tw_store_u64(const void *big_endian) {
    uint64_t v;
    memcpy(&v, big_endian, sizeof v);
    return __builtin_bswap64(v);
}
uint32_t tw_store_u32(const void *big_endian) {
    uint32_t v;
    memcpy(&v, big_endian, sizeof v);
    return __builtin_bswap32(v);
}
void tw_store_put_u64(unsigned char *to, uint64_t value) {
    value = __builtin_bswap64(value);
    memcpy(to, &value, sizeof value);
}
void tw_store_put_u32(unsigned char *to, uint32_t value) {
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof value);
}
void tw_store_row_key(tw_table table, uint32_t row, unsigned char *key) {
    key[0] = (unsigned char)table;
    tw_store_put_u32(key + 1, row);
}
void tw_store_chunk_key(uint64_t commit, uint32_t chunk, unsigned char *key) {
    tw_store_put_u64(key, commit);
    tw_store_put_u32(key + 8, chunk);
}

tw_row_mark *tw_store_mark(tw_store *store, tw_table table, uint32_t row) {
    size_t old = store->marks_capacity[table];
    if (row >= old) {
        store->marks[table] =
            tw_grow(store->marks[table], &store->marks_capacity[table], (size_t)row + 1, sizeof(tw_row_mark));
        memset(store->marks[table] + old, 0, (store->marks_capacity[table] - old) * sizeof(tw_row_mark));
    }
    return &store->marks[table][row];
}

static uint64_t sum_of(MDB_val key, const char *bytes, size_t size) {
    return tw_hash64((tw_slice){bytes, size}) ^ tw_hash64((tw_slice){key.mv_data, key.mv_size});
}

void tw_store_seal(MDB_val key, MDB_val value) {
    uint64_t sum = sum_of(key, (char *)value.mv_data + TW_SUM_SIZE, value.mv_size - TW_SUM_SIZE);
    memcpy(value.mv_data, &sum, TW_SUM_SIZE);
}

bool tw_store_unseal(MDB_val key, MDB_val value, tw_slice *ret_bytes) {
    uint64_t sum;
    if (value.mv_size < TW_SUM_SIZE)
        return false;
    memcpy(&sum, value.mv_data, TW_SUM_SIZE);
    *ret_bytes = (tw_slice){(char *)value.mv_data + TW_SUM_SIZE, value.mv_size - TW_SUM_SIZE};
    return sum == sum_of(key, ret_bytes->data, ret_bytes->size);
}

int tw_store_begin_read(tw_store *store, MDB_txn **ret_txn) {
    MDB_envinfo info;
    size_t size = 0;
    int result = TW_STORE_CALL(mdb_txn_begin(store->env, NULL, MDB_RDONLY, ret_txn));
    while (result == MDB_MAP_RESIZED) { /* the writer's map is larger than ours, and in use */
        mdb_env_info(store->env, &info);
        if (info.me_mapsize == size) /* ours as it is, and still too small: a number of pages that no map could hold */
            return MDB_CORRUPTED;
        size = info.me_mapsize;
        result = TW_STORE_CALL(mdb_env_set_mapsize(store->env, 0));
        if (result == 0)
            result = TW_STORE_CALL(mdb_txn_begin(store->env, NULL, MDB_RDONLY, ret_txn));
    }
    return result;
}

int tw_store_commit_txn(MDB_txn *txn) {
    if (!TW_FAILPOINT(STORE_CALL))
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return EIO;
}

tw_code tw_store_open(const tw_store_options *options, const tw_store_owner *owner, tw_store **ret_store,
                      bool *ret_fresh, tw_err *err) {
    tw_store *store = tw_zalloc(sizeof *store);
    struct stat st;
    store->options = *options;
    store->owner = *owner;
    store->dir = tw_strdup(options->dir);
    store->lock_fd = -1;
    store->oldest = 1;
    bool listed = true, fresh;
    tw_code code = TW_OK;
    if (options->read_only && stat(store->dir, &st) != 0)
        code = tw_fail(err, TW_E_NOT_FOUND, "%s: no such directory", store->dir);
    else if (options->read_only)
        code = tw_store_lock_reader(store, &listed, err);
    else if ((code = tw_store_make_dir(store->dir, err)) == TW_OK)
        code = tw_store_lock_writer(store, err);
    if (code == TW_OK)
        code = tw_store_open_env(store, listed, err);
    if (code == TW_OK)
        code = tw_store_open_tables(store, &fresh, err);
    if (code == TW_OK && !options->read_only)
        code = tw_store_sign(store, err);
    if (code != TW_OK) {
        tw_store_close(store);
        return code;
    }
    *ret_store = store;
    *ret_fresh = fresh;
    return TW_OK;
}

bool tw_store_made(const tw_store *store) {
    return store->made;
}

tw_store *tw_store_close(tw_store *store) {
    if (!store)
        return NULL;
    if (store->reader)
        mdb_txn_abort(store->reader);
    if (store->env)
        mdb_env_close(store->env);
    tw_store_unlock(store);
    for (size_t i = 0; i < store->chunks_capacity; i++)
        tw_buf_done(&store->chunks[i]);
    for (size_t i = 0; i < store->pending_metas_capacity; i++)
        tw_buf_done(&store->pending_metas[i].bytes);
    for (int t = 0; t < TW_TABLE_COUNT; t++)
        free(store->marks[t]);
    free(store->chunks);
    free(store->pending_metas);
    free(store->pending_logs);
    tw_buf_done(&store->log_bytes);
    tw_buf_done(&store->scratch);
    free(store->dir);
    free(store);
    return NULL;
}

void tw_store_stats_get(const tw_store *store, tw_store_stats *ret_stats) {
    MDB_envinfo info;
    MDB_stat pages;
    *ret_stats = store->stats;
    ret_stats->journal_commits = store->commit + 1 - store->oldest;
    ret_stats->journal_bytes = store->journal_bytes;
    ret_stats->map_max_bytes = store->options.map_max_bytes;
    for (int t = 0; t < TW_TABLE_COUNT; t++)
        ret_stats->marks_bytes += store->marks_capacity[t] * sizeof(tw_row_mark);
    if (mdb_env_info(store->env, &info) == 0 && mdb_env_stat(store->env, &pages) == 0)
        ret_stats->map_used_bytes = (uint64_t)(info.me_last_pgno + 1) * pages.ms_psize;
}
