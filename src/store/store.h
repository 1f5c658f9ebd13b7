/* The durable state: the only door to LMDB.
 *
 * Caveats first. The state lives in memory; the store is its durable form. One writer process (a second is refused with
 * the owner's pid); readers may open beside it and see the last commit. A reader must be able to write to lock.mdb, where LMDB
 * counts readers; one that is not is refused beside a writer, and without one keeps writers out until it has loaded. No network
 * file systems, no fork, one open per process and directory.
 *
 * A directory that holds anything else (another program's LMDB data, another format) is refused and left as it is. A file that was
 * cut is refused, whatever was cut, unless only free pages are missing. Open holds LMDB's pages against their places, load holds
 * every value against its checksum, and both name what is damaged. Both together cost 0.19 us a row in place at a start, the
 * checksum 0.05 us a row folded and nothing that shows in the journal (rows of 320 B, CPU time, store_bench, November 2026).
 *
 * Rows live in tables and are named by a dense 32-bit index that their owner gives out. Rows changed since the last commit
 * go into one journal (20,000 changed rows of 512 B: 10 ms, against 223 ms in place, measured), whole or as a change that carries new
 * values. A later fold takes the oldest journal commit, has the rows that nothing newer replaced encoded by their owner (memory holds
 * the value), puts them in place and deletes the commit. Deletions fold unconditionally. At open, rows in place are delivered
 * first, then the journal in order; a row in place may be newer than a change that follows it.
 *
 * Metas are small named values, written in place at each commit: positions, counters, clocks.
 * Logs are append-only runs of bytes per (log, bucket), for dedup windows: appended at a commit, dropped by bucket. */
#ifndef TW_STORE_STORE_H
#define TW_STORE_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rows.h"

typedef struct tw_store tw_store;

typedef struct tw_store_options {
    const char *dir; /* created if missing, unless read_only */
    uint64_t map_max_bytes;
    uint64_t journal_max_bytes;
    uint32_t fold_rows_max;
    bool read_only; /* the last commit, beside a running writer */
    bool read_back; /* rows will be read back: a reader keeps its snapshot, whose pages no writer can use again */
} tw_store_options;

/* What the store asks of the state's owner. Called on the engine thread, from open and commit only. */
typedef struct tw_store_owner {
    void *self;
    /* A row (or, delta true, a change to a row; to one that is not there when a whole value or a deletion follows). Bytes are
     * borrowed, 2-byte aligned at best. Return
     * TW_E_STORE with a reason when they cannot be understood. */
    tw_code (*load)(void *self, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err);
    void (*load_delete)(void *self, tw_table table, uint32_t row);
    tw_code (*load_meta)(void *self, const char *name, tw_slice bytes, tw_err *err);
    tw_code (*load_log)(void *self, uint32_t log, uint64_t bucket, tw_slice bytes, tw_err *err);
    /* Appends the whole row as it is in memory now. */
    void (*encode)(void *self, tw_table table, uint32_t row, tw_buf *out);
} tw_store_owner;

/* Opens or creates. Errors: TW_E_LOCKED (names the pid), TW_E_VERSION (names both), TW_E_MISMATCH (not a store), TW_E_NOT_FOUND
 * (nothing to read), TW_E_STORE (truncated, damaged, gone), TW_E_FULL, TW_E_IO. *ret_fresh: nothing was ever committed here. */
tw_code tw_store_open(const tw_store_options *options, const tw_store_owner *owner, tw_store **ret_store,
                      bool *ret_fresh, tw_err *err);
bool tw_store_made(const tw_store *store); /* by this open: no process has ever had it open before */
tw_store *tw_store_close(tw_store *store); /* what was not committed is lost; NULL is fine */

/* Delivers the last commit to the owner, in the order: metas, rows in place, journal, logs. Once, after open. */
tw_code tw_store_load(tw_store *store, tw_err *err);

/* One commit: begin, puts, commit. Puts only buffer; the transaction is written by commit, which is all or nothing. A
 * failed commit leaves the store as it was and the owner's memory ahead of it: every later one is refused, and the caller stops
 * and reopens. */
void tw_store_begin(tw_store *store);
void tw_store_put(tw_store *store, tw_table table, uint32_t row, tw_slice bytes);
void tw_store_put_delta(tw_store *store, tw_table table, uint32_t row, tw_slice bytes);
void tw_store_delete(tw_store *store, tw_table table, uint32_t row);
void tw_store_put_meta(tw_store *store, const char *name, tw_slice bytes);
void tw_store_append_log(tw_store *store, uint32_t log, uint64_t bucket, tw_slice bytes);
void tw_store_drop_log(tw_store *store, uint32_t log, uint64_t bucket_below); /* every bucket < bucket_below */
tw_code tw_store_commit(tw_store *store, tw_err *err);

/* ---- rows that memory does not hold ----
 *
 * An owner may forget a row whose value in place is the one that memory has, and read it back. For tables without deltas.
 *   in_place  the journal holds nothing newer; that the row did not change since the last commit is the owner's to know
 *   read      appends the row in place as of the last commit, or of the reader's snapshot; errors: TW_E_STORE (it is damaged or not
 *             there), TW_E_IO
 *   settle    puts rows in place as the owner encodes them now, all of them or none; memory must hold them as the last commit did. A
 *             failed one is as a failed commit */
bool tw_store_in_place(const tw_store *store, tw_table table, uint32_t row);
tw_code tw_store_read(tw_store *store, tw_table table, uint32_t row, tw_buf *out, tw_err *err);
tw_code tw_store_settle(tw_store *store, tw_table table, const uint32_t *rows, size_t count, tw_err *err);

/* Folds everything and drops the journal, in bounded transactions; for a clean close and for tests. */
tw_code tw_store_fold_all(tw_store *store, tw_err *err);

bool tw_store_exists(const char *dir);

/* Deletes what a directory holds of a state, of whatever format. Errors: TW_E_LOCKED (it has a writer), TW_E_NOT_FOUND, TW_E_IO. */
tw_code tw_store_erase(const char *dir, tw_err *err);

/* A copy of the last commit, beside a running writer, without free pages: a state like any other, at *ret_bytes. The directory to is made when
 * it is missing and must hold no state; the copy has its name there only when it is whole on the disk, and every value of it is read back. An
 * older format is copied by nobody: the errors of tw_store_open, of from; TW_E_USAGE (to holds a state), TW_E_LOCKED (another process
 * makes one there), TW_E_FULL, TW_E_IO, TW_E_STORE. What failed leaves no state behind. Thread: any, with its own directories. */
tw_code tw_store_copy(const char *from, const char *to, uint64_t map_max_bytes, uint64_t *ret_bytes, tw_err *err);

typedef struct tw_store_stats {
    uint64_t commits, journal_commits, journal_bytes, folded_rows, forced_folds; /* this process; journal_* now */
    uint64_t written_bytes; /* journal, metas, logs and folded rows, before page rounding */
    uint64_t marks_bytes;   /* memory of what the fold knows of each row */
    uint64_t map_used_bytes, map_max_bytes;
} tw_store_stats;
void tw_store_stats_get(const tw_store *store, tw_store_stats *ret_stats);

#endif
