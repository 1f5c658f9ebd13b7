/* The store against a plain model: random rows put, changed, deleted, committed, folded, lost and loaded again. */
#include "base/alloc.h"
#include "base/rng.h"
#include "store/store.h"
#include "support/test.h"

#include <stdlib.h>
#include <unistd.h>

#define ROWS 300

/* The owner's memory, and what was last committed of it. A row is a number of bytes of one value; a delta changes the value. */
typedef struct memory {
    struct {
        bool there;
        uint32_t value, size;
    } rows[TW_TABLE_COUNT][ROWS];
    uint64_t meta;
    uint64_t log_sum[4][64], log_below[4];
} memory;

static memory now, committed, loaded;

static void put_row(tw_buf *buf, uint32_t value, uint32_t size) {
    tw_buf_u32(buf, value);
    for (uint32_t i = 0; i < size; i++)
        tw_buf_u8(buf, (uint8_t)value);
}

static tw_code load(void *self, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err) {
    memory *m = self;
    uint32_t value;
    if (bytes.size < 4 || row >= ROWS)
        return tw_fail(err, TW_E_STORE, "a row came back as something else");
    memcpy(&value, bytes.data, 4);
    if (!delta) {
        m->rows[table][row].size = (uint32_t)bytes.size - 4;
        for (size_t i = 4; i < bytes.size; i++)
            if ((uint8_t)bytes.data[i] != (uint8_t)value)
                return tw_fail(err, TW_E_STORE, "a row came back damaged");
    }
    m->rows[table][row].there = true;
    m->rows[table][row].value = value;
    return TW_OK;
}
static void load_delete(void *self, tw_table table, uint32_t row) {
    ((memory *)self)->rows[table][row].there = false;
}
static tw_code load_meta(void *self, const char *name, tw_slice bytes, tw_err *err) {
    (void)name, (void)err;
    memcpy(&((memory *)self)->meta, bytes.data, 8);
    return TW_OK;
}
static tw_code load_log(void *self, uint32_t log, uint64_t bucket, tw_slice bytes, tw_err *err) {
    (void)err;
    for (size_t i = 0; i + 8 <= bytes.size; i += 8) {
        uint64_t v;
        memcpy(&v, bytes.data + i, 8);
        ((memory *)self)->log_sum[log][bucket] += v;
    }
    return TW_OK;
}
static void encode(void *self, tw_table table, uint32_t row, tw_buf *out) {
    memory *m = self;
    put_row(out, m->rows[table][row].value, m->rows[table][row].size);
}

static tw_store *open_store(const char *dir, memory *m, uint64_t journal_max, uint32_t fold_max, bool read_only) {
    tw_store *store;
    bool fresh;
    tw_err err = {0};
    tw_store_options options = {dir, (uint64_t)256 << 20, journal_max, fold_max, read_only};
    tw_store_owner owner = {m, load, load_delete, load_meta, load_log, encode};
    ASSERT_OK(tw_store_open(&options, &owner, &store, &fresh, &err));
    if (!fresh)
        ASSERT_OK(tw_store_load(store, &err));
    return store;
}

static void expect_same(const memory *a, const memory *b) {
    for (int t = 1; t < TW_TABLE_COUNT; t++)
        for (int r = 0; r < ROWS; r++) {
            ASSERT_EQ(a->rows[t][r].there, b->rows[t][r].there);
            if (a->rows[t][r].there) {
                ASSERT_EQ(a->rows[t][r].value, b->rows[t][r].value);
                ASSERT_EQ(a->rows[t][r].size, b->rows[t][r].size);
            }
        }
    ASSERT_EQ(a->meta, b->meta);
    for (int l = 0; l < 4; l++)
        for (int k = 0; k < 64; k++)
            ASSERT_EQ((uint64_t)k >= a->log_below[l] ? a->log_sum[l][k] : 0, b->log_sum[l][k]);
}

/* load DIR: what a reader in a process of its own sees, as bytes of memory. */
HELPER(load_beside) {
    (void)argc;
    memset(&loaded, 0, sizeof loaded);
    tw_store_close(open_store(argv[0], &loaded, 1 << 20, 100, true));
    return fwrite(&loaded, sizeof loaded, 1, stdout) == 1 ? 0 : 1;
}

/* LMDB wants one open a process: the reader beside the writer is another one. */
static void read_beside(const char *dir) {
    int out;
    size_t size = 0;
    pid_t pid = tw_test_spawn("load_beside", (const char *[]){dir, NULL}, &out);
    memset(&loaded, 0, sizeof loaded);
    for (ssize_t n; (n = read(out, (char *)&loaded + size, sizeof loaded - size)) > 0;)
        size += (size_t)n;
    close(out);
    ASSERT_EQ(tw_test_wait(pid), 0);
    ASSERT_EQ(size, sizeof loaded);
}

