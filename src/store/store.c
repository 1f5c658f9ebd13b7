/* Opening, locking, loading and closing. Called by the engine at start and end; commits are in commit.c, the fold in fold.c. */
#include "store/internal.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "tailwater/version.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* LMDB answers a write that came out short with EIO, whatever the reason: a disk without room for a commit is full. */
static bool disk_is_full(const tw_store *store) {
    struct statvfs fs;
    return statvfs(store->dir, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < (1 << 20);
}

tw_code tw_store_fail(const tw_store *store, int result, const char *what, tw_err *err) {
    if (result == EIO && disk_is_full(store))
        result = ENOSPC;
    switch (result) {
    case MDB_MAP_FULL:
        return tw_fail(err, TW_E_FULL,
                       "%s: the store has reached state.map.max.bytes (%" PRIu64
                       "); nothing is lost: raise it and start again",
                       store->dir, store->options.map_max_bytes);
    case ENOSPC:
    case EDQUOT:
        return tw_fail(err, TW_E_FULL, "%s: the disk is full; nothing is lost: make room and start again", store->dir);
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

/* mkdir -p. */
static tw_code make_dir(const char *dir, tw_err *err) {
    char path[4200];
    snprintf(path, sizeof path, "%s", dir);
    for (char *at = path + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char kept = *at;
        *at = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return tw_fail_errno(err, TW_E_IO, "%s", path);
        *at = kept;
        if (!kept)
            return TW_OK;
    }
}

/* One writer: a lock on a file that also says who. The lock goes with the process, however it ends. */
static tw_code take_lock(tw_store *store, tw_err *err) {
    char path[4300], text[32];
    snprintf(path, sizeof path, "%s/owner.pid", store->dir);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (store->lock_fd < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = pread(store->lock_fd, text, sizeof text - 1, 0);
        text[n > 0 ? n : 0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        return tw_fail(err, TW_E_LOCKED, "%s is open for writing in process %s", store->dir,
                       *text ? text : "(unknown)");
    }
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(store->lock_fd, 0) != 0 || pwrite(store->lock_fd, text, (size_t)size, 0) != size)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    return TW_OK;
}

/* The size that the pages of the last commit span, and the size of the file. LMDB does not write pages that were taken and given
 * back within a transaction, so the file may end a few pages early until tw_store_pad makes it whole. */
static tw_code sizes(const tw_store *store, uint64_t *ret_wanted, uint64_t *ret_file, tw_err *err) {
    char path[4300];
    struct stat st;
    MDB_envinfo info;
    MDB_stat pages;
    snprintf(path, sizeof path, "%s/data.mdb", store->dir);
    if (mdb_env_info(store->env, &info) != 0 || mdb_env_stat(store->env, &pages) != 0 || stat(path, &st) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    *ret_wanted = (uint64_t)(info.me_last_pgno + 1) * pages.ms_psize;
    *ret_file = (uint64_t)st.st_size;
    return TW_OK;
}

tw_code tw_store_pad(tw_store *store, tw_err *err) {
    uint64_t wanted, file;
    int fd;
    TW_TRY(sizes(store, &wanted, &file, err));
    if (file >= wanted)
        return TW_OK;
    if (mdb_env_get_fd(store->env, &fd) != 0 || ftruncate(fd, (off_t)wanted) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s/data.mdb", store->dir);
    return TW_OK;
}

/* A file much shorter than its pages span was cut: the first touch of a missing page would be SIGBUS. */
#define SHORT_MAX (64 * 4096)

static tw_code check_size(tw_store *store, tw_err *err) {
    uint64_t wanted, file;
    TW_TRY(sizes(store, &wanted, &file, err));
    if (file + SHORT_MAX < wanted)
        return tw_fail(err, TW_E_STORE, "%s/data.mdb is truncated: %" PRIu64 " bytes, its pages need %" PRIu64,
                       store->dir, file, wanted);
    return store->options.read_only ? TW_OK : tw_store_pad(store, err);
}

static tw_code open_env(tw_store *store, tw_err *err) {
    unsigned flags = MDB_NOTLS | (store->options.read_only ? MDB_RDONLY : 0);
    int result = mdb_env_create(&store->env);
    if (result == 0)
        result = mdb_env_set_maxdbs(store->env, 8);
    if (result == 0)
        result = mdb_env_set_mapsize(store->env, store->options.map_max_bytes);
    if (result == 0)
        result = mdb_env_open(store->env, store->dir, flags, 0666);
    if (result == EACCES &&
        store->options.read_only) { /* a directory that we may only read: no place in the table of readers */
        mdb_env_close(store->env);
        store->env = NULL;
        result = mdb_env_create(&store->env);
        if (result == 0)
            result = mdb_env_set_maxdbs(store->env, 8);
        if (result == 0)
            result = mdb_env_open(store->env, store->dir, flags | MDB_NOLOCK, 0666);
    }
    if (result != 0)
        return tw_store_fail(store, result, "open", err);
    int dead;
    mdb_reader_check(store->env, &dead);
    return check_size(store, err);
}

static tw_code check_format(tw_store *store, MDB_txn *txn, bool *ret_fresh, tw_err *err) {
    MDB_val key = {strlen(TW_STORE_FORMAT_META), TW_STORE_FORMAT_META}, value;
    uint32_t format = TW_STORE_FORMAT;
    int result = mdb_get(txn, store->metas, &key, &value);
    *ret_fresh = result == MDB_NOTFOUND;
    if (*ret_fresh && !store->options.read_only) {
        value = (MDB_val){sizeof format, &format};
        result = mdb_put(txn, store->metas, &key, &value, 0);
        return result ? tw_store_fail(store, result, "format", err) : TW_OK;
    }
    if (result == 0 && value.mv_size == sizeof format)
        memcpy(&format, value.mv_data, sizeof format);
    if (format != TW_STORE_FORMAT)
        return tw_fail(err, TW_E_VERSION, "%s has store format %" PRIu32 ", this program writes format %d", store->dir,
                       format, TW_STORE_FORMAT);
    return TW_OK;
}

static tw_code open_tables(tw_store *store, bool *ret_fresh, tw_err *err) {
    static const char *const names[] = {"metas", "rows", "journal", "logs"};
    MDB_dbi *const tables[] = {&store->metas, &store->rows, &store->journal, &store->logs};
    MDB_txn *txn;
    int result = mdb_txn_begin(store->env, NULL, store->options.read_only ? MDB_RDONLY : 0, &txn);
    if (result != 0)
        return tw_store_fail(store, result, "begin", err);
    for (int t = 0; t < 4; t++) {
        result = mdb_dbi_open(txn, names[t], store->options.read_only ? 0 : MDB_CREATE, tables[t]);
        if (result == MDB_NOTFOUND && store->options.read_only) {
            mdb_txn_abort(txn);
            return tw_fail(err, TW_E_NOT_FOUND, "%s holds no state yet", store->dir);
        }
        if (result != 0) {
            mdb_txn_abort(txn);
            return tw_store_fail(store, result, "tables", err);
        }
    }
    tw_code code = check_format(store, txn, ret_fresh, err);
    if (code != TW_OK) {
        mdb_txn_abort(txn);
        return code;
    }
    result = mdb_txn_commit(txn);
    return result ? tw_store_fail(store, result, "create", err) : TW_OK;
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
    tw_code code = TW_OK;
    if (options->read_only && stat(store->dir, &st) != 0)
        code = tw_fail(err, TW_E_NOT_FOUND, "%s: no such directory", store->dir);
    else if (!options->read_only)
        code = make_dir(store->dir, err);
    if (code == TW_OK && !options->read_only)
        code = take_lock(store, err);
    if (code == TW_OK)
        code = open_env(store, err);
    if (code == TW_OK)
        code = open_tables(store, ret_fresh, err);
    if (code != TW_OK) {
        tw_store_close(store);
        return code;
    }
    *ret_store = store;
    return TW_OK;
}

tw_store *tw_store_close(tw_store *store) {
    if (!store)
        return NULL;
    if (store->env)
        mdb_env_close(store->env);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
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

/* ---- loading ------------------------------------------------------------------------------------------------------ */

bool tw_store_next_op(tw_slice chunk, size_t *offset, tw_op *ret_op, tw_slice *ret_bytes, bool *ret_bad) {
    *ret_bad = false;
    if (*offset == chunk.size)
        return false;
    *ret_bad = chunk.size - *offset < sizeof *ret_op;
    if (*ret_bad)
        return false;
    memcpy(ret_op, chunk.data + *offset, sizeof *ret_op);
    *offset += sizeof *ret_op;
    *ret_bad = ret_op->size > chunk.size - *offset || ret_op->table >= TW_TABLE_COUNT || ret_op->kind < TW_OP_PUT ||
               ret_op->kind > TW_OP_DELETE;
    if (*ret_bad)
        return false;
    *ret_bytes = (tw_slice){chunk.data + *offset, ret_op->size};
    *offset += ret_op->size;
    return true;
}

static tw_code load_chunk(tw_store *store, uint64_t commit, tw_slice chunk, tw_err *err) {
    uint64_t sum;
    if (chunk.size < sizeof sum)
        return tw_fail(err, TW_E_STORE, "%s: a chunk of the journal is too short", store->dir);
    memcpy(&sum, chunk.data, sizeof sum);
    chunk = (tw_slice){chunk.data + sizeof sum, chunk.size - sizeof sum};
    if (sum != tw_hash64(chunk))
        return tw_fail(err, TW_E_STORE, "%s: commit %" PRIu64 " of the journal is damaged", store->dir, commit);
    size_t offset = 0;
    tw_op op;
    tw_slice bytes;
    bool bad;
    while (tw_store_next_op(chunk, &offset, &op, &bytes, &bad)) {
        if (op.kind == TW_OP_DELETE)
            store->owner.load_delete(store->owner.self, (tw_table)op.table, op.row);
        else
            TW_TRY(
                store->owner.load(store->owner.self, (tw_table)op.table, op.row, bytes, op.kind == TW_OP_DELTA, err));
        if (op.kind != TW_OP_DELTA)
            tw_store_mark(store, (tw_table)op.table, op.row)->whole = (uint32_t)commit;
    }
    return bad ? tw_fail(err, TW_E_STORE, "%s: commit %" PRIu64 " of the journal is damaged", store->dir, commit)
               : TW_OK;
}

typedef tw_code (*visit_fn)(tw_store *store, MDB_val key, MDB_val value, tw_err *err);

static tw_code visit_meta(tw_store *store, MDB_val key, MDB_val value, tw_err *err) {
    char name[64];
    if (key.mv_size >= sizeof name)
        return tw_fail(err, TW_E_STORE, "%s: a meta's name is damaged", store->dir);
    memcpy(name, key.mv_data, key.mv_size);
    name[key.mv_size] = '\0';
    if (strcmp(name, TW_STORE_FORMAT_META) == 0)
        return TW_OK;
    if (strcmp(name, TW_STORE_COMMIT_META) == 0) {
        if (value.mv_size != sizeof store->commit)
            return tw_fail(err, TW_E_STORE, "%s: the number of the last commit is damaged", store->dir);
        memcpy(&store->commit, value.mv_data, sizeof store->commit);
        return TW_OK;
    }
    return store->owner.load_meta(store->owner.self, name, (tw_slice){value.mv_data, value.mv_size}, err);
}

static tw_code visit_row(tw_store *store, MDB_val key, MDB_val value, tw_err *err) {
    const unsigned char *k = key.mv_data;
    if (key.mv_size != TW_ROW_KEY_SIZE || k[0] >= TW_TABLE_COUNT)
        return tw_fail(err, TW_E_STORE, "%s: a row's key is damaged", store->dir);
    return store->owner.load(store->owner.self, (tw_table)k[0], tw_store_u32(k + 1),
                             (tw_slice){value.mv_data, value.mv_size}, false, err);
}

static tw_code visit_chunk(tw_store *store, MDB_val key, MDB_val value, tw_err *err) {
    if (key.mv_size != TW_CHUNK_KEY_SIZE)
        return tw_fail(err, TW_E_STORE, "%s: a journal key is damaged", store->dir);
    uint64_t commit = tw_store_u64(key.mv_data);
    if (store->journal_bytes == 0)
        store->oldest = commit;
    if (commit > store->commit)
        return tw_fail(err, TW_E_STORE, "%s: the journal holds commit %" PRIu64 ", the last one was %" PRIu64,
                       store->dir, commit, store->commit);
    store->journal_bytes += value.mv_size;
    return load_chunk(store, commit, (tw_slice){value.mv_data, value.mv_size}, err);
}

static tw_code visit_log(tw_store *store, MDB_val key, MDB_val value, tw_err *err) {
    const unsigned char *k = key.mv_data;
    if (key.mv_size != TW_LOG_KEY_SIZE)
        return tw_fail(err, TW_E_STORE, "%s: a log's key is damaged", store->dir);
    return store->owner.load_log(store->owner.self, tw_store_u32(k), tw_store_u64(k + 4),
                                 (tw_slice){value.mv_data, value.mv_size}, err);
}

static tw_code visit_all(tw_store *store, MDB_txn *txn, MDB_dbi table, visit_fn visit, tw_err *err) {
    MDB_cursor *cursor;
    MDB_val key, value;
    tw_code code = TW_OK;
    int result = mdb_cursor_open(txn, table, &cursor);
    if (result != 0)
        return tw_store_fail(store, result, "cursor", err);
    for (result = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); result == 0 && code == TW_OK;
         result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))
        code = visit(store, key, value, err);
    mdb_cursor_close(cursor);
    if (code == TW_OK && result != 0 && result != MDB_NOTFOUND)
        code = tw_store_fail(store, result, "read", err);
    return code;
}

tw_code tw_store_load(tw_store *store, tw_err *err) {
    MDB_txn *txn;
    int result = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);
    if (result != 0)
        return tw_store_fail(store, result, "begin", err);
    tw_code code = visit_all(store, txn, store->metas, visit_meta, err);
    if (code == TW_OK)
        code = visit_all(store, txn, store->rows, visit_row, err);
    if (code == TW_OK)
        code = visit_all(store, txn, store->journal, visit_chunk, err);
    if (code == TW_OK)
        code = visit_all(store, txn, store->logs, visit_log, err);
    mdb_txn_abort(txn);
    if (store->journal_bytes == 0)
        store->oldest = store->commit + 1;
    return code;
}

void tw_store_stats_get(const tw_store *store, tw_store_stats *ret_stats) {
    MDB_envinfo info;
    MDB_stat pages;
    *ret_stats = store->stats;
    ret_stats->journal_commits = store->commit + 1 - store->oldest;
    ret_stats->journal_bytes = store->journal_bytes;
    ret_stats->map_max_bytes = store->options.map_max_bytes;
    if (mdb_env_info(store->env, &info) == 0 && mdb_env_stat(store->env, &pages) == 0)
        ret_stats->map_used_bytes = (uint64_t)(info.me_last_pgno + 1) * pages.ms_psize;
}
