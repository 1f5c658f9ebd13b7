/* What the files of the model share: the whole model, and the scratch of one scoring. */
#ifndef TW_MODEL_INTERNAL_H
#define TW_MODEL_INTERNAL_H

#include "model/blend.h"
#include "model/cold.h"
#include "model/context.h"
#include "model/follow.h"
#include "model/items.h"
#include "model/profile.h"
#include "model/repeat.h"
#include "model/sampler.h"
#include "model/scan.h"
#include "model/users.h"

/* Rows of TW_TABLE_WEIGHT. */
enum {
    TW_WEIGHT_CLOCK,
    TW_WEIGHT_BLEND,
    TW_WEIGHT_REPEAT,
    TW_WEIGHT_POOL,
    TW_WEIGHT_RING,
    TW_WEIGHT_PROFILE = TW_WEIGHT_RING + TW_RING_CHUNKS,
    TW_WEIGHT_ROWS = TW_WEIGHT_PROFILE + TW_PROFILE_ROWS
};

typedef struct tw_raw {
    float votes;               /* how many of the newest past items it has transitions with */
    float way[TW_FOLLOW_WAYS]; /* transitions before the logarithm */
} tw_raw;

/* What the last scoring computed, kept for explain and for the blend's step. */
typedef struct tw_scoring {
    float *context;        /* (items) logits of the context */
    float context_log_sum; /* log of their summed exponentials */
    float *first;          /* (items) the first look, by which candidates are chosen; -INFINITY for those */
    float edge;            /* no first look that is left is above it */
    float *logs;           /* (2, items) scratch */
    tw_raw *raw;           /* (items) zero but for those touched */
    uint32_t *touched;     /* items with any transition */
    uint32_t touched_count;
    uint32_t *reached; /* items that may become candidates: scratch */
    uint32_t capacity, n;
    uint32_t user;
    int bucket;
    bool has_context;
    int64_t now_ms;
    float of_user[TW_X_COUNT - TW_X_ONE]; /* the inputs from TW_X_ONE on: the same for every candidate */
    uint32_t candidates[TW_BLEND_CANDIDATES], candidates_count;
    float *x;   /* (TW_X_COUNT, TW_BLEND_CANDIDATES) inputs of the candidates */
    float *why; /* the same, of one item and what it would be without one scorer or another */
    float blended[TW_BLEND_CANDIDATES];
    float mean[TW_X_COUNT]; /* of the inputs over the candidates, when means_known */
    bool means_known;
} tw_scoring;

struct tw_model {
    const tw_config *config;
    const tw_kernels *kernels;
    tw_user_gone_fn user_gone;
    void *user_gone_self;
    bool mf;

    /* State. */
    tw_users users;
    tw_items items;
    tw_sampler sampler;
    tw_follow follow;
    tw_repeat repeat;
    tw_blend blend;
    tw_profile profile;
    uint64_t sequence;   /* events learned */
    int64_t clock_ms;    /* newest event time learned */
    double popular_unit; /* weight of one event now; grows, so that old counts need not be touched */

    /* Derived and scratch. */
    tw_model_signals signals;
    tw_context context;
    tw_cold cold;
    tw_scoring scoring;
    tw_scan scan; /* of the factor model alone */
    uint64_t users_evicted, users_expired, items_evicted;
    tw_best_ten best_ten;
};

/* best_ten.c: counts the event whose target stands at this place of the candidates (from candidates_count on: is none of them); after forward. */
void tw_model_count_hits(tw_model *model, uint32_t target);

/* model.c: the item of that id, made if it is not there; its start from vectors is the caller's, who may know more of it. */
uint32_t tw_model_item_intern(tw_model *model, tw_slice item_id, int64_t event_ms, bool *ret_made);

/* How much an event says that the user likes the item: above 0 it is learned from, below 0 it is a dislike, 0 says nothing. */
float tw_model_strength(const tw_event *event);

/* Whom a profile is about; vector as in tw_profile_user. */
static inline tw_profile_user tw_profile_user_of(const tw_user *u, const float *vector, int64_t now_ms) {
    return (tw_profile_user){&u->taste, u->events, u->last_ms, now_ms, vector};
}

/* features.c */
void tw_model_features(tw_model *model, uint32_t user, int64_t now_ms);
void tw_model_inputs(const tw_model *model, uint32_t item, float *x);
float tw_model_transition(const tw_model *model, uint32_t from, uint32_t to, int way);
void tw_scoring_done(tw_scoring *scoring);

/* What is added to a share of transitions before its logarithm: the score of an item that they have never seen. */
#define TW_TRANSITIONS_LEAST 1e-3f

/* candidates.c: the candidates of a scoring, from what context and transitions say of all items. */
void tw_model_choose(tw_model *model, const tw_user *u);
/* Adds what transitions say in the first look at all items: nothing where they have seen nothing. */
void tw_model_add_transitions(tw_model *model, float *scores);

/* The scorers of the default model, in the order of their numbers. */
typedef enum tw_scorer {
    TW_BY_CONTEXT,
    TW_BY_TRANSITIONS,
    TW_BY_TRENDING,
    TW_BY_POPULAR,
    TW_BY_REPEAT,
    TW_SCORERS
} tw_scorer;

/* score.c */
void tw_model_hide(const tw_model *model, const tw_user *u, float *scores);
static inline uint32_t tw_model_first_repeat(const tw_model *model, const tw_user *u) {
    uint32_t most = model->repeat.items_max;
    return u->past_count > most ? u->past_count - most : 0;
}
void tw_model_blend_learn(tw_model *model, uint32_t user, uint32_t target, int64_t now_ms);

/* mf.c: the scores of the factor model; its training stands in model.h. */
void tw_mf_score(tw_model *model, uint32_t user, float *scores);

/* evict.c: bounds of users and items, idle users. */
void tw_model_bound(tw_model *model, uint32_t keep_user, uint32_t keep_item);

#endif
