/* The table of remembered ids. Called by the judge for each event that passed the rules and is not late. */
#include "pipeline/clean/dedup.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <stdlib.h>

#define BITS_LEAST 16 /* home must give the upper 16 bits of the hash, which the tag does not hold */
#define TAG_BITS 48
#define TAG_MASK (((uint64_t)1 << TAG_BITS) - 1)
#define FAR_MAX 63      /* places from home that 6 bits can name */
#define CODES 1023      /* bucket numbers that 10 bits can name, 0 left for the empty slot */
#define SWEEP_AFTER 512 /* buckets: well before a stale slot's code could mean a live bucket again */

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
    int bits;               /* the table has 2^bits slots */
    size_t used;            /* slots that are not empty, stale ones included */
    uint64_t *slots;        /* compact */
    exact_slot *exacts;     /* exact */
    uint64_t newest, floor; /* buckets: the newest event time, the oldest that still counts */
    uint64_t swept;         /* newest at the last rebuild */
    bool started;
    size_t live, per_bucket[CODES + 1]; /* ids by bucket code */
    fresh *changes;
    size_t changes_count, changes_capacity, changes_sent;
    bool changes_sorted;
};

static size_t slots_count(const tw_dedup *d) {
    return (size_t)1 << d->bits;
}

static void make_table(tw_dedup *d) {
    if (d->exact)
        d->exacts = tw_zalloc(slots_count(d) * sizeof *d->exacts);
    else
        d->slots = tw_zalloc(slots_count(d) * sizeof *d->slots);
    d->used = 0;
}

tw_dedup *tw_dedup_create(int64_t window_ms, bool exact) {
    tw_dedup *d = tw_zalloc(sizeof *d);
    d->bucket_ms = window_ms / TW_DEDUP_BUCKETS;
    d->exact = exact;
    d->bits = BITS_LEAST;
    make_table(d);
    return d;
}

tw_dedup *tw_dedup_free(tw_dedup *d) {
    if (d) {
        free(d->slots);
        free(d->exacts);
        free(d->changes);
        free(d);
    }
    return NULL;
}

uint64_t tw_dedup_bucket(const tw_dedup *d, int64_t event_ms) {
    return (uint64_t)(event_ms / d->bucket_ms);
}

static uint64_t code_of(uint64_t bucket) {
    return bucket % CODES + 1;
}
static size_t home_of(const tw_dedup *d, uint64_t hash) {
    return (size_t)(hash >> (64 - d->bits));
}
static uint64_t pack(uint64_t hash, uint64_t far, uint64_t code) {
    return (hash & TAG_MASK) << 16 | far << 10 | code;
}

/* The bucket of a slot's code: the newest one with that code. Stale slots are swept before this could be wrong. */
static uint64_t bucket_of(const tw_dedup *d, uint64_t code) {
    uint64_t behind = (code_of(d->newest) + CODES - code) % CODES;
    return d->newest - behind;
}

static bool is_live(const tw_dedup *d, uint64_t bucket) {
    return bucket >= d->floor && bucket <= d->newest;
}

/* Places the hash, which is not in the table; false when it would be too far from home. */
static bool place_compact(tw_dedup *d, uint64_t hash, uint64_t code) {
    size_t mask = slots_count(d) - 1, home = home_of(d, hash);
    for (uint64_t far = 0; far <= FAR_MAX; far++) {
        uint64_t *slot = &d->slots[(home + far) & mask];
        if (*slot == 0) {
            *slot = pack(hash, far, code);
            d->used++;
            return true;
        }
    }
    return false;
}

static void place_exact(tw_dedup *d, tw_hash128 id, uint64_t bucket) {
    size_t mask = slots_count(d) - 1, at = home_of(d, id.lo);
    while (d->exacts[at].bucket)
        at = (at + 1) & mask;
    d->exacts[at] = (exact_slot){id, bucket + 1};
    d->used++;
}

