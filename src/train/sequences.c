/* Gathering events by user, cutting them into sequences, and the vocabulary. Called by `train embeddings`. */
#include "train/sequences.h"

#include "base/alloc.h"
#include "base/vectors.h"

#include <stdlib.h>

static tw_slice name_of(const tw_names *names, uint32_t index) {
    size_t start = index ? names->ends[index - 1] : 0;
    return (tw_slice){names->bytes.data + start, names->ends[index] - start};
}

static bool same_name(const void *owner, uint32_t index, tw_slice name, uint32_t salt) {
    (void)salt;
    return tw_slice_equal(name_of(owner, index), name);
}

static void names_init(tw_names *names) {
    *names = (tw_names){.count = 0};
    names->map = tw_map_create(same_name, names);
}

static void names_done(tw_names *names) {
    tw_map_free(names->map);
    tw_buf_done(&names->bytes);
    free(names->ends);
}

static uint32_t number_of(tw_names *names, tw_slice name) {
    uint64_t hash = tw_map_hash(name, 0);
    uint32_t index = tw_map_find(names->map, name, 0, hash);
    if (index != TW_MAP_NONE)
        return index;
    tw_buf_put(&names->bytes, name.data, name.size);
    names->ends = tw_grow(names->ends, &names->capacity, (size_t)names->count + 1, sizeof *names->ends);
    names->ends[names->count] = names->bytes.size;
    tw_map_insert(names->map, hash, names->count);
    return names->count++;
}

void tw_sequences_init(tw_sequences *sequences, int64_t gap_ms) {
    *sequences = (tw_sequences){.gap_ms = gap_ms};
    names_init(&sequences->users);
    names_init(&sequences->items);
}

void tw_sequences_done(tw_sequences *sequences) {
    names_done(&sequences->users);
    names_done(&sequences->items);
    tw_buf_done(&sequences->word);
    free(sequences->met);
    free(sequences->tokens);
    free(sequences->starts);
    free(sequences->words);
    free(sequences->counts);
    *sequences = (tw_sequences){0};
}

static bool is_liked(const tw_event *event) {
    switch (event->kind) {
    case TW_KIND_CLICK:
    case TW_KIND_CART:
    case TW_KIND_PURCHASE:
        return true;
    case TW_KIND_REVIEW:
        return !(event->has & TW_HAS_RATING) || event->rating > 3;
    default:
        return false;
    }
}

void tw_sequences_add(tw_sequences *sequences, const tw_event *event) {
    if (!is_liked(event))
        return;
    sequences->met =
        tw_grow(sequences->met, &sequences->met_capacity, sequences->met_count + 1, sizeof *sequences->met);
    tw_met *met = &sequences->met[sequences->met_count];
    *met = (tw_met){.event_ms = event->event_ms, .order = sequences->met_count++};
    met->user = number_of(&sequences->users, event->user_id);
    met->item = number_of(&sequences->items, tw_vectors_word_of(event->item_id, &sequences->word));
}

static int by_user_and_time(const void *a, const void *b) {
    const tw_met *x = a, *y = b;
    if (x->user != y->user)
        return x->user < y->user ? -1 : 1;
    if (x->event_ms != y->event_ms)
        return x->event_ms < y->event_ms ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

typedef struct counted {
    uint64_t count;
    uint32_t item;
} counted;

static int by_falling_count(const void *a, const void *b) {
    const counted *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->item < y->item ? -1 : 1;
}

#define RARE UINT32_MAX

/* The word of each item, or RARE.   (items.count) returned, the caller frees it */
static uint32_t *number_words(tw_sequences *s, uint64_t count_min) {
    uint32_t items = s->items.count, *word_of = tw_alloc(((size_t)items + 1) * sizeof *word_of);
    counted *all = tw_zalloc(((size_t)items + 1) * sizeof *all);
    for (uint32_t item = 0; item < items; item++)
        all[item].item = item;
    for (size_t i = 0; i < s->met_count; i++)
        all[s->met[i].item].count++;
    qsort(all, items, sizeof *all, by_falling_count);
    s->words = tw_alloc(((size_t)items + 1) * sizeof *s->words);
    s->counts = tw_alloc(((size_t)items + 1) * sizeof *s->counts);
    for (uint32_t i = 0; i < items; i++) {
        bool kept = all[i].count >= count_min;
        word_of[all[i].item] = kept ? s->words_count : RARE;
        if (!kept) {
            s->rare_count++;
            continue;
        }
        s->words[s->words_count] = all[i].item;
        s->counts[s->words_count++] = all[i].count;
    }
    free(all);
    return word_of;
}

/* The sequence that began at start ends here; a single word is taken back. */
static void end_sequence(tw_sequences *s, size_t *start) {
    if (s->tokens_count - *start < 2) {
        s->tokens_count = *start;
        return;
    }
    s->starts = tw_grow(s->starts, &s->starts_capacity, s->sequences_count + 2, sizeof *s->starts);
    s->starts[s->sequences_count++] = *start;
    s->starts[s->sequences_count] = *start = s->tokens_count;
}

void tw_sequences_close(tw_sequences *s, uint64_t count_min) {
    uint32_t *word_of = number_words(s, count_min);
    size_t start = 0;
    if (s->met_count > 0)
        qsort(s->met, s->met_count, sizeof *s->met, by_user_and_time);
    s->tokens = tw_alloc((s->met_count + 1) * sizeof *s->tokens);
    for (size_t i = 0; i < s->met_count; i++) {
        const tw_met *met = &s->met[i];
        if (i > 0 && (met->user != met[-1].user || (s->gap_ms > 0 && met->event_ms - met[-1].event_ms > s->gap_ms)))
            end_sequence(s, &start);
        uint32_t word = word_of[met->item];
        if (word != RARE && (s->tokens_count == start || s->tokens[s->tokens_count - 1] != word))
            s->tokens[s->tokens_count++] = word;
    }
    end_sequence(s, &start);
    free(word_of);
    free(s->met);
    s->met = NULL;
}

tw_slice tw_sequences_word(const tw_sequences *sequences, uint32_t word) {
    return name_of(&sequences->items, sequences->words[word]);
}
