/* One commit: rows gathered into the journal's chunks, metas and logs beside them, a little folding, one LMDB transaction.
 * Engine thread. */
#include "store/internal.h"

#include "base/alloc.h"

#include <stdio.h>

#define CHUNK_SIZE ((size_t)128 << 10)

static void new_chunk(tw_store *store) {
    if (store->chunks_count == store->chunks_capacity) {
        size_t old = store->chunks_capacity;
        store->chunks = tw_grow(store->chunks, &store->chunks_capacity, old + 1, sizeof *store->chunks);
        memset(store->chunks + old, 0, (store->chunks_capacity - old) * sizeof *store->chunks);
    }
    tw_buf *chunk = &store->chunks[store->chunks_count++];
    tw_buf_clear(chunk);
    tw_buf_u64(chunk, 0); /* the checksum comes here, as in metas and logs */
}

void tw_store_begin(tw_store *store) {
    store->chunks_count = 0;
    store->pending_metas_count = 0;
    store->pending_logs_count = 0;
    tw_buf_clear(&store->log_bytes);
}

static void put_op(tw_store *store, int kind, tw_table table, uint32_t row, tw_slice bytes) {
    TW_ASSERT(!store->options.read_only);
    TW_ASSERT(bytes.size <= UINT32_MAX);
    if (store->chunks_count == 0 || store->chunks[store->chunks_count - 1].size + bytes.size > CHUNK_SIZE)
        new_chunk(store);
    tw_op op = {.kind = (uint8_t)kind, .table = (uint8_t)table, .row = row, .size = (uint32_t)bytes.size};
    tw_buf *chunk = &store->chunks[store->chunks_count - 1];
    tw_buf_put(chunk, &op, sizeof op);
    tw_buf_put(chunk, bytes.data, bytes.size);
    if (kind != TW_OP_DELTA)
        tw_store_mark(store, table, row)->whole = (uint32_t)(store->commit + 1);
}

void tw_store_put(tw_store *store, tw_table table, uint32_t row, tw_slice bytes) {
    put_op(store, TW_OP_PUT, table, row, bytes);
}
void tw_store_put_delta(tw_store *store, tw_table table, uint32_t row, tw_slice bytes) {
    put_op(store, TW_OP_DELTA, table, row, bytes);
}
void tw_store_delete(tw_store *store, tw_table table, uint32_t row) {
    put_op(store, TW_OP_DELETE, table, row, (tw_slice){0});
}

void tw_store_put_meta(tw_store *store, const char *name, tw_slice bytes) {
    if (store->pending_metas_count == store->pending_metas_capacity) {
        size_t old = store->pending_metas_capacity;
        store->pending_metas =
            tw_grow(store->pending_metas, &store->pending_metas_capacity, old + 1, sizeof *store->pending_metas);
        memset(store->pending_metas + old, 0, (store->pending_metas_capacity - old) * sizeof *store->pending_metas);
    }
    tw_pending_meta *meta = &store->pending_metas[store->pending_metas_count++];
    TW_ASSERT(strlen(name) < sizeof meta->name);
    snprintf(meta->name, sizeof meta->name, "%s", name);
    tw_buf_clear(&meta->bytes);
    tw_buf_u64(&meta->bytes, 0);
    tw_buf_put(&meta->bytes, bytes.data, bytes.size);
}

static void add_log(tw_store *store, tw_pending_log log) {
    store->pending_logs =
        tw_grow(store->pending_logs, &store->pending_logs_capacity, store->pending_logs_count + 1, sizeof log);
    store->pending_logs[store->pending_logs_count++] = log;
}

void tw_store_append_log(tw_store *store, uint32_t log, uint64_t bucket, tw_slice bytes) {
    add_log(store, (tw_pending_log){log, bucket, store->log_bytes.size, TW_SUM_SIZE + bytes.size});
    tw_buf_u64(&store->log_bytes, 0);
    tw_buf_put(&store->log_bytes, bytes.data, bytes.size);
}

void tw_store_drop_log(tw_store *store, uint32_t log, uint64_t bucket_below) {
    add_log(store, (tw_pending_log){log, bucket_below, 0, SIZE_MAX});
}

/* Seals and writes one value. */
static int put(tw_store *store, MDB_txn *txn, MDB_dbi table, MDB_val key, MDB_val value, unsigned flags) {
    tw_store_seal(key, value);
    store->stats.written_bytes += value.mv_size;
    return TW_STORE_CALL(mdb_put(txn, table, &key, &value, flags));
}

static int write_journal(tw_store *store, MDB_txn *txn) {
    for (size_t i = 0; i < store->chunks_count; i++) {
        tw_buf *chunk = &store->chunks[i];
        unsigned char key_bytes[TW_CHUNK_KEY_SIZE];
        tw_store_chunk_key(store->commit + 1, (uint32_t)i, key_bytes);
        MDB_val key = {sizeof key_bytes, key_bytes}, value = {chunk->size, chunk->data};
        int result = put(store, txn, store->journal, key, value, MDB_APPEND);
        if (result != 0)
            return result;
    }
    return 0;
}

