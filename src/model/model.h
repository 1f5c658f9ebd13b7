/* What is learned: users, items, the scorers that learn from each event, and the blend that orders items for a user.
 *
 * Two models live behind this contract (learn.model): `default` blends context embeddings, transitions, repeats and
 * popularity; `mf` is the user x item factor model. Learning is per event and in order; its result depends on the state,
 * the events and the seed only (never on batches, clock, threads, or the layout a table happens to have after a restart).
 * Users and items are dense slots (uint32_t), lowest free slot first, stable while they live. Thread: engine. */
#ifndef TW_MODEL_MODEL_H
#define TW_MODEL_MODEL_H

#include "base/event.h"
#include "base/hash.h"
#include "base/rows.h"
#include "base/vectors.h"
#include "config/config.h"

typedef struct tw_model tw_model;

#define TW_SLOT_NONE UINT32_MAX

/* Told just before a user is evicted by state.users.max or dropped by state.ttl.ms; the slot is still valid. */
typedef void (*tw_user_gone_fn)(void *self, uint32_t user);

/* config is borrowed and must outlive the model. */
tw_model *tw_model_create(const tw_config *config, tw_user_gone_fn user_gone, void *self);
tw_model *tw_model_free(tw_model *model);

/* New items start from these vectors (borrowed, as long as the model lives), as cold.h says. Once, before anything is learned or loaded; not
 * with learn.model: mf. */
void tw_model_start_from(tw_model *model, const tw_vectors *vectors);
typedef struct tw_model_hits {
    uint32_t by_id, by_words, unknown; /* items that live now, by what the vectors know them by */
} tw_model_hits;
void tw_model_vectors_hits(const tw_model *model, tw_model_hits *ret_hits); /* walks the items; zeros without vectors */

/* ---- identities ------------------------------------------------------------------------------------------------ */

uint32_t tw_model_user_find(const tw_model *model, uint32_t task, tw_slice user_id);
uint32_t tw_model_item_find(const tw_model *model, tw_slice item_id);
tw_slice tw_model_user_id(const tw_model *model, uint32_t user);
tw_slice tw_model_user_look(const tw_model *model, uint32_t user); /* the id until the next look, from memory or not */
uint32_t tw_model_user_task(const tw_model *model, uint32_t user);
uint32_t tw_model_user_events(const tw_model *model, uint32_t user); /* applied, all time */
tw_slice tw_model_item_id(const tw_model *model, uint32_t item);
tw_slice tw_model_item_title(const tw_model *model, uint32_t item);
tw_slice tw_model_item_category(const tw_model *model, uint32_t item);
uint32_t tw_model_user_history(const tw_model *model, uint32_t user); /* different items in the user's past */
int64_t tw_model_item_first_ms(const tw_model *model, uint32_t item); /* event time of its first appearance */
/* Puts -INFINITY where the user bought the item (and did not return it) and last met it, in any event, after since_ms.
 *   scores (item_slots) changed in place */
void tw_model_hide_bought(const tw_model *model, uint32_t user, int64_t since_ms, float *scores);
uint32_t tw_model_user_slots(const tw_model *model); /* one past the highest slot ever used; free slots included */
uint32_t tw_model_item_slots(const tw_model *model);
uint32_t tw_model_user_count(const tw_model *model);
uint32_t tw_model_item_count(const tw_model *model);
bool tw_model_user_live(const tw_model *model, uint32_t user);
bool tw_model_item_live(const tw_model *model, uint32_t item); /* in use; may still be retired or out of stock */

/* What was learned of an item as a target (zero: nothing yet), and of a user alone: dim (learn.dim) floats, good until the next event. */
int tw_model_dim(const tw_model *model);
const float *tw_model_item_vector(const tw_model *model, uint32_t item);
const float *tw_model_user_vector(const tw_model *model, uint32_t user);

/* ---- learning -------------------------------------------------------------------------------------------------- */

/* Learns from one applied event (already judged by clean): interns user and item, trains, extends the user's history. An
 * ITEM event updates the item only and returns TW_SLOT_NONE. partition and offset key the random draws. Returns the user.
 * Errors: TW_E_DIVERGED. */
tw_code tw_model_learn(tw_model *model, uint32_t task, const tw_event *event, int32_t partition, int64_t offset,
                       uint32_t *ret_user, tw_err *err);

