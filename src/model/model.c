/* The model's life and its step: one applied event in, all scorers trained, the past extended. Called by the engine for each
 * applied event, in order; engine thread. Scoring is in score.c, what is durable in rows.c, bounds in evict.c. */
#include "model/internal.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* All counts are scaled back when the unit has grown this far: float holds 1e38. */
#define UNIT_MAX 1e12
/* Items beyond this make the blend's own ranking dearer than the share of events it is meant for. */
#define BLEND_ITEMS 32768
/* The users of so many batches must find room in memory: a batch changes that many at most, and as many are looked up ahead (chosen). */
#define BATCHES_LEAST 4

tw_model *tw_model_create(const tw_config *config, tw_user_gone_fn user_gone, void *self) {
    tw_model *model = tw_zalloc(sizeof *model);
    model->config = config;
    model->kernels = tw_kernels_get();
    model->user_gone = user_gone;
    model->user_gone_self = self;
    model->mf = config->learn_model == TW_LEARN_MF;
    model->popular_unit = 1;
    tw_users_init(&model->users, (int)config->learn_dim);
    tw_items_init(&model->items, (int)config->learn_dim);
    tw_sampler_init(&model->sampler, (uint32_t)config->learn_negatives);
    tw_follow_init(&model->follow, (uint64_t)config->learn_transitions_pairs_max);
    tw_repeat_init(&model->repeat, config);
    tw_blend_init(&model->blend, config);
    tw_profile_init(&model->profile, config);
    tw_context_init(&model->context, config);
    if (model->mf)
        tw_scan_init(&model->scan, model->kernels, &model->items);
    return model;
}

tw_model *tw_model_free(tw_model *model) {
    if (!model)
        return NULL;
    tw_scoring_done(&model->scoring);
    tw_scan_done(&model->scan);
    tw_cold_done(&model->cold);
    tw_context_done(&model->context);
    tw_profile_done(&model->profile);
    tw_follow_done(&model->follow);
    tw_sampler_done(&model->sampler);
    tw_items_done(&model->items);
    tw_users_done(&model->users);
    free(model);
    return NULL;
}

void tw_model_start_from(tw_model *model, const tw_vectors *vectors) {
    TW_ASSERT(model->items.slots.end == 0 && !model->mf);
    tw_cold_init(&model->cold, vectors, (int)model->config->learn_dim);
}
void tw_model_vectors_hits(const tw_model *model, tw_model_hits *ret_hits) {
    tw_cold_hits(&model->cold, &model->items, ret_hits);
}

uint32_t tw_model_user_find(const tw_model *model, uint32_t task, tw_slice user_id) {
    return tw_users_find(&model->users, task, user_id);
}
uint32_t tw_model_item_find(const tw_model *model, tw_slice item_id) {
    return tw_items_find(&model->items, item_id);
}

tw_slice tw_model_user_id(const tw_model *model, uint32_t user) {
    const tw_user *u = tw_user_here(&model->users, user);
    return (tw_slice){u->id, u->id_size};
}
tw_slice tw_model_user_look(const tw_model *model, uint32_t user) {
    const float *vector;
    const tw_user *u = tw_users_look(&model->users, user, &vector);
    return (tw_slice){u->id, u->id_size};
}
uint32_t tw_model_user_task(const tw_model *model, uint32_t user) {
    return tw_users_task(&model->users, user);
}
uint32_t tw_model_user_events(const tw_model *model, uint32_t user) {
    return tw_user_here(&model->users, user)->events;
}

tw_slice tw_model_item_id(const tw_model *model, uint32_t item) {
    return (tw_slice){model->items.items[item].id, model->items.items[item].id_size};
}
tw_slice tw_model_item_title(const tw_model *model, uint32_t item) {
    return (tw_slice){model->items.items[item].title, model->items.items[item].title_size};
}
tw_slice tw_model_item_category(const tw_model *model, uint32_t item) {
    return (tw_slice){model->items.items[item].category, model->items.items[item].category_size};
}
uint64_t tw_model_item_order(const tw_model *model, uint32_t item) {
    return model->items.items[item].order;
}

uint32_t tw_model_user_history(const tw_model *model, uint32_t user) {
    return tw_user_here(&model->users, user)->past_count;
}
int64_t tw_model_item_first_ms(const tw_model *model, uint32_t item) {
    return model->items.items[item].first_ms;
}
void tw_model_hide_bought(const tw_model *model, uint32_t user, int64_t since_ms, float *scores) {
    const tw_user *u = tw_user_here(&model->users, user);
    for (uint32_t place = 0; place < u->past_count; place++)
        if ((u->flags[place] & TW_PAST_BOUGHT) && (int64_t)u->times_s[place] * 1000 > since_ms)
            scores[u->items[place]] = -INFINITY;
}

