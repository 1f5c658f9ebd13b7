/* The ring of positives and the pool of negatives. Called by learning at each event; its draws are keyed by the event. */
#include "model/sampler.h"

#include "base/alloc.h"

#include <stdlib.h>

_Static_assert(TW_RING_CHUNKS <= 64, "dirty_chunks has a bit for each");

void tw_sampler_init(tw_sampler *sampler, uint32_t pool_size) {
    *sampler = (tw_sampler){.pool_size = pool_size};
    sampler->ring = tw_alloc(TW_RING_SIZE * sizeof *sampler->ring);
    sampler->pool = tw_alloc(pool_size * sizeof *sampler->pool);
    memset(sampler->ring, 0xff, TW_RING_SIZE * sizeof *sampler->ring);
    memset(sampler->pool, 0xff, pool_size * sizeof *sampler->pool);
}

void tw_sampler_done(tw_sampler *sampler) {
    free(sampler->ring);
    free(sampler->counts);
    free(sampler->pool);
    *sampler = (tw_sampler){0};
}

void tw_sampler_reach(tw_sampler *sampler, uint32_t items_capacity) {
    size_t old = sampler->counts_capacity;
    sampler->counts = tw_grow(sampler->counts, &sampler->counts_capacity, items_capacity, sizeof *sampler->counts);
    if (sampler->counts_capacity > old)
        memset(sampler->counts + old, 0, (sampler->counts_capacity - old) * sizeof *sampler->counts);
}

void tw_sampler_note(tw_sampler *sampler, uint32_t item) {
    uint32_t place = (uint32_t)(sampler->ring_written++ % TW_RING_SIZE);
    uint32_t old = sampler->ring[place];
    if (old != TW_SLOT_NONE)
        sampler->counts[old]--;
    sampler->ring[place] = item;
    sampler->counts[item]++;
    sampler->dirty_chunks |= (uint64_t)1 << (place / TW_RING_CHUNK);
}

static uint32_t ring_filled(const tw_sampler *sampler) {
    return sampler->ring_written < TW_RING_SIZE ? (uint32_t)sampler->ring_written : TW_RING_SIZE;
}

uint32_t tw_sampler_draw(const tw_sampler *sampler, const tw_items *items, tw_rng *rng) {
    uint64_t bits = tw_rng_next(rng); /* one number a draw: the lowest bit chooses how, the high half where */
    uint64_t where = bits >> 32;
    uint32_t filled = ring_filled(sampler);
    if ((bits & 1) && filled)
        return sampler->ring[where * filled >> 32];
    if (items->slots.end == 0)
        return TW_SLOT_NONE;
    uint32_t item = (uint32_t)(where * items->slots.end >> 32);
    return tw_slots_used(&items->slots, item) ? item : TW_SLOT_NONE;
}

void tw_sampler_refresh(tw_sampler *sampler, const tw_items *items, tw_rng *rng) {
    uint32_t draws = sampler->pool_size / 8;
    for (uint32_t i = 0; i < draws; i++) {
        uint32_t item = tw_sampler_draw(sampler, items, rng);
        sampler->pool[sampler->pool_next] = item;
        if (item != TW_SLOT_NONE)
            tw_row_prefetch(&items->out, item);
        sampler->pool_next = (sampler->pool_next + 1) % sampler->pool_size;
    }
}

void tw_sampler_expectation(const tw_sampler *sampler, const tw_items *items, float *ret_uniform, float *ret_each) {
    uint32_t filled = ring_filled(sampler);
    float uniform = (float)sampler->pool_size / (float)items->slots.end;
    *ret_uniform = filled ? 0.5f * uniform : uniform;
    *ret_each = filled ? 0.5f * (float)sampler->pool_size / (float)filled : 0;
}

void tw_sampler_scrub(tw_sampler *sampler, const tw_items *items) {
    for (uint32_t place = 0; place < TW_RING_SIZE; place++) {
        uint32_t item = sampler->ring[place];
        if (item != TW_SLOT_NONE && !tw_slots_used(&items->slots, item)) {
            sampler->counts[item] = 0;
            sampler->ring[place] = TW_SLOT_NONE;
            sampler->dirty_chunks |= (uint64_t)1 << (place / TW_RING_CHUNK);
        }
    }
    for (uint32_t i = 0; i < sampler->pool_size; i++)
        if (sampler->pool[i] != TW_SLOT_NONE && !tw_slots_used(&items->slots, sampler->pool[i]))
            sampler->pool[i] = TW_SLOT_NONE;
}

void tw_sampler_encode_chunk(const tw_sampler *sampler, uint32_t chunk, tw_buf *out) {
    tw_buf_put(out, sampler->ring + chunk * TW_RING_CHUNK, TW_RING_CHUNK * sizeof *sampler->ring);
}

tw_code tw_sampler_load_chunk(tw_sampler *sampler, uint32_t chunk, tw_slice bytes, tw_err *err) {
    if (bytes.size != TW_RING_CHUNK * sizeof *sampler->ring || chunk >= TW_RING_CHUNKS)
        return tw_fail(err, TW_E_STORE, "a chunk of the sampler's ring is damaged");
    memcpy(sampler->ring + chunk * TW_RING_CHUNK, bytes.data, bytes.size);
    return TW_OK;
}

void tw_sampler_encode_pool(const tw_sampler *sampler, tw_buf *out) {
    tw_buf_u64(out, sampler->ring_written);
    tw_buf_u32(out, sampler->pool_next);
    tw_buf_u32(out, sampler->pool_size);
    tw_buf_put(out, sampler->pool, sampler->pool_size * sizeof *sampler->pool);
}

/* A pool of another size (learn.negatives changed) starts empty. */
tw_code tw_sampler_load_pool(tw_sampler *sampler, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    sampler->ring_written = tw_cursor_u64(&c);
    uint32_t next = tw_cursor_u32(&c), size = tw_cursor_u32(&c);
    const void *pool = tw_cursor_take(&c, (size_t)size * sizeof *sampler->pool);
    if (c.bad || c.at != c.end || next >= size)
        return tw_fail(err, TW_E_STORE, "the pool of negatives is damaged");
    if (size == sampler->pool_size) {
        sampler->pool_next = next;
        memcpy(sampler->pool, pool, (size_t)size * sizeof *sampler->pool);
    }
    return TW_OK;
}

void tw_sampler_loaded(tw_sampler *sampler) {
    if (sampler->counts)
        memset(sampler->counts, 0, sampler->counts_capacity * sizeof *sampler->counts);
    for (uint32_t place = 0; place < TW_RING_SIZE; place++)
        if (sampler->ring[place] != TW_SLOT_NONE)
            sampler->counts[sampler->ring[place]]++;
}
