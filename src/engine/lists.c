/* Who is owed a list, when it is made, and what goes out. Called by the step and at the end of a bounded source; engine
 * thread, but for tw_engine_newest.
 *
 * A debt begins with the first event that no list covers. It stands in the user's row, so that it is committed with the
 * state and queued again at the next start; it ends when the sink has taken the list, and the commit that says so comes after
 * the sink's flush. */
#include "engine/tasks.h"

#include "base/alloc.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Of lists made in quick succession one in so long is kept: nobody reads more, and to encode each would cost as much as to
 * make it (20 items with reasons as JSON: 33 us, Zen 4, 2026-11-24). */
#define NEWEST_EVERY_MS 50

struct tw_newest { /* a ring of finished JSON objects */
    pthread_mutex_t lock;
    tw_buf lists[TW_NEWEST_LISTS];
    size_t next, count;
    int64_t newest_ms; /* when the last one was kept */
};

tw_newest *tw_newest_create(void) {
    tw_newest *newest = tw_zalloc(sizeof *newest);
    pthread_mutex_init(&newest->lock, NULL);
    return newest;
}

tw_newest *tw_newest_free(tw_newest *newest) {
    if (newest) {
        for (size_t i = 0; i < TW_NEWEST_LISTS; i++)
            tw_buf_done(&newest->lists[i]);
        pthread_mutex_destroy(&newest->lock);
        free(newest);
    }
    return NULL;
}

static void remember_newest(tw_newest *newest, const tw_list *list, int64_t made_ms) {
    if (newest->count == TW_NEWEST_LISTS && made_ms >= newest->newest_ms &&
        made_ms < newest->newest_ms + NEWEST_EVERY_MS)
        return;
    newest->newest_ms = made_ms;
    pthread_mutex_lock(&newest->lock);
    tw_buf *buf = &newest->lists[newest->next];
    newest->next = (newest->next + 1) % TW_NEWEST_LISTS;
    newest->count += newest->count < TW_NEWEST_LISTS;
    tw_buf_clear(buf);
    tw_buf_printf(buf, "{\"made_ms\":%lld,\"latency_ms\":%lld,", (long long)made_ms,
                  (long long)(made_ms - list->event_ms));
    size_t start = buf->size;
    tw_list_write_json(list, buf);
    memmove(buf->data + start, buf->data + start + 1, buf->size - start - 1); /* the list's own opening brace */
    buf->size--;
    pthread_mutex_unlock(&newest->lock);
}

void tw_engine_newest(tw_engine *engine, int max, tw_buf *out) {
    tw_newest *newest = engine->newest;
    pthread_mutex_lock(&newest->lock);
    tw_buf_u8(out, '[');
    for (size_t i = 0; i < newest->count && i < (size_t)max; i++) {
        const tw_buf *list = &newest->lists[(newest->next + 2 * TW_NEWEST_LISTS - 1 - i) % TW_NEWEST_LISTS];
        if (i)
            tw_buf_u8(out, ',');
        tw_buf_put(out, list->data, list->size);
    }
    tw_buf_u8(out, ']');
    pthread_mutex_unlock(&newest->lock);
}

/* Does an event that was just learned begin a debt: each one, or with rank.every.events a user's first and each N-th? */
static bool asks_for_list(const tw_engine *engine, uint32_t user) {
    uint32_t events = tw_model_user_events(engine->model, user);
    return engine->config->rank_every_events == 0 || events == 1 || events % engine->config->rank_every_events == 0;
}

/* When a user's list may be made: lists that go by events are due at once. A replay runs on event time, which may be ahead of the wall: to the wall clock that is now. */
static int64_t due_ms_of(const tw_engine *engine, const tw_user_list *debt) {
    int64_t now_ms = engine->options.wall_intervals ? tw_clock_wall_ms(&engine->clock) : INT64_MAX;
    int64_t interval_ms = engine->config->rank_every_events ? 0 : engine->config->rank_min_interval_ms;
    return tw_rank_due_ms(debt->owed_since_ms < now_ms ? debt->owed_since_ms : now_ms,
                          debt->listed_ms < now_ms ? debt->listed_ms : now_ms, interval_ms);
}

