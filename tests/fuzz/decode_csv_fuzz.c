/* Any bytes as a CSV record, and (up to the end of the first line) as a header: an event or a reason, within the bytes. */
#include "pipeline/decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static tw_decoder *decoder;
    static tw_arena *arena;
    tw_err err;
    tw_event event;
    if (!decoder) {
        arena = tw_arena_create(1 << 16);
        if (tw_decoder_csv(
                TW_SLICE_LITERAL("ts_ms,event_type,user_id,item_id,category,rating,price,text_or_title,in_stock"), NULL,
                &decoder, &err) != TW_OK)
            __builtin_trap();
    }
    tw_record record = {.value = {(const char *)bytes, size}};
    tw_reason reason = decoder->ops->decode(decoder, &record, arena, &event);
    if (reason >= TW_REASON_COUNT || tw_arena_size(arena) > (size_t)(1 << 16) + 4 * size)
        __builtin_trap();
    tw_arena_reset(arena);
    const uint8_t *newline = size ? memchr(bytes, '\n', size) : NULL;
    tw_decoder *own;
    if (!newline ||
        tw_decoder_csv((tw_slice){(const char *)bytes, (size_t)(newline - bytes)}, NULL, &own, &err) != TW_OK)
        return 0;
    record.value = (tw_slice){(const char *)newline + 1, size - (size_t)(newline + 1 - bytes)};
    reason = own->ops->decode(own, &record, arena, &event);
    if (reason >= TW_REASON_COUNT || tw_arena_size(arena) > (size_t)(1 << 16) + 4 * size)
        __builtin_trap();
    own->ops->free(own);
    tw_arena_reset(arena);
    return 0;
}
