/* The table of remembered ids. Called by the judge for each event that passed the rules and is not late. */
#include "pipeline/clean/dedup.h"

#include "base/alloc.h"
#include "base/prefetch.h"
#include "base/rng.h"
#include "pipeline/clean/id_table.h"

#include <stdlib.h>

/* Largest share of the slots that may live, and how much a table grows by then: 14 to 15.2 bytes an id (10 M ids, Zen 4, 2026-11-25: a look-up
 * costs a tenth more at .7). */
#define FULL_PERCENT 58
#define GROWTH_PERCENT 110
#define EXACT_SLOTS_MIN 65536
/* Stale slots are emptied after so many buckets: well before a stale code could mean a live bucket again. */
#define SWEEP_AFTER 240

_Static_assert(SWEEP_AFTER + TW_DEDUP_BUCKETS + 1 < TW_ID_CODES, "a stale code must not come round");

typedef struct exact_slot {
    tw_hash128 id;
    uint64_t bucket; /* plus 1; 0: empty */
} exact_slot;

typedef struct fresh {
    uint64_t bucket;
    tw_hash128 id;
} fresh;

struct tw_dedup {
    int64_t bucket_ms;
    bool exact;
    tw_id_table table;  /* compact */
    exact_slot *exacts; /* (1 << bits) exact */
    int bits;
    size_t used;            /* exact slots that are not empty, stale ones included */
    uint64_t newest, floor; /* buckets: the newest event time, the oldest that still counts; */
    tw_id_live codes;       /* the codes between them */
    uint64_t swept;         /* newest at the last sweep */
    int64_t last_ms;        /* start of the bucket that was asked for last, */
    uint64_t last;          /* and its number: most events are of the same one, and a division costs */
    bool started;
    size_t live, per_bucket[TW_ID_CODES + 1]; /* ids by bucket code */
    fresh *changes, *ordered;                 /* since the last commit, and the same in order of buckets */
    size_t changes_count, changes_capacity, ordered_count, ordered_capacity, changes_sent;
};

static size_t exacts_count(const tw_dedup *d) {
    return (size_t)1 << d->bits;
}

static uint64_t code_of(uint64_t bucket) {
    return bucket % TW_ID_CODES + 1;
}

/* After each change of newest or floor. */
static void set_codes(tw_dedup *d) {
    d->codes = (tw_id_live){code_of(d->newest), d->floor <= d->newest ? d->newest - d->floor + 1 : 0};
}

tw_dedup *tw_dedup_create(int64_t window_ms, bool exact) {
    tw_dedup *d = tw_zalloc(sizeof *d);
    d->bucket_ms = window_ms / TW_DEDUP_BUCKETS;
    d->exact = exact;
    d->bits = __builtin_ctz(EXACT_SLOTS_MIN);
    set_codes(d);
    if (exact)
        d->exacts = tw_zalloc(exacts_count(d) * sizeof *d->exacts);
    else
        tw_id_table_init(&d->table, 0);
    return d;
}

tw_dedup *tw_dedup_free(tw_dedup *d) {
    if (d) {
        tw_id_table_done(&d->table);
        free(d->exacts);
        free(d->changes);
        free(d->ordered);
        free(d);
    }
    return NULL;
}

uint64_t tw_dedup_bucket(const tw_dedup *d, int64_t event_ms) {
    return (uint64_t)(event_ms / d->bucket_ms);
}

static uint64_t bucket_at(tw_dedup *d, int64_t event_ms) {
    if ((uint64_t)event_ms - (uint64_t)d->last_ms >= (uint64_t)d->bucket_ms) {
        d->last = tw_dedup_bucket(d, event_ms);
        d->last_ms = (int64_t)d->last * d->bucket_ms;
    }
    return d->last;
}

/* The bucket of a slot's code: the newest one with that code. Stale slots are swept before this could be wrong. */
static uint64_t bucket_of(const tw_dedup *d, uint64_t code) {
    uint64_t behind = (code_of(d->newest) + TW_ID_CODES - code) % TW_ID_CODES;
    return d->newest - behind;
}

static bool is_live(const tw_dedup *d, uint64_t bucket) {
    return bucket >= d->floor && bucket <= d->newest;
}

static size_t exact_home(const tw_dedup *d, tw_hash128 id) {
    return (size_t)(id.lo >> (64 - d->bits));
}