/* The user known under one task moves to another, with everything (history that was replayed from a file, met again in a
 * topic). The id must be known in from and not in to. */
void tw_model_user_move(tw_model *model, uint32_t user, uint32_t to_task);

/* What the model said of the event that it has just learned, before it learned: for whoever watches how well it does. NaN: not asked. */
typedef struct tw_model_signals {
    float loss; /* nats; of the context, against its negatives */
    float hit, blend_loss, score,
        norm; /* of an event that trained the blend: 1 when its item was among the best ten, else 0; the blend's loss;
                                           share of the best candidate; length of the context vector */
} tw_model_signals;
const tw_model_signals *tw_model_signals_get(const tw_model *model);

/* Touches what learning this event will need, a few events ahead. Changes nothing. */
void tw_model_prefetch(tw_model *model, uint32_t task, const tw_event *event, int32_t partition, int64_t offset);

/* The factor model's training step alone, for a user and an item that live (learn.model: mf): negatives drawn by (partition, offset), no
 * past, no counts. What tw_model_learn does of it; apart for measuring. prefetch touches the same rows some events ahead. */
void tw_model_train_factors(tw_model *model, uint32_t user, uint32_t item, float strength, int32_t partition,
                            int64_t offset);
void tw_model_prefetch_factors(const tw_model *model, uint32_t user, uint32_t item, int32_t partition, int64_t offset);

/* ---- scoring --------------------------------------------------------------------------------------------------- */

/* Blended scores of all items for a user at an event time (TW_SLOT_NONE: an unknown user, popularity answers).
 *   scores (item_slots) out; -INFINITY for free slots, retired, out of stock, and what rank.exclude names for this user
 * Larger is better; equal scores order by lower item rank of first appearance (tw_model_item_order). Uses scratch in the model. */
void tw_model_score(tw_model *model, uint32_t user, int64_t now_ms, float *scores);

/* The same scores as the last tw_model_score gave, but as if one scorer said the same of every candidate (its mean): what is
 * missing then is what that scorer adds. Candidates stay the same. False when that scorer took no part. */
bool tw_model_score_without(tw_model *model, int scorer, float *scores);

/* What one scorer says by itself of all items, for the user and time of the last tw_model_score: no blend, no candidates. Larger is
 * better; what that scorer knows nothing of is level. Hidden items as there. False, and nothing written, when that scorer took no part.
 *   scores (item_slots) out */
bool tw_model_score_alone(tw_model *model, int scorer, float *scores);

/* Says for which users (count <= TW_MODEL_AHEAD) tw_model_score_best is asked next, each once and nothing learned in between: the factor
 * model then reads the items once for all of them. Changes no answer. */
#define TW_MODEL_AHEAD 16
void tw_model_score_ahead(tw_model *model, const uint32_t *users, int count);

/* The same for those items alone that can be among the best top, where that is cheaper (the factor model of a known user).
 *   *ret_items, *ret_scores (returned) out, in the model's memory until the next call; hidden items are not among them
 * Returns how many; -1: ask tw_model_score. */
int tw_model_score_best(tw_model *model, uint32_t user, int64_t now_ms, int top, const uint32_t **ret_items,
                        const float **ret_scores);

/* Likeness of every item to one item: cosine of what the model learned of them.
 *   scores (item_slots) out; -INFINITY for free slots, retired, out of stock and the item itself */
void tw_model_similar(tw_model *model, uint32_t item, float *scores);

/* Order of first appearance of an item: breaks ties. */
uint64_t tw_model_item_order(const tw_model *model, uint32_t item);

/* Why an item is where it is in the last tw_model_score: for each scorer its share (>= 0, sum 1) of what lifts the item,
 * and, where context or transitions
 * lead, the past item that contributed most to that (else TW_SLOT_NONE). */
#define TW_SCORERS_MAX 8
typedef struct tw_reasons {
    float share[TW_SCORERS_MAX];
    uint32_t because_item;
} tw_reasons;
void tw_model_explain(tw_model *model, uint32_t item, tw_reasons *ret_reasons);
int tw_model_scorers(const tw_model *model);                    /* how many; NULL: of learn.model default */
const char *tw_model_scorer_name(const tw_model *model, int i); /* "context", "transitions", ...; NULL as above */

