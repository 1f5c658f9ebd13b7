/* From state to scores: each scorer's log-score of every item, the blend of them, why an item stands where it stands, and the
 * blend's own learning, which ranks all items on a share of the events. Engine thread. */
#include "model/internal.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

#define LN2 0.69314718f
/* What is added before a logarithm: the score of an item that the scorer has never seen. */
#define TRANSITIONS_LEAST 1e-4f
#define POPULAR_LEAST 0.5f
/* Followers of an item seen less than this often are not believed whole (a count in units of one step). */
#define TRANSITIONS_PRIOR 4.0f

static void reserve(tw_scoring *s, uint32_t n) {
    if (n > s->capacity || s->capacity == 0) {
        uint32_t capacity = n + n / 2 + 64;
        float **const columns[] = {&s->context, &s->transitions, &s->trending, &s->popular, &s->raw};
        for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
            free(*columns[i]);
            *columns[i] = tw_alloc_lines(capacity * sizeof(float));
        }
        free(s->touched);
        s->touched = tw_alloc(capacity * sizeof *s->touched);
        s->capacity = capacity;
    }
    s->n = n;
}

/* out = ln(x + least) for n counts. */
static void log_of(const tw_model *model, const float *x, float least, float *out, uint32_t n) {
    memset(out, 0, n * sizeof *out);
    model->kernels->add_log(out, LN2, x, least, (int)n);
}

static void score_context(tw_model *model) {
    tw_scoring *s = &model->scoring;
    const tw_rows *out = &model->items.out;
    for (uint32_t at = 0; at < s->n; at += TW_TABLE_CHUNK_ROWS) {
        uint32_t rows = s->n - at < TW_TABLE_CHUNK_ROWS ? s->n - at : TW_TABLE_CHUNK_ROWS;
        model->kernels->dot_rows(tw_row(out, at), model->context.vector, s->context + at, (int)rows, out->D);
    }
    for (uint32_t i = 0; i < s->n; i++)
        s->context[i] += model->items.bias[i];
}

/* raw_i = sum over the newest past items p_k of decay^k weight(p_k -> i) / (seen of p_k); its logarithm is the score (a logarithm
 * of a sum, not a sum of logarithms: one strong link is enough). */
static void score_transitions(tw_model *model, const tw_user *u) {
    tw_scoring *s = &model->scoring;
    float decay = 1;
    s->touched_count = 0;
    for (uint32_t k = 0, steps = 0; k < u->past_count && steps < (uint32_t)model->config->learn_transitions_steps;
         k++) {
        uint32_t place = u->past_count - 1 - k;
        if (u->flags[place] & TW_PAST_DISLIKED)
            continue;
        const tw_follow_row *row = tw_follow_row_at(&model->follow, u->items[place]);
        steps++;
        if (row) {
            float share = decay / (row->sum + TRANSITIONS_PRIOR);
            for (uint32_t i = 0; i < row->capacity; i++) {
                if (row->pairs[i].item == TW_PAIR_EMPTY)
                    continue;
                uint32_t item = tw_pair_item(&row->pairs[i]);
                if (s->raw[item] == 0)
                    s->touched[s->touched_count++] = item;
                s->raw[item] += share * row->pairs[i].weight;
            }
        }
        decay *= (float)model->config->learn_transitions_decay;
    }
    log_of(model, s->raw, TRANSITIONS_LEAST, s->transitions, s->n);
    for (uint32_t i = 0; i < s->touched_count; i++)
        s->raw[s->touched[i]] = 0;
}

/* Counts in units of one event now; the unit grows instead of all counts shrinking. */
static void score_popularity(tw_model *model) {
    tw_scoring *s = &model->scoring;
    float unit = (float)(1.0 / model->popular_unit);
    for (uint32_t i = 0; i < s->n; i++)
        s->popular[i] = model->items.popular[i] * unit;
    log_of(model, s->popular, POPULAR_LEAST, s->trending, s->n);
    for (uint32_t i = 0; i < s->n; i++)
        s->transitions[i] = (float)model->sampler.counts[i]; /* borrowed: transitions come after */
    log_of(model, s->transitions, POPULAR_LEAST, s->popular, s->n);
}

