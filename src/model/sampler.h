/* Negative sampling: a ring of the newest positives (drawing from it is drawing by decayed popularity), and a pool of
 * negatives shared by consecutive events, an eighth of which is drawn anew at each event: half by popularity, half uniform.
 * Ring and pool are part of the state. Engine thread. */
#ifndef TW_MODEL_SAMPLER_H
#define TW_MODEL_SAMPLER_H

#include "base/rng.h"
#include "model/items.h"

#define TW_RING_SIZE 65536
#define TW_RING_CHUNK 1024 /* entries of one row in the store */
#define TW_RING_CHUNKS (TW_RING_SIZE / TW_RING_CHUNK)

typedef struct tw_sampler {
    uint32_t *ring;        /* (TW_RING_SIZE) */
    uint64_t ring_written; /* positives ever written; the place of the next is this modulo the size */
    uint32_t *counts;      /* (items) how often an item stands in the ring */
    size_t counts_capacity;
    uint32_t *pool; /* (pool_size) items; TW_SLOT_NONE: not yet drawn */
    uint32_t pool_size, pool_next;
    uint64_t dirty_chunks; /* bit per chunk of the ring */
} tw_sampler;

void tw_sampler_init(tw_sampler *sampler, uint32_t pool_size);
void tw_sampler_done(tw_sampler *sampler);
void tw_sampler_reach(tw_sampler *sampler, uint32_t items_capacity); /* counts for new items */

/* Writes a positive into the ring. */
void tw_sampler_note(tw_sampler *sampler, uint32_t item);
/* One draw: half by popularity, half uniform over live items; TW_SLOT_NONE when none can be had. */
uint32_t tw_sampler_draw(const tw_sampler *sampler, const tw_items *items, tw_rng *rng);
/* Draws an eighth of the pool anew, for the next event, and fetches its rows meanwhile. */
void tw_sampler_refresh(tw_sampler *sampler, const tw_items *items, tw_rng *rng);
/* How often an item is expected in a pool drawn anew: ret_uniform + ret_each x its count in the ring. */
void tw_sampler_expectation(const tw_sampler *sampler, const tw_items *items, float *ret_uniform, float *ret_each);
/* Takes items that no longer live out of ring and pool. */
void tw_sampler_scrub(tw_sampler *sampler, const tw_items *items);

void tw_sampler_encode_chunk(const tw_sampler *sampler, uint32_t chunk, tw_buf *out);
tw_code tw_sampler_load_chunk(tw_sampler *sampler, uint32_t chunk, tw_slice bytes, tw_err *err);
void tw_sampler_encode_pool(const tw_sampler *sampler, tw_buf *out);
tw_code tw_sampler_load_pool(tw_sampler *sampler, tw_slice bytes, tw_err *err);
void tw_sampler_loaded(tw_sampler *sampler); /* counts from the ring */

#endif
