/* From state to the inputs of the blend: what each scorer says of all items, and the inputs of each item that candidates.c found worth
 * a closer look. Called by score.c for every ranking and by the blend's own learning; engine thread. */
#include "model/internal.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

#define LN2 0.69314718f
/* What is added before a logarithm: the score of an item that the scorer has never seen. */
#define POPULAR_LEAST 0.5f
/* Followers of an item seen less than this often are not believed whole (a count in units of one step). */
#define TRANSITIONS_PRIOR 4.0f
/* Logs of counts, times and shares come to about one when divided by these. */
#define LOG_SHARE 0.25f
#define LOG_COUNT 0.25f
#define LOG_TIME 0.125f

void tw_scoring_done(tw_scoring *s) {
    free(s->context);
    free(s->first);
    free(s->raw);
    free(s->touched);
    free(s->reached);
    free(s->x);
    free(s->why);
    free(s->logs);
}

static void reserve(tw_scoring *s, uint32_t n) {
    if (n > s->capacity || s->capacity == 0) {
        uint32_t capacity = n + n / 2 + 64;
        tw_scoring_done(s);
        s->context = tw_alloc_lines(capacity * sizeof(float));
        s->first = tw_alloc_lines(capacity * sizeof(float));
        s->logs = tw_alloc_lines(2 * (size_t)capacity * sizeof(float));
        s->raw = tw_alloc_lines(capacity * sizeof *s->raw);
        s->touched = tw_alloc(capacity * sizeof *s->touched);
        s->reached = tw_alloc(capacity * sizeof *s->reached);
        s->x = tw_alloc_lines(TW_X_COUNT * TW_BLEND_CANDIDATES * sizeof(float));
        s->why = tw_alloc_lines(TW_X_COUNT * TW_BLEND_CANDIDATES * sizeof(float));
        s->touched_count = 0;
        s->capacity = capacity;
    }
    s->n = n;
}

static void score_context(tw_model *model) {
    tw_scoring *s = &model->scoring;
    const tw_rows *out = &model->items.out;
    for (uint32_t at = 0; at < s->n; at += TW_TABLE_CHUNK_ROWS) {
        uint32_t rows = s->n - at < TW_TABLE_CHUNK_ROWS ? s->n - at : TW_TABLE_CHUNK_ROWS;
        model->kernels->dot_rows(tw_row(out, at), model->context.vector, s->context + at, (int)rows, out->D);
    }
    model->kernels->axpy(s->context, 1.0f, model->items.bias, (int)s->n);
    if (model->items.slots.count < s->n)
        for (uint32_t i = 0; i < s->n; i++)
            if (!tw_slots_used(&model->items.slots, i)) /* what lies in a free slot depends on restarts */
                s->context[i] = -INFINITY;
    float most = model->kernels->most(s->context, (int)s->n);
    s->context_log_sum = most + logf(model->kernels->exp_sum(s->context, most, s->first, (int)s->n));
}

/* By which weights of a row become shares. */
static float seen_of(const tw_follow_row *row, int way) {
    return row->seen[way] + TRANSITIONS_PRIOR * tw_follow_unit(row, way);
}

/* raw_i = sum over the newest past items p_k of decay^k weight(p_k -> i) / (seen of p_k), for each way; its logarithm is the score
 * (a logarithm of a sum, not a sum of logarithms: one strong link is enough). */