void tw_model_score_features(tw_model *model, uint32_t user, int64_t now_ms) {
    tw_scoring *s = &model->scoring;
    reserve(s, model->items.slots.end);
    s->user = user;
    s->now_ms = now_ms;
    s->means_known = false;
    const tw_user *u = user == TW_SLOT_NONE ? NULL : tw_user_at(&model->users, user);
    s->bucket = tw_blend_bucket(u ? u->past_count : 0);
    if (model->mf) {
        s->has_context = u != NULL;
        if (u)
            memcpy(model->context.vector, tw_row(&model->users.embeddings, user),
                   (size_t)model->context.D * sizeof(float));
    } else {
        s->has_context =
            u && tw_context_make(&model->context, &model->items, u,
                                 model->context.user_rate > 0 ? tw_row(&model->users.embeddings, user) : NULL);
    }
    score_popularity(model);
    if (s->has_context) {
        score_context(model);
        if (!model->mf)
            score_transitions(model, u);
    }
}

static bool excluded(const tw_model *model, const tw_user *u, uint32_t place) {
    switch (model->config->rank_exclude) {
    case TW_EXCLUDE_PURCHASED:
        return u->flags[place] & TW_PAST_BOUGHT;
    case TW_EXCLUDE_CONSUMED:
        return true;
    default:
        return false;
    }
}

static void hide(const tw_model *model, const tw_user *u, float *scores) {
    const tw_items *items = &model->items;
    for (uint32_t item = 0; item < model->scoring.n; item++)
        if (!tw_item_shown(items, item))
            scores[item] = -INFINITY;
    for (uint32_t place = 0; u && place < u->past_count; place++)
        if (excluded(model, u, place))
            scores[u->items[place]] = -INFINITY;
}

static uint32_t first_repeat(const tw_model *model, const tw_user *u) {
    uint32_t most = model->repeat.items_max;
    return u->past_count > most ? u->past_count - most : 0;
}

static void blend(tw_model *model, float *scores) {
    const tw_scoring *s = &model->scoring;
    const float *w = model->blend.weights[s->bucket];
    const tw_user *u = s->user == TW_SLOT_NONE ? NULL : tw_user_at(&model->users, s->user);
    if (!s->has_context) { /* nothing is known of the user: the popular, the newly popular with them */
        for (uint32_t i = 0; i < s->n; i++)
            scores[i] = s->popular[i] + s->trending[i];
    } else if (model->mf) {
        for (uint32_t i = 0; i < s->n; i++)
            scores[i] = s->context[i];
    } else {
        for (uint32_t i = 0; i < s->n; i++)
            scores[i] = w[TW_BY_CONTEXT] * s->context[i] + w[TW_BY_TRANSITIONS] * s->transitions[i] +
                        w[TW_BY_TRENDING] * s->trending[i] + w[TW_BY_POPULAR] * s->popular[i];
        for (uint32_t place = first_repeat(model, u); place < u->past_count; place++)
            scores[u->items[place]] +=
                w[TW_BY_REPEAT] * LN2 * tw_repeat_score(&model->repeat, u, place, s->now_ms) + w[TW_BY_OWN];
    }
    hide(model, u, scores);
}

void tw_model_score(tw_model *model, uint32_t user, int64_t now_ms, float *scores) {
    tw_model_score_features(model, user, now_ms);
    blend(model, scores);
}

/* Features of one item in the last scoring. */
static void features_of(const tw_model *model, uint32_t item, float *f) {
    const tw_scoring *s = &model->scoring;
    f[TW_BY_CONTEXT] = s->has_context ? s->context[item] : 0;
    f[TW_BY_TRANSITIONS] = s->has_context && !model->mf ? s->transitions[item] : 0;
    f[TW_BY_TRENDING] = s->trending[item];
    f[TW_BY_POPULAR] = s->popular[item];
    f[TW_BY_REPEAT] = f[TW_BY_OWN] = 0;
    if (model->mf || s->user == TW_SLOT_NONE)
        return;
    const tw_user *u = tw_user_at(&model->users, s->user);
    int place = tw_past_find(u, item);
    if (place >= 0 && (uint32_t)place >= first_repeat(model, u)) {
        f[TW_BY_REPEAT] = LN2 * tw_repeat_score(&model->repeat, u, (uint32_t)place, s->now_ms);
        f[TW_BY_OWN] = 1;
    }
}

