/* The judge: each record of an input partition is a dead letter, late, a duplicate or applied, in that order.
 *
 * A tw_clean belongs to one input partition, so that a verdict depends on that partition's order only: its watermark
 * (largest admitted event time, all kinds together), its dedup window, its counters. Part of the committed state.
 * Thread: engine. */
#ifndef TW_CLEAN_CLEAN_H
#define TW_CLEAN_CLEAN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/event.h"
#include "base/hash.h"
#include "config/config.h"

typedef enum tw_verdict {
    TW_VERDICT_APPLIED,
    TW_VERDICT_DUPLICATE,
    TW_VERDICT_LATE,
    TW_VERDICT_DEAD,
    TW_VERDICT_COUNT
} tw_verdict;

typedef struct tw_clean tw_clean;

typedef struct tw_clean_counters {
    uint64_t verdicts[TW_VERDICT_COUNT];
    uint64_t reasons[TW_REASON_COUNT]; /* of the dead */
    uint64_t forgotten_early;          /* ids dropped for dedup.ids.max */
} tw_clean_counters;

/* config is borrowed and must outlive it. */
tw_clean *tw_clean_create(const tw_config *config);
tw_clean *tw_clean_free(tw_clean *clean);

/* What was replayed from files before a topic is read is the past of each of its partitions: ids that history (borrowed from now on; NULL:
 * none) remembers are duplicates, and lateness counts from its watermark where that is ahead. Allowed lateness never reaches
 * beyond the window, so a topic that still holds what the files held is taken in once. */
void tw_clean_follow(tw_clean *clean, const tw_clean *history);

/* Judges an event that decoded (reason NONE) or not. now_ms is the record's append time, else the wall clock (a file: the
 * clock at its first open). Counts it; an applied event's id is remembered, the watermark moves. */
tw_verdict tw_clean_judge(tw_clean *clean, const tw_event *event, tw_reason decode_reason, int64_t now_ms,
                          tw_reason *ret_reason);

/* The id by which duplicates are known. false: nothing will be looked up. */
bool tw_clean_id(const tw_clean *clean, const tw_event *event, tw_hash128 *ret_id);
/* Touches what judging an event of that kind and id will look up, and again when that may have come. For a block of events at once, before the
 * first of them is judged: see dedup.h. */
#define TW_CLEAN_BLOCK 32
void tw_clean_prefetch(const tw_clean *clean, tw_kind kind, tw_hash128 id);
void tw_clean_prefetch_more(const tw_clean *clean, tw_kind kind, tw_hash128 id);
/* The same as judge for an event whose id tw_clean_id gave. */
tw_verdict tw_clean_judge_id(tw_clean *clean, const tw_event *event, tw_hash128 id, int64_t now_ms,
                             tw_reason *ret_reason);

const tw_clean_counters *tw_clean_counters_get(const tw_clean *clean);
int64_t tw_clean_watermark_ms(const tw_clean *clean); /* INT64_MIN before the first event */

/* Persistence. The meta holds watermark, counters and the Welford statistics; one log per window and time bucket holds the ids remembered in it.
 * At a commit: encode_meta, then next_change until false (each: bytes to append to a bucket), then drop_below. */
typedef enum tw_clean_window { TW_WINDOW_CLICK, TW_WINDOW_PURCHASE, TW_WINDOW_REVIEW, TW_WINDOW_COUNT } tw_clean_window;

void tw_clean_encode_meta(const tw_clean *clean, tw_buf *out);
tw_code tw_clean_load_meta(tw_clean *clean, tw_slice bytes, tw_err *err);
/* Takes the ids remembered since the last commit, one (window, bucket) at a time; bytes valid until the next call. */
bool tw_clean_next_change(tw_clean *clean, tw_clean_window *ret_window, uint64_t *ret_bucket, tw_slice *ret_bytes);
uint64_t tw_clean_drop_below(const tw_clean *clean, tw_clean_window window); /* buckets below this are forgotten */
tw_code tw_clean_load_log(tw_clean *clean, tw_clean_window window, uint64_t bucket, tw_slice bytes, tw_err *err);

/* Running mean and variance (Welford 1962) of an applied event's numeric features, for normalising them. */
typedef struct tw_clean_feature {
    uint64_t count;
    double mean, m2;
} tw_clean_feature;
typedef enum tw_feature { TW_FEATURE_PRICE, TW_FEATURE_RATING, TW_FEATURE_QUANTITY, TW_FEATURE_COUNT } tw_feature;
const tw_clean_feature *tw_clean_features(const tw_clean *clean);
/* (x - mean) / standard deviation; 0 before the second value and where the deviation is 0. */
double tw_clean_normalise(const tw_clean_feature *feature, double x);

/* Adds watermark, counters and the live ids to a digest, independent of commit boundaries and of the table's layout. */
void tw_clean_digest(const tw_clean *clean, tw_buf *out);

size_t tw_clean_ids_live(const tw_clean *clean);
size_t tw_clean_size_bytes(const tw_clean *clean);

#endif
