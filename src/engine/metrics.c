/* The engine's metrics: what was consumed and why it was dropped, lists and their freshness, commits, sizes of the state.
 * Written by the engine thread, read by serve. */
#include "engine/internal.h"

#include "base/metrics.h"

#include <pthread.h>

static tw_metric verdicts[TW_VERDICT_COUNT] = {
    {"tailwater_records_total", "Records consumed, by verdict; the four add up to all", TW_COUNTER, "verdict",
     "applied"},
    {"tailwater_records_total", "Records consumed, by verdict; the four add up to all", TW_COUNTER, "verdict",
     "duplicate"},
    {"tailwater_records_total", "Records consumed, by verdict; the four add up to all", TW_COUNTER, "verdict", "late"},
    {"tailwater_records_total", "Records consumed, by verdict; the four add up to all", TW_COUNTER, "verdict",
     "dead_lettered"},
};
static tw_metric reasons[TW_REASON_COUNT];
static tw_metric lists = {"tailwater_lists_total", "Lists made", TW_COUNTER};
static tw_metric freshness = {"tailwater_list_freshness_seconds",
                              "From a user's newest event to the list that knows it", TW_HISTOGRAM};
static tw_metric commits = {"tailwater_commit_seconds", "Duration of a durable commit, outputs flushed", TW_HISTOGRAM};
static tw_metric stalls = {"tailwater_stalls_total",
                           "Times that inputs were paused because outputs were not acknowledged", TW_COUNTER};
static tw_metric stalled_now = {"tailwater_stalled", "1 while inputs are paused for that", TW_GAUGE};
static tw_metric restored_rows = {"tailwater_restored_rows_total", "Rows of changelogs that tasks were restored from",
                                  TW_COUNTER};
static tw_metric restores = {"tailwater_restore_seconds", "Duration of a task's restore from its changelog",
                             TW_HISTOGRAM};
static tw_metric users = {"tailwater_users", "Users in the state", TW_GAUGE};
static tw_metric items = {"tailwater_items", "Items in the state", TW_GAUGE};
static tw_metric owed = {"tailwater_users_owed", "Users waiting for a list", TW_GAUGE};
static tw_metric users_evicted = {"tailwater_users_evicted_total", "Users evicted by state.users.max", TW_COUNTER};
static tw_metric users_expired = {"tailwater_users_expired_total", "Users dropped by state.ttl.ms", TW_COUNTER};
static tw_metric items_evicted = {"tailwater_items_evicted_total", "Items evicted by state.items.max", TW_COUNTER};
static tw_metric users_here = {"tailwater_users_in_memory",
                               "Users whose rows are in memory; under state.memory.max not all", TW_GAUGE};
static tw_metric rows_bytes = {"tailwater_user_rows_bytes", "Memory of users' rows, which state.memory.max bounds",
                               TW_GAUGE};
static tw_metric index_bytes = {"tailwater_user_index_bytes",
                                "Memory that every user takes, in memory or not: id map, order of idleness, places",
                                TW_GAUGE};
static tw_metric read_back = {"tailwater_users_read_back_total", "Users' rows read back from the store", TW_COUNTER};
static tw_metric cooled = {"tailwater_users_cooled_total", "Users' rows that left memory; the store has them",
                           TW_COUNTER};
static tw_metric settled = {"tailwater_users_settled_total",
                            "Of them, rows put in place in the store for that: the fold under pressure", TW_COUNTER};
static tw_metric memory_commits = {"tailwater_memory_commits_total",
                                   "Commits made early because changed users filled state.memory.max", TW_COUNTER};
static tw_metric memory_stalls = {"tailwater_memory_stalls_total",
                                  "Times that inputs were paused because such a commit had to wait for outputs",
                                  TW_COUNTER};
static tw_metric hits_asked = {"tailwater_hits_asked_total",
                               "Events that the blend learned from, each asked for before (learn.blend.every)",
                               TW_COUNTER};
static tw_metric hits[1 + TW_SCORERS_MAX]; /* of the blend, and of each scorer of the default model */
static tw_metric known_items[] = {
    {"tailwater_vectors_items", "Items by what learn.vectors.file knows them by, at the last commit", TW_GAUGE, "by",
     "id"},
    {"tailwater_vectors_items", "Items by what learn.vectors.file knows them by, at the last commit", TW_GAUGE, "by",
     "words"},
    {"tailwater_vectors_items", "Items by what learn.vectors.file knows them by, at the last commit", TW_GAUGE, "by",
     "nothing"},
};
static tw_metric watermark = {"tailwater_watermark_seconds", "Event time reached, seconds since 1970", TW_GAUGE};
static tw_metric state_bytes = {"tailwater_model_bytes", "Memory of users, items and weights", TW_GAUGE};
static tw_metric journal_bytes = {"tailwater_store_journal_bytes", "Journal that a start would read", TW_GAUGE};
static tw_metric map_used = {"tailwater_store_used_bytes", "Size of the store", TW_GAUGE};
static tw_metric map_max = {"tailwater_store_max_bytes", "Size that the store can reach (state.map.max.bytes)",
                            TW_GAUGE};
