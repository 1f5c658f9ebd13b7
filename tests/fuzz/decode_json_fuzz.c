/* Any bytes as a JSON record, by our names and by a mapping into nested objects: an event or a reason, within the bytes. */
#include "pipeline/decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static tw_decoder *decoders[2];
    static tw_mapping nested = {.time_unit = TW_TIME_S};
    static tw_arena *arena;
    tw_err err;
    tw_event event;
    if (!arena) {
        arena = tw_arena_create(1 << 16);
        tw_mapping_name(&nested, TW_FIELD_USER_ID, TW_SLICE_LITERAL("a.b"));
        tw_mapping_name(&nested, TW_FIELD_TIME, TW_SLICE_LITERAL("a.a.a"));
        if (tw_decoder_json(NULL, &decoders[0], &err) != TW_OK || tw_decoder_json(&nested, &decoders[1], &err) != TW_OK)
            __builtin_trap();
    }
    for (int d = 0; d < 2; d++) {
        tw_record record = {.value = {(const char *)bytes, size}};
        tw_reason reason = decoders[d]->ops->decode(decoders[d], &record, arena, &event);
        if (reason >= TW_REASON_COUNT || tw_arena_size(arena) > (size_t)(1 << 16) + 4 * size)
            __builtin_trap();
        tw_arena_reset(arena);
    }
    return 0;
}
