/* What the files of the store share. */
#ifndef TW_STORE_INTERNAL_H
#define TW_STORE_INTERNAL_H

#include "store/store.h"

#include "base/failpoint.h"
#include "store/pages.h"

#include <errno.h>
#include <lmdb.h>

/* Every call that may fail for the world's reasons goes through one of these, so that a test can make each fail once: one of
 * LMDB, which answers with an errno, and one of the system, which sets it. */
#define TW_STORE_CALL(call) (TW_FAILPOINT(STORE_CALL) ? EIO : (call))
#define TW_STORE_SYSTEM(call) (TW_FAILPOINT(STORE_CALL) ? (errno = EIO, -1) : (call))

/* Names in the main table. */
#define TW_STORE_TABLES \
    { "metas", "rows", "journal", "logs" }
#define TW_STORE_TABLES_COUNT 4
/* The store's own metas: the format (4 bytes, for ever and without a checksum), and the number of the last commit (the journal
 * may be empty). */
#define TW_STORE_FORMAT_META "format"
#define TW_STORE_COMMIT_META "commit"
/* A row in place: table and row, big-endian, so that a table's rows lie in order. */
#define TW_ROW_KEY_SIZE 5
/* A chunk of the journal: commit and number, big-endian. */
#define TW_CHUNK_KEY_SIZE 12
/* A piece of a log: log, bucket, commit, number in the commit, big-endian. */
#define TW_LOG_KEY_SIZE 24

/* Every value but the format begins with the XXH3-64 of what follows, seeded with that of its key. */
#define TW_SUM_SIZE 8

/* An operation in a chunk: this head, then size bytes. */
typedef struct tw_op {
    uint8_t kind, table;
    uint16_t zero;
    uint32_t row, size;
} tw_op;
_Static_assert(sizeof(tw_op) == 12, "on disk");

enum { TW_OP_PUT = 1, TW_OP_DELTA, TW_OP_DELETE };

typedef struct tw_pending_meta {
    char name[64];
    tw_buf bytes;
} tw_pending_meta;

typedef struct tw_pending_log {
    uint32_t log;
    uint64_t bucket;
    size_t start, size; /* in log_bytes; size SIZE_MAX: drop every bucket below */
} tw_pending_log;

/* What the fold must know of a row, as numbers of commits; 0: none. */
typedef struct tw_row_mark {
    uint32_t whole;   /* newest put or deletion that the journal holds */
    uint32_t settled; /* the row in place has everything up to this commit */
} tw_row_mark;

struct tw_store {
    tw_store_options options;
    char *dir;
    tw_store_owner owner;
    bool made;   /* by this open */
    int lock_fd; /* data.mdb, locked: by the writer alone, or by readers without a place in LMDB's table of readers */
    MDB_env *env;
    MDB_dbi metas, rows, journal, logs;
    uint64_t checked; /* LMDB's number of the last transaction whose pages were checked */
    bool failed;      /* a commit failed: what memory holds of the store is ahead of the file */
    MDB_txn *reader;  /* for rows that are read back; NULL: none was yet */
    bool reading;     /* it has a snapshot: a writer's is of the last commit */

    uint64_t commit;  /* number of the last commit */
    uint64_t folding; /* number of the commit that a fold runs in: what memory holds now */
    uint64_t oldest;  /* of the commits in the journal; commit + 1: none */
    uint64_t journal_bytes;
    tw_row_mark *marks[TW_TABLE_COUNT]; /* (rows) */
    size_t marks_capacity[TW_TABLE_COUNT];
    uint32_t fold_chunk; /* where the fold of the oldest commit goes on */
    size_t fold_offset;

    tw_buf *chunks; /* of the commit being made */
    size_t chunks_count, chunks_capacity;
    tw_pending_meta *pending_metas;
    size_t pending_metas_count, pending_metas_capacity;
    tw_pending_log *pending_logs;
    size_t pending_logs_count, pending_logs_capacity;
    tw_buf log_bytes, scratch;
    tw_store_stats stats;
};