void tw_engine_owe(tw_engine *engine, uint32_t user, const tw_lane *lane, const tw_record *record, int64_t event_ms) {
    tw_user_list *debt = tw_model_user_list(engine->model, user);
    int64_t now_ms = engine->options.wall_intervals ? tw_clock_wall_ms(&engine->clock) : event_ms;
    debt->newest_ms = event_ms > debt->newest_ms ? event_ms : debt->newest_ms;
    debt->newest_offset = record->offset;
    debt->newest_partition = record->partition;
    debt->newest_lane = lane->id;
    if (engine->options.wall_intervals)
        *tw_model_user_produced(engine->model, user) = record->timestamp_ms; /* nothing but a metric asks */
    bool asks = asks_for_list(engine, user);
    if (engine->options.wall_intervals && asks &&
        debt->owed_since_ms > now_ms) { /* of tw_engine_owe_all, whose turn comes later */
        tw_rank_queue_remove(engine->queue, user);
        debt->owed_since_ms = INT64_MIN;
    }
    if (debt->owed_since_ms == INT64_MIN && asks) {
        debt->owed_since_ms = now_ms;
        debt->owed_sequence = ++engine->owed_sequence;
        if (engine->options.lists != TW_LISTS_NONE)
            tw_rank_queue_add(engine->queue, user, due_ms_of(engine, debt), debt->owed_sequence);
    }
    tw_model_user_list_touch(engine->model, user);
}

/* Tasks that are elsewhere are not ours to publish for. */
static bool is_here(const tw_engine *engine, uint32_t user) {
    uint32_t task = tw_model_user_task(engine->model, user);
    return !engine->options.changelog || task >= engine->tasks_count || engine->tasks[task].owned;
}

void tw_engine_queue_drop(tw_engine *engine, uint32_t task) {
    for (uint32_t user = 0; user < tw_model_user_slots(engine->model); user++)
        if (tw_model_user_live(engine->model, user) && tw_model_user_task(engine->model, user) == task)
            tw_rank_queue_remove(engine->queue, user);
}

void tw_engine_requeue_owed(tw_engine *engine) {
    uint32_t slots = engine->options.lists == TW_LISTS_NONE ? 0 : tw_model_user_slots(engine->model);
    for (uint32_t user = 0; user < slots; user++) {
        if (!tw_model_user_live(engine->model, user))
            continue;
        tw_rank_queue_remove(engine->queue, user);
        if (!tw_model_user_owes(engine->model, user) || !is_here(engine, user))
            continue;
        const tw_user_list debt = tw_model_user_debt(engine->model, user);
        tw_rank_queue_add(engine->queue, user, due_ms_of(engine, &debt), debt.owed_sequence);
    }
}

void tw_engine_user_gone(void *self, uint32_t user) {
    tw_engine *engine = self;
    tw_rank_queue_remove(engine->queue, user);
    tw_engine_note_gone(engine, user);
    if (engine->drift)
        tw_drift_user_gone(engine->drift, user);
    if (engine->options.sink && is_here(engine, user) &&
        tw_model_user_list(engine->model, user)->listed_ms != INT64_MIN) {
        tw_err ignored; /* a sink that fails here fails again at the flush, which is heard */
        engine->options.sink->ops->gone(engine->options.sink, tw_model_user_task(engine->model, user),
                                        tw_model_user_id(engine->model, user), &ignored);
    }
}

/* Of the files replayed here, or by whoever had the task before, whichever is more. */
uint64_t tw_engine_files_counted(const tw_engine *engine, uint32_t task) {
    uint64_t files = task < engine->tasks_count ? engine->tasks[task].files : 0, here = 0;
    for (size_t i = 0; i < engine->lanes_count; i++)
        if (engine->lanes[i].task == TW_TASK_FILES)
            here += tw_lane_consumed(&engine->lanes[i]);
    return here > files ? here : files;
}

/* The version of a list made now: what its task, the items topic (by its offsets, which all processes share and compaction does not change)
 * and the files before them have delivered. Only grows, also for a user who goes over from the files to a task, and for a task that
 * goes over to another process. */
