/* Which items are worth a closer look: a first look at all of them, and the 256 that it and the user's own past lead to. Called by
 * features.c, after what context and transitions say of all items is known; engine thread. */
#include "base/skip.h"
#include "model/internal.h"

#include <math.h>

#define LN2 0.69314718f
/* Candidates are chosen by this fixed mixture, near the learned one, so that what is trained does not choose its own examples. */
static const float first_look_context = 0.4f;
static const float first_look[TW_FOLLOW_WAYS] = {0.25f, 0.25f, 0.12f};

void tw_model_add_transitions(tw_model *model, float *scores) {
    tw_scoring *s = &model->scoring;
    uint32_t n = s->touched_count;
    float *log = s->logs, *in = log + s->capacity, least = logf(TW_TRANSITIONS_LEAST);
    uint32_t padded =
        (n + 15) & ~15u; /* whole vectors: an item's logarithm must not depend on its place among the touched */
    for (int way = 0; way < TW_FOLLOW_WAYS; way++) {
        for (uint32_t t = 0; t < n; t++) {
            in[t] = s->raw[s->touched[t]].way[way];
            log[t] = -least;
        }
        for (uint32_t t = n; t < padded; t++)
            log[t] = in[t] = 0;
        model->kernels->add_log(log, LN2, in, TW_TRANSITIONS_LEAST, (int)padded);
        for (uint32_t t = 0; t < n; t++)
            scores[s->touched[t]] += first_look[way] * log[t];
    }
}

/* The first look at all items: a fixed mixture of context and transitions; -INFINITY for what must not be shown. */
static void look_first(tw_model *model, const tw_user *u) {
    tw_scoring *s = &model->scoring;
    for (uint32_t i = 0; i < s->n; i++)
        s->first[i] = first_look_context * (s->context[i] - s->context_log_sum);
    tw_model_add_transitions(model, s->first);
    tw_model_hide(model, u, s->first);
}

#define BINS 512
#define BINS_PER_NAT 32.0f

static uint32_t bin_of(float most, float score) {
    float below = (most - score) * BINS_PER_NAT;
    return below < BINS ? (uint32_t)below : BINS;
}

/* How many whole bins, from the best on, some counts fill before they are more than there is room for; takes what they hold from room. */
static uint32_t fill(const uint32_t *counts, uint32_t *room) {
    uint32_t bin = 0;
    while (bin < BINS && counts[bin] <= *room)
        *room -= counts[bin++];
    return bin;
}

/* The candidates: the user's newest past items, then the best of the first look, bin by bin; within the last bin in order of
 * slots. Takes the candidates out of the first look, where no item above the edge is left. */
static void choose(tw_model *model, const tw_user *u) {
    tw_scoring *s = &model->scoring;
    uint32_t counts[BINS + 1] = {0};
    s->candidates_count = 0;
    for (uint32_t place = tw_model_first_repeat(model, u); place < u->past_count; place++)
        if (s->first[u->items[place]] > -INFINITY) {
            s->candidates[s->candidates_count++] = u->items[place];
            s->first[u->items[place]] = -INFINITY;
        }
    float most = model->kernels->most(s->first, (int)s->n);
    s->edge = most;
    if (!(most > -INFINITY))
        return;
    /* Items with transitions stand high: where they alone would fill the room no item of a later bin can enter. */
    uint32_t left = TW_BLEND_CANDIDATES - s->candidates_count, room = left;
    for (uint32_t t = 0; t < s->touched_count; t++)
        counts[bin_of(most, s->first[s->touched[t]])]++;
    uint32_t bins = fill(counts, &room);
    float least = bins < BINS ? most - (float)(bins + 2) / BINS_PER_NAT : -INFINITY; /* a bin more than it takes */
    uint32_t reach = 0, *reached = s->reached;
    memset(counts, 0, sizeof counts);
    for (uint32_t i = 0; i < s->n; i++) {
        if (i % TW_SKIP_BLOCK == 0 && (i += tw_skip_below(s->first + i, s->n - i, least)) == s->n)
            break;
        if (s->first[i] >= least) {
            counts[bin_of(most, s->first[i])]++;
            reached[reach++] = i;
        }
    }
    uint32_t bin = fill(counts, &left);
    for (uint32_t r = 0; r < reach; r++) {
        uint32_t i = reached[r], in = bin_of(most, s->first[i]);
        if (in < bin || (in == bin && bin < BINS && left > 0)) {
            left -= in == bin;
            s->candidates[s->candidates_count++] = i;
            s->first[i] = -INFINITY;
        }
    }
    s->edge = most - (float)bin / BINS_PER_NAT;
}

void tw_model_choose(tw_model *model, const tw_user *u) {
    look_first(model, u);
    choose(model, u);
}
