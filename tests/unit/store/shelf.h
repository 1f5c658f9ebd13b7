/* An owner of rows for the tests of the store: each row is a number from which its bytes follow, so that what comes back can be
 * checked byte by byte and compared whole. */
#ifndef TW_TEST_SHELF_H
#define TW_TEST_SHELF_H

#include "base/rng.h"
#include "store/store.h"

#define SHELF_ROWS 400
#define SHELF_LOGS 3
#define SHELF_BUCKETS 64

typedef struct shelf {
    uint32_t rows[TW_TABLE_COUNT][SHELF_ROWS]; /* 0: not there */
    uint64_t meta;
    uint64_t log_sums[SHELF_LOGS][SHELF_BUCKETS], log_below[SHELF_LOGS];
    uint32_t size_max; /* of a row */
    bool read_back;    /* rows will be */
    uint64_t loaded;   /* rows and changes that came back */
} shelf;

/* Opens, and loads what there is. */
tw_code shelf_open(const char *dir, uint64_t map_max, bool read_only, shelf *s, tw_store **ret_store, tw_err *err);
/* A commit's worth of changes, without the commit: rows put, changed and deleted, a meta, logs appended and dropped. */
void shelf_change(shelf *s, tw_store *store, tw_rng *rng, uint32_t changes);
bool shelf_same(const shelf *a, const shelf *b);
/* The bytes of a row. */
void shelf_bytes(const shelf *s, tw_table table, uint32_t row, tw_buf *out);
/* Copies data.mdb to another directory, which is made. */
void shelf_copy(const char *from_dir, const char *to_dir, int64_t bytes_max);

#endif