/* Moves what is live into a table of 2^bits slots; false when a probe came out too long there. */
static bool move_to(tw_dedup *d, int bits) {
    tw_dedup old = *d;
    size_t old_count = slots_count(&old);
    bool fits = true;
    d->bits = bits;
    make_table(d);
    for (size_t at = 0; fits && at < old_count; at++) {
        if (old.exact) {
            if (old.exacts[at].bucket && is_live(d, old.exacts[at].bucket - 1))
                place_exact(d, old.exacts[at].id, old.exacts[at].bucket - 1);
            continue;
        }
        uint64_t slot = old.slots[at], code = slot & 1023, far = slot >> 10 & FAR_MAX;
        if (slot == 0 || !is_live(d, bucket_of(d, code)))
            continue;
        uint64_t home = (at - far) & (old_count - 1);
        uint64_t hash = home << (64 - old.bits) >> TAG_BITS << TAG_BITS | slot >> 16;
        fits = place_compact(d, hash, code);
    }
    if (!fits) {
        free(d->slots);
        d->bits = old.bits;
        d->slots = old.slots;
        d->used = old.used;
        return false;
    }
    free(old.slots);
    free(old.exacts);
    d->swept = d->newest;
    return true;
}

/* Drops the stale; doubles when what is live would soon fill the table again. Costs one pass over the table,
 * once in many inserts. */
static void rebuild(tw_dedup *d, bool larger) {
    int bits = d->bits + (larger || d->live * 20 > slots_count(d) * 9);
    while (!move_to(d, bits))
        bits++;
}

static void add(tw_dedup *d, tw_hash128 id, uint64_t bucket) {
    if (d->used * 5 >= slots_count(d) * 3)
        rebuild(d, false);
    if (d->exact)
        place_exact(d, id, bucket);
    else
        while (!place_compact(d, id.lo, code_of(bucket)))
            rebuild(d, true);
    d->live++;
    d->per_bucket[code_of(bucket)]++;
}

/* The bucket under which the id stands in the table, live or stale; false: it does not. *ret_at: its place. */
static bool find(const tw_dedup *d, tw_hash128 id, size_t *ret_at, uint64_t *ret_bucket) {
    size_t mask = slots_count(d) - 1, home = home_of(d, id.lo);
    for (uint64_t far = 0;; far++) {
        size_t at = (home + far) & mask;
        *ret_at = at;
        if (d->exact) {
            if (d->exacts[at].bucket == 0)
                return false;
            if (d->exacts[at].id.lo == id.lo && d->exacts[at].id.hi == id.hi) {
                *ret_bucket = d->exacts[at].bucket - 1;
                return true;
            }
            continue;
        }
        uint64_t slot = d->slots[at];
        if (slot == 0 || far > FAR_MAX)
            return false;
        if (slot >> 10 == ((id.lo & TAG_MASK) << 6 | far)) {
            *ret_bucket = bucket_of(d, slot & 1023);
            return true;
        }
    }
}

static void set_bucket(tw_dedup *d, size_t at, uint64_t bucket) {
    if (d->exact)
        d->exacts[at].bucket = bucket + 1;
    else
        d->slots[at] = (d->slots[at] & ~(uint64_t)1023) | code_of(bucket);
    d->live++;
    d->per_bucket[code_of(bucket)]++;
}

static void raise_floor(tw_dedup *d, uint64_t floor) {
    if (floor <= d->floor)
        return;
    uint64_t steps = floor - d->floor;
    for (uint64_t b = d->floor; b < floor && steps <= CODES; b++) {
        d->live -= d->per_bucket[code_of(b)];
        d->per_bucket[code_of(b)] = 0;
    }
    if (steps > CODES) {
        d->live = 0;
        memset(d->per_bucket, 0, sizeof d->per_bucket);
    }
    d->floor = floor;
}

static void advance(tw_dedup *d, uint64_t newest) {
    if (!d->started) {
        d->started = true;
        d->newest = d->swept = newest;
        d->floor = newest > TW_DEDUP_BUCKETS ? newest - TW_DEDUP_BUCKETS : 0;
    }
    if (newest <= d->newest)
        return;
    if (newest - d->swept >= SWEEP_AFTER) { /* what is stale by now must go before codes come round */
        uint64_t floor = newest - TW_DEDUP_BUCKETS;
        raise_floor(d, floor);
        move_to(d, d->bits);
        d->swept = newest;
    }
    d->newest = newest;
    if (newest > TW_DEDUP_BUCKETS)
        raise_floor(d, newest - TW_DEDUP_BUCKETS);
}

