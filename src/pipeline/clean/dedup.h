/* The memory of one dedup window: which ids were seen, by bucket of event time (window / 256).
 *
 * 8 bytes a slot (id_table.h), which hold 64 bits of the id's hash by tag and place, so that a verdict is exactly "is this 64-bit hash
 * remembered": the same after any restart. 14 to 16 bytes an id. The chance that a new id is
 * taken for an old one is at most n / 2^64 for n live ids (5e-13 at ten million). With `exact` a slot is 24 bytes and holds all
 * 128 bits and the bucket.
 *
 * An id is remembered for the window and at most one bucket longer. Engine thread. */
#ifndef TW_CLEAN_DEDUP_H
#define TW_CLEAN_DEDUP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

typedef struct tw_dedup tw_dedup;

#define TW_DEDUP_BUCKETS 256 /* of a window */

tw_dedup *tw_dedup_create(int64_t window_ms, bool exact);
tw_dedup *tw_dedup_free(tw_dedup *dedup);

uint64_t tw_dedup_bucket(const tw_dedup *dedup, int64_t event_ms);
/* Touches what seen will read, and again when that may have come, as it may say that there is more.
 * For a block of ids at once, and then again for the block, before the first of them is looked up: a look-up between two of these waits for what
 * they asked for (32 ids a block: 39 ns an id, one by one 49; Zen 4, 2026-11-25). */
#define TW_DEDUP_BLOCK 32
void tw_dedup_prefetch(const tw_dedup *dedup, tw_hash128 id);
void tw_dedup_prefetch_more(const tw_dedup *dedup, tw_hash128 id);

/* The id was remembered within the window (moves the window up to event_ms first, when that is ahead). If not, remembers it
 * under event_ms. now_ms is the newest event time of the partition: buckets older than the window before it are forgotten. */
bool tw_dedup_seen(tw_dedup *dedup, tw_hash128 id, int64_t event_ms, int64_t now_ms);

/* The id is remembered; changes nothing. */
bool tw_dedup_holds(const tw_dedup *dedup, tw_hash128 id);

/* Forgets everything of the oldest live bucket; returns how many ids went (0: nothing is remembered). */
size_t tw_dedup_forget_oldest(tw_dedup *dedup);

/* Ids remembered since the last call, a bucket at a time: appended to out (8 or 16 bytes each). false: none left. */
bool tw_dedup_next_change(tw_dedup *dedup, uint64_t *ret_bucket, tw_buf *out);
uint64_t tw_dedup_drop_below(const tw_dedup *dedup);
/* What is remembered beside the ids: newest and oldest bucket. Errors: TW_E_STORE; TW_E_MISMATCH when the state's window is another. */
void tw_dedup_encode(const tw_dedup *dedup, tw_buf *out);
tw_code tw_dedup_load_meta(tw_dedup *dedup, tw_cursor *cursor, tw_err *err);
/* The ids of a bucket, after load_meta. */
tw_code tw_dedup_load(tw_dedup *dedup, uint64_t bucket, tw_slice bytes, tw_err *err);

/* Live buckets in order with an order-independent sum of their ids. */
void tw_dedup_digest(const tw_dedup *dedup, tw_buf *out);

size_t tw_dedup_live(const tw_dedup *dedup);
size_t tw_dedup_size_bytes(const tw_dedup *dedup);

#endif
