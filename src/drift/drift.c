/* From an event to the detectors, and from their alarms to records. Called by the engine for each applied event; what is durable is in
 * rows.c. */
#include "drift/internal.h"

#include "base/alloc.h"
#include "drift/divergence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So many losses are one value: neighbours share visits. */
#define LOSS_BATCH 32
#define LOSS_TOP 8.0 /* nats; a loss beyond says no more */

/* Scores and lengths grow while a model is young: no word of them before so many events. */
#define FIRST_EVENTS 100000

static const char *const mix_subjects[TW_MIXES] = {"categories", "kinds", "prices", "ratings"};
static const char *const window_subjects[TW_WINDOWS] = {"loss", "hits", "blend_loss", "score", "norm"};

/* What a window's alarm is worth telling: a loss that rises, hits that fall; a best score that loses a tenth or doubles, a length that moves by
 * a tenth either way. The rest is learning: scores climb for long after each change, and a loss that rises by less than a twentieth is of no use to anybody. */
static bool worse(int window, double before, double after) {
    switch (window) {
    case TW_WINDOW_LOSS:
    case TW_WINDOW_BLEND:
        return after > 1.05 * before;
    case TW_WINDOW_HITS:
        return after < before;
    case TW_WINDOW_SCORE:
        return after < before - 0.1 * fabs(before) || after > before + fabs(before);
    default:
        return fabs(after - before) > 0.1 * fabs(before);
    }
}

static void share_alike(double *mix) {
    for (int k = 0; k < TW_DRIFT_CATEGORIES; k++)
        mix[k] = 1.0 / TW_DRIFT_CATEGORIES;
}

tw_drift *tw_drift_create(const tw_drift_options *options, tw_drift_fn raise, void *self) {
    static const int outcomes[TW_MIXES] = {TW_DRIFT_CATEGORIES, TW_KIND_COUNT, TW_DRIFT_PRICES, 5};
    /* How far values go: means of 32 losses and logarithms of lengths stay close to their mean. */
    static const double ranges[TW_WINDOWS] = {0.1, 1, 1, 1, 0.2};
    tw_drift *drift = tw_zalloc(sizeof *drift);
    drift->options = *options;
    drift->raise = raise;
    drift->self = self;
    for (int i = 0; i < TW_MIXES; i++)
        tw_mix_init(&drift->mixes[i], outcomes[i], options->population_p);
    for (int i = 0; i < TW_WINDOWS; i++)
        tw_adwin_init(&drift->windows[i], options->model_delta, ranges[i], 8);
    drift->changed = true; /* so that the digest is that of the rows from the first commit on */
    share_alike(drift->mix);
    return drift;
}

tw_drift *tw_drift_free(tw_drift *drift) {
    if (drift) {
        for (size_t user = 0; user < drift->tastes_count; user++)
            tw_drift_taste_free(drift->tastes[user]);
        free(drift->tastes);
        free(drift->dirty);
        free(drift->marked);
        free(drift);
    }
    return NULL;
}

void tw_drift_reach(tw_drift *drift, uint32_t user) {
    size_t old = drift->tastes_count;
    if (user < old)
        return;
    drift->tastes = tw_grow(drift->tastes, &drift->tastes_count, (size_t)user + 1, sizeof *drift->tastes);
    memset(drift->tastes + old, 0, (drift->tastes_count - old) * sizeof *drift->tastes);
}

void tw_drift_mark(tw_drift *drift, uint32_t user) {
    size_t old = drift->marked_count;
    if (user >= old) {
        drift->marked = tw_grow(drift->marked, &drift->marked_count, (size_t)user + 1, 1);
        memset(drift->marked + old, 0, drift->marked_count - old);
    }
    if (drift->marked[user])
        return;
    drift->marked[user] = 1;
    drift->dirty = tw_grow(drift->dirty, &drift->dirty_capacity, drift->dirty_count + 1, sizeof *drift->dirty);
    drift->dirty[drift->dirty_count++] = user;
}

void tw_drift_user_gone(tw_drift *drift, uint32_t user) {
    if (user >= drift->tastes_count || !drift->tastes[user])
        return;
    drift->tastes[user] = tw_drift_taste_free(drift->tastes[user]);
    tw_drift_mark(drift, user);
}