static void score_transitions(tw_model *model, const tw_user *u) {
    tw_scoring *s = &model->scoring;
    float near = 1, far = 1;
    for (uint32_t i = 0; i < s->touched_count; i++)
        memset(&s->raw[s->touched[i]], 0, sizeof *s->raw);
    s->touched_count = 0;
    for (uint32_t k = 0, steps = 0; k < u->past_count && steps < (uint32_t)model->config->learn_transitions_steps;
         k++) {
        uint32_t place = u->past_count - 1 - k;
        if (u->flags[place] & TW_PAST_DISLIKED)
            continue;
        const tw_follow_row *row = tw_follow_row_at(&model->follow, u->items[place]);
        steps++;
        if (row) {
            float shares[TW_FOLLOW_WAYS] = {near / seen_of(row, TW_FOLLOW_NEXT), far / seen_of(row, TW_FOLLOW_AFTER),
                                            far / seen_of(row, TW_FOLLOW_BEFORE)};
            for (uint32_t i = 0; i < row->capacity; i++) {
                if (row->pairs[i].item == TW_PAIR_EMPTY)
                    continue;
                uint32_t item = tw_pair_item(&row->pairs[i]);
                tw_raw *to = &s->raw[item];
                if (to->votes == 0)
                    s->touched[s->touched_count++] = item;
                to->votes += 1;
                for (int way = 0; way < TW_FOLLOW_WAYS; way++)
                    to->way[way] += shares[way] * row->pairs[i].weight[way];
            }
        }
        near *= (float)model->config->learn_transitions_near;
        far *= (float)model->config->learn_transitions_decay;
    }
}

static float log_count(float count) {
    return LOG_COUNT * logf(count + POPULAR_LEAST);
}

static void put(float *x, int input, float value) {
    x[input * TW_BLEND_CANDIDATES] = value;
}

static void own_inputs(const tw_model *model, const tw_user *u, uint32_t place, float *x) {
    const tw_scoring *s = &model->scoring;
    int64_t age_s = s->now_ms / 1000 - (int64_t)u->times_s[place];
    put(x, TW_X_OWN, 1);
    put(x, TW_X_REPEAT, LOG_SHARE * LN2 * tw_repeat_score(&model->repeat, u, place, s->now_ms));
    put(x, TW_X_OWN_TIME, LOG_TIME * logf(1.0f + (float)(age_s > 0 ? age_s : 0)));
    put(x, TW_X_OWN_PLACE, LOG_COUNT * logf((float)(u->past_count - place)));
    put(x, TW_X_OWN_COUNT, LOG_COUNT * logf((float)u->counts[place]));
    put(x, TW_X_OWN_BOUGHT, u->flags[place] & TW_PAST_BOUGHT ? 1 : 0);
    if (u->resume_at > 0 && place >= u->resume && u->events - u->resume_at < 16) {
        float ahead = (float)(place - u->resume), since = (float)(u->events - u->resume_at);
        put(x, TW_X_RESUME, 1.0f / (1.0f + ahead + since));
    }
}

static float log_share(float share) {
    return LOG_SHARE * logf(share + TW_TRANSITIONS_LEAST);
}

/* What the row of an item says of another one: a share of what was seen, for each way; all 0 when nothing. */
static void shares_of(const tw_model *model, uint32_t from, uint32_t to, float *shares) {
    const tw_follow_row *row = tw_follow_row_at(&model->follow, from);
    const tw_pair *pair = row ? tw_follow_find(row, to) : NULL;
    for (int way = 0; way < TW_FOLLOW_WAYS; way++)
        shares[way] = pair ? pair->weight[way] / seen_of(row, way) : 0;
}

float tw_model_transition(const tw_model *model, uint32_t from, uint32_t to, int way) {
    float shares[TW_FOLLOW_WAYS];
    shares_of(model, from, to, shares);
    return shares[way];
}

/* The place of an item among the user's newest ones, of which the repeats know; -1 when it is not there. */
static int place_of(const tw_model *model, const tw_user *u, uint32_t item) {
    int first = (int)tw_model_first_repeat(model, u), place = (int)u->past_count - 1;
    while (place >= first && u->items[place] != item)
        place--;
    return place >= first ? place : -1;
}

/* What is asked of the user and the last item, once for all candidates. */
static void user_inputs(tw_model *model, const tw_user *u) {
    tw_scoring *s = &model->scoring;
    const tw_follow_row *row = tw_follow_row_at(&model->follow, model->context.used[0]);
    int64_t pause_s = (s->now_ms - u->last_ms) / 1000;
    float *x = s->of_user;
    x[TW_X_ONE - TW_X_ONE] = 1;
    x[TW_X_LENGTH - TW_X_ONE] = LOG_COUNT * logf((float)u->past_count);
    x[TW_X_HABIT - TW_X_ONE] = u->events > u->past_count ? 1.0f - (float)u->past_count / (float)u->events : 0;
    x[TW_X_PAUSE - TW_X_ONE] = LOG_TIME * logf(1.0f + (float)(pause_s > 0 ? pause_s : 0));
    x[TW_X_SEEN - TW_X_ONE] =
        row ? LOG_COUNT * logf(1.0f + row->seen[TW_FOLLOW_AFTER] / tw_follow_unit(row, TW_FOLLOW_AFTER)) : 0;
}