static void place_exact(tw_dedup *d, tw_hash128 id, uint64_t bucket) {
    size_t mask = exacts_count(d) - 1, at = exact_home(d, id);
    while (d->exacts[at].bucket)
        at = (at + 1) & mask;
    d->exacts[at] = (exact_slot){id, bucket + 1};
    d->used++;
}

/* Moves what is live into a table of 2^bits slots. */
static void move_exact(tw_dedup *d, int bits) {
    exact_slot *old = d->exacts;
    size_t old_count = exacts_count(d);
    d->bits = bits;
    d->used = 0;
    d->exacts = tw_zalloc(exacts_count(d) * sizeof *d->exacts);
    for (size_t at = 0; at < old_count; at++)
        if (old[at].bucket && is_live(d, old[at].bucket - 1))
            place_exact(d, old[at].id, old[at].bucket - 1);
    free(old);
}

/* Moves what is live into a larger table; false when some id found all its lines full there. */
static bool move_to(tw_dedup *d, size_t lines) {
    tw_id_table larger;
    tw_id_table_init(&larger, lines);
    for (size_t at = 0; at < d->table.lines * TW_ID_LINE; at++) {
        uint64_t code = tw_id_table_code(&d->table, at);
        if (tw_id_is_live(code, d->codes) &&
            !tw_id_table_place(&larger, tw_id_table_hash(&d->table, at), code, d->codes)) {
            tw_id_table_done(&larger);
            return false;
        }
    }
    tw_id_table_done(&d->table);
    d->table = larger;
    return true;
}

static bool is_full(const tw_dedup *d) {
    return d->live * 100 >= d->table.lines * TW_ID_LINE * FULL_PERCENT;
}

static void grow(tw_dedup *d) {
    size_t lines = d->table.lines;
    do
        lines = lines * GROWTH_PERCENT / 100;
    while (!move_to(d, lines));
    d->swept = d->newest;
}

static void place(tw_dedup *d, tw_hash128 id, uint64_t bucket) {
    if (d->exact) {
        if (d->used * 5 >= exacts_count(d) * 3)
            move_exact(d, d->bits + (d->live * 20 > exacts_count(d) * 9));
        place_exact(d, id, bucket);
        return;
    }
    if (is_full(d))
        grow(d);
    while (!tw_id_table_place(&d->table, id.lo, code_of(bucket), d->codes))
        grow(d);
}

/* An id that find did not find. */
static inline void add(tw_dedup *d, tw_hash128 id, uint64_t bucket, tw_id_room room) {
    uint64_t code = bucket == d->newest ? d->codes.newest : code_of(bucket);
    if (room.slot != TW_ID_NONE && !is_full(d))
        tw_id_table_fill(&d->table, code, room);
    else
        place(d, id, bucket);
    d->live++;
    d->per_bucket[code]++;
}

static bool find_exact(const tw_dedup *d, tw_hash128 id, size_t *ret_at, uint64_t *ret_bucket) {
    size_t mask = exacts_count(d) - 1, at = exact_home(d, id);
    for (; d->exacts[at].bucket; at = (at + 1) & mask)
        if (d->exacts[at].id.lo == id.lo && d->exacts[at].id.hi == id.hi) {
            *ret_at = at;
            *ret_bucket = d->exacts[at].bucket - 1;
            return true;
        }
    return false;
}

/* The bucket under which the id stands in the table, live or stale, *ret_at its place; false: it does not, and *ret_room is where it would go
 * in a compact table. */
static inline bool find(const tw_dedup *d, tw_hash128 id, size_t *ret_at, uint64_t *ret_bucket, tw_id_room *ret_room) {
    if (d->exact) {
        ret_room->slot = TW_ID_NONE;
        return find_exact(d, id, ret_at, ret_bucket);
    }
    *ret_at = tw_id_table_find(&d->table, id.lo, d->codes, ret_room);
    if (*ret_at == TW_ID_NONE)
        return false;
    *ret_bucket = bucket_of(d, tw_id_table_code(&d->table, *ret_at));
    return true;
}

static void set_bucket(tw_dedup *d, size_t at, uint64_t bucket) {
    if (d->exact)
        d->exacts[at].bucket = bucket + 1;
    else
        tw_id_table_set_code(&d->table, at, code_of(bucket));
    d->live++;
    d->per_bucket[code_of(bucket)]++;
}

static void raise_floor(tw_dedup *d, uint64_t floor) {
    if (floor <= d->floor)
        return;
    uint64_t steps = floor - d->floor;
    for (uint64_t b = d->floor; b < floor && steps <= TW_ID_CODES; b++) {
        d->live -= d->per_bucket[code_of(b)];
        d->per_bucket[code_of(b)] = 0;
    }
    if (steps > TW_ID_CODES) {
        d->live = 0;
        memset(d->per_bucket, 0, sizeof d->per_bucket);
    }
    d->floor = floor;
    set_codes(d);
}

