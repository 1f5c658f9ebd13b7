/* The profile: who a user is now, as a distribution over the shop's categories, learned online from what comes next.
 *
 * V, what is known of the user, goes through the profile network (profile_network.h); the target is the next item, whose categories
 * share alike. V is, in this order: the context vector (D; the user's factors under learn.model mf), manners (TW_MANNERS: events, time
 * since the last, pace, price, and whether one is known), and for each category the logarithm of its decayed share at each horizon,
 * smoothed towards how common it is. Every input is normalised by its running mean and variance (Welford 1962, with a bounded
 * memory). Examples gather until there are profile.batch of them, which is counted in the state: then the network takes one step. A
 * category that appears ends a batch early, because it widens the examples. Engine thread. */
#ifndef TW_MODEL_PROFILE_H
#define TW_MODEL_PROFILE_H

#include "config/config.h"
#include "model/profile_network.h"
#include "model/shown.h"
#include "model/taste.h"

#define TW_MANNERS 5

typedef struct tw_profile {
    const tw_kernels *kernels;
    bool on;
    int D; /* width of the context vector */
    float decays[TW_HORIZONS];
    tw_categories categories;
    tw_network network;
    double *frequency; /* (categories used) how often each was the answer */
    double frequency_sum;
    double prices, price_mean,
        price_square;              /* log(1 + price) over all events with one: count, mean, sum of squares about it */
    int inputs;                    /* N: D + TW_MANNERS + TW_HORIZONS a category */
    float *mean, *variance, *seen; /* (N) of the inputs; seen: examples, at most its bound */
    int batch, filled;             /* examples of a full batch; those that wait */
    float *waiting;                /* (batch, N) inputs of those, not normalised */
    float *targets;                /* (batch, stride of the answers) */
    float *normal, *inverse;       /* (batch, N), (N) scratch: normalised inputs; 1 / standard deviation */
    float *shares, *asked;         /* (N), (N) scratch: before the logarithm; the inputs of an answer */
    float loss;                    /* mean of the last batch; not finite: diverged */
    bool changed;                  /* since its rows were sent */
} tw_profile;

/* Whom it is about, as they are just before an event. */
typedef struct tw_profile_user {
    const tw_taste *taste;
    uint32_t events;
    int64_t last_ms, now_ms;
    const float *vector; /* (D); NULL: none, as if zero */
} tw_profile_user;

void tw_profile_init(tw_profile *profile, const tw_config *config);
void tw_profile_done(tw_profile *profile);

/* What an item is; its categories get numbers. Does nothing but empty shares where the profile is off. */
void tw_profile_read(tw_profile *profile, tw_slice category, tw_category_shares *ret_shares);

/* Learns that this user met that next. Nothing where shares are empty. Errors: TW_E_DIVERGED. */
tw_code tw_profile_learn(tw_profile *profile, const tw_profile_user *user, const tw_category_shares *shares,
                         tw_err *err);
/* Takes a price of the population in; NaN: none. Nothing before the first category. */
void tw_profile_meet_price(tw_profile *profile, double price);

/* Takes in what another process knew of a user (tw_taste_export, tw_shown_export); categories get numbers here. Sets bad where it is damaged.
 * Nothing is taken where the profile is off. */
void tw_profile_import(tw_profile *profile, tw_taste *taste, tw_cursor *of_taste, tw_shown *shown, tw_cursor *of_shown);

/* The distribution over tw_categories_used, in the profile's memory until the next call; NULL: off, or no category yet. */
const float *tw_profile_answer(tw_profile *profile, const tw_profile_user *user);

/* For training offline. x (inputs) of a user, not normalised; then one step on the first B of waiting and targets as the caller filled
 * them, which gives their mean loss before it; and the answers to the first B of waiting, (B, stride of the answers), good until the next
 * call. B is at most batch, and no example of a stream may wait. */
void tw_profile_inputs(const tw_profile *profile, const tw_profile_user *user, float *x);
float tw_profile_teach(tw_profile *profile, int B);
const float *tw_profile_ask(tw_profile *profile, int B);

/* profile_rows.c. Rows of TW_TABLE_WEIGHT, from the place that the model gives them: all but the weights, then each layer. There are
 * none before the first category. */
enum { TW_PROFILE_HEAD, TW_PROFILE_LAYERS, TW_PROFILE_ROWS = TW_PROFILE_LAYERS + TW_NETWORK_LAYERS };
static inline bool tw_profile_begun(const tw_profile *profile) {
    return profile->inputs > 0;
}
void tw_profile_encode(const tw_profile *profile, uint32_t row, tw_buf *out);
/* Rows come in any order, and older ones before newer ones; tw_profile_loaded checks that they fit. Errors: TW_E_STORE. */
tw_code tw_profile_load(tw_profile *profile, uint32_t row, tw_slice bytes, tw_err *err);
tw_code tw_profile_loaded(tw_profile *profile, tw_err *err);
/* Rows of different moments (of another process): starts anew where they do not fit. */
void tw_profile_fit(tw_profile *profile, const tw_config *config);

/* profile.c, for the rows: arrays for the categories in use. No example may wait. */
void tw_profile_widen(tw_profile *profile);

size_t tw_profile_bytes(const tw_profile *profile);

#endif