static void change_some(tw_store *store, tw_rng *rng) {
    tw_buf buf = {0};
    static bool touched[TW_TABLE_COUNT][ROWS];
    memset(touched, 0, sizeof touched);
    for (uint32_t n = tw_rng_below(rng, 200); n > 0; n--) {
        int t = 1 + (int)tw_rng_below(rng, TW_TABLE_COUNT - 1);
        uint32_t r = tw_rng_below(rng, ROWS);
        if (touched[t][r])
            continue; /* an owner sends each row once in a commit */
        touched[t][r] = true;
        uint32_t die = tw_rng_below(rng, 10);
        tw_buf_clear(&buf);
        if (die == 0) {
            now.rows[t][r].there = false;
            tw_store_delete(store, (tw_table)t, r);
        } else if (die < 4 && now.rows[t][r].there) {
            now.rows[t][r].value = (uint32_t)tw_rng_next(rng);
            tw_buf_u32(&buf, now.rows[t][r].value);
            /* a delta changes the number only: the filling follows it, so a delta goes with rows that have none */
            if (now.rows[t][r].size == 0)
                tw_store_put_delta(store, (tw_table)t, r, tw_buf_slice(&buf));
            else {
                tw_buf_clear(&buf);
                put_row(&buf, now.rows[t][r].value, now.rows[t][r].size);
                tw_store_put(store, (tw_table)t, r, tw_buf_slice(&buf));
            }
        } else {
            now.rows[t][r].there = true;
            now.rows[t][r].value = (uint32_t)tw_rng_next(rng);
            now.rows[t][r].size = tw_rng_below(rng, 3) ? 0 : tw_rng_below(rng, 3000);
            put_row(&buf, now.rows[t][r].value, now.rows[t][r].size);
            tw_store_put(store, (tw_table)t, r, tw_buf_slice(&buf));
        }
    }
    tw_buf_clear(&buf);
    tw_buf_u64(&buf, ++now.meta);
    tw_store_put_meta(store, "number", tw_buf_slice(&buf));
    for (int l = 0; l < 4; l++) {
        uint64_t v = tw_rng_next(rng), bucket = now.log_below[l] + tw_rng_below(rng, 4);
        if (bucket >= 64)
            continue;
        tw_buf_clear(&buf);
        tw_buf_u64(&buf, v);
        tw_store_append_log(store, (uint32_t)l, bucket, tw_buf_slice(&buf));
        now.log_sum[l][bucket] += v;
        if (tw_rng_below(rng, 8) == 0)
            now.log_below[l]++;
        tw_store_drop_log(store, (uint32_t)l, now.log_below[l]);
    }
    tw_buf_done(&buf);
}

TEST(any_sequence_of_changes_commits_folds_and_reopenings_gives_back_the_last_commit) {
    tw_rng rng = tw_rng_at(tw_test_seed(), 9, 0);
    const char *dir = tw_test_dir();
    tw_err err = {0};
    memset(&now, 0, sizeof now);
    memset(&committed, 0, sizeof committed);
    tw_store *store = open_store(dir, &now, 1 << 20, 100, false);
    for (int round = 0; round < 400; round++) {
        tw_store_begin(store);
        change_some(store, &rng);
        if (tw_rng_below(&rng, 10) > 0) {
            ASSERT_OK(tw_store_commit(store, &err));
            committed = now;
        } else { /* not committed: lost at the close */
            store = tw_store_close(store);
            now = committed;
            memset(&loaded, 0, sizeof loaded);
            uint64_t journal_max = (uint64_t)1 << (10 + tw_rng_below(&rng, 12));
            store = open_store(dir, &loaded, journal_max, 1 + tw_rng_below(&rng, 300), false);
            expect_same(&committed, &loaded);
            store = tw_store_close(store);
            memset(&loaded, 0, sizeof loaded);
            store = open_store(dir, &loaded, journal_max, 1 + tw_rng_below(&rng, 300), false);
            store = tw_store_close(store);
            /* go on with the memory as the owner: encode reads it at folds */
            memory kept = now;
            store = open_store(dir, &now, journal_max, 1 + tw_rng_below(&rng, 300), false);
            now = kept;
        }
        if (tw_rng_below(&rng, 40) == 0)
            ASSERT_OK(tw_store_fold_all(store, &err));
        if (tw_rng_below(&rng, 20) == 0) { /* a reader beside the writer */
            read_beside(dir);
            expect_same(&committed, &loaded);
        }
    }
    tw_store_close(store);
}