void tw_model_inputs(const tw_model *model, uint32_t item, float *x) {
    const tw_scoring *s = &model->scoring;
    const tw_user *u = tw_user_here(&model->users, s->user);
    const tw_item *it = &model->items.items[item];
    uint32_t last = model->context.used[0];
    int half = model->context.D / 2;
    for (int f = TW_X_OWN; f < TW_X_ONE; f++)
        put(x, f, 0);
    put(x, TW_X_CONTEXT, LOG_SHARE * (s->context[item] - s->context_log_sum));
    put(x, TW_X_CONTEXT_FAST,
        LOG_SHARE * model->kernels->dot(tw_row(&model->items.out, item), model->context.vector, half));
    const tw_raw *raw = &s->raw[item];
    put(x, TW_X_VOTES, LOG_COUNT * logf(1.0f + raw->votes));
    put(x, TW_X_MIXED,
        log_share(0.25f * expf(s->context[item] - s->context_log_sum) + 0.2f * raw->way[TW_FOLLOW_NEXT] +
                  0.1f * raw->way[TW_FOLLOW_AFTER] + 0.1f * raw->way[TW_FOLLOW_BEFORE]));
    for (int way = 0; way < TW_FOLLOW_WAYS; way++)
        put(x, TW_X_NEXT + way, log_share(s->raw[item].way[way]));
    put(x, TW_X_BIAS, LOG_SHARE * model->items.bias[item]);
    float shares[TW_FOLLOW_WAYS];
    shares_of(model, last, item, shares);
    for (int way = 0; way < TW_FOLLOW_WAYS; way++)
        put(x, TW_X_LAST_NEXT + way, log_share(shares[way]));
    float previous =
        model->context.used_count > 1 ? tw_model_transition(model, model->context.used[1], item, TW_FOLLOW_AFTER) : 0;
    put(x, TW_X_PREVIOUS_AFTER, log_share(previous));
    put(x, TW_X_TRENDING, log_count(model->items.popular[item] * (float)(1.0 / model->popular_unit)));
    put(x, TW_X_POPULAR, log_count((float)model->sampler.counts[item]));
    put(x, TW_X_QUIET, LOG_TIME * logf((float)(model->sequence - it->last_sequence + 1)));
    int64_t young_s = (s->now_ms - it->first_ms) / 1000;
    put(x, TW_X_YOUNG, LOG_TIME * logf(1.0f + (float)(young_s > 0 ? young_s : 0)));
    int place = place_of(model, u, item);
    if (place >= 0)
        own_inputs(model, u, (uint32_t)place, x);
    for (int f = TW_X_ONE; f < TW_X_COUNT; f++)
        put(x, f, s->of_user[f - TW_X_ONE]);
}

void tw_model_features(tw_model *model, uint32_t user, int64_t now_ms) {
    tw_scoring *s = &model->scoring;
    reserve(s, model->items.slots.end);
    s->user = user;
    s->now_ms = now_ms;
    s->means_known = false;
    const tw_user *u = user == TW_SLOT_NONE ? NULL : tw_user_here(&model->users, user);
    s->bucket = tw_blend_bucket(u ? u->past_count : 0);
    s->candidates_count = 0;
    s->has_context = u && tw_context_make(&model->context, &model->items, u,
                                          model->context.user_rate > 0 ? tw_user_vector(&model->users, user) : NULL);
    if (!s->has_context)
        return;
    score_context(model);
    score_transitions(model, u);
    tw_model_choose(model, u);
    user_inputs(model, u);
    for (uint32_t c = 0; c < s->candidates_count; c++)
        tw_model_inputs(model, s->candidates[c], s->x + c);
}
