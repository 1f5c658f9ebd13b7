/* From inputs to scores: the blend of the candidates, what is hidden, why an item stands where it stands, and the blend's own
 * learning on a share of the events. Engine thread. */
#include "model/internal.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

#define LN2 0.69314718f
#define POPULAR_LEAST 0.5f
#define LOSS_WITHOUT 8.0f /* nats, of an item that is not among the candidates: about an even chance among all items */

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

void tw_model_hide(const tw_model *model, const tw_user *u, float *scores) {
    const uint8_t *flags = model->items.flags;
    for (uint32_t item = 0; item < model->scoring.n; item++)
        scores[item] = flags[item] ? -INFINITY : scores[item];
    for (uint32_t place = 0; u && place < u->past_count; place++)
        if (excluded(model, u, place))
            scores[u->items[place]] = -INFINITY;
}

/* Nothing is known of the user: the popular, the newly popular with them. */
static void score_unknown(tw_model *model, float *scores) {
    float unit = (float)(1.0 / model->popular_unit);
    for (uint32_t i = 0; i < model->scoring.n; i++)
        scores[i] =
            logf((model->items.popular[i] * unit + POPULAR_LEAST) * ((float)model->sampler.counts[i] + POPULAR_LEAST));
}

/* Candidates by the blend of their inputs x; what was not looked at closely comes after them, in the order of the first look. */
static void score_known(tw_model *model, const float *x, float *scores) {
    tw_scoring *s = &model->scoring;
    int n = (int)s->candidates_count;
    float least = 0;
    tw_blend_forward(&model->blend, s->bucket, x, n, s->blended);
    for (int c = 0; c < n; c++)
        least = c == 0 || s->blended[c] < least ? s->blended[c] : least;
    for (uint32_t i = 0; i < s->n; i++)
        scores[i] = s->first[i] - s->edge + least - 1.0f;
    for (int c = 0; c < n; c++)
        scores[s->candidates[c]] = s->blended[c];
}

void tw_model_score(tw_model *model, uint32_t user, int64_t now_ms, float *scores) {
    tw_scoring *s = &model->scoring;
    const tw_user *u = user == TW_SLOT_NONE ? NULL : tw_user_here(&model->users, user);
    s->user = user;
    s->n = model->items.slots.end;
    if (model->mf && u) {
        tw_mf_score(model, user, scores);
    } else {
        tw_model_features(model, user, now_ms);
        if (s->has_context) {
            score_known(model, s->x, scores);
            return;
        }
        score_unknown(model, scores);
    }
    tw_model_hide(model, u, scores);
}

void tw_model_score_ahead(tw_model *model, const uint32_t *users, int count) {
    const float *vectors[TW_SCAN_AHEAD];
    _Static_assert(TW_SCAN_AHEAD >= TW_MODEL_AHEAD, "a scan looks as far ahead as the ranker may");
    TW_ASSERT(count <= TW_MODEL_AHEAD);
    for (int i = 0; i < count; i++)
        vectors[i] = tw_user_vector(&model->users, users[i]);
    if (model->mf && count > 1)
        tw_scan_look_ahead(&model->scan, &model->items, vectors, count);
}

int tw_model_score_best(tw_model *model, uint32_t user, int64_t now_ms, int top, const uint32_t **ret_items,
                        const float **ret_scores) {
    tw_scan *scan = &model->scan;
    uint32_t hidden = 0;
    if (!model->mf || user == TW_SLOT_NONE)
        return -1;
    const tw_user *u = tw_user_here(&model->users, user);
    if (model->config->rank_exclude != TW_EXCLUDE_NONE) {
        scan->hidden = tw_grow(scan->hidden, &scan->hidden_capacity, u->past_count, sizeof *scan->hidden);
        for (uint32_t place = 0; place < u->past_count; place++)
            if (excluded(model, u, place))
                scan->hidden[hidden++] = u->items[place];
    }
    model->scoring.user = user;
    model->scoring.now_ms = now_ms;
    int count = tw_scan_best(scan, &model->items, tw_user_vector(&model->users, user), scan->hidden, hidden, top);
    *ret_items = scan->best;
    *ret_scores = scan->best_scores;
    return count;
}

/* How the blend did with this event. target NULL: its item was not even a candidate. */
static void note_signals(tw_model *model, const float *target) {
    tw_scoring *s = &model->scoring;
    const tw_kernels *kernels = model->kernels;
    int n = (int)s->candidates_count, above = 0;
    if (n == 0)
        return;
    float most = kernels->most(s->blended, n), sum = kernels->exp_sum(s->blended, most, s->logs, n);
    for (int c = 0; target && c < n; c++)
        above += s->blended[c] > *target;
    model->signals.hit = target && above < 10 ? 1 : 0;
    model->signals.blend_loss = target ? most + logf(sum) - *target : LOSS_WITHOUT;
    model->signals.score = 1 / sum;
    model->signals.norm = sqrtf(kernels->dot(model->context.vector, model->context.vector, model->context.D));
}

