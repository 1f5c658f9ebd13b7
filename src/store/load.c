/* The last commit, delivered to the state's owner: metas, rows in place, journal, logs. Called once after open; engine thread.
 * LMDB has no checksums of its own: each value carries one, and one that does not fit is an error with the value's name. */
#include "store/internal.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const table_titles[TW_TABLE_COUNT] = {
    [TW_TABLE_USER] = "user",         [TW_TABLE_ITEM] = "item",     [TW_TABLE_ITEM_IN] = "item in",
    [TW_TABLE_ITEM_OUT] = "item out", [TW_TABLE_FOLLOW] = "follow", [TW_TABLE_WEIGHT] = "weight",
    [TW_TABLE_TASTE] = "taste",       [TW_TABLE_DRIFT] = "drift"};

const char *tw_store_table_title(tw_table table) {
    return table_titles[table];
}

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

__attribute__((format(printf, 3, 4))) static tw_code damaged(const tw_store *store, tw_err *err, const char *fmt, ...) {
    char what[128];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return tw_fail(err, TW_E_STORE, "%s: %s is damaged: bring back a copy, or remove the directory to begin anew",
                   store->dir, what);
}

static tw_code load_chunk(tw_store *store, uint64_t commit, tw_slice chunk, tw_err *err) {
    size_t offset = 0;
    tw_op op;
    tw_slice bytes;
    bool bad;
    while (tw_store_next_op(chunk, &offset, &op, &bytes, &bad)) {
        if (op.kind != TW_OP_DELTA) /* first: an owner may ask whether what it is given is in place */
            tw_store_mark(store, (tw_table)op.table, op.row)->whole = (uint32_t)commit;
        if (op.kind == TW_OP_DELETE)
            store->owner.load_delete(store->owner.self, (tw_table)op.table, op.row);
        else
            TW_TRY(
                store->owner.load(store->owner.self, (tw_table)op.table, op.row, bytes, op.kind == TW_OP_DELTA, err));
    }
    return bad ? damaged(store, err, "commit %" PRIu64 " of the journal", commit) : TW_OK;
}

typedef tw_code (*visit_fn)(tw_store *store, MDB_val key, MDB_val value, tw_err *err);

static tw_code visit_meta(tw_store *store, MDB_val key, MDB_val value, tw_err *err) {
    char name[64];
    if (key.mv_size >= sizeof name)
        return damaged(store, err, "a meta's name");
    tw_slice bytes;
    memcpy(name, key.mv_data, key.mv_size);
    name[key.mv_size] = '\0';
    if (strcmp(name, TW_STORE_FORMAT_META) == 0)
        return TW_OK;
    if (!tw_store_unseal(key, value, &bytes))
        return damaged(store, err, "meta \"%s\"", name);
    if (strcmp(name, TW_STORE_COMMIT_META) != 0)
        return store->owner.load_meta(store->owner.self, name, bytes, err);
    if (bytes.size != sizeof store->commit)
        return damaged(store, err, "the number of the last commit");
    memcpy(&store->commit, bytes.data, sizeof store->commit);
    return TW_OK;
}

static tw_code visit_row(tw_store *store, MDB_val key, MDB_val value, tw_err *err) {
    const unsigned char *k = key.mv_data;
    tw_slice bytes;
    if (key.mv_size != TW_ROW_KEY_SIZE || k[0] == 0 || k[0] >= TW_TABLE_COUNT)
        return damaged(store, err, "a row's key");
    if (!tw_store_unseal(key, value, &bytes))
        return damaged(store, err, "row %" PRIu32 " of table %s", tw_store_u32(k + 1), table_titles[k[0]]);
    return store->owner.load(store->owner.self, (tw_table)k[0], tw_store_u32(k + 1), bytes, false, err);
}