static void advance(tw_dedup *d, uint64_t newest) {
    if (!d->started) {
        d->started = true;
        d->newest = d->swept = newest;
        d->floor = newest > TW_DEDUP_BUCKETS ? newest - TW_DEDUP_BUCKETS : 0;
        set_codes(d);
    }
    if (newest <= d->newest)
        return;
    if (newest - d->swept >= SWEEP_AFTER) { /* what is stale by now must go before codes come round */
        uint64_t floor = newest > TW_DEDUP_BUCKETS ? newest - TW_DEDUP_BUCKETS : 0;
        raise_floor(d, floor);
        if (d->exact)
            move_exact(d, d->bits);
        else
            tw_id_table_sweep(&d->table, d->codes);
        d->swept = newest;
    }
    d->newest = newest;
    set_codes(d);
    if (newest > TW_DEDUP_BUCKETS)
        raise_floor(d, newest - TW_DEDUP_BUCKETS);
}

void tw_dedup_prefetch(const tw_dedup *d, tw_hash128 id) {
    if (d->exact)
        TW_PREFETCH(&d->exacts[exact_home(d, id)]);
    else
        tw_id_table_prefetch(&d->table, id.lo);
}

void tw_dedup_prefetch_more(const tw_dedup *d, tw_hash128 id) {
    if (!d->exact)
        tw_id_table_prefetch_more(&d->table, id.lo, d->codes);
}

bool tw_dedup_seen(tw_dedup *d, tw_hash128 id, int64_t event_ms, int64_t now_ms) {
    uint64_t bucket = bucket_at(d, event_ms), newest = now_ms > event_ms ? bucket_at(d, now_ms) : bucket, known;
    size_t at;
    tw_id_room room;
    if (newest > d->newest || d->floor > d->newest || !d->started) {
        advance(d, newest);
        advance(d, d->floor); /* ahead of the newest where all was forgotten early */
    }
    if (bucket < d->floor)
        bucket = d->floor; /* as late as lateness allows, or forgotten early: kept as if it had come just in time */
    if (find(d, id, &at, &known, &room)) {
        if (is_live(d, known))
            return true;
        set_bucket(d, at, bucket);
    } else {
        add(d, id, bucket, room);
    }
    if (d->changes_count == d->changes_capacity)
        d->changes = tw_grow(d->changes, &d->changes_capacity, d->changes_count + 1, sizeof *d->changes);
    d->changes[d->changes_count++] = (fresh){bucket, id};
    return false;
}

bool tw_dedup_holds(const tw_dedup *d, tw_hash128 id) {
    uint64_t known;
    size_t at;
    tw_id_room room;
    return find(d, id, &at, &known, &room) && is_live(d, known);
}

size_t tw_dedup_forget_oldest(tw_dedup *d) {
    while (d->live && d->floor <= d->newest) {
        size_t before = d->live;
        raise_floor(d, d->floor + 1);
        if (d->live < before)
            return before - d->live;
    }
    return 0;
}

/* The changes that still count, by bucket: counted, then put in their places. */
static void order_changes(tw_dedup *d) {
    size_t starts[TW_DEDUP_BUCKETS + 2] = {0};
    d->ordered = tw_grow(d->ordered, &d->ordered_capacity, d->changes_count, sizeof *d->ordered);
    for (size_t i = 0; i < d->changes_count; i++)
        if (d->changes[i].bucket >= d->floor)
            starts[d->changes[i].bucket - d->floor + 1]++;
    for (size_t b = 1; b < sizeof starts / sizeof starts[0]; b++)
        starts[b] += starts[b - 1];
    d->ordered_count = starts[TW_DEDUP_BUCKETS + 1];
    for (size_t i = 0; i < d->changes_count; i++)
        if (d->changes[i].bucket >= d->floor)
            d->ordered[starts[d->changes[i].bucket - d->floor]++] = d->changes[i];
    d->changes_count = d->changes_sent = 0;
}