/* The gradient of log softmax(target) in the weights: features of the target less their mean under the softmax. */
void tw_model_blend_learn(tw_model *model, uint32_t user, uint32_t target, int64_t now_ms) {
    tw_scoring *s = &model->scoring;
    uint32_t n = model->items.slots.end;
    model->scores = tw_grow(model->scores, &model->scores_capacity, n, sizeof(float));
    tw_model_score(model, user, now_ms, model->scores);
    if (!s->has_context || !(model->scores[target] > -INFINITY))
        return;
    float most = -INFINITY;
    for (uint32_t i = 0; i < n; i++)
        most = model->scores[i] > most ? model->scores[i] : most;
    double sum = 0, mean[TW_BLEND_SCORERS] = {0}, gradient[TW_BLEND_SCORERS];
    for (uint32_t i = 0; i < n; i++) {
        if (!(model->scores[i] > most - 16.0f)) /* what weighs less than e^-16 of the best moves no mean */
            continue;
        double p = expf(model->scores[i] - most);
        sum += p;
        mean[TW_BY_CONTEXT] += p * s->context[i];
        mean[TW_BY_TRANSITIONS] += p * s->transitions[i];
        mean[TW_BY_TRENDING] += p * s->trending[i];
        mean[TW_BY_POPULAR] += p * s->popular[i];
    }
    const tw_user *u = tw_user_at(&model->users, user);
    for (uint32_t place = first_repeat(model, u); place < u->past_count; place++) {
        double p = expf(model->scores[u->items[place]] - most);
        mean[TW_BY_REPEAT] += p * LN2 * tw_repeat_score(&model->repeat, u, place, now_ms);
        mean[TW_BY_OWN] += p;
    }
    float f[TW_BLEND_SCORERS];
    features_of(model, target, f);
    for (int w = 0; w < TW_BLEND_SCORERS; w++)
        gradient[w] = f[w] - mean[w] / sum;
    tw_blend_step(&model->blend, s->bucket, gradient);
}

/* ---- why ---------------------------------------------------------------------------------------------------------- */

static const char *const names_default[] = {[TW_BY_CONTEXT] = "context",
                                            [TW_BY_TRANSITIONS] = "transitions",
                                            [TW_BY_TRENDING] = "trending",
                                            [TW_BY_POPULAR] = "popular",
                                            [TW_BY_REPEAT] = "repeat"};
static const char *const names_mf[] = {"factors", "", "", "popular"};

_Static_assert(TW_BY_OWN <= TW_SCORERS_MAX, "reasons have room for each scorer; being one's own counts to repeat");

int tw_model_scorers(const tw_model *model) {
    (void)model;
    return TW_BY_OWN;
}

const char *tw_model_scorer_name(const tw_model *model, int i) {
    return model->mf ? (i == TW_BY_CONTEXT || i == TW_BY_POPULAR ? names_mf[i] : "none") : names_default[i];
}

static void weights_of(const tw_model *model, float *w) {
    const tw_scoring *s = &model->scoring;
    memset(w, 0, TW_BLEND_SCORERS * sizeof *w);
    if (!s->has_context)
        w[TW_BY_TRENDING] = w[TW_BY_POPULAR] = 1;
    else if (model->mf)
        w[TW_BY_CONTEXT] = 1;
    else
        memcpy(w, model->blend.weights[s->bucket], TW_BLEND_SCORERS * sizeof *w);
}