static tw_code visit_chunk(tw_store *store, MDB_val key, MDB_val value, tw_err *err) {
    if (key.mv_size != TW_CHUNK_KEY_SIZE)
        return damaged(store, err, "a key of the journal");
    uint64_t commit = tw_store_u64(key.mv_data);
    tw_slice chunk;
    if (!tw_store_unseal(key, value, &chunk))
        return damaged(store, err, "commit %" PRIu64 " of the journal", commit);
    if (store->journal_bytes == 0)
        store->oldest = commit;
    if (commit > store->commit)
        return tw_fail(err, TW_E_STORE, "%s: the journal holds commit %" PRIu64 ", the last one was %" PRIu64,
                       store->dir, commit, store->commit);
    store->journal_bytes += value.mv_size;
    return load_chunk(store, commit, chunk, err);
}

static tw_code visit_log(tw_store *store, MDB_val key, MDB_val value, tw_err *err) {
    const unsigned char *k = key.mv_data;
    tw_slice bytes;
    if (key.mv_size != TW_LOG_KEY_SIZE)
        return damaged(store, err, "a log's key");
    if (!tw_store_unseal(key, value, &bytes))
        return damaged(store, err, "bucket %" PRIu64 " of log %" PRIu32, tw_store_u64(k + 4), tw_store_u32(k));
    return store->owner.load_log(store->owner.self, tw_store_u32(k), tw_store_u64(k + 4), bytes, err);
}

/* Keys go up, as LMDB orders them: a damaged page may give one twice and another not at all. */
static bool follows(MDB_val key, const tw_buf *last) {
    size_t shorter = key.mv_size < last->size ? key.mv_size : last->size;
    int order = last->size ? memcmp(key.mv_data, last->data, shorter) : 1;
    return order > 0 || (order == 0 && key.mv_size > last->size);
}

/* Every value of a table, and as many as LMDB counts: a damaged page may hide some. */
static tw_code visit_all(tw_store *store, MDB_txn *txn, MDB_dbi table, const char *name, visit_fn visit, tw_err *err) {
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_stat stat;
    size_t count = 0;
    tw_code code = TW_OK;
    int result = mdb_stat(txn, table, &stat);
    if (result == 0)
        result = TW_STORE_CALL(mdb_cursor_open(txn, table, &cursor));
    if (result != 0)
        return tw_store_fail(store, result, "cursor", err);
    tw_buf_clear(&store->scratch);
    for (result = mdb_cursor_get(cursor, &key, &value, MDB_FIRST); result == 0 && code == TW_OK;
         result = mdb_cursor_get(cursor, &key, &value, MDB_NEXT), count++) {
        code = follows(key, &store->scratch) ? visit(store, key, value, err)
                                             : damaged(store, err, "the order of %s", name);
        tw_buf_clear(&store->scratch);
        tw_buf_put(&store->scratch, key.mv_data, key.mv_size);
    }
    mdb_cursor_close(cursor);
    if (code != TW_OK)
        return code;
    if (result != MDB_NOTFOUND)
        return tw_store_fail(store, result, "read", err);
    return count == stat.ms_entries
               ? TW_OK
               : damaged(store, err, "the table of %s (%zu of %zu are there)", name, count, stat.ms_entries);
}

tw_code tw_store_load(tw_store *store, tw_err *err) {
    const struct {
        MDB_dbi table;
        const char *name;
        visit_fn visit;
    } tables[] = {{store->metas, "metas", visit_meta},
                  {store->rows, "rows", visit_row},
                  {store->journal, "the journal", visit_chunk},
                  {store->logs, "logs", visit_log}};
    MDB_txn *txn;
    int result = tw_store_begin_read(store, &txn);
    if (result != 0)
        return tw_store_fail(store, result, "begin", err);
    tw_code code = TW_OK;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0] && code == TW_OK; t++)
        code = visit_all(store, txn, tables[t].table, tables[t].name, tables[t].visit, err);
    if (store->options.read_only && store->options.read_back) {
        store->reader = txn;
        store->reading = true;
    } else {
        mdb_txn_abort(txn);
        if (store->options.read_only)
            tw_store_unlock(store); /* nothing is read from now on */
    }
    if (store->journal_bytes == 0)
        store->oldest = store->commit + 1;
    return code;
}