bool tw_dedup_next_change(tw_dedup *d, uint64_t *ret_bucket, tw_buf *out) {
    if (d->changes_sent == d->ordered_count) {
        if (d->changes_count)
            order_changes(d);
        else
            d->changes_sent = d->ordered_count = 0;
    }
    if (d->changes_sent == d->ordered_count)
        return false;
    *ret_bucket = d->ordered[d->changes_sent].bucket;
    for (; d->changes_sent < d->ordered_count && d->ordered[d->changes_sent].bucket == *ret_bucket; d->changes_sent++) {
        tw_buf_u64(out, d->ordered[d->changes_sent].id.lo);
        if (d->exact)
            tw_buf_u64(out, d->ordered[d->changes_sent].id.hi);
    }
    return true;
}

uint64_t tw_dedup_drop_below(const tw_dedup *d) {
    return d->floor;
}

void tw_dedup_encode(const tw_dedup *d, tw_buf *out) {
    tw_buf_u8(out, d->started);
    tw_buf_u8(out, d->exact);
    tw_buf_u64(out, (uint64_t)d->bucket_ms);
    tw_buf_u64(out, d->newest);
    tw_buf_u64(out, d->floor);
}

tw_code tw_dedup_load_meta(tw_dedup *d, tw_cursor *c, tw_err *err) {
    bool started = tw_cursor_u8(c) != 0, exact = tw_cursor_u8(c) != 0;
    int64_t bucket_ms = (int64_t)tw_cursor_u64(c);
    uint64_t newest = tw_cursor_u64(c), floor = tw_cursor_u64(c);
    if (c->bad || floor > newest + 1)
        return tw_fail(err, TW_E_STORE, "a dedup window is damaged");
    if (exact != d->exact || bucket_ms != d->bucket_ms)
        return tw_fail(
            err, TW_E_MISMATCH,
            "the state's dedup windows have another length or exactness than dedup.window.*.ms and dedup.exact say");
    d->started = started;
    d->newest = d->swept = newest;
    d->floor = floor;
    set_codes(d);
    return TW_OK;
}

tw_code tw_dedup_load(tw_dedup *d, uint64_t bucket, tw_slice bytes, tw_err *err) {
    size_t width = d->exact ? 16 : 8, at, i;
    tw_id_room room;
    if (bytes.size % width || bucket > d->newest)
        return tw_fail(err, TW_E_STORE, "the log of a dedup window is damaged");
    if (bucket < d->floor)
        return TW_OK; /* forgotten, only not yet deleted */
    for (i = 0; i < bytes.size; i += width) {
        tw_hash128 id = {0};
        uint64_t known;
        memcpy(&id.lo, bytes.data + i, 8);
        if (d->exact)
            memcpy(&id.hi, bytes.data + i + 8, 8);
        if (!find(d, id, &at, &known, &room))
            add(d, id, bucket, room);
    }
    return TW_OK;
}

static void sum_up(const tw_dedup *d, uint64_t bucket, uint64_t hash, uint64_t *sums) {
    if (is_live(d, bucket))
        sums[code_of(bucket)] += tw_rng_mix(hash);
}

/* Buckets in order of time, each with its count and a sum of mixed ids: the order of ids does not matter, the set does. */
void tw_dedup_digest(const tw_dedup *d, tw_buf *out) {
    uint64_t *sums = tw_zalloc((TW_ID_CODES + 1) * sizeof *sums);
    for (size_t at = 0; d->exact && at < exacts_count(d); at++)
        if (d->exacts[at].bucket)
            sum_up(d, d->exacts[at].bucket - 1, d->exacts[at].id.lo ^ tw_rng_mix(d->exacts[at].id.hi), sums);
    for (size_t at = 0; !d->exact && at < d->table.lines * TW_ID_LINE; at++)
        if (tw_id_table_code(&d->table, at))
            sum_up(d, bucket_of(d, tw_id_table_code(&d->table, at)), tw_id_table_hash(&d->table, at), sums);
    tw_buf_u64(out, d->newest);
    tw_buf_u64(out, d->floor);
    for (uint64_t b = d->floor; d->started && b <= d->newest; b++)
        if (d->per_bucket[code_of(b)]) {
            tw_buf_u64(out, b);
            tw_buf_u64(out, d->per_bucket[code_of(b)]);
            tw_buf_u64(out, sums[code_of(b)]);
        }
    free(sums);
}

size_t tw_dedup_live(const tw_dedup *d) {
    return d->live;
}
size_t tw_dedup_size_bytes(const tw_dedup *d) {
    size_t table = d->exact ? exacts_count(d) * sizeof(exact_slot) : d->table.lines * TW_ID_LINE * sizeof(uint64_t);
    return table + (d->changes_capacity + d->ordered_capacity) * sizeof(fresh);
}
