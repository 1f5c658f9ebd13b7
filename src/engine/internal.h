/* What the files of the engine share. Nobody outside src/engine includes this. */
#ifndef TW_ENGINE_INTERNAL_H
#define TW_ENGINE_INTERNAL_H

#include "base/arena.h"
#include "base/hash.h"
#include "drift/drift.h"
#include "engine/engine.h"
#include "pipeline/decode/decode.h"
#include "pipeline/rank/queue.h"

/* A lane is one ordered run of records: a partition of a topic, or the files one after the other. It owns what belongs to
 * an order: watermark, dedup windows, counters. */
typedef struct tw_lane {
    char name[256]; /* topic; "file" for files: another file continues the same lane */
    int32_t partition;
    uint32_t id;   /* names its logs in the store; given out once, never reused */
    uint32_t task; /* the partition of the user-keyed topics, or TW_TASK_FILES */
    bool items;    /* the items topic: counts into every task's list_version */
    tw_clean *clean;
    int64_t silent_until;          /* up to this offset records are learned again, without a word; 0: none are */
    struct tw_bucket_parts *parts; /* (TW_WINDOW_COUNT, TW_PART_SLOTS), NULL: none yet; see tasks.h */
} tw_lane;

/* In how many parts the changelog holds a bucket of a dedup window. */
#define TW_PART_SLOTS 512
typedef struct tw_bucket_parts {
    uint64_t bucket;
    uint32_t count;
} tw_bucket_parts;

/* Logs of a lane in the store: the ids of each window, and for each a byte for every part in the changelog. */
#define TW_LANE_LOGS (2 * TW_WINDOW_COUNT)

/* Users known from files belong to this task until an event of theirs comes in a partition of a topic, which then has them. */
#define TW_TASK_FILES UINT32_MAX
#define TW_LANE_FILES "file"

/* How far an input was consumed. A file's position belongs to its identity (size and content), not to its name. */
typedef struct tw_position {
    char identity[256];
    int32_t partition;
    int64_t offset; /* of the next record; -1: nothing consumed yet */
    int64_t
        opened_ms; /* wall clock when it was first opened: the "now" of the skew guard for records without append time */
} tw_position;

/* Where a partition of the attached source leads: its lane and its position, as places in the engine's arrays. */
typedef struct tw_route {
    uint16_t input;
    int32_t partition;
    uint32_t lane, position;
} tw_route;

#define TW_NEWEST_LISTS 32

typedef struct tw_newest tw_newest;
typedef struct tw_mailbox tw_mailbox;

struct tw_engine {
    tw_engine_options options;
    tw_config own_config;
    const tw_config *config; /* own_config */
    tw_clock clock;

    /* State: committed together. */
    tw_model *model;
    tw_hash128 vectors_hash;                /* of the file that new items start from (learn.vectors.file); zero: none */
    tw_model_hits hits;                     /* of that file, as of the last commit */
    tw_drift *drift;                        /* NULL: drift.enabled is false, and the state knows of none */
    struct tw_newest_drifts *newest_drifts; /* as drift */
    tw_lane *lanes;
    size_t lanes_count, lanes_capacity;
    tw_position *positions;
    size_t positions_count, positions_capacity;
    uint64_t lists_total;   /* made, all runs */
    uint64_t owed_sequence; /* last given out */
    tw_buf sink_position;   /* as loaded */
    struct tw_task *tasks;  /* (tasks_count), by number; see tasks.h */
    size_t tasks_count, tasks_capacity;

