/* The engine: one thread that takes records through decode, clean, learn and rank, and commits state and positions in
 * one transaction. Read step.c first.
 *
 * Caveats. An engine belongs to one thread; only tw_engine_ask and the view may be used from others. The result of a
 * step depends on the state, the ordered records and the seed. A failed commit or a fatal error leaves memory ahead of the
 * store: close without commit and reopen; start-up is the recovery. */
#ifndef TW_ENGINE_ENGINE_H
#define TW_ENGINE_ENGINE_H

#include "base/clock.h"
#include "base/drift.h"
#include "base/err.h"
#include "base/list.h"
#include "base/user_profile.h"
#include "config/config.h"
#include "model/model.h"
#include "pipeline/clean/clean.h"
#include "pipeline/ingest/source.h"
#include "pipeline/publish/changelog.h"
#include "pipeline/publish/sink.h"
#include "pipeline/rank/list.h"
#include "store/store.h"

typedef struct tw_engine tw_engine;

/* When lists are made. */
typedef enum tw_lists {
    TW_LISTS_NONE,  /* never; what is owed stays owed */
    TW_LISTS_FINAL, /* only at the end of a bounded source */
    TW_LISTS_ALL    /* as refresh intervals say */
} tw_lists;

/* Called with each applied event that names an item just before it is learned (test, then learn); task is that of its user. */
typedef void (*tw_before_learn_fn)(void *self, tw_engine *engine, uint32_t task, const tw_event *event, int64_t offset);

typedef struct tw_engine_options {
    const tw_config *config; /* borrowed */
    const char *state_dir;   /* NULL: nothing durable (evaluate, bench) */
    bool read_only;          /* the last commit beside a running writer: scoring and looking only */
    bool adopt_settings;     /* a writer that changes nothing learned: takes learn.* and rank.* from the state */
    tw_lists lists;
    bool wall_intervals;             /* refresh intervals run on the wall clock (run), else on event time (replay) */
    const tw_clock *clock;           /* borrowed */
    tw_sink *sink;                   /* borrowed; NULL: nowhere */
    tw_changelog *changelog;         /* borrowed; NULL: the state is here alone, and every partition must be */
    uint64_t instance;               /* names this process in the changelog */
    tw_before_learn_fn before_learn; /* NULL: nobody asks */
    void *before_learn_self;
    void (*drift)(void *self, const tw_drift_record *record); /* hears of each change that is told; NULL: nobody */
    void *drift_self;
} tw_engine_options;

/* Opens the state (or an empty one) and loads it. Errors: those of tw_store_open and tw_rank_ids_open. */
tw_code tw_engine_open(const tw_engine_options *options, tw_engine **ret_engine, tw_err *err);
tw_engine *tw_engine_close(tw_engine *engine); /* what was not committed is lost */

/* Takes the changelog (borrowed) that could only be opened once a broker had answered. Before attach. Errors: those of its reading, when an
 * empty state takes over another process's items and weights. */
tw_code tw_engine_share(tw_engine *engine, tw_changelog *changelog, tw_err *err);

/* Connects a source (borrowed): makes decoders, seeks to the stored positions. Once. */
tw_code tw_engine_attach(tw_engine *engine, tw_source *source, tw_err *err);

/* One step: polls at most one batch, takes every record through, ranks what is due. *ret_count: records taken; 0 from a
 * bounded source is its end. */
tw_code tw_engine_step(tw_engine *engine, int wait_ms, int *ret_count, tw_err *err);

/* How long a step may wait for records before a list is due, at most most_ms. */
int tw_engine_idle_ms(const tw_engine *engine, int most_ms);

/* Makes every owed list now, whatever the intervals say (TW_LISTS_NONE: none). Errors: TW_E_BUSY (a commit waits for the sink: ask
 * again). */
tw_code tw_engine_list_owed(tw_engine *engine, tw_err *err);

/* Takes over rank.* of config from now on, with the ids that its files name (tw_rank_ids_open). Consumes ids. */
void tw_engine_reload(tw_engine *engine, const tw_config *config, tw_rank_ids *ids);

/* Every user with an event is owed a list from now on, spread so that the stream goes on beside it. False: call again after a step, since
 * the memory for users is full of such debts or a commit waits. *ret_count: how many were added so far. */
bool tw_engine_owe_all(tw_engine *engine, uint64_t *ret_count);

/* Where topics go on, beside an offset. */
#define TW_POSITION_BEGINNING (-1)
#define TW_POSITION_END (-2)

/* Puts the positions of these topics (none: of all) to offset and commits. Before a source is attached. Errors: TW_E_NOT_FOUND (a topic
 * without a position), those of the commit. */
tw_code tw_engine_reset(tw_engine *engine, const char *const *topics, int topics_count, int64_t offset,
                        int *ret_positions, tw_err *err);

/* What a topic's partition has; TW_E_NOT_FOUND: it is not read. */
typedef struct tw_bounds {
    void *self;
    tw_code (*ask)(void *self, const char *topic, int32_t partition, int64_t *ret_low, int64_t *ret_high, tw_err *err);
} tw_bounds;

/* Holds the stored positions against that, and puts those that are outside where input.offset.reset says. Before the first step.
 * Errors: TW_E_MISMATCH (outside, and it says error), those of ask. */
