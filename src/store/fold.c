/* The fold: each row that the oldest journal commit touches, and that no newer whole value replaces, is written in place as its
 * owner holds it now; then the commit is deleted. Called within a commit; engine thread.
 *
 * What the owner holds now has every change up to the commit that is being written, in the same transaction. So a row in place may
 * be newer than journal commits that are still there: they are replayed over it at a start, in order, and end in the same
 * value, since a change carries values and not differences. Newer changes of such a row need no further fold. */
#include "store/internal.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

/* Rows go in place in the order of their keys, a slice at a time: neighbours share pages. */
#define SLICE_ROWS 4096

static int by_key(const void *a, const void *b) {
    return memcmp(a, b, TW_ROW_KEY_SIZE);
}

int tw_store_write_places(tw_store *store, MDB_txn *txn, tw_place *places, size_t count) {
    qsort(places, count, sizeof *places, by_key);
    for (size_t i = 0; i < count; i++) {
        tw_table table = (tw_table)places[i].key[0];
        uint32_t row = tw_store_u32(places[i].key + 1);
        tw_buf_clear(&store->scratch);
        tw_buf_u64(&store->scratch, 0); /* the checksum comes here */
        store->owner.encode(store->owner.self, table, row, &store->scratch);
        MDB_val key = {TW_ROW_KEY_SIZE, places[i].key}, value = {store->scratch.size, store->scratch.data};
        tw_store_seal(key, value);
        int result = TW_STORE_CALL(mdb_put(txn, store->rows, &key, &value, 0));
        if (result != 0)
            return result;
        store->stats.written_bytes += store->scratch.size;
    }
    store->stats.folded_rows += count;
    return 0;
}

static int delete_row(tw_store *store, MDB_txn *txn, tw_table table, uint32_t row) {
    unsigned char key_bytes[TW_ROW_KEY_SIZE];
    tw_store_row_key(table, row, key_bytes);
    MDB_val key = {sizeof key_bytes, key_bytes};
    int result = TW_STORE_CALL(mdb_del(txn, store->rows, &key, NULL));
    return result == MDB_NOTFOUND ? 0 : result;
}

static tw_code damaged(const tw_store *store, tw_err *err) {
    return tw_fail(err, TW_E_STORE, "%s: commit %" PRIu64 " of the journal is damaged", store->dir, store->oldest);
}

/* Goes on in the chunk where the last fold stopped. *ret_done: the chunk is through. */
static tw_code fold_chunk(tw_store *store, MDB_txn *txn, tw_slice chunk, uint64_t rows_max, uint64_t *folded,
                          bool *ret_done, tw_err *err) {
    tw_place *places = tw_alloc(SLICE_ROWS * sizeof *places);
    size_t count = 0;
    tw_op op;
    tw_slice bytes;
    bool bad = false;
    int result = 0;
    *ret_done = false;
    while (result == 0 && *folded + count < rows_max) {
        if (!tw_store_next_op(chunk, &store->fold_offset, &op, &bytes, &bad)) {
            *ret_done = !bad;
            break;
        }
        tw_row_mark *mark = tw_store_mark(store, (tw_table)op.table, op.row);
        if (mark->settled >= (uint32_t)store->oldest)
            continue; /* a newer value is in place: a deletion must not take it away */
        if (op.kind == TW_OP_DELETE) {
            result = delete_row(store, txn, (tw_table)op.table, op.row);
        } else if (mark->whole <= (uint32_t)store->oldest) {
            tw_store_row_key((tw_table)op.table, op.row, places[count++].key);
            mark->settled = (uint32_t)store->folding;
        }
        if (count == SLICE_ROWS && result == 0) {
            result = tw_store_write_places(store, txn, places, count);
            *folded += count;
            count = 0;
            (void)TW_FAILPOINT(STORE_FOLD);
        }
    }
    if (result == 0 && !bad)
        result = tw_store_write_places(store, txn, places, count);
    *folded += count;
    (void)TW_FAILPOINT(STORE_FOLD);
    free(places);
    if (bad)
        return damaged(store, err);
    return result ? tw_store_fail(store, result, "fold", err) : TW_OK;
}

static int delete_commit(tw_store *store, MDB_txn *txn) {
    for (uint32_t chunk = 0;; chunk++) {
        unsigned char key_bytes[TW_CHUNK_KEY_SIZE];
        MDB_val key = {sizeof key_bytes, key_bytes}, value;
        tw_store_chunk_key(store->oldest, chunk, key_bytes);
        int result = TW_STORE_CALL(mdb_get(txn, store->journal, &key, &value));
        if (result == MDB_NOTFOUND)
            return 0;
        if (result != 0)
            return result;
        store->journal_bytes -= value.mv_size;
        result = TW_STORE_CALL(mdb_del(txn, store->journal, &key, NULL));
        if (result != 0)
            return result;
    }
}

tw_code tw_store_fold(tw_store *store, MDB_txn *txn, uint64_t keep_bytes, uint64_t rows_max, uint64_t *ret_folded,
                      tw_err *err) {
    *ret_folded = 0;
    while (store->oldest <= store->commit && store->journal_bytes > keep_bytes && *ret_folded < rows_max) {
        unsigned char key_bytes[TW_CHUNK_KEY_SIZE];
        MDB_val key = {sizeof key_bytes, key_bytes}, value;
        tw_store_chunk_key(store->oldest, store->fold_chunk, key_bytes);
        int result = TW_STORE_CALL(mdb_get(txn, store->journal, &key, &value));
        if (result == MDB_NOTFOUND) { /* all its chunks are through */
            result = delete_commit(store, txn);
            if (result != 0)
                return tw_store_fail(store, result, "fold", err);
            store->oldest++;
            store->fold_chunk = 0;
            continue;
        }
        if (result != 0)
            return tw_store_fail(store, result, "fold", err);
        /* The page under value may move when rows are put: the chunk is copied. */
        tw_buf chunk = {0};
        tw_slice bytes;
        bool done;
        if (!tw_store_unseal(key, value, &bytes))
            return damaged(store, err);
        tw_buf_put(&chunk, bytes.data, bytes.size);
        tw_code code = fold_chunk(store, txn, tw_buf_slice(&chunk), rows_max, ret_folded, &done, err);
        tw_buf_done(&chunk);
        TW_TRY(code);
        if (done) {
            store->fold_chunk++;
            store->fold_offset = 0;
        }
    }
    return TW_OK;
}

tw_code tw_store_fold_all(tw_store *store, tw_err *err) {
    if (store->failed)
        return tw_fail(err, TW_E_STORE, "%s: an earlier commit failed: open it again", store->dir);
    tw_store_end_reads(store);
    store->folding = store->commit;
    while (store->oldest <= store->commit && store->journal_bytes > 0) {
        MDB_txn *txn;
        uint64_t folded;
        store->failed = true; /* until it is through */
        int result = TW_STORE_CALL(mdb_txn_begin(store->env, NULL, 0, &txn));
        if (result != 0)
            return tw_store_fail(store, result, "begin", err);
        tw_code code = tw_store_fold(store, txn, 0, 65536, &folded, err);
        if (code != TW_OK) {
            mdb_txn_abort(txn);
            return code;
        }
        if ((result = tw_store_commit_txn(txn)) != 0)
            return tw_store_fail(store, result, "commit", err);
        store->failed = false;
    }
    return TW_OK;
}
