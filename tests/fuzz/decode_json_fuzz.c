/* Any bytes as a JSON record: an event or a reason, within the bytes. */
#include "pipeline/decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static tw_decoder *decoder;
    static tw_arena *arena;
    tw_err err;
    tw_event event;
    if (!decoder) {
        arena = tw_arena_create(1 << 16);
        if (tw_decoder_json(NULL, &decoder, &err) != TW_OK)
            __builtin_trap();
    }
    tw_record record = {.value = {(const char *)bytes, size}};
    tw_reason reason = decoder->ops->decode(decoder, &record, arena, &event);
    if (reason >= TW_REASON_COUNT || tw_arena_size(arena) > (size_t)(1 << 16) + 4 * size)
        __builtin_trap();
    tw_arena_reset(arena);
    return 0;
}
