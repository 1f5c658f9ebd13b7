/* From a word vector to the start of an item's embeddings. Called when an item is made or described, and after loading. */
#include "model/cold.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

#define PROJECTION_SEED 0x636f6c64u /* any; the same for all states */

#define NEAREST 8           /* with 4 and 16 the young of cold.h are at .103 and .079, .182 and .171 */
#define LIKENESS_LEAST 0.3f /* chosen: thrice what vectors without anything in common reach by chance in 64 numbers */

void tw_cold_init(tw_cold *cold, const tw_vectors *vectors, int D) {
    *cold = (tw_cold){.vectors = vectors, .kernels = tw_kernels_get(), .F = tw_vectors_dim(vectors), .D = D};
    cold->word = tw_alloc_lines((size_t)cold->F * sizeof(float));
    cold->sum = tw_alloc_lines((size_t)cold->F * sizeof(float));
    cold->scores = tw_alloc_lines(TW_TABLE_CHUNK_ROWS * sizeof(float));
    tw_rows_init(&cold->places, D);
    if (cold->F == D)
        return;
    cold->matrix = tw_alloc_lines((size_t)cold->F * (size_t)D * sizeof(float));
    for (int f = 0; f < cold->F; f++) {
        tw_rng rng = tw_rng_at(PROJECTION_SEED, (uint64_t)D, (uint64_t)f);
        for (int d = 0; d < D; d++)
            cold->matrix[(size_t)f * (size_t)D + (size_t)d] = (float)tw_rng_normal(&rng);
    }
}

void tw_cold_done(tw_cold *cold) {
    if (!cold->vectors)
        return;
    free(cold->matrix);
    free(cold->word);
    free(cold->sum);
    free(cold->scores);
    free(cold->by);
    tw_rows_done(&cold->places);
    tw_buf_done(&cold->text);
    *cold = (tw_cold){0};
}

/* ---- from words to a place ---------------------------------------------------------------------------------------- */

/* Scales x (n) to length 1; false when it has none. */
static bool to_unit(const tw_kernels *kernels, float *x, int n) {
    float length = sqrtf(kernels->dot(x, x, n));
    if (!(length > 0) || !isfinite(length))
        return false;
    for (int i = 0; i < n; i++)
        x[i] /= length;
    return true;
}

/* Adds the unit vector of a word to the sum. */
static bool add_word(tw_cold *cold, tw_slice word) {
    uint32_t index = tw_vectors_find(cold->vectors, word);
    if (index == TW_VECTORS_NONE)
        return false;
    tw_vectors_get(cold->vectors, index, cold->word);
    if (!to_unit(cold->kernels, cold->word, cold->F))
        return false;
    cold->kernels->axpy(cold->sum, 1.0f, cold->word, cold->F);
    return true;
}

static bool in_word(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

static bool add_text(tw_cold *cold, const char *at, size_t size) {
    const char *end = at + size;
    bool any = false;
    while (at < end) {
        tw_buf_clear(&cold->text);
        for (; at < end && in_word((unsigned char)*at); at++)
            tw_buf_u8(&cold->text, (uint8_t)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at));
        if (cold->text.size > 0)
            any |= add_word(cold, tw_buf_slice(&cold->text));
        while (at < end && !in_word((unsigned char)*at))
            at++;
    }
    return any;
}

static tw_cold_by sum_of(tw_cold *cold, const tw_item *item) {
    tw_slice id = {item->id, item->id_size};
    memset(cold->sum, 0, (size_t)cold->F * sizeof(float));
    if (add_word(cold, id) || add_word(cold, tw_vectors_word_of(id, &cold->text)))
        return TW_COLD_BY_ID;
    bool title = add_text(cold, item->title, item->title_size);
    bool category = add_text(cold, item->category, item->category_size);
    return title || category ? TW_COLD_BY_WORDS : TW_COLD_UNKNOWN;
}

/* The place of the item, which is returned when the file knows it. */
static const float *place_of(tw_cold *cold, const tw_items *items, uint32_t item) {
    tw_rows_reach(&cold->places, item);
    size_t old = cold->by_capacity;
    cold->by = tw_grow(cold->by, &cold->by_capacity, (size_t)item + 1, sizeof *cold->by);
    memset(cold->by + old, TW_COLD_UNKNOWN, cold->by_capacity - old);
    float *place = tw_row(&cold->places, item);
    memset(place, 0, (size_t)cold->D * sizeof(float));
    tw_cold_by by = sum_of(cold, &items->items[item]);
    if (by != TW_COLD_UNKNOWN && !cold->matrix)
        memcpy(place, cold->sum, (size_t)cold->D * sizeof(float));
    for (int f = 0; by != TW_COLD_UNKNOWN && cold->matrix && f < cold->F; f++)
        cold->kernels->axpy(place, cold->sum[f], cold->matrix + (size_t)f * (size_t)cold->D, cold->D);
    if (by != TW_COLD_UNKNOWN && !to_unit(cold->kernels, place, cold->D)) { /* words that cancel out */
        memset(place, 0, (size_t)cold->D * sizeof(float));
        by = TW_COLD_UNKNOWN;
    }
    cold->by[item] = (uint8_t)by;
    return by == TW_COLD_UNKNOWN ? NULL : place;
}