    /* Derived. */
    tw_vectors *vectors; /* NULL: none, or nothing is learned here */
    tw_store *store;
    tw_ranker *ranker;
    tw_rank_queue *queue;
    tw_newest *newest;
    tw_mailbox *mailbox;
    int64_t commit_ns;      /* steady time of the last commit */
    int64_t commit_took_ns; /* by that one */
    int64_t watermark_ms;   /* the largest of all lanes */
    uint64_t items_offsets; /* sum of the positions in the items topic */
    bool fresh;             /* nothing was committed to the state when it was opened, and nothing restored since */
    bool first;             /* besides, it was made at that open: there is no older list to contradict */
    bool changed;           /* since the last commit */
    bool failed;            /* memory may be ahead of the store: no further commit */
    bool unflushed;         /* a commit waits for the sink: nothing is polled until it is through */
    bool listing;           /* state: a commit was made between lists that are due together; the rest comes first */
    bool pressed;           /* inputs wait because the memory for users is full of rows that no commit has taken yet */
    bool prepared;          /* a commit is put together and waits for the changelog */
    bool behind;            /* the last step found a whole batch waiting */
    bool stalled;           /* the source is paused, for that or because the sink is full */
    bool has_files;         /* some users are known from files */
    int partitions;         /* of the topics keyed by user when the state met them first; 0: never */
    _Atomic bool ready;

    /* The changelog: see tasks.h and changelog_model.c. */
    int silent_lanes;                 /* lanes that learn again what the store has missed */
    tw_buf debts;                     /* to be owed after that, as (task, commits, users' rows) */
    tw_buf gone;                      /* users gone since the last commit, as (task, id) */
    tw_buf key, value;                /* of the row that is put */
    uint32_t owe_next;                /* user with whom tw_engine_owe_all goes on */
    uint64_t owe_count;               /* debts it has made */
    bool leaving;                     /* the next commit is the last */
    struct tw_model_rows *model_rows; /* rows of items and weights that are still to be sent; NULL: none */

    /* The attached source. */
    tw_source *source;
    tw_decoder **decoders; /* (decoders_count), one an input */
    int decoders_count;
    bool keys_checked;
    uint32_t keys_seen, keys_unlike; /* of the first records that carry a user id: see keys.c */
    tw_record *records;              /* (ingest.batch.max) */
    tw_event *events;
    tw_reason *reasons;
    tw_hash128 *ids; /* for the duplicates, */
    bool *ids_known; /* where asked for ahead */
    tw_route *routes;
    size_t routes_count, routes_capacity;
    size_t route_last; /* asked for last: most records come after one of the same partition */
    tw_arena *arena;
    bool silent;        /* the record at hand is learned again: nobody is told of a change */
    tw_code drift_code; /* of the sink, while an event was watched */
    tw_err *drift_err;  /* borrowed for the event */
    bool source_ended, end_committed;
    tw_buf scratch;
};

/* state.c: the durable form. load opens the store and fills the engine; put_state hands everything changed to the store. */
tw_code tw_engine_load(tw_engine *engine, tw_err *err);
tw_code tw_engine_put_state(tw_engine *engine, bool to_changelog, tw_err *err);
/* Everything changed into the store alone, after tw_store_begin: the state that a changelog has given. */
tw_code tw_engine_commit_store(tw_engine *engine, tw_err *err);
void tw_engine_lane_clear(tw_engine *engine, tw_lane *lane); /* as new, here and in the store; after tw_store_begin */
void tw_engine_keep_ids(tw_engine *engine, const tw_lane *lane, tw_clean_window window, uint64_t bucket, tw_slice ids);
void tw_engine_put_tasks(tw_engine *engine);

/* task_changes.c and take_over.c, for the others */
void tw_engine_add_parts(tw_lane *lane, tw_clean_window window, uint64_t bucket, uint32_t count);
void tw_engine_silent_end(tw_engine *engine);

/* memory.c: users beyond memory. shelf: the store as the model sees it. check: refuses a bound that is too small (TW_E_CONFIG). relieve:
 * when users' rows fill state.memory.max and too few may go, a commit and what has to be put in place; TW_E_BUSY when that commit waits
 * (nothing may change until it is through). relieve_restore: the same within the restore of a task, whose commits no changelog hears of. */
tw_row_shelf tw_engine_shelf(tw_engine *engine);
tw_code tw_engine_check_memory(const tw_config *config, tw_err *err);
tw_code tw_engine_relieve(tw_engine *engine, tw_err *err);
tw_code tw_engine_relieve_restore(tw_engine *engine, tw_err *err);