uint64_t tw_engine_version_now(const tw_engine *engine, uint32_t task) {
    uint64_t version = engine->items_offsets + tw_engine_files_counted(engine, task);
    for (size_t i = 0; i < engine->lanes_count; i++) {
        const tw_lane *lane = &engine->lanes[i];
        if (!lane->items && lane->task == task && task != TW_TASK_FILES)
            version += tw_lane_consumed(lane);
    }
    return version;
}

/* The topic of the newest event that a list knows; empty for files, whose names say nothing. */
static tw_slice topic_of(const tw_engine *engine, uint32_t lane_id) {
    for (size_t i = 0; i < engine->lanes_count; i++)
        if (engine->lanes[i].id == lane_id)
            return engine->lanes[i].task == TW_TASK_FILES ? (tw_slice){0} : tw_slice_of(engine->lanes[i].name);
    return (tw_slice){0};
}

static tw_code make_list(tw_engine *engine, uint32_t user, int64_t now_ms, tw_err *err) {
    tw_user_list *debt = tw_model_user_list(engine->model, user);
    tw_list list = {.user_id = tw_model_user_id(engine->model, user),
                    .task = tw_model_user_task(engine->model, user),
                    .known = true,
                    .event_ms = debt->newest_ms,
                    .topic = topic_of(engine, debt->newest_lane),
                    .partition = debt->newest_partition,
                    .offset = debt->newest_offset};
    list.produced_ms = *tw_model_user_produced(engine->model, user);
    list.list_version = tw_engine_version_now(engine, list.task);
    TW_TRY(tw_model_sound(engine->model, err));
    tw_ranker_list(engine->ranker, user, engine->watermark_ms, (int)engine->config->rank_list_size, (tw_slice){0},
                   &list);
    if (engine->options.sink)
        TW_TRY(engine->options.sink->ops->list(engine->options.sink, &list, err));
    TW_TRY(tw_engine_publish_profile(engine, user, list.list_version, err));
    debt->list_version = list.list_version;
    debt->listed_ms = now_ms;
    debt->owed_since_ms = INT64_MIN;
    tw_model_user_list_touch(engine->model, user);
    tw_rank_queue_remove(engine->queue, user);
    tw_task *task = tw_engine_task(engine, list.task);
    if (task)
        task->changed = true;
    engine->lists_total++;
    engine->changed = true;
    if (engine->options.wall_intervals) {
        int64_t made_ms = tw_clock_wall_ms(&engine->clock);
        tw_engine_count_list((double)(made_ms - list.event_ms) / 1000.0);
        remember_newest(engine->newest, &list, made_ms);
    }
    return TW_OK;
}

/* Out of the queue, those of the next lists that are due. */
static int take_due(tw_engine *engine, int64_t now_ms, uint32_t users[TW_MODEL_AHEAD]) {
    int count = 0;
    int64_t due_ms;
    while (count < TW_MODEL_AHEAD && tw_rank_queue_first(engine->queue, &users[count], &due_ms) && due_ms <= now_ms)
        tw_rank_queue_remove(engine->queue, users[count++]);
    return count;
}

/* Many lists may be due together, and each changes a user. A commit between them says so, for a start that goes on from there. With a
 * changelog there is none: it may have to wait, and half of a step cannot. */
static tw_code relieve_between(tw_engine *engine, tw_err *err) {
    if (engine->options.changelog)
        return TW_OK;
    engine->listing = true;
    tw_code code = tw_engine_relieve(engine, err);
    return code == TW_E_BUSY ? TW_OK : code; /* outputs wait, nothing is prepared: it may go on */
}