static tw_metric ready = {"tailwater_ready", "1 when what the inputs held at the start has been consumed", TW_GAUGE};

static void register_all(void) {
    for (int v = 0; v < TW_VERDICT_COUNT; v++)
        tw_metric_register(&verdicts[v]);
    for (int r = TW_REASON_NONE + 1; r < TW_REASON_COUNT; r++) {
        reasons[r].name = "tailwater_dead_letters_total";
        reasons[r].help = "Dead letters, by reason";
        reasons[r].type = TW_COUNTER;
        reasons[r].label = "reason";
        reasons[r].label_value = tw_reason_name((tw_reason)r);
        tw_metric_register(&reasons[r]);
    }
    tw_metric_register(&hits_asked);
    for (int i = 0; i <= tw_model_scorers(NULL); i++) {
        hits[i].name = "tailwater_hits_total";
        hits[i].help =
            "Of those events, how often the item was among the best ten, by the blend and by each scorer alone";
        hits[i].type = TW_COUNTER;
        hits[i].label = "scorer";
        hits[i].label_value = i ? tw_model_scorer_name(NULL, i - 1) : "blend";
        tw_metric_register(&hits[i]);
    }
    for (size_t i = 0; i < sizeof known_items / sizeof known_items[0]; i++)
        tw_metric_register(&known_items[i]);
    tw_metric *const rest[] = {
        &lists,      &freshness,   &commits,       &stalls,        &stalled_now,   &restored_rows,  &restores,
        &users,      &items,       &owed,          &users_evicted, &users_expired, &items_evicted,  &users_here,
        &rows_bytes, &index_bytes, &read_back,     &cooled,        &settled,       &memory_commits, &memory_stalls,
        &watermark,  &state_bytes, &journal_bytes, &map_used,      &map_max,       &ready};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
        tw_metric_register(rest[i]);
}

void tw_engine_metrics_register(void) { /* a process may open several engines, on several threads */
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_all);
}

void tw_engine_count(tw_verdict verdict, tw_reason reason) {
    tw_metric_add(&verdicts[verdict], 1);
    if (verdict == TW_VERDICT_DEAD)
        tw_metric_add(&reasons[reason], 1);
}

void tw_engine_count_list(double latency_s) {
    tw_metric_add(&lists, 1);
    tw_metric_observe(&freshness, latency_s);
}

void tw_engine_count_commit(double seconds) {
    tw_metric_observe(&commits, seconds);
}

void tw_engine_count_stall(bool stalled) {
    tw_metric_add(&stalls, stalled);
    tw_metric_set(&stalled_now, stalled);
}

void tw_engine_count_memory_commit(void) {
    tw_metric_add(&memory_commits, 1);
}
void tw_engine_count_memory_stall(void) {
    tw_metric_add(&memory_stalls, 1);
}

void tw_engine_count_restore(uint64_t rows, double seconds) {
    tw_metric_add(&restored_rows, (double)rows);
    tw_metric_observe(&restores, seconds);
}

void tw_engine_gauge(const tw_engine *engine) {
    tw_model_stats model;
    tw_store_stats store;
    tw_model_stats_get(engine->model, &model);
    tw_engine_store_stats(engine, &store);
    tw_metric_set(&users, tw_model_user_count(engine->model));
    tw_metric_set(&items, tw_model_item_count(engine->model));
    tw_metric_set(&owed, (double)tw_rank_queue_count(engine->queue));
    tw_metric_set(&users_evicted, (double)model.users_evicted);
    tw_metric_set(&users_expired, (double)model.users_expired);
    tw_metric_set(&items_evicted, (double)model.items_evicted);
    tw_metric_set(&users_here, (double)model.users_in_memory);
    tw_metric_set(&rows_bytes, (double)model.user_rows_bytes);
    tw_metric_set(&index_bytes, (double)(model.user_index_bytes + store.marks_bytes));
    tw_metric_set(&read_back, (double)model.users_read_back);
    tw_metric_set(&cooled, (double)model.users_cooled);
    tw_metric_set(&settled, (double)model.users_settled);
    tw_best_ten best_ten = tw_model_best_ten(engine->model);
    tw_metric_set(&hits_asked, (double)best_ten.asked);
    tw_metric_set(&hits[0], (double)best_ten.blend);
    for (int i = 0; i < tw_model_scorers(NULL); i++)
        tw_metric_set(&hits[1 + i], (double)best_ten.by[i]);
    tw_metric_set(&known_items[0], engine->hits.by_id);
    tw_metric_set(&known_items[1], engine->hits.by_words);
    tw_metric_set(&known_items[2], engine->hits.unknown);
    if (engine->watermark_ms != INT64_MIN)
        tw_metric_set(&watermark, (double)engine->watermark_ms / 1000.0);
    tw_metric_set(&state_bytes, (double)(model.user_bytes + model.item_bytes + model.pair_bytes + model.fixed_bytes));
    tw_metric_set(&journal_bytes, (double)store.journal_bytes);
    tw_metric_set(&map_used, (double)store.map_used_bytes);
    tw_metric_set(&map_max, (double)store.map_max_bytes);
    tw_metric_set(&ready, engine->ready);
}
