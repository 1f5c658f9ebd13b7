/* Tailwater inside another program: a recommender that learns from each event as it is added, and answers from what it knows by then.
 *
 * A recommender is the engine of `tailwater run` without Kafka. With a directory its state is durable: what was learned and how many
 * events were added commit in one transaction, each commit.interval.ms while events are added and at tw_recommender_commit. After a crash
 * tw_recommender_added says with which event to go on; then the state ends as if nothing had happened. The commands `recommend`,
 * `inspect`, `serve` and `backup` read the directory beside it; a second writer is refused.
 *
 * Texts are UTF-8 and end with a zero. Calls return TW_OK or a code of errors.h with one line in err. After a code that is neither
 * TW_E_USAGE nor TW_E_NOT_FOUND memory may be ahead of the store: the recommender then refuses everything but close, and opening
 * again is the recovery. When memory is exhausted the process ends with one line on stderr.
 * Thread: one at a time for each recommender; several recommenders may be used from several threads. */
#ifndef TAILWATER_TAILWATER_H
#define TAILWATER_TAILWATER_H

#include "tailwater/errors.h"
#include "tailwater/version.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tw_recommender tw_recommender;

/* Zeroed: in memory alone, with the default settings. */
typedef struct tw_recommender_options {
    const char *state_dir;       /* made when it is missing; NULL: state.dir of the settings, else nothing is kept */
    int read_only;               /* not 0: the last commit of whoever writes state_dir; nothing can be added */
    const char *config_file;     /* as --config FILE; NULL: none */
    const char *const *settings; /* (settings_count) "key=value", as --set; `tailwater config` lists the keys */
    size_t settings_count;
} tw_recommender_options;

/* Opens the state, or an empty one. The log goes to stderr from log.level on (here error by default), which holds for the whole process.
 * Errors: TW_E_CONFIG, TW_E_IO, TW_E_LOCKED, TW_E_VERSION, TW_E_MISMATCH, TW_E_NOT_FOUND, TW_E_STORE, TW_E_FULL. */
TW_PUBLIC tw_code tw_recommender_open(const tw_recommender_options *options, tw_recommender **ret_recommender,
                                      tw_err *err);
/* What was not committed is lost. Takes NULL and returns NULL. */
TW_PUBLIC tw_recommender *tw_recommender_close(tw_recommender *recommender);

/* Which numbers and switches of an event are given. */
enum { TW_GIVES_RATING = 1, TW_GIVES_PRICE = 2, TW_GIVES_QUANTITY = 4, TW_GIVES_IN_STOCK = 8, TW_GIVES_RETIRED = 16 };

/* What a user did, or news about an item. Texts that are NULL are not given; all are borrowed for the call. */
typedef struct tw_recommender_event {
    const char *kind;     /* click, cart, purchase, review, return; item: news about an item, without a user */
    const char *user_id;  /* at most 1,024 bytes */
    const char *item_id;  /* the same */
    int64_t event_ms;     /* when it happened: milliseconds since 1970 UTC */
    const char *event_id; /* names the event, to find it when it comes again; else user, item, kind and time do */
    const char *category; /* of the item; several split by '|' */
    const char *title;    /* of the item */
    unsigned gives;       /* TW_GIVES_* */
    double rating;        /* of a review, 1 to 5 */
    double price, quantity;
    int in_stock, retired; /* of an item */
} tw_recommender_event;

/* What became of an event. Each that was added is exactly one of these. */
typedef enum tw_outcome {
    TW_OUTCOME_APPLIED,
    TW_OUTCOME_DUPLICATE,
    TW_OUTCOME_LATE,
    TW_OUTCOME_REFUSED /* it breaks a rule: tw_recommender_reason says which */
} tw_outcome;

/* Takes one event: checks it, drops it when it came before or too late, learns from it. */
TW_PUBLIC tw_code tw_recommender_add(tw_recommender *recommender, const tw_recommender_event *event,
                                     tw_outcome *ret_outcome, tw_err *err);
/* The same of one JSON object of size bytes, with the names of fields in `schemas`. */
TW_PUBLIC tw_code tw_recommender_add_json(tw_recommender *recommender, const char *json, size_t size,
                                          tw_outcome *ret_outcome, tw_err *err);
/* Why the last event was refused, as dead letters name it ("empty_id"); "" when it was not. */
TW_PUBLIC const char *tw_recommender_reason(const tw_recommender *recommender);

/* Events added to this state ever, whatever became of them. After open: those of the last commit. */
TW_PUBLIC uint64_t tw_recommender_added(const tw_recommender *recommender);

/* Makes all that was added durable. Nothing to do without a directory. */
TW_PUBLIC tw_code tw_recommender_commit(tw_recommender *recommender, tw_err *err);

typedef struct tw_recommended {
    const char *item_id;
    const char *title, *category; /* "": unknown */
    float score;                  /* comparable within one list */
    const char *reason;           /* the scorer that lifts the item most; "": none stands out */
    const char *because_item;     /* the user's own past item that contributed most to that; "": none */
} tw_recommended;

/* The best items for a user now, best first, by the rules of rank.*; an unknown user gets what is popular. category NULL: of all. The items
 * belong to the recommender and live until its next call. Errors: TW_E_USAGE (items_max is not within 1 to 1000). */
TW_PUBLIC tw_code tw_recommender_recommend(tw_recommender *recommender, const char *user_id, const char *category,
                                           int items_max, const tw_recommended **ret_items, int *ret_count,
                                           tw_err *err);
/* Items like this one, best first, with the same owner. Errors: TW_E_NOT_FOUND, TW_E_USAGE. */
TW_PUBLIC tw_code tw_recommender_similar(tw_recommender *recommender, const char *item_id, int items_max,
                                         const tw_recommended **ret_items, int *ret_count, tw_err *err);

#ifdef __cplusplus
}
#endif
#endif