void tw_model_blend_learn(tw_model *model, uint32_t user, uint32_t target, int64_t now_ms) {
    tw_scoring *s = &model->scoring;
    tw_model_features(model, user, now_ms);
    if (!s->has_context)
        return;
    uint32_t at = 0;
    while (at < s->candidates_count && s->candidates[at] != target)
        at++;
    bool among = at < s->candidates_count, watched = model->config->drift_enabled;
    if (among || watched)
        tw_blend_forward(&model->blend, s->bucket, s->x, (int)s->candidates_count, s->blended);
    tw_model_count_hits(model, at);
    if (watched)
        note_signals(model, among ? &s->blended[at] : NULL);
    if (among)
        tw_blend_step(&model->blend, s->bucket, s->x, (int)s->candidates_count, (int)at, s->blended);
}

/* ---- why ---------------------------------------------------------------------------------------------------------- */

/* Which inputs of the blend speak for which scorer: [from, to). */
typedef struct speaker {
    const char *name;
    int from, to;
} speaker;

static const speaker scorers[TW_SCORERS] = {[TW_BY_CONTEXT] = {"context", TW_X_CONTEXT, TW_X_NEXT},
                                            [TW_BY_TRANSITIONS] = {"transitions", TW_X_NEXT, TW_X_TRENDING},
                                            [TW_BY_TRENDING] = {"trending", TW_X_TRENDING, TW_X_POPULAR},
                                            [TW_BY_POPULAR] = {"popular", TW_X_POPULAR, TW_X_OWN},
                                            [TW_BY_REPEAT] = {"repeat", TW_X_OWN, TW_X_ONE}};
static const speaker scorers_mf[] = {{"factors", 0, 0}, {"popular", 0, 0}};
enum { BY_FACTORS, BY_POPULAR_MF };

_Static_assert(TW_SCORERS <= TW_SCORERS_MAX, "reasons have room for each scorer");

int tw_model_scorers(const tw_model *model) {
    return model && model->mf ? 2 : TW_SCORERS;
}

const char *tw_model_scorer_name(const tw_model *model, int i) {
    return model && model->mf ? scorers_mf[i].name : scorers[i].name;
}

/* The mean candidate; once per scoring. */
static void know_means(tw_scoring *s) {
    if (s->means_known)
        return;
    for (int f = 0; f < TW_X_COUNT; f++) {
        float sum = 0;
        for (uint32_t c = 0; c < s->candidates_count; c++)
            sum += s->x[f * TW_BLEND_CANDIDATES + (int)c];
        s->mean[f] = s->candidates_count ? sum / (float)s->candidates_count : 0;
    }
    s->means_known = true;
}

bool tw_model_score_without(tw_model *model, int scorer, float *scores) {
    tw_scoring *s = &model->scoring;
    if (model->mf || !s->has_context)
        return false;
    know_means(s);
    memcpy(s->why, s->x, TW_X_COUNT * TW_BLEND_CANDIDATES * sizeof(float));
    for (int f = scorers[scorer].from; f < scorers[scorer].to; f++)
        for (uint32_t c = 0; c < s->candidates_count; c++)
            s->why[f * TW_BLEND_CANDIDATES + (int)c] = s->mean[f];
    score_known(model, s->why, scores);
    return true;
}

/* What each scorer lifts an item by: how far the blend's score falls when that scorer says of the item only what it says of the
 * mean candidate (occlusion; Zeiler & Fergus 2014). */
static void lifts_of(tw_model *model, uint32_t item, float *lift) {
    tw_scoring *s = &model->scoring;
    float scores[1 + TW_SCORERS];
    know_means(s);
    for (int c = 0; c <= TW_SCORERS; c++)
        tw_model_inputs(model, item, s->why + c);
    for (int i = 0; i < TW_SCORERS; i++)
        for (int f = scorers[i].from; f < scorers[i].to; f++)
            s->why[f * TW_BLEND_CANDIDATES + 1 + i] = s->mean[f];
    tw_blend_forward(&model->blend, s->bucket, s->why, 1 + TW_SCORERS, scores);
    for (int i = 0; i < TW_SCORERS; i++)
        lift[i] = scores[0] > scores[1 + i] ? scores[0] - scores[1 + i] : 0;
}

/* The past item that gives most to a context or transition score of this item. */
static uint32_t because_of(const tw_model *model, uint32_t item, bool by_context) {
    float best = 0, far = 1;
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
            gives = far * tw_model_transition(model, past, item, TW_FOLLOW_AFTER);
            far *= (float)model->config->learn_transitions_decay;
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
    float lift[TW_SCORERS_MAX] = {0}, sum = 0;
    *ret_reasons = (tw_reasons){.because_item = TW_SLOT_NONE};
    if (model->mf || !s->has_context) {
        int only = !model->mf ? TW_BY_POPULAR : s->user == TW_SLOT_NONE ? BY_POPULAR_MF : BY_FACTORS;
        ret_reasons->share[only] = 1;
        return;
    }
    lifts_of(model, item, lift);
    for (int i = 0; i < TW_SCORERS; i++)
        sum += lift[i];
    if (!(sum > 0)) { /* nothing stands above the mean: then it is in the list for being as likely as others */
        ret_reasons->share[TW_BY_POPULAR] = 1;
        return;
    }
    int leads = 0;
    for (int i = 0; i < TW_SCORERS; i++) {
        ret_reasons->share[i] = lift[i] / sum;
        leads = lift[i] > lift[leads] ? i : leads;
    }
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