/* Of the events that the blend learned from since the start of the process, asked before it did (learn.blend.every): how many, how often the item
 * was among the best ten of the candidates by the blend, and by each scorer alone. Zeros with the factor model. */
typedef struct tw_best_ten {
    uint64_t asked, blend, by[TW_SCORERS_MAX];
} tw_best_ten;
tw_best_ten tw_model_best_ten(const tw_model *model);

/* ---- profile ---------------------------------------------------------------------------------------------------- */

/* Categories that have a number, in the order of their first appearance in an event; the last may be all the others together
 * (profile.categories.max). */
#define TW_MODEL_CATEGORIES_MAX 129 /* of that setting's range, and the rest */
uint32_t tw_model_categories(const tw_model *model);
tw_slice tw_model_category_name(const tw_model *model, uint32_t category);
/* What share of a text "a|b" each category has.
 *   shares (categories) out, sum 1
 * False, with shares zero, when it names none that has a number. */
bool tw_model_category_shares(tw_model *model, tw_slice text, float *shares);
/* The probability that a user's next item at an event time is of each category (profile.h says how).
 *   (categories) returned, sum 1, in the model's memory until the next call
 * NULL: no category is known yet, or profiles are off. */
const float *tw_model_profile(tw_model *model, uint32_t user, int64_t now_ms);
/* What a user met, decayed over the short or the long horizon.
 *   shares (categories) out, sum 1
 * False, with shares zero: nothing with a category. */
bool tw_model_interests(const tw_model *model, uint32_t user, bool over_long, float *shares);

/* Events with a category so far, of all users: counts (categories) out; one of several categories is split among them. */
void tw_model_category_counts(const tw_model *model, double *counts);

/* An item of a user's past. */
typedef struct tw_user_past {
    uint32_t item;
    int64_t met_ms; /* event time of the newest meeting, whole seconds */
    uint32_t times; /* how often; at most 65,535 are told apart */
    bool bought, disliked;
} tw_user_past;
/* The newest at most max of them, newest first; returns how many. */
int tw_model_past(const tw_model *model, uint32_t user, int max, tw_user_past *ret_past);

typedef struct tw_user_manners {
    uint32_t events; /* applied, all time */
    int64_t first_ms, last_ms;
    double events_per_day; /* at the time that was asked about */
    double price;          /* geometric mean of what was met, each event .9 of the next; NaN: no price is known */
    double
        price_deviations; /* how many standard deviations its logarithm is above that of all users' events; NaN likewise */
} tw_user_manners;
void tw_model_manners(const tw_model *model, uint32_t user, int64_t now_ms, tw_user_manners *ret_manners);

/* The profile that was published last, kept in a byte a category (shown.h): durable, left out of the digest.
 *   shares (categories) out, sum 1; give returns false, with shares zero, when there was none */
bool tw_model_shown(const tw_model *model, uint32_t user, float *shares);
void tw_model_show(tw_model *model, uint32_t user, const float *shares);

/* ---- what rank keeps with a user -------------------------------------------------------------------------------- */

/* Part of the user's row, durable (all fields), left out of the digest. Change it, then call touch. Times run on the clock
 * of the refresh intervals: event time in replay, wall time in run. */
typedef struct tw_user_list {
    int64_t listed_ms;        /* when the last list was made; INT64_MIN: never (initial) */
    int64_t owed_since_ms;    /* when the first event that no list covers came; INT64_MIN: nothing owed (initial) */
    uint64_t owed_sequence;   /* order among the owed */
    uint64_t list_version;    /* of the last list */
    int64_t newest_ms;        /* event time of the user's newest applied event; INT64_MIN: none (initial) */
    int64_t newest_offset;    /* its offset */
    int32_t newest_partition; /* its partition */
    uint32_t newest_lane;     /* which topic that was, as the engine numbers them */
} tw_user_list;
tw_user_list *tw_model_user_list(tw_model *model, uint32_t user);
bool tw_model_user_owes(const tw_model *model, uint32_t user);         /* without reading a row */
tw_user_list tw_model_user_debt(const tw_model *model, uint32_t user); /* a copy; the row is not brought to memory */
int64_t *tw_model_user_produced(tw_model *model, uint32_t user);       /* timestamp of the newest record; 0: unknown */
void tw_model_user_list_touch(tw_model *model, uint32_t user);