tw_code tw_engine_fit_positions(tw_engine *engine, const tw_bounds *bounds, tw_err *err);

/* The next commit is the last of this process: it takes along the items and weights that the changelog does not have yet, for whoever
 * takes over. */
void tw_engine_leave(tw_engine *engine);

/* Flushes the sink and commits state, positions and what is still owed. Errors: TW_E_BUSY (the sink is not through yet: nothing is
 * committed, ask again). */
tw_code tw_engine_commit(tw_engine *engine, tw_err *err);
/* Commits when commit.interval.ms of steady time has passed since the last one, or one waits for the sink, which then is no error:
 * steps poll nothing until it is through. */
tw_code tw_engine_commit_due(tw_engine *engine, tw_err *err);

/* A list for a user id, known or not; items are allocated from the engine and live until the next call. category, if not
 * empty, keeps items that carry it. */
tw_code tw_engine_recommend(tw_engine *engine, tw_slice user_id, int top, tw_slice category, tw_list *ret_list,
                            tw_err *err);

/* A user's profile as it is now, with what changed since the one published last; slices are the model's until the next call.
 * Errors: TW_E_NOT_FOUND (no such user, or profile.enabled is false). */
tw_code tw_engine_profile(tw_engine *engine, tw_slice user_id, tw_user_profile *ret_profile, tw_err *err);

/* Appends what a user met newest, at most max (1 to TW_PAST_ASKED_MAX) of it, newest first: [{"item_id", "title", "category", "met_ms", "times", "bought",
 * "disliked"}, ...]. Errors: TW_E_NOT_FOUND. */
#define TW_PAST_ASKED_MAX 200
tw_code tw_engine_past(tw_engine *engine, tw_slice user_id, int max, tw_buf *out, tw_err *err);

/* Items like this one, best first: user_id of the list is empty. Errors: TW_E_NOT_FOUND. */
tw_code tw_engine_similar(tw_engine *engine, tw_slice item_id, int top, tw_list *ret_list, tw_err *err);

typedef struct tw_totals { /* of the state: all tasks, all runs */
    uint64_t consumed, verdicts[TW_VERDICT_COUNT], reasons[TW_REASON_COUNT], lists;
} tw_totals;
void tw_engine_totals(const tw_engine *engine, tw_totals *ret_totals);

/* What the file of vectors that new items start from knew of the items, now or, for a reader, at the last commit; walks the items. False:
 * there is no such file. */
bool tw_engine_vectors_hits(const tw_engine *engine, tw_model_hits *ret_hits);

tw_model *tw_engine_model(tw_engine *engine);
tw_ranker *tw_engine_ranker(tw_engine *engine);
int64_t tw_engine_watermark_ms(const tw_engine *engine); /* the largest of all partitions; INT64_MIN: none yet */
bool tw_engine_source_done(const tw_engine *engine);     /* the bounded source's end is committed */
void tw_engine_store_stats(const tw_engine *engine, tw_store_stats *ret_stats); /* zeros without a store */
size_t tw_engine_ids_live(const tw_engine *engine);                             /* remembered by all dedup windows */
size_t tw_engine_ids_bytes(const tw_engine *engine);                            /* what that takes */
uint64_t tw_engine_users_owed(tw_engine *engine);                               /* walks the users */

/* Whether each user's row that was asked for could be read back (state.memory.max); if not, what the engine said since is not to be
 * used, and it commits no more. Errors: TW_E_STORE (the row is damaged), TW_E_IO. */
tw_code tw_engine_sound(const tw_engine *engine, tw_err *err);

/* XXH3-128 over the logical rows in key order: users, items, weights, windows, counters, positions; never layout,
 * owed lists or caches. Reads every user that is not in memory: ask tw_engine_sound. */
tw_hash128 tw_engine_digest(tw_engine *engine);

/* The newest lists (at most max of the 32 kept, newest first; of a quick succession a sample) as a JSON array of
 * {"made_ms" (wall), "latency_ms" (event time to list), and the list's own fields with titles}, for the live page.
 * Thread: any. */
void tw_engine_newest(tw_engine *engine, int max, tw_buf *out);

/* The changes noticed since the engine was opened, newest first, at most max of the TW_NEWEST_DRIFTS kept of each scope, as a JSON array of what
 * tw_drift_write_json writes. scope: "user", "population" or "model"; NULL: all. Thread: engine. */
#define TW_NEWEST_DRIFTS 64
void tw_engine_drifts(const tw_engine *engine, const char *scope, int max, tw_buf *out);

/* Ready: the state is loaded, the source is attached and what it had at the start has been consumed. Thread: any. */
bool tw_engine_ready(const tw_engine *engine);

/* Questions from other threads, answered by the engine thread between steps (tw_engine_serve). The handler runs on the engine
 * thread; ask waits at most wait_ms and returns TW_E_BUSY when the engine did not come round. Thread: any. */
typedef void (*tw_question_fn)(tw_engine *engine, void *question);
tw_code tw_engine_ask(tw_engine *engine, tw_question_fn answer, void *question, int wait_ms);
void tw_engine_serve(tw_engine *engine); /* answers what waits. Thread: engine */

#endif
