#include "unit/store/shelf.h"

#include "base/hash.h"
#include "support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void bytes_of(uint32_t value, uint32_t size_max, tw_buf *out) {
    tw_rng rng = tw_rng_at(value, 1, 1);
    uint32_t size = size_max ? tw_rng_below(&rng, size_max) : 0;
    tw_buf_u32(out, value);
    for (uint32_t i = 0; i < size; i += 8)
        tw_buf_u64(out, tw_rng_next(&rng));
}

void shelf_bytes(const shelf *s, tw_table table, uint32_t row, tw_buf *out) {
    bytes_of(s->rows[table][row], s->size_max, out);
}

static tw_code load(void *self, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err) {
    shelf *s = self;
    tw_buf wanted = {0};
    uint32_t value;
    (void)delta;
    if (bytes.size < sizeof value || row >= SHELF_ROWS)
        return tw_fail(err, TW_E_STORE, "a row came back as something else");
    memcpy(&value, bytes.data, sizeof value);
    bytes_of(value, s->size_max, &wanted);
    bool same = wanted.size == bytes.size && memcmp(wanted.data, bytes.data, bytes.size) == 0;
    tw_buf_done(&wanted);
    s->rows[table][row] = value;
    s->loaded++;
    return same ? TW_OK : tw_fail(err, TW_E_STORE, "a row came back changed");
}
static void load_delete(void *self, tw_table table, uint32_t row) {
    ((shelf *)self)->rows[table][row] = 0;
}
static tw_code load_meta(void *self, const char *name, tw_slice bytes, tw_err *err) {
    if (strcmp(name, "number") != 0 || bytes.size != 8)
        return tw_fail(err, TW_E_STORE, "a meta came back as something else");
    memcpy(&((shelf *)self)->meta, bytes.data, 8);
    return TW_OK;
}
static tw_code load_log(void *self, uint32_t log, uint64_t bucket, tw_slice bytes, tw_err *err) {
    if (log >= SHELF_LOGS || bucket >= SHELF_BUCKETS)
        return tw_fail(err, TW_E_STORE, "a log came back as something else");
    ((shelf *)self)->log_sums[log][bucket] += tw_hash64(bytes);
    return TW_OK;
}
static void encode(void *self, tw_table table, uint32_t row, tw_buf *out) {
    shelf_bytes(self, table, row, out);
}

tw_code shelf_open(const char *dir, uint64_t map_max, bool read_only, shelf *s, tw_store **ret_store, tw_err *err) {
    const tw_store_options options = {dir, map_max, 1 << 16, 100, read_only, s->read_back};
    const tw_store_owner owner = {s, load, load_delete, load_meta, load_log, encode};
    bool fresh;
    *s = (shelf){.size_max = s->size_max, .read_back = s->read_back};
    TW_TRY(tw_store_open(&options, &owner, ret_store, &fresh, err));
    tw_code code = fresh ? TW_OK : tw_store_load(*ret_store, err);
    if (code != TW_OK)
        *ret_store = tw_store_close(*ret_store);
    return code;
}

static void change_logs(shelf *s, tw_store *store, tw_rng *rng) {
    tw_buf buf = {0};
    for (uint32_t l = 0; l < SHELF_LOGS; l++) {
        uint64_t bucket = s->log_below[l] + tw_rng_below(rng, 3);
        if (bucket >= SHELF_BUCKETS)
            continue;
        tw_buf_clear(&buf);
        for (uint32_t i = tw_rng_below(rng, 1000); i > 0; i--)
            tw_buf_u64(&buf, tw_rng_next(rng));
        tw_store_append_log(store, l, bucket, tw_buf_slice(&buf));
        s->log_sums[l][bucket] += tw_hash64(tw_buf_slice(&buf));
        if (tw_rng_below(rng, 4) == 0)
            s->log_sums[l][s->log_below[l]++] = 0;
        tw_store_drop_log(store, l, s->log_below[l]);
    }
    tw_buf_done(&buf);
}

void shelf_change(shelf *s, tw_store *store, tw_rng *rng, uint32_t changes) {
    tw_buf buf = {0};
    bool touched[TW_TABLE_COUNT][SHELF_ROWS] = {0};
    tw_store_begin(store);
    for (; changes > 0; changes--) {
        tw_table t = (tw_table)(1 + tw_rng_below(rng, TW_TABLE_COUNT - 1));
        uint32_t r = tw_rng_below(rng, SHELF_ROWS);
        if (touched[t][r])
            continue; /* an owner sends each row once in a commit */
        touched[t][r] = true;
        bool was = s->rows[t][r] != 0;
        uint32_t die = tw_rng_below(rng, 10);
        s->rows[t][r] = die == 0 ? 0 : 1 + tw_rng_below(rng, 1u << 30);
        tw_buf_clear(&buf);
        shelf_bytes(s, t, r, &buf);
        if (die == 0)
            tw_store_delete(store, t, r);
        else if (was && die < 4)
            tw_store_put_delta(store, t, r, tw_buf_slice(&buf));
        else
            tw_store_put(store, t, r, tw_buf_slice(&buf));
    }
    tw_buf_clear(&buf);
    tw_buf_u64(&buf, ++s->meta);
    tw_store_put_meta(store, "number", tw_buf_slice(&buf));
    tw_buf_done(&buf);
    change_logs(s, store, rng);
}

bool shelf_same(const shelf *a, const shelf *b) {
    return memcmp(a->rows, b->rows, sizeof a->rows) == 0 && a->meta == b->meta &&
           memcmp(a->log_sums, b->log_sums, sizeof a->log_sums) == 0;
}

void shelf_copy(const char *from_dir, const char *to_dir, int64_t bytes_max) {
    char path[700];
    static char block[1 << 16];
    mkdir(to_dir, 0777);
    snprintf(path, sizeof path, "%s/data.mdb", from_dir);
    int from = open(path, O_RDONLY);
    snprintf(path, sizeof path, "%s/data.mdb", to_dir);
    int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ASSERT_TRUE(from >= 0 && to >= 0);
    while (bytes_max > 0) {
        ssize_t n = read(from, block, bytes_max < (int64_t)sizeof block ? (size_t)bytes_max : sizeof block);
        ASSERT_GE(n, 0);
        if (n == 0)
            break;
        ASSERT_EQ(write(to, block, (size_t)n), n);
        bytes_max -= n;
    }
    close(from);
    close(to);
}