uint32_t tw_model_user_slots(const tw_model *model) {
    return model->users.slots.end;
}
uint32_t tw_model_item_slots(const tw_model *model) {
    return model->items.slots.end;
}
uint32_t tw_model_user_count(const tw_model *model) {
    return model->users.slots.count;
}
uint32_t tw_model_item_count(const tw_model *model) {
    return model->items.slots.count;
}
bool tw_model_user_live(const tw_model *model, uint32_t user) {
    return tw_slots_used(&model->users.slots, user);
}
bool tw_model_item_live(const tw_model *model, uint32_t item) {
    return tw_slots_used(&model->items.slots, item);
}

int tw_model_dim(const tw_model *model) {
    return model->items.out.D;
}
const float *tw_model_item_vector(const tw_model *model, uint32_t item) {
    return tw_row(&model->items.out, item);
}
const float *tw_model_user_vector(const tw_model *model, uint32_t user) {
    return tw_user_vector(&model->users, user);
}

tw_user_list *tw_model_user_list(tw_model *model, uint32_t user) {
    return &tw_user_here(&model->users, user)->list;
}
bool tw_model_user_owes(const tw_model *model, uint32_t user) {
    return tw_users_owes(&model->users, user);
}
tw_user_list tw_model_user_debt(const tw_model *model, uint32_t user) {
    const float *vector;
    return tw_users_look(&model->users, user, &vector)->list;
}
int64_t *tw_model_user_produced(tw_model *model, uint32_t user) {
    return &tw_user_here(&model->users, user)->produced_ms;
}
void tw_model_user_list_touch(tw_model *model, uint32_t user) {
    tw_dirty_add(&model->users.dirty, user);
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

int64_t tw_model_memory_least(const tw_config *config) {
    int64_t row = (int64_t)sizeof(tw_user) + config->learn_dim * (int64_t)sizeof(float);
    return BATCHES_LEAST * config->ingest_batch_max * row;
}

void tw_model_bound_memory(tw_model *model, const tw_row_shelf *shelf, int64_t bytes_max) {
    tw_seats_begin(&model->users, shelf, &model->items, (uint64_t)bytes_max);
}
void tw_model_cool(tw_model *model) {
    tw_users_cool(&model->users);
}
bool tw_model_tight(const tw_model *model) {
    return model->users.seats && model->users.seats->tight;
}
tw_code tw_model_relieve(tw_model *model, tw_err *err) {
    return tw_users_relieve(&model->users, err);
}
tw_code tw_model_sound(const tw_model *model, tw_err *err) {
    return tw_users_sound(&model->users, err);
}

/* ---- one event ---------------------------------------------------------------------------------------------------- */

uint32_t tw_model_item_intern(tw_model *model, tw_slice item_id, int64_t event_ms, bool *ret_made) {
    uint32_t item = tw_items_find(&model->items, item_id);
    *ret_made = item == TW_SLOT_NONE;
    if (*ret_made) {
        item = tw_items_add(&model->items, item_id, event_ms);
        tw_sampler_reach(&model->sampler, model->items.slots.end);
        if (!model->mf)
            tw_context_new_item(&model->context, &model->items, item, (uint64_t)model->config->seed);
    }
    return item;
}

static uint32_t intern_item(tw_model *model, const tw_event *event) {
    bool made;
    uint32_t item = tw_model_item_intern(model, event->item_id, event->event_ms, &made);
    if (tw_items_describe(&model->items, item, event) || made)
        tw_cold_describe(&model->cold, &model->items, item);
    return item;
}

/* How much an event says that the user wants the item: a purchase is the measure, a look says less, a review what its stars
 * say (from -1 for one star to 1 for five). */
float tw_model_strength(const tw_event *event) {
    switch (event->kind) {
    case TW_KIND_CLICK:
        return 0.7f;
    case TW_KIND_CART:
        return 0.85f;
    case TW_KIND_PURCHASE:
        return 1.0f;
    case TW_KIND_REVIEW:
        return event->has & TW_HAS_RATING ? ((float)event->rating - 3.0f) / 2.0f : 0.7f;
    default:
        return 0;
    }
}

static void count_popular(tw_model *model, uint32_t item, float strength) {
    model->popular_unit *= exp2(1.0 / (double)model->config->learn_popular_events);
    model->items.popular[item] += strength * (float)model->popular_unit;
    if (model->popular_unit < UNIT_MAX)
        return;
    for (uint32_t i = 0; i < model->items.slots.end; i++)
        if (tw_slots_used(&model->items.slots, i)) {
            model->items.popular[i] = (float)(model->items.popular[i] / model->popular_unit);
            tw_dirty_add(&model->items.dirty, i);
        }
    model->popular_unit = 1;
}

static void learn_transitions(tw_model *model, const tw_user *u, uint32_t target, float strength) {
    float near = strength, far = strength;
    uint32_t steps = 0;
    for (uint32_t k = 0; k < u->past_count && steps < (uint32_t)model->config->learn_transitions_steps; k++) {
        uint32_t place = u->past_count - 1 - k, past = u->items[place];
        if (u->flags[place] & TW_PAST_DISLIKED)
            continue;
        steps++;
        tw_follow_add(&model->follow, past, target, near, far);
        near *= (float)model->config->learn_transitions_near;
        far *= (float)model->config->learn_transitions_decay;
    }
    tw_follow_bound(&model->follow);
}

static bool blend_chosen(const tw_model *model, int32_t partition, int64_t offset) {
    tw_rng rng = tw_rng_at((uint64_t)model->config->seed, 3 + ((uint64_t)(uint32_t)partition << 8), (uint64_t)offset);
    uint64_t every = (uint64_t)model->config->learn_blend_every * (1 + model->items.slots.end / BLEND_ITEMS);
    return tw_rng_next(&rng) % every == 0;
}

/* The profile learns from what the other scorers have not learned yet: its inputs are those of an answer before the event. */
static tw_code train_profile(tw_model *model, const tw_user *u, const float *vector, const tw_event *event,
                             const tw_category_shares *shares, tw_err *err) {
    const tw_profile_user who = tw_profile_user_of(u, vector, event->event_ms);
    return tw_profile_learn(&model->profile, &who, shares, err);
}

static tw_code train(tw_model *model, uint32_t user, uint32_t item, const tw_event *event, float strength,
                     const tw_category_shares *shares, int32_t partition, int64_t offset, tw_err *err) {
    tw_user *u = tw_user_here(&model->users, user);
    tw_rng rng = tw_rng_at((uint64_t)model->config->seed, (uint64_t)(uint32_t)partition << 8, (uint64_t)offset);
    if (model->mf) {
        if (u->past_count > 0)
            TW_TRY(train_profile(model, u, tw_user_vector(&model->users, user), event, shares, err));
        tw_model_train_factors(model, user, item, strength, partition, offset);
    } else if (u->past_count > 0) {
        if (model->items.items[item].last_sequence > 0 && blend_chosen(model, partition, offset))
            tw_model_blend_learn(model, user, item, event->event_ms);
        tw_repeat_learn(&model->repeat, u, item, event->event_ms);
        float *embedding = model->context.user_rate > 0 ? tw_user_vector(&model->users, user) : NULL;
        bool made = tw_context_make(&model->context, &model->items, u, embedding);
        TW_TRY(train_profile(model, u, made ? model->context.vector : NULL, event, shares, err));
        if (made) {
            float loss = tw_context_train(&model->context, &model->items, &model->sampler, embedding, item, strength);
            model->signals.loss = loss;
            if (!isfinite(loss))
                return tw_fail(err, TW_E_DIVERGED, "loss is not finite at event %" PRIu64, model->sequence);
        }
        tw_sampler_refresh(&model->sampler, &model->items, &rng);
        learn_transitions(model, u, item, strength);
    }
    return TW_OK;
}

/* A return undoes the purchase: the item may be recommended again. A dislike keeps the item out of the context. */
static void extend_past(tw_model *model, uint32_t user, uint32_t item, const tw_event *event, float strength) {
    tw_user *u = tw_user_here(&model->users, user);
    if (event->kind == TW_KIND_RETURN) {
        int place = tw_past_find(u, item);
        if (place >= 0)
            u->flags[place] &= (uint8_t)~TW_PAST_BOUGHT;
        return;
    }
    uint32_t place = tw_past_meet(&model->users, u, item, event->event_ms);
    if (event->kind == TW_KIND_PURCHASE)
        u->flags[place] |= TW_PAST_BOUGHT;
    if (strength < 0)
        u->flags[place] |= TW_PAST_DISLIKED;
    else
        u->flags[place] &= (uint8_t)~TW_PAST_DISLIKED;
    if (u->past_count > (uint32_t)model->config->learn_past_max)
        tw_past_trim(u, (uint32_t)model->config->learn_past_max, TW_PAST_HARD_MAX,
                     model->config->rank_exclude == TW_EXCLUDE_CONSUMED, TW_PAST_BOUGHT);
}

static int64_t since_ms(const tw_user *u, const tw_event *event) {
    return u->events == 0 ? -1 : event->event_ms > u->last_ms ? event->event_ms - u->last_ms : 0;
}

static void extend_taste(tw_model *model, uint32_t user, uint32_t item, const tw_event *event,
                         const tw_category_shares *shares) {
    tw_user *u = tw_user_here(&model->users, user);
    if (!model->profile.on)
        return;
    double price = event->has & TW_HAS_PRICE ? event->price : model->items.items[item].price;
    size_t bytes = tw_taste_bytes(&u->taste);
    tw_taste_meet(&u->taste, shares, model->profile.decays, price, since_ms(u, event));
    model->users.bytes += tw_taste_bytes(&u->taste) - bytes;
    tw_profile_meet_price(&model->profile, price);
}

static void extend_activity(tw_model *model, uint32_t user, const tw_event *event) {
    tw_user *u = tw_user_here(&model->users, user);
    if (model->profile.on)
        tw_taste_come(&u->taste, event->event_ms, since_ms(u, event));
}

tw_code tw_model_learn(tw_model *model, uint32_t task, const tw_event *event, int32_t partition, int64_t offset,
                       uint32_t *ret_user, tw_err *err) {
    model->sequence++;
    model->signals = (tw_model_signals){NAN, NAN, NAN, NAN, NAN};
    uint32_t item = intern_item(model, event), user = TW_SLOT_NONE;
    if (event->event_ms > model->clock_ms)
        model->clock_ms = event->event_ms;
    if (event->kind != TW_KIND_ITEM) {
        user = tw_users_find(&model->users, task, event->user_id);
        TW_TRY(tw_model_sound(model, err));
        if (user == TW_SLOT_NONE)
            user = tw_users_add(&model->users, task, event->user_id);
        float strength = tw_model_strength(event);
        if (strength > 0) {
            tw_category_shares shares;
            tw_profile_read(&model->profile, tw_model_item_category(model, item), &shares);
            TW_TRY(train(model, user, item, event, strength, &shares, partition, offset, err));
            tw_sampler_note(&model->sampler, item);
            count_popular(model, item, strength);
            extend_taste(model, user, item, event, &shares);
        }
        extend_past(model, user, item, event, strength);
        extend_activity(model, user, event);
        tw_users_touch(&model->users, user, model->sequence, event->event_ms, model->items.next_order);
    }
    model->items.items[item].last_sequence = model->sequence;
    tw_model_bound(model, user, item);
    *ret_user = user;
    return tw_model_sound(model, err);
}

const tw_model_signals *tw_model_signals_get(const tw_model *model) {
    return &model->signals;
}

void tw_model_user_move(tw_model *model, uint32_t user, uint32_t to_task) {
    tw_users_move(&model->users, user, to_task);
}

void tw_model_prefetch(tw_model *model, uint32_t task, const tw_event *event, int32_t partition, int64_t offset) {
    uint32_t item = tw_items_find(&model->items, event->item_id);
    uint32_t user = tw_users_find(&model->users, task, event->user_id);
    if (model->mf) {
        tw_model_prefetch_factors(model, user, item, partition, offset);
        return;
    }
    if (user != TW_SLOT_NONE) {
        tw_row_prefetch(&model->users.embeddings, tw_user_seat(&model->users, user));
        tw_user_prefetch(&model->users, user);
    }
    if (item != TW_SLOT_NONE)
        tw_row_prefetch(&model->items.out, item);
}

void tw_model_stats_get(const tw_model *model, tw_model_stats *ret_stats) {
    size_t vector = (size_t)model->config->learn_dim * sizeof(float);
    const tw_seats *seats = model->users.seats;
    *ret_stats = (tw_model_stats){
        .users_evicted = model->users_evicted,
        .users_expired = model->users_expired,
        .items_evicted = model->items_evicted,
        .pairs_pruned = model->follow.pairs_pruned,
        .user_bytes = tw_users_row_bytes(&model->users) + tw_users_index_bytes(&model->users),
        .user_rows_bytes = tw_users_row_bytes(&model->users),
        .user_index_bytes = tw_users_index_bytes(&model->users),
        .users_in_memory = seats ? seats->taken.count : model->users.slots.count,
        .users_read_back = seats ? seats->misses : 0,
        .users_cooled = seats ? seats->cooled : 0,
        .users_settled = seats ? seats->settled : 0,
        .item_bytes = model->items.bytes + model->items.slots.end * (sizeof(tw_item) + 2 * vector + 5 * sizeof(float)) +
                      tw_map_size_bytes(model->items.map) + tw_cold_bytes(&model->cold),
        .pair_bytes = model->follow.bytes + model->follow.rows_capacity * sizeof(tw_follow_row),
        .fixed_bytes = sizeof *model + tw_profile_bytes(&model->profile) + TW_RING_SIZE * sizeof(uint32_t)};
}