/* vectors.c: learn.vectors.file. open: before the state, errors those of tw_vectors_open. agree: after it is loaded, errors TW_E_MISMATCH (the
 * state was made with another file). put and load: the meta, where used says that there is one. tell: a line in the log. */
tw_code tw_engine_vectors_open(tw_engine *engine, tw_err *err);
tw_code tw_engine_vectors_agree(tw_engine *engine, tw_err *err);
bool tw_engine_vectors_used(const tw_engine *engine);
void tw_engine_vectors_put(tw_engine *engine, tw_buf *buf);
void tw_engine_vectors_load(tw_engine *engine, tw_cursor *c);
void tw_engine_vectors_tell(tw_engine *engine);

/* engine.c: the model, once its settings are certain; places in lanes and positions; made when not there. */
void tw_engine_make_model(tw_engine *engine);
uint32_t tw_engine_lane(tw_engine *engine, const char *name, int32_t partition);
uint32_t tw_engine_position(tw_engine *engine, const char *identity, int32_t partition);
uint64_t tw_lane_consumed(const tw_lane *lane);
uint64_t tw_engine_files_counted(const tw_engine *engine,
                                 uint32_t task); /* records of files in the versions of a task's lists */

/* lists.c: who is owed a list and when it is made. */
void tw_engine_owe(tw_engine *engine, uint32_t user, const tw_lane *lane, const tw_record *record, int64_t event_ms);
/* Makes the lists that are due at now_ms, at most for budget_ns of steady time (0: all), and those delayed to the limit. */
tw_code tw_engine_make_due(tw_engine *engine, int64_t now_ms, int64_t budget_ns, tw_err *err);
void tw_engine_requeue_owed(tw_engine *engine); /* all that is owed by tasks that are here, and nothing else */
void tw_engine_queue_drop(tw_engine *engine, uint32_t task);
void tw_engine_user_gone(void *self, uint32_t user);
uint64_t tw_engine_version_now(const tw_engine *engine, uint32_t task);
/* For a question: the user in whichever task, the row in memory until the next question; TW_SLOT_NONE: nowhere. Errors: a cold row that could
 * not be read. */
tw_code tw_engine_user_asked(tw_engine *engine, tw_slice user_id, uint32_t *ret_user, tw_err *err);
tw_newest *tw_newest_create(void);
tw_newest *tw_newest_free(tw_newest *newest);

/* profiles.c: fills a user's profile as of now; slices are the model's until the next call. Returns the whole distribution, (categories), good
 * until then as well; NULL: there is none yet. */
const float *tw_engine_describe(tw_engine *engine, uint32_t user, uint64_t version, tw_user_profile *ret_profile);
/* Hands a user's profile to the sink, where it takes profiles and they are learned. */
tw_code tw_engine_publish_profile(tw_engine *engine, uint32_t user, uint64_t version, tw_err *err);

/* drifts.c: changes that are noticed, and where they go. Detectors are made when there are none; they watch only where drift.enabled is true, and
 * what they know stays in the state where it is not. */
void tw_engine_make_drift(tw_engine *engine);
void tw_engine_free_drift(tw_engine *engine);
tw_code tw_engine_watch(tw_engine *engine, const tw_lane *lane, uint32_t user, const tw_event *event, tw_err *err);

/* keys.c: whether records are keyed by their user, as tasks need it. Errors: TW_E_CONFIG. */
tw_code tw_engine_check_key(tw_engine *engine, const tw_record *record, const tw_event *event, tw_err *err);

/* ask.c */
tw_mailbox *tw_mailbox_create(void);
tw_mailbox *tw_mailbox_free(tw_mailbox *mailbox);

/* metrics.c: the engine's own rows of the metrics table. */
void tw_engine_metrics_register(void);
void tw_engine_count(tw_verdict verdict, tw_reason reason);
void tw_engine_count_list(double latency_s);
void tw_engine_count_commit(double seconds);
void tw_engine_count_stall(bool stalled);
void tw_engine_count_memory_commit(void);
void tw_engine_count_memory_stall(void);
void tw_engine_count_restore(uint64_t rows, double seconds);
void tw_engine_gauge(const tw_engine *engine);

#endif