/* ---- from a place to a start -------------------------------------------------------------------------------------- */

typedef struct near {
    float likeness;
    uint32_t item;
} near;

static bool is_learned(const tw_items *items, uint32_t item) {
    return tw_slots_used(&items->slots, item) && items->out_sum[item] > 0;
}

/* The learned items nearest to a place, nearest first.   best (NEAREST) out */
static int find_nearest(tw_cold *cold, const tw_items *items, uint32_t item, const float *place, near *best) {
    const tw_item *it = &items->items[item];
    uint32_t end = items->slots.end, chunks = (end + TW_TABLE_CHUNK_ROWS - 1) / TW_TABLE_CHUNK_ROWS;
    uint32_t looked = TW_COLD_LOOK / TW_TABLE_CHUNK_ROWS < chunks ? TW_COLD_LOOK / TW_TABLE_CHUNK_ROWS : chunks;
    uint32_t first = looked < chunks ? (uint32_t)(tw_hash64((tw_slice){it->id, it->id_size}) % chunks) : 0;
    int n = 0;
    tw_rows_reach(&cold->places, end - 1);
    for (uint32_t c = 0; c < looked; c++) {
        uint32_t at = (first + c) % chunks * TW_TABLE_CHUNK_ROWS;
        uint32_t rows = end - at < TW_TABLE_CHUNK_ROWS ? end - at : TW_TABLE_CHUNK_ROWS;
        cold->kernels->dot_rows(tw_row(&cold->places, at), place, cold->scores, (int)rows, cold->D);
        for (uint32_t i = 0; i < rows; i++) {
            float likeness = cold->scores[i];
            if (likeness < LIKENESS_LEAST || (n == NEAREST && likeness <= best[n - 1].likeness) || at + i == item ||
                !is_learned(items, at + i))
                continue;
            int k = n < NEAREST ? n++ : n - 1;
            for (; k > 0 && best[k - 1].likeness < likeness; k--)
                best[k] = best[k - 1];
            best[k] = (near){likeness, at + i};
        }
    }
    return n;
}

void tw_cold_describe(tw_cold *cold, tw_items *items, uint32_t item) {
    near best[NEAREST];
    float total = 0, *out;
    if (!cold->vectors)
        return;
    const float *place = place_of(cold, items, item);
    if (!place || items->out_sum[item] > 0)
        return;
    int n = find_nearest(cold, items, item, place, best);
    if (n == 0)
        return;
    for (int k = 0; k < n; k++)
        total += best[k].likeness * best[k].likeness;
    out = tw_row(&items->out, item);
    memset(out, 0, (size_t)cold->D * sizeof(float));
    for (int k = 0; k < n; k++)
        cold->kernels->axpy(out, best[k].likeness * best[k].likeness / total, tw_row(&items->out, best[k].item),
                            cold->D);
    tw_dirty_add(&items->dirty_out, item);
}

void tw_cold_loaded(tw_cold *cold, const tw_items *items) {
    for (uint32_t item = 0; cold->vectors && item < items->slots.end; item++)
        if (tw_slots_used(&items->slots, item))
            place_of(cold, items, item);
}

void tw_cold_hits(const tw_cold *cold, const tw_items *items, tw_model_hits *ret_hits) {
    uint32_t counts[3] = {0};
    for (uint32_t item = 0; cold->vectors && item < items->slots.end; item++)
        if (tw_slots_used(&items->slots, item))
            counts[cold->by[item]]++;
    *ret_hits = (tw_model_hits){
        .by_id = counts[TW_COLD_BY_ID], .by_words = counts[TW_COLD_BY_WORDS], .unknown = counts[TW_COLD_UNKNOWN]};
}

size_t tw_cold_bytes(const tw_cold *cold) {
    size_t places = cold->places.chunks_count * TW_TABLE_CHUNK_ROWS * (size_t)cold->D * sizeof(float);
    return cold->vectors ? places + cold->by_capacity + (cold->matrix ? (size_t)cold->F * (size_t)cold->D * 4 : 0) : 0;
}
