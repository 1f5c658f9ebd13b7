/* Stored positions put elsewhere: forgotten by `tailwater reset`, or held against what the topics have at a start. And debts made for
 * everybody. Called by the commands; engine thread. What was learned and counted, watermarks and dedup windows stay. */
#include "engine/internal.h"

#include "base/log.h"

#include <inttypes.h>
#include <string.h>

#define TOPIC_IDENTITY "topic "

/* With --publish-all, lists are made at this rate beside the stream's own (chosen, not measured: a tenth of a core at 100 us a list). */
#define OWED_PER_MS 1

static const char *topic_of(const tw_position *position) {
    size_t size = strlen(TOPIC_IDENTITY);
    return strncmp(position->identity, TOPIC_IDENTITY, size) == 0 ? position->identity + size : NULL;
}

static bool is_named(const char *topic, const char *const *topics, int count) {
    for (int i = 0; i < count; i++)
        if (strcmp(topics[i], topic) == 0)
            return true;
    return count == 0;
}

tw_code tw_engine_reset(tw_engine *engine, const char *const *topics, int topics_count, int64_t offset,
                        int *ret_positions, tw_err *err) {
    int count = 0;
    for (int t = 0; t < topics_count; t++) {
        bool known = false;
        for (size_t i = 0; i < engine->positions_count && !known; i++) {
            const char *topic = topic_of(&engine->positions[i]);
            known = topic && strcmp(topic, topics[t]) == 0;
        }
        if (!known)
            return tw_fail(err, TW_E_NOT_FOUND, "the state has no position of topic \"%s\"", topics[t]);
    }
    for (size_t i = 0; i < engine->positions_count; i++) {
        const char *topic = topic_of(&engine->positions[i]);
        if (!topic || !is_named(topic, topics, topics_count))
            continue;
        engine->positions[i].offset = offset;
        count++;
    }
    engine->changed = true;
    *ret_positions = count;
    return tw_engine_commit(engine, err);
}

/* With a changelog a task's position is that of its closing record, wherever this process has left it: only the items are ours alone. */
static bool is_ours(const tw_engine *engine, const char *topic) {
    for (size_t i = 0; i < engine->lanes_count; i++)
        if (engine->lanes[i].items && strcmp(engine->lanes[i].name, topic) == 0)
            return true;
    return !engine->options.changelog;
}

tw_code tw_engine_fit_positions(tw_engine *engine, const tw_bounds *bounds, tw_err *err) {
    for (size_t i = 0; i < engine->positions_count; i++) {
        tw_position *position = &engine->positions[i];
        const char *topic = topic_of(position);
        int64_t low, high, to;
        if (!topic || position->offset == TW_POSITION_BEGINNING || !is_ours(engine, topic))
            continue;
        tw_code code = bounds->ask(bounds->self, topic, position->partition, &low, &high, err);
        if (code == TW_E_NOT_FOUND) /* not read any more */
            continue;
        TW_TRY(code);
        if (position->offset >= low && position->offset <= high)
            continue;
        bool outside = position->offset != TW_POSITION_END;
        if (outside && engine->config->input_offset_reset == 0)
            return tw_fail(err, TW_E_MISMATCH,
                           "%s[%" PRId32 "]: the stored position %" PRId64 " is outside of what the topic has, %" PRId64
                           " to %" PRId64 " (deleted by retention, or the topic was made anew): `run --reset-to "
                           "earliest` or `latest` goes on from there",
                           topic, position->partition, position->offset, low, high);
        to = !outside || engine->config->input_offset_reset == 2 ? high : low;
        tw_log_warn("position",
                    "topic=%s partition=%" PRId32 " stored=%" PRId64 " low=%" PRId64 " high=%" PRId64 " to=%" PRId64,
                    topic, position->partition, position->offset, low, high, to);
        position->offset = to;
        engine->changed = true;
    }
    return TW_OK;
}

bool tw_engine_owe_all(tw_engine *engine, uint64_t *ret_count) {
    int64_t now_ms = tw_clock_wall_ms(&engine->clock);
    uint32_t slots = tw_model_user_slots(engine->model);
    for (; !engine->unflushed && !tw_model_tight(engine->model) && engine->owe_next < slots; engine->owe_next++) {
        uint32_t user = engine->owe_next;
        if (!tw_model_user_live(engine->model, user) || tw_model_user_owes(engine->model, user))
            continue;
        tw_user_list *debt = tw_model_user_list(engine->model, user);
        if (debt->newest_ms != INT64_MIN) {
            debt->owed_since_ms = now_ms + (int64_t)(engine->owe_count++ / OWED_PER_MS);
            debt->owed_sequence = ++engine->owed_sequence;
            tw_rank_queue_add(engine->queue, user, debt->owed_since_ms, debt->owed_sequence);
            tw_model_user_list_touch(engine->model, user);
            engine->changed = true;
        }
        tw_model_cool(engine->model);
    }
    *ret_count = engine->owe_count;
    return engine->owe_next >= slots;
}
