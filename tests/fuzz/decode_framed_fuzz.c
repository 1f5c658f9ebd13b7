/* Any bytes as a record behind either header, of known schemas: an event or a reason, within the bytes. */
#include "avro/schema_files.h"
#include "avro/schemas.h"
#include "pipeline/decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* By their ids, which the corpus holds. */
static const char *const files[] = {"click.avsc", "item.avsc", "purchase.avsc", "recommendation.avsc", "review.avsc"};
#define FILES_COUNT (sizeof files / sizeof files[0])

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static tw_decoder *decoders[2];
    static tw_arena *arena;
    tw_err err;
    if (!arena) {
        tw_avro_schemas *schemas = tw_avro_schemas_create(NULL);
        arena = tw_arena_create(1 << 16);
        for (size_t i = 0; i < FILES_COUNT; i++)
            if (tw_avro_schemas_add(schemas, (int64_t)i, tw_schema_file(files[i]), &err) != TW_OK)
                __builtin_trap();
        for (int f = 0; f < 2; f++)
            if (tw_decoder_framed((tw_framing)f, schemas, &decoders[f], &err) != TW_OK)
                __builtin_trap();
    }
    for (int f = 0; f < 2; f++) {
        tw_event event;
        tw_record record = {.value = {(const char *)bytes, size}};
        tw_reason reason = decoders[f]->ops->decode(decoders[f], &record, arena, &event);
        if (reason >= TW_REASON_COUNT || tw_arena_size(arena) > (size_t)(1 << 16) + 4 * size)
            __builtin_trap();
        if (reason == TW_REASON_NONE && bytes[0] != (f == TW_FRAMING_CONFLUENT ? 0 : 0xc3))
            __builtin_trap();
        tw_arena_reset(arena);
    }
    return 0;
}
