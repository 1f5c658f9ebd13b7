/* The environment and its tables: made, opened, and refused when they are not ours. Called by open; engine thread.
 *
 * A store is an LMDB environment whose main table names our four tables and nothing else, with a format of four bytes in metas.
 * Everything is looked at in a transaction that reads before anything is written. */
#include "store/internal.h"

#include "tailwater/version.h"

#include <inttypes.h>

static const char *const table_names[TW_STORE_TABLES_COUNT] = TW_STORE_TABLES;

static int create_tables(MDB_txn *txn) {
    MDB_dbi tables[TW_STORE_TABLES_COUNT];
    uint32_t format = TW_STORE_FORMAT;
    MDB_val key = {strlen(TW_STORE_FORMAT_META), TW_STORE_FORMAT_META}, value = {sizeof format, &format};
    for (int t = 0; t < TW_STORE_TABLES_COUNT; t++) {
        int result = TW_STORE_CALL(mdb_dbi_open(txn, table_names[t], MDB_CREATE, &tables[t]));
        if (result != 0)
            return result;
    }
    return TW_STORE_CALL(mdb_put(txn, tables[0], &key, &value, 0));
}

tw_code tw_store_create(tw_store *store, const char *path, tw_err *err) {
    MDB_env *env = NULL;
    MDB_txn *txn;
    int result = TW_STORE_CALL(mdb_env_create(&env));
    if (result == 0)
        result = mdb_env_set_maxdbs(env, TW_STORE_TABLES_COUNT);
    if (result == 0)
        result = mdb_env_set_mapsize(env, store->options.map_max_bytes);
    if (result == 0) /* nobody else has it: data.mdb.new is locked */
        result = TW_STORE_CALL(mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, 0666));
    if (result == 0)
        result = TW_STORE_CALL(mdb_txn_begin(env, NULL, 0, &txn));
    if (result == 0) {
        result = create_tables(txn);
        if (result == 0)
            result = tw_store_commit_txn(txn);
        else
            mdb_txn_abort(txn);
    }
    mdb_env_close(env);
    return result ? tw_store_fail(store, result, "create", err) : TW_OK;
}

tw_code tw_store_open_env(tw_store *store, bool listed, tw_err *err) {
    unsigned flags = MDB_NOTLS | (store->options.read_only ? MDB_RDONLY : 0) | (listed ? 0 : MDB_NOLOCK);
    int dead, result = TW_STORE_CALL(mdb_env_create(&store->env));
    if (result == 0)
        result = mdb_env_set_maxdbs(store->env, TW_STORE_TABLES_COUNT);
    if (result == 0)
        result = mdb_env_set_mapsize(store->env, store->options.map_max_bytes);
    if (result == 0)
        result = TW_STORE_CALL(mdb_env_open(store->env, store->dir, flags, 0666));
    if (result != 0)
        return tw_store_fail(store, result, "open", err);
    mdb_reader_check(store->env, &dead);
    return tw_store_check_whole(store, err);
}

static tw_code check_format(const tw_store *store, MDB_txn *txn, tw_err *err) {
    MDB_val key = {strlen(TW_STORE_FORMAT_META), TW_STORE_FORMAT_META}, value;
    uint32_t format;
    int result = TW_STORE_CALL(mdb_get(txn, store->metas, &key, &value));
    if (result == MDB_NOTFOUND)
        return tw_fail(err, TW_E_MISMATCH, "%s holds LMDB data of another program: its table metas names no format",
                       store->dir);
    if (result != 0)
        return tw_store_fail(store, result, "format", err);
    if (value.mv_size != sizeof format)
        return tw_fail(
            err, TW_E_MISMATCH,
            "%s holds LMDB data of another program, or is damaged: its format has %zu bytes, a store's has %zu",
            store->dir, value.mv_size, sizeof format);
    memcpy(&format, value.mv_data, sizeof format);
    if (format != TW_STORE_FORMAT)
        return tw_fail(err, TW_E_VERSION,
                       "%s has store format %" PRIu32
                       ", this program writes format %d: open it with the Tailwater that "
                       "wrote it, or name an empty directory and read the input again from its beginning",
                       store->dir, format, TW_STORE_FORMAT);
    return TW_OK;
}