static int write_metas(tw_store *store, MDB_txn *txn) {
    uint64_t number[2] = {0, store->commit + 1};
    MDB_val number_key = {strlen(TW_STORE_COMMIT_META), TW_STORE_COMMIT_META}, number_value = {sizeof number, number};
    int result = put(store, txn, store->metas, number_key, number_value, 0);
    for (size_t i = 0; i < store->pending_metas_count && result == 0; i++) {
        tw_pending_meta *meta = &store->pending_metas[i];
        MDB_val key = {strlen(meta->name), meta->name}, value = {meta->bytes.size, meta->bytes.data};
        result = put(store, txn, store->metas, key, value, 0);
    }
    return result;
}

static int drop_log(tw_store *store, MDB_txn *txn, uint32_t log, uint64_t bucket_below) {
    unsigned char from[TW_LOG_KEY_SIZE] = {0};
    MDB_cursor *cursor;
    MDB_val key = {sizeof from, from}, value;
    tw_store_put_u32(from, log);
    int result = TW_STORE_CALL(mdb_cursor_open(txn, store->logs, &cursor));
    if (result != 0)
        return result;
    result = TW_STORE_CALL(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    while (result == 0 && tw_store_u32(key.mv_data) == log && tw_store_u64((char *)key.mv_data + 4) < bucket_below) {
        result = TW_STORE_CALL(mdb_cursor_del(cursor, 0));
        if (result == 0) /* after a deletion: the one that moved up */
            result = TW_STORE_CALL(mdb_cursor_get(cursor, &key, &value, MDB_NEXT));
    }
    mdb_cursor_close(cursor);
    return result == MDB_NOTFOUND ? 0 : result;
}

static int write_logs(tw_store *store, MDB_txn *txn) {
    for (size_t i = 0; i < store->pending_logs_count; i++) {
        const tw_pending_log *log = &store->pending_logs[i];
        int result;
        if (log->size == SIZE_MAX) {
            result = drop_log(store, txn, log->log, log->bucket);
        } else {
            unsigned char key_bytes[TW_LOG_KEY_SIZE];
            tw_store_put_u32(key_bytes, log->log);
            tw_store_put_u64(key_bytes + 4, log->bucket);
            tw_store_put_u64(key_bytes + 12, store->commit + 1);
            tw_store_put_u32(key_bytes + 20, (uint32_t)i);
            MDB_val key = {sizeof key_bytes, key_bytes}, value = {log->size, store->log_bytes.data + log->start};
            result = put(store, txn, store->logs, key, value, 0);
        }
        if (result != 0)
            return result;
    }
    return 0;
}

/* Below the bound nothing is folded; above it a bounded number of rows; above twice the bound as many as it takes. */
static tw_code fold_some(tw_store *store, MDB_txn *txn, uint64_t added, tw_err *err) {
    uint64_t keep = store->options.journal_max_bytes, folded = 0;
    if (store->journal_bytes + added <= keep)
        return TW_OK;
    TW_TRY(tw_store_fold(store, txn, keep > added ? keep - added : 0, store->options.fold_rows_max, &folded, err));
    if (store->journal_bytes + added <= 2 * keep)
        return TW_OK;
    store->stats.forced_folds++;
    return tw_store_fold(store, txn, keep > added ? keep - added : 0, UINT64_MAX, &folded, err);
}

static tw_code write_all(tw_store *store, MDB_txn *txn, uint64_t added, tw_err *err) {
    int result = write_journal(store, txn);
    (void)TW_FAILPOINT(STORE_JOURNAL);
    if (result == 0)
        result = write_metas(store, txn);
    if (result == 0)
        result = write_logs(store, txn);
    (void)TW_FAILPOINT(STORE_METAS);
    tw_code code = result ? tw_store_fail(store, result, "write", err) : fold_some(store, txn, added, err);
    if (code == TW_OK && TW_FAILPOINT(STORE_COMMIT))
        code = tw_store_fail(store, ENOSPC, "commit", err);
    return code;
}

tw_code tw_store_commit(tw_store *store, tw_err *err) {
    MDB_txn *txn;
    uint64_t added = 0;
    int dead;
    if (store->failed)
        return tw_fail(err, TW_E_STORE, "%s: an earlier commit failed: open it again", store->dir);
    store->failed = true; /* until it is through: a fold has moved what memory knows of the journal */
    TW_TRY(tw_store_check_kept(store, err));
    for (size_t i = 0; i < store->chunks_count; i++)
        added += store->chunks[i].size;
    store->folding = store->commit + 1;
    mdb_reader_check(store->env, &dead); /* what a reader was reading when it died could never be used again */
    tw_store_end_reads(store);
    (void)TW_FAILPOINT(STORE_BEGIN);
    int result = TW_STORE_CALL(mdb_txn_begin(store->env, NULL, 0, &txn));
    if (result != 0)
        return tw_store_fail(store, result, "begin", err);
    tw_code code = write_all(store, txn, added, err);
    if (code != TW_OK) {
        mdb_txn_abort(txn);
        return code;
    }
    result = tw_store_commit_txn(txn);
    if (result != 0)
        return tw_store_fail(store, result, "commit", err);
    (void)TW_FAILPOINT(STORE_COMMITTED);
    store->commit++;
    store->journal_bytes += added;
    store->stats.commits++;
    store->failed = false;
    return TW_OK;
}