/* ---- moving to another process --------------------------------------------------------------------------------- */

/* Users whose rows changed since tw_model_changes was last called, gone ones among them. */
size_t tw_model_users_changed(const tw_model *model);
uint32_t tw_model_user_changed(const tw_model *model, size_t i);

/* Appends a user's row as any process can read it: what rank keeps, and the past with items by id. */
void tw_model_user_export(const tw_model *model, uint32_t user, tw_buf *out);
/* Takes such a row in, in place of what is known of the user; items that are not known are added without a vector. Errors:
 * TW_E_CORRUPT. */
tw_code tw_model_user_import(tw_model *model, uint32_t task, tw_slice user_id, tw_slice bytes, uint32_t *ret_user,
                             tw_err *err);
/* What rank and publish keep alone, of a user who is here. */
tw_code tw_model_user_import_list(tw_model *model, uint32_t user, tw_slice bytes, tw_err *err);
void tw_model_user_drop(tw_model *model, uint32_t user); /* whom nobody is told of */

void tw_model_touch_task(tw_model *model, uint32_t task); /* all users of a task count as changed */
void tw_model_touch_items(tw_model *model);               /* and all items and weights */
/* After rows of another process, which come from different moments, were loaded into an empty model: what does not fit together goes, in
 * two steps with tw_model_loaded between. */
void tw_model_fit(tw_model *model);
void tw_model_adopted(tw_model *model);
uint64_t tw_model_seen(const tw_model *model); /* events learned */

/* ---- users beyond memory ---------------------------------------------------------------------------------------- */

/* Bounds the memory of users' rows: identity, past, embedding, profile, debt; not the index (id map, links, places), which every user has.
 * Before the first user. The shelf is called by any function that takes a user, and must outlive the model's last call. Pointers to what
 * a user has stay good until tw_model_learn, cool or relieve. model/seats.h tells the rest. */
void tw_model_bound_memory(tw_model *model, const tw_row_shelf *shelf, int64_t bytes_max);
int64_t tw_model_memory_least(const tw_config *config); /* the least bytes_max that a batch can do with */
void tw_model_cool(tw_model *model); /* down to the bound, as far as rows may go. After whatever looked users up */
bool tw_model_tight(const tw_model *model); /* the bound is exceeded and too few rows may go: commit, then relieve */
tw_code tw_model_relieve(tw_model *model, tw_err *err); /* just after a commit. Errors: those of the shelf */
/* Whether each row that was asked for could be read; if not, what was learned or answered since is not to be used. */
tw_code tw_model_sound(const tw_model *model, tw_err *err);

/* ---- durability ------------------------------------------------------------------------------------------------ */

/* Hands every row changed since the last call to the sink and forgets that it changed. */
void tw_model_changes(tw_model *model, const tw_row_sink *sink);
/* Appends the whole row as it is now (for a fold). */
void tw_model_encode(tw_model *model, tw_table table, uint32_t row, tw_buf *out);
tw_code tw_model_load(tw_model *model, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *err);
void tw_model_load_delete(tw_model *model, tw_table table, uint32_t row);
/* After the last load: rebuilds what is derived (id maps, free slots, order of idleness). */
tw_code tw_model_loaded(tw_model *model, tw_err *err);
/* Adds the logical rows in table and slot order; without tw_user_list. */
void tw_model_digest(tw_model *model, tw_hasher *hasher);

typedef struct tw_model_stats {
    uint64_t users_evicted, users_expired, items_evicted, pairs_pruned; /* this process */
    uint64_t user_bytes, item_bytes, pair_bytes, fixed_bytes;           /* memory now */
    uint64_t user_rows_bytes, user_index_bytes; /* of user_bytes: what is bounded, and what is not */
    uint64_t users_in_memory;                   /* now */
    uint64_t users_read_back, users_cooled;     /* rows read from the shelf and forgotten, this process */
    uint64_t users_settled;                     /* of the forgotten, those that were put on the shelf for that */
} tw_model_stats;
void tw_model_stats_get(const tw_model *model, tw_model_stats *ret_stats);

#endif