uint8_t tw_drift_category(tw_drift *drift, tw_slice name) {
    size_t size = name.size < TW_DRIFT_NAME_MAX ? name.size : TW_DRIFT_NAME_MAX;
    if (size == 0)
        return TW_DRIFT_CATEGORIES - 1;
    for (uint32_t k = 0; k < drift->names_count; k++)
        if (drift->names[k][0] == name.data[0] && strncmp(drift->names[k], name.data, size) == 0 &&
            drift->names[k][size] == '\0')
            return (uint8_t)k;
    if (drift->names_count == TW_DRIFT_CATEGORIES - 1)
        return TW_DRIFT_CATEGORIES - 1;
    memcpy(drift->names[drift->names_count], name.data, size);
    return (uint8_t)drift->names_count++;
}

tw_slice tw_drift_category_name(const tw_drift *drift, int category) {
    return category < TW_DRIFT_CATEGORIES - 1 ? tw_slice_of(drift->names[category]) : TW_SLICE_LITERAL("other");
}

/* ---- records ------------------------------------------------------------------------------------------------------ */

static void tell(tw_drift *drift, tw_drift_record *r) {
    r->number = ++drift->raised;
    drift->raise(drift->self, r);
}

/* ---- the detectors ------------------------------------------------------------------------------------------------ */

static void add_taste(tw_drift *drift, uint32_t user, uint8_t category, int64_t now_ms, const tw_drift_record *base,
                      tw_slice user_id) {
    uint32_t now_s = (uint32_t)(now_ms / 1000);
    tw_drift_reach(drift, user);
    tw_drift_taste *taste = drift->tastes[user];
    tw_drift_taste_common common = {
        .mix = drift->mix, .half_life = drift->options.user_half_life, .threshold = drift->options.user_evidence};
    if (!taste)
        drift->tastes[user] = taste = tw_drift_taste_create();
    if (taste->count > 0)
        tw_persistence_add(&drift->persistence, tw_pause_class(taste->last_s, now_s), taste->last_category == category,
                           tw_drift_taste_share(taste, &common, taste->last_category));
    const tw_drift_taste_entry *entry = tw_drift_taste_find(taste, category);
    common.rho = entry ? tw_persistence_rho(&drift->persistence, tw_pause_class(entry->last_s, now_s)) : 0;
    tw_drift_mark(drift, user);
    if (!tw_drift_taste_add(&drift->tastes[user], &common, category, now_s))
        return;
    taste = drift->tastes[user];
    double before[TW_DRIFT_CATEGORIES], since[TW_DRIFT_CATEGORIES];
    tw_drift_outcome texts[TW_DRIFT_EVIDENCE_MAX];
    tw_drift_taste_counts(taste, before, since);
    tw_drift_record r = *base;
    r.scope = "user";
    r.subject = mix_subjects[TW_MIX_CATEGORIES];
    r.user_id = user_id;
    r.from = (tw_drift_window){INT64_MIN, tw_sum_of(before, TW_DRIFT_CATEGORIES), NAN};
    r.to = (tw_drift_window){(int64_t)taste->since_s * 1000, tw_sum_of(since, TW_DRIFT_CATEGORIES), NAN};
    r.size = tw_js_bits(before, since, TW_DRIFT_CATEGORIES);
    r.bound = exp(-tw_drift_taste_evidence(taste));
    tw_drift_put_evidence(drift, TW_MIX_CATEGORIES, before, since, TW_DRIFT_CATEGORIES, texts, &r);
    tw_drift_taste_settle(taste);
    tell(drift, &r);
}

static void add_mix(tw_drift *drift, int mix, int outcome, const tw_drift_record *base) {
    tw_mix_change change;
    tw_drift_outcome texts[TW_DRIFT_EVIDENCE_MAX];
    bool changed = tw_mix_add(&drift->mixes[mix], outcome, base->event_ms, &change);
    if (mix == TW_MIX_CATEGORIES && drift->mixes[mix].in_block == TW_MIX_BLOCK)
        tw_mix_shares(&drift->mixes[mix], drift->mix);
    if (!changed)
        return;
    tw_drift_record r = *base;
    int K = drift->mixes[mix].outcomes;
    r.scope = "population";
    r.subject = mix_subjects[mix];
    r.from = (tw_drift_window){INT64_MIN, tw_sum_of(change.from, K), NAN};
    r.to = (tw_drift_window){change.since_ms, tw_sum_of(change.to, K), NAN};
    r.size = change.size;
    r.bound = change.p;
    r.is_p = true;
    tw_drift_put_evidence(drift, mix, change.from, change.to, K, texts, &r);
    tell(drift, &r);
}