/* store.c */
/* LMDB's answer, or errno, as ours. */
tw_code tw_store_fail(const tw_store *store, int result, const char *what, tw_err *err);
tw_row_mark *tw_store_mark(tw_store *store, tw_table table, uint32_t row);
void tw_store_row_key(tw_table table, uint32_t row, unsigned char *key);
void tw_store_chunk_key(uint64_t commit, uint32_t chunk, unsigned char *key);
uint64_t tw_store_u64(const void *big_endian);
uint32_t tw_store_u32(const void *big_endian);
void tw_store_put_u64(unsigned char *to, uint64_t value);
void tw_store_put_u32(unsigned char *to, uint32_t value);
/* Fills in the checksum for which the value has room at its start. */
void tw_store_seal(MDB_val key, MDB_val value);
/* The value without its checksum; false when that does not fit. */
bool tw_store_unseal(MDB_val key, MDB_val value, tw_slice *ret_bytes);
/* A transaction that reads; adopts the size of the map when a writer made it larger. */
int tw_store_begin_read(tw_store *store, MDB_txn **ret_txn);
int tw_store_commit_txn(MDB_txn *txn); /* mdb_txn_commit, which a test can make fail; the transaction is gone */

/* lock.c: who may open; the directory and its files. */
tw_code tw_store_make_dir(const char *dir, tw_err *err);    /* mkdir -p, durably */
tw_code tw_store_lock_writer(tw_store *store, tw_err *err); /* makes the store where there never was one */
/* data.mdb is made under another name and renamed when whole: a data.mdb, if there is one, is always a store. The lock stays with the file.
 * lock_new makes the empty file, locked; *ret_there: there is a data.mdb already, and nothing is locked. */
#define TW_STORE_NEW_FILE "data.mdb.new"
tw_code tw_store_lock_new(tw_store *store, bool *ret_there, tw_err *err);
tw_code tw_store_keep_new(tw_store *store, tw_err *err);
/* A reader that may not write to lock.mdb: no writer may begin until tw_store_unlock. A reader that may needs no lock. */
tw_code tw_store_lock_reader(tw_store *store, bool *ret_listed, tw_err *err);
void tw_store_unlock(tw_store *store);
tw_code tw_store_check_kept(const tw_store *store,
                            tw_err *err);            /* the writer's file is still the one in the directory */
tw_code tw_store_sign(tw_store *store, tw_err *err); /* says who writes here, and that a state is here */

/* open.c: the environment and its tables; refuses what is not ours. */
tw_code tw_store_create(tw_store *store, const char *path,
                        tw_err *err); /* a store without a commit, in a file of its own */
tw_code tw_store_open_env(tw_store *store, bool listed, tw_err *err);
tw_code tw_store_open_tables(tw_store *store, bool *ret_fresh, tw_err *err);

/* whole.c: refuses a file that ends before a page that is in use; sound.c: one with a page that LMDB did not write so. */
tw_code tw_store_check_whole(tw_store *store, tw_err *err);
tw_code tw_store_check_sound(const tw_store *store, const tw_pages *pages, const tw_page_meta *meta, tw_err *err);

/* load.c: the next operation of a chunk at *offset; false at its end. The bytes are borrowed. */
bool tw_store_next_op(tw_slice chunk, size_t *offset, tw_op *ret_op, tw_slice *ret_bytes, bool *ret_bad);

/* read.c: gives the snapshot up before a writer's next transaction, which can then use its pages again. */
void tw_store_end_reads(tw_store *store);
/* load.c: how a table is called in a message. */
const char *tw_store_table_title(tw_table table);

/* fold.c: puts rows (table and row as keys) in place as their owner has them, in the order of their keys. */
typedef struct tw_place {
    unsigned char key[TW_ROW_KEY_SIZE];
} tw_place;
int tw_store_write_places(tw_store *store, MDB_txn *txn, tw_place *places, size_t count);

/* fold.c: folds at most rows_max rows of the oldest commits while more than keep_bytes of journal are left. */
tw_code tw_store_fold(tw_store *store, MDB_txn *txn, uint64_t keep_bytes, uint64_t rows_max, uint64_t *ret_folded,
                      tw_err *err);

#endif
