/* Rows that memory does not hold: read back one by one, or put in place so that their owner may forget them. Called by the owner between
 * commits; engine thread.
 *
 * A writer reads what it committed last: its snapshot is given up before each transaction that writes, so that pages can be used
 * again, and taken anew by the next read. A reader has one snapshot for as long as it lives. */
#include "store/internal.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

/* A mark says nothing of a row whose newest value came in with an older commit than the journal has. */
bool tw_store_in_place(const tw_store *store, tw_table table, uint32_t row) {
    if (row >= store->marks_capacity[table])
        return true;
    const tw_row_mark *mark = &store->marks[table][row];
    return mark->whole < (uint32_t)store->oldest || mark->settled >= mark->whole;
}

void tw_store_end_reads(tw_store *store) {
    if (store->reading)
        mdb_txn_reset(store->reader);
    store->reading = false;
}

static tw_code begin(tw_store *store, tw_err *err) {
    if (store->reading)
        return TW_OK;
    int result =
        store->reader ? TW_STORE_CALL(mdb_txn_renew(store->reader)) : tw_store_begin_read(store, &store->reader);
    store->reading = result == 0;
    return result == 0 ? TW_OK : tw_store_fail(store, result, "read back", err);
}

tw_code tw_store_read(tw_store *store, tw_table table, uint32_t row, tw_buf *out, tw_err *err) {
    unsigned char key_bytes[TW_ROW_KEY_SIZE];
    MDB_val key = {sizeof key_bytes, key_bytes}, value;
    tw_slice bytes;
    TW_ASSERT(store->options.read_back);
    TW_TRY(begin(store, err));
    tw_store_row_key(table, row, key_bytes);
    int result = TW_STORE_CALL(mdb_get(store->reader, store->rows, &key, &value));
    if (result == MDB_NOTFOUND || (result == 0 && !tw_store_unseal(key, value, &bytes)))
        return tw_fail(err, TW_E_STORE,
                       "%s: row %" PRIu32
                       " of table %s is damaged: bring back a copy, or remove the directory to begin anew",
                       store->dir, row, tw_store_table_title(table));
    if (result != 0)
        return tw_store_fail(store, result, "read back", err);
    tw_buf_put(out, bytes.data, bytes.size);
    return TW_OK;
}

tw_code tw_store_settle(tw_store *store, tw_table table, const uint32_t *rows, size_t count, tw_err *err) {
    MDB_txn *txn;
    if (store->failed)
        return tw_fail(err, TW_E_STORE, "%s: an earlier commit failed: open it again", store->dir);
    store->failed = true; /* until it is through */
    TW_TRY(tw_store_check_kept(store, err));
    tw_store_end_reads(store);
    int result = TW_STORE_CALL(mdb_txn_begin(store->env, NULL, 0, &txn));
    if (result != 0)
        return tw_store_fail(store, result, "begin", err);
    tw_place *places = tw_alloc(count * sizeof *places);
    for (size_t i = 0; i < count; i++)
        tw_store_row_key(table, rows[i], places[i].key);
    result = tw_store_write_places(store, txn, places, count);
    free(places);
    (void)TW_FAILPOINT(STORE_SETTLE);
    if (result != 0) {
        mdb_txn_abort(txn);
        return tw_store_fail(store, result, "fold", err);
    }
    if ((result = tw_store_commit_txn(txn)) != 0)
        return tw_store_fail(store, result, "commit", err);
    for (size_t i = 0; i < count; i++)
        tw_store_mark(store, table, rows[i])->settled = (uint32_t)store->commit;
    store->failed = false;
    return TW_OK;
}