tw_code tw_engine_make_due(tw_engine *engine, int64_t now_ms, int64_t budget_ns, tw_err *err) {
    uint32_t user, users[TW_MODEL_AHEAD];
    int64_t due_ms;
    int64_t stop_ns = budget_ns ? tw_clock_steady_ns(&engine->clock) + budget_ns : 0;
    const tw_sink *sink = engine->options.sink;
    while (tw_rank_queue_first(engine->queue, &user, &due_ms) && due_ms <= now_ms) {
        if (sink && sink->ops->full && sink->ops->full(engine->options.sink))
            break; /* they stay owed */
        if (stop_ns && tw_clock_steady_ns(&engine->clock) > stop_ns) {
            int64_t owed_since_ms = tw_model_user_list(engine->model, user)->owed_since_ms;
            if (now_ms - owed_since_ms < engine->config->rank_max_delay_ms)
                break;
        }
        int count = take_due(engine, now_ms, users);
        tw_ranker_look_ahead(engine->ranker, users, count);
        for (int i = 0; i < count; i++)
            TW_TRY(make_list(engine, users[i], now_ms,
                             err)); /* an error is the engine's end: the rest stays owed in the rows */
        tw_model_cool(engine->model);
        if (!tw_model_tight(engine->model))
            continue;
        if (engine->options.wall_intervals) /* after the step there is a commit, then the rest */
            break;
        TW_TRY(relieve_between(engine, err));
    }
    engine->listing = false;
    return TW_OK;
}

tw_code tw_engine_list_owed(tw_engine *engine, tw_err *err) {
    uint32_t user;
    int64_t due_ms;
    for (;;) {
        TW_TRY(tw_engine_commit_due(engine, err));
        if (engine->unflushed) /* nothing may change before it is through */
            return tw_fail(err, TW_E_BUSY, "outputs are not acknowledged yet");
        if (!tw_rank_queue_first(engine->queue, &user, &due_ms))
            return TW_OK;
        tw_code code = make_list(engine, user, due_ms, err);
        tw_model_cool(engine->model);
        if (code != TW_OK) {
            engine->failed = true;
            return code;
        }
    }
}

tw_code tw_engine_user_asked(tw_engine *engine, tw_slice user_id, uint32_t *ret_user, tw_err *err) {
    uint32_t user = TW_SLOT_NONE;
    tw_model_cool(engine->model);
    for (size_t i = 0; user == TW_SLOT_NONE && i < engine->lanes_count; i++)
        user = tw_model_user_find(engine->model, engine->lanes[i].task, user_id);
    *ret_user = user;
    return tw_model_sound(engine->model, err);
}

tw_code tw_engine_recommend(tw_engine *engine, tw_slice user_id, int top, tw_slice category, tw_list *ret_list,
                            tw_err *err) {
    if (top < 1 || top > TW_LIST_SIZE_MAX)
        return tw_fail(err, TW_E_USAGE, "top is 1 to %d", TW_LIST_SIZE_MAX);
    uint32_t user;
    TW_TRY(tw_engine_user_asked(engine, user_id, &user, err));
    *ret_list = (tw_list){.user_id = user_id, .known = user != TW_SLOT_NONE, .event_ms = INT64_MIN};
    if (ret_list->known) {
        const tw_user_list *seen = tw_model_user_list(engine->model, user);
        ret_list->task = tw_model_user_task(engine->model, user);
        ret_list->event_ms = seen->newest_ms;
        ret_list->topic = topic_of(engine, seen->newest_lane);
        ret_list->partition = seen->newest_partition;
        ret_list->offset = seen->newest_offset;
    }
    ret_list->list_version = tw_engine_version_now(engine, ret_list->task);
    tw_ranker_list(engine->ranker, user, engine->watermark_ms, top, category, ret_list);
    return TW_OK;
}

tw_code tw_engine_similar(tw_engine *engine, tw_slice item_id, int top, tw_list *ret_list, tw_err *err) {
    uint32_t item = tw_model_item_find(engine->model, item_id);
    if (item == TW_SLOT_NONE)
        return tw_fail(err, TW_E_NOT_FOUND, "no such item");
    if (top < 1 || top > TW_LIST_SIZE_MAX)
        return tw_fail(err, TW_E_USAGE, "top is 1 to %d", TW_LIST_SIZE_MAX);
    *ret_list = (tw_list){.event_ms = INT64_MIN, .list_version = tw_engine_version_now(engine, 0)};
    tw_ranker_similar(engine->ranker, item, top, ret_list);
    return TW_OK;
}