/* The table that must be there: our four, by name, and no fifth. The format goes first: another one may have other tables. */
static tw_code find_tables(tw_store *store, MDB_txn *txn, tw_err *err) {
    MDB_dbi *const tables[TW_STORE_TABLES_COUNT] = {&store->metas, &store->rows, &store->journal, &store->logs};
    MDB_dbi main_table;
    MDB_stat names;
    int result = TW_STORE_CALL(mdb_dbi_open(txn, NULL, 0, &main_table));
    if (result == 0)
        result = mdb_stat(txn, main_table, &names);
    if (result != 0)
        return tw_store_fail(store, result, "tables", err);
    for (int t = 0; t < TW_STORE_TABLES_COUNT; t++) {
        result = TW_STORE_CALL(mdb_dbi_open(txn, table_names[t], 0, tables[t]));
        if (result == MDB_NOTFOUND || result == MDB_INCOMPATIBLE)
            return tw_fail(err, TW_E_MISMATCH, "%s holds LMDB data of another program: there is no table %s",
                           store->dir, table_names[t]);
        unsigned flags = 0;
        if (result == 0)
            result = mdb_dbi_flags(txn, *tables[t], &flags);
        if (result != 0)
            return tw_store_fail(store, result, "tables", err);
        if (flags != 0)
            return tw_fail(err, TW_E_MISMATCH, "%s holds LMDB data of another program: table %s has flags", store->dir,
                           table_names[t]);
        if (t == 0)
            TW_TRY(check_format(store, txn, err));
    }
    if (names.ms_entries != TW_STORE_TABLES_COUNT)
        return tw_fail(err, TW_E_MISMATCH, "%s holds LMDB data of another program: %zu tables, a store has %d",
                       store->dir, names.ms_entries, TW_STORE_TABLES_COUNT);
    return TW_OK;
}

/* A writer that was killed between LMDB's write of a commit and its note of it in lock.mdb, while a reader kept lock.mdb in use, has
 * left the note one commit behind. The next one to begin to write sets it right: here, before anything is read. */
static tw_code settle(tw_store *store, tw_err *err) {
    MDB_txn *txn;
    int result = TW_STORE_CALL(mdb_txn_begin(store->env, NULL, 0, &txn));
    if (result != 0)
        return tw_store_fail(store, result, "begin", err);
    mdb_txn_abort(txn);
    return tw_store_check_whole(store, err);
}

static tw_code is_fresh(tw_store *store, bool *ret_fresh, tw_err *err) {
    MDB_val key = {strlen(TW_STORE_COMMIT_META), TW_STORE_COMMIT_META}, value;
    MDB_txn *txn;
    int result = tw_store_begin_read(store, &txn);
    if (result != 0)
        return tw_store_fail(store, result, "begin", err);
    result = TW_STORE_CALL(mdb_get(txn, store->metas, &key, &value));
    mdb_txn_abort(txn);
    *ret_fresh = result == MDB_NOTFOUND;
    return result && !*ret_fresh ? tw_store_fail(store, result, "last commit", err) : TW_OK;
}

tw_code tw_store_open_tables(tw_store *store, bool *ret_fresh, tw_err *err) {
    MDB_txn *txn;
    int result = tw_store_begin_read(store, &txn);
    if (result != 0)
        return tw_store_fail(store, result, "begin", err);
    tw_code code = find_tables(store, txn, err);
    if (code != TW_OK) {
        mdb_txn_abort(txn);
        return code;
    }
    result = tw_store_commit_txn(txn); /* nothing was written, but so the tables stay open */
    if (result != 0)
        return tw_store_fail(store, result, "tables", err);
    if (!store->options.read_only)
        TW_TRY(settle(store, err));
    return is_fresh(store, ret_fresh, err);
}