/* A scorer lifts an item by how far its part stands above the mean item; once per scoring, over the shown items. */
static void know_means(tw_model *model) {
    tw_scoring *s = &model->scoring;
    double sums[TW_BLEND_SCORERS] = {0};
    uint32_t shown = 0;
    if (s->means_known)
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!tw_item_shown(&model->items, i))
            continue;
        shown++;
        sums[TW_BY_CONTEXT] += s->has_context ? s->context[i] : 0;
        sums[TW_BY_TRANSITIONS] += s->has_context && !model->mf ? s->transitions[i] : 0;
        sums[TW_BY_TRENDING] += s->trending[i];
        sums[TW_BY_POPULAR] += s->popular[i];
    }
    for (int w = 0; w < TW_BLEND_SCORERS; w++)
        s->mean[w] = shown ? (float)(sums[w] / shown) : 0;
    s->means_known = true;
}

/* The past item that gives most to a context or transition score of this item. */
static uint32_t because_of(const tw_model *model, uint32_t item, bool by_context) {
    float best = -INFINITY, decay = 1;
    uint32_t because = TW_SLOT_NONE;
    int half = model->context.D / 2;
    const float *out = tw_row(&model->items.out, item);
    for (uint32_t c = 0; c < model->context.used_count; c++) {
        uint32_t past = model->context.used[c];
        float gives = 0;
        if (by_context) {
            const float *in = tw_row(&model->items.in, past);
            gives = model->context.weight_fast[c] * model->kernels->dot(in, out, half) +
                    model->context.weight_slow[c] * model->kernels->dot(in + half, out + half, half);
        } else {
            const tw_follow_row *row = tw_follow_row_at(&model->follow, past);
            for (uint32_t i = 0; row && i < row->capacity; i++)
                if (tw_pair_item(&row->pairs[i]) == item)
                    gives = decay * row->pairs[i].weight / (row->sum + TRANSITIONS_PRIOR);
            decay *= (float)model->config->learn_transitions_decay;
        }
        if (gives > best && past != item) {
            best = gives;
            because = past;
        }
    }
    return because;
}

void tw_model_explain(tw_model *model, uint32_t item, tw_reasons *ret_reasons) {
    tw_scoring *s = &model->scoring;
    float f[TW_BLEND_SCORERS], w[TW_BLEND_SCORERS], lift[TW_BLEND_SCORERS], sum = 0;
    *ret_reasons = (tw_reasons){.because_item = TW_SLOT_NONE};
    know_means(model);
    features_of(model, item, f);
    weights_of(model, w);
    for (int i = 0; i < TW_BLEND_SCORERS; i++)
        lift[i] = w[i] * (f[i] - s->mean[i]);
    lift[TW_BY_REPEAT] += lift[TW_BY_OWN];
    for (int i = 0; i < TW_BY_OWN; i++) {
        lift[i] = lift[i] > 0 ? lift[i] : 0;
        sum += lift[i];
    }
    if (!(sum > 0)) { /* nothing stands above the mean: then it is what it is most of */
        ret_reasons->share[model->mf && s->has_context ? TW_BY_CONTEXT : TW_BY_POPULAR] = 1;
        return;
    }
    for (int i = 0; i < TW_BY_OWN; i++)
        ret_reasons->share[i] = lift[i] / sum;
    if (model->mf || !s->has_context)
        return;
    int leads = TW_BY_CONTEXT;
    for (int i = 0; i < TW_BY_OWN; i++)
        leads = lift[i] > lift[leads] ? i : leads;
    if (leads == TW_BY_CONTEXT || leads == TW_BY_TRANSITIONS)
        ret_reasons->because_item = because_of(model, item, leads == TW_BY_CONTEXT);
}

/* Cosine of the out vectors: items that stand for the same next step. */
void tw_model_similar(tw_model *model, uint32_t item, float *scores) {
    const tw_rows *out = &model->items.out;
    const float *mine = tw_row(out, item);
    float norm = sqrtf(model->kernels->dot(mine, mine, out->D));
    for (uint32_t i = 0; i < model->items.slots.end; i++) {
        const float *other = tw_row(out, i);
        float length = sqrtf(model->kernels->dot(other, other, out->D)) * norm;
        bool shown = i != item && tw_item_shown(&model->items, i);
        scores[i] = !shown ? -INFINITY : length > 0 ? model->kernels->dot(mine, other, out->D) / length : 0;
    }
}
