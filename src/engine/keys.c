/* The key of a record must be its user: a task owns its users only if all events of a user meet in one partition. Called by the step for
 * the first records of a stream; engine thread. */
#include "engine/internal.h"

/* So many keys are looked at, and so many of them may be something else (DESIGN: over 1 % of the first 1,000). */
#define KEYS_SEEN_MAX 1000
#define KEYS_UNLIKE_MAX 10

/* A key as text: the bytes, or what stands in a JSON string. Other encodings (Avro, protobuf, a number's bytes) cannot be compared. */
static bool key_is_text(tw_slice key) {
    for (size_t i = 0; i < key.size; i++)
        if ((unsigned char)key.data[i] < 0x20)
            return false;
    return tw_slice_is_utf8(key);
}

static bool key_is_user(tw_slice key, tw_slice user_id) {
    if (key.size == user_id.size + 2 && key.data[0] == '"' && key.data[key.size - 1] == '"')
        key = (tw_slice){key.data + 1, user_id.size};
    return tw_slice_equal(key, user_id);
}

tw_code tw_engine_check_key(tw_engine *engine, const tw_record *record, const tw_event *event, tw_err *err) {
    bool missing = !record->key.data && engine->source->partitions > 1;
    if (engine->keys_seen >= KEYS_SEEN_MAX || event->user_id.size == 0)
        return TW_OK;
    engine->keys_seen++;
    engine->keys_unlike +=
        missing || (record->key.data && key_is_text(record->key) && !key_is_user(record->key, event->user_id));
    if (engine->keys_unlike <= KEYS_UNLIKE_MAX)
        return TW_OK;
    return tw_fail(err, TW_E_CONFIG,
                   "topic \"%s\": %u of the first %u keys %s; a user's events must meet in one partition, so key the "
                   "records by user id "
                   "(or set input.key.check: false if they meet by another key)",
                   engine->source->inputs[record->input].name, engine->keys_unlike, engine->keys_seen,
                   missing ? "are missing" : "are not the user id");
}