void tw_dedup_prefetch(const tw_dedup *d, tw_hash128 id) {
    size_t home = home_of(d, id.lo);
    if (d->exact)
        __builtin_prefetch(&d->exacts[home], 1);
    else
        __builtin_prefetch(&d->slots[home], 1);
}

bool tw_dedup_seen(tw_dedup *d, tw_hash128 id, int64_t event_ms, int64_t now_ms) {
    uint64_t bucket = tw_dedup_bucket(d, event_ms), known;
    size_t at;
    advance(d, tw_dedup_bucket(d, now_ms > event_ms ? now_ms : event_ms));
    if (bucket < d->floor)
        bucket = d->floor; /* as late as lateness allows, or forgotten early: kept as if it had come just in time */
    if (find(d, id, &at, &known)) {
        if (is_live(d, known))
            return true;
        set_bucket(d, at, bucket);
    } else {
        add(d, id, bucket);
    }
    d->changes = tw_grow(d->changes, &d->changes_capacity, d->changes_count + 1, sizeof *d->changes);
    d->changes[d->changes_count++] = (fresh){bucket, id};
    d->changes_sorted = false;
    return false;
}

bool tw_dedup_holds(const tw_dedup *d, tw_hash128 id) {
    uint64_t known;
    size_t at;
    return find(d, id, &at, &known) && is_live(d, known);
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

static int by_bucket(const void *a, const void *b) {
    const fresh *x = a, *y = b;
    return (x->bucket > y->bucket) - (x->bucket < y->bucket);
}

bool tw_dedup_next_change(tw_dedup *d, uint64_t *ret_bucket, tw_buf *out) {
    if (!d->changes_sorted && d->changes_count) {
        qsort(d->changes, d->changes_count, sizeof *d->changes, by_bucket);
        d->changes_sorted = true;
        d->changes_sent = 0;
    }
    while (d->changes_sent < d->changes_count && d->changes[d->changes_sent].bucket < d->floor)
        d->changes_sent++;
    if (d->changes_sent == d->changes_count) {
        d->changes_count = d->changes_sent = 0;
        return false;
    }
    *ret_bucket = d->changes[d->changes_sent].bucket;
    for (; d->changes_sent < d->changes_count && d->changes[d->changes_sent].bucket == *ret_bucket; d->changes_sent++) {
        tw_buf_u64(out, d->changes[d->changes_sent].id.lo);
        if (d->exact)
            tw_buf_u64(out, d->changes[d->changes_sent].id.hi);
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
    return TW_OK;
}

tw_code tw_dedup_load(tw_dedup *d, uint64_t bucket, tw_slice bytes, tw_err *err) {
    size_t width = d->exact ? 16 : 8, at, i;
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
        if (!find(d, id, &at, &known))
            add(d, id, bucket);
    }
    return TW_OK;
}

/* Buckets in order of time, each with its count and a sum of mixed ids: the order of ids does not matter, the set does. */
void tw_dedup_digest(const tw_dedup *d, tw_buf *out) {
    uint64_t *sums = tw_zalloc((CODES + 1) * sizeof *sums);
    for (size_t at = 0; at < slots_count(d); at++) {
        uint64_t bucket, hash;
        if (d->exact) {
            if (d->exacts[at].bucket == 0)
                continue;
            bucket = d->exacts[at].bucket - 1;
            hash = d->exacts[at].id.lo ^ tw_rng_mix(d->exacts[at].id.hi);
        } else {
            uint64_t slot = d->slots[at];
            if (slot == 0)
                continue;
            bucket = bucket_of(d, slot & 1023);
            uint64_t home = (at - (slot >> 10 & FAR_MAX)) & (slots_count(d) - 1);
            hash = home << (64 - d->bits) >> TAG_BITS << TAG_BITS | slot >> 16;
        }
        if (is_live(d, bucket))
            sums[code_of(bucket)] += tw_rng_mix(hash);
    }
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
    return slots_count(d) * (d->exact ? sizeof(exact_slot) : sizeof(uint64_t)) + d->changes_capacity * sizeof(fresh);
}