static void add_number(tw_drift *drift, int window, double value, const tw_drift_record *base) {
    tw_adwin_cut cut;
    if (!isfinite(value) || !tw_adwin_add(&drift->windows[window], value, &cut) ||
        !worse(window, cut.mean_before, cut.mean_after))
        return;
    tw_adwin_keep(&drift->windows[window], cut.n_after);
    if (window >= TW_WINDOW_SCORE && drift->events < FIRST_EVENTS)
        return;
    tw_drift_record r = *base;
    r.scope = "model";
    r.subject = window_subjects[window];
    r.from = (tw_drift_window){INT64_MIN, cut.n_before, cut.mean_before};
    r.to = (tw_drift_window){INT64_MIN, cut.n_after, cut.mean_after};
    r.size = cut.mean_after - cut.mean_before;
    r.bound = cut.bound;
    tell(drift, &r);
}

static void add_model(tw_drift *drift, const tw_drift_model *model, const tw_drift_record *base) {
    if (isfinite(model->loss)) {
        drift->loss_sum += model->loss < LOSS_TOP ? model->loss / LOSS_TOP : 1;
        if (++drift->loss_count == LOSS_BATCH) {
            double mean = drift->loss_sum / LOSS_BATCH;
            drift->loss_sum = 0;
            drift->loss_count = 0;
            add_number(drift, TW_WINDOW_LOSS, mean, base);
        }
    }
    if (!isfinite(model->hit))
        return;
    add_number(drift, TW_WINDOW_HITS, model->hit, base);
    add_number(drift, TW_WINDOW_BLEND, model->blend_loss < LOSS_TOP ? model->blend_loss / LOSS_TOP : 1, base);
    add_number(drift, TW_WINDOW_SCORE, model->score, base);
    add_number(drift, TW_WINDOW_NORM, log2(model->norm), base);
}

static tw_slice first_of(tw_slice categories) {
    const char *end = categories.size ? memchr(categories.data, '|', categories.size) : NULL;
    return end ? (tw_slice){categories.data, (size_t)(end - categories.data)} : categories;
}

void tw_drift_add(tw_drift *drift, uint32_t user, tw_slice user_id, uint32_t task, const tw_event *event,
                  tw_slice category, int64_t now_ms, const tw_drift_model *model) {
    const tw_drift_record base = {.task = task, .event_ms = event->event_ms};
    drift->changed = true;
    drift->events++;
    add_mix(drift, TW_MIX_KINDS, event->kind, &base);
    if (event->has & TW_HAS_PRICE && event->price > 0)
        add_mix(drift, TW_MIX_PRICES, tw_drift_price_outcome(event->price), &base);
    if (event->has & TW_HAS_RATING)
        add_mix(drift, TW_MIX_RATINGS,
                event->rating < 1.5    ? 0
                : event->rating >= 4.5 ? 4
                                       : (int)(event->rating - 0.5),
                &base);
    if (event->kind != TW_KIND_RETURN) {
        uint8_t k = tw_drift_category(drift, first_of(category));
        add_mix(drift, TW_MIX_CATEGORIES, k, &base);
        add_taste(drift, user, k, now_ms, &base, user_id);
    }
    add_model(drift, model, &base);
}

/* ---- what is known ------------------------------------------------------------------------------------------------ */

uint64_t tw_drift_raised(const tw_drift *drift) {
    return drift->raised;
}

int tw_drift_user_shares(const tw_drift *drift, uint32_t user, tw_drift_share *shares) {
    double before[TW_DRIFT_CATEGORIES], now[TW_DRIFT_CATEGORIES];
    int count = 0;
    if (user >= drift->tastes_count || !drift->tastes[user])
        return 0;
    tw_drift_taste_counts(drift->tastes[user], before, now);
    double A = tw_sum_of(before, TW_DRIFT_CATEGORIES);
    for (int k = 0; k < TW_DRIFT_CATEGORIES; k++)
        now[k] += before[k];
    double B = tw_sum_of(now, TW_DRIFT_CATEGORIES);
    for (; B > 0 && count < TW_DRIFT_EVIDENCE_MAX; count++) {
        int best = 0;
        for (int k = 1; k < TW_DRIFT_CATEGORIES; k++)
            best = now[k] > now[best] ? k : best;
        if (!(now[best] > 0))
            break;
        shares[count] =
            (tw_drift_share){tw_drift_category_name(drift, best), A > 0 ? before[best] / A : 0, now[best] / B};
        now[best] = -1;
    }
    return count;
}
