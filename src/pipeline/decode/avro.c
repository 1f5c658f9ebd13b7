/* Avro records to events: a plan, behind a header that names it or not. Called by the engine for each record of an Avro input. */
#include "pipeline/decode/decode.h"

#include "avro/schemas.h"
#include "base/alloc.h"

#include <stdlib.h>

typedef struct avro_decoder {
    tw_decoder decoder; /* first */
    tw_avro_plan *plan;
} avro_decoder;

typedef struct framed_decoder {
    tw_decoder decoder; /* first */
    const tw_avro_schemas *schemas;
} framed_decoder;

static tw_reason run(const tw_avro_plan *plan, tw_slice datum, tw_arena *arena, tw_event *ret_event) {
    size_t size;
    tw_reason reason = tw_avro_plan_decode(plan, datum, arena, ret_event, &size);
    if (reason != TW_REASON_NONE)
        return reason;
    if (!(ret_event->has & TW_HAS_KIND))
        ret_event->kind = tw_avro_plan_kind(plan);
    return size == datum.size ? TW_REASON_NONE : TW_REASON_MALFORMED; /* bytes are left: another schema wrote this */
}

static tw_reason avro_decode(tw_decoder *decoder, const tw_record *record, tw_arena *arena, tw_event *ret_event) {
    return run(((avro_decoder *)decoder)->plan, record->value, arena, ret_event);
}

static uint64_t big_endian(const unsigned char *bytes, int size) {
    uint64_t value = 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static uint64_t little_endian(const unsigned char *bytes, int size) {
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

#define CONFLUENT_SIZE 5
#define SINGLE_OBJECT_SIZE 10

static tw_reason confluent_decode(tw_decoder *decoder, const tw_record *record, tw_arena *arena, tw_event *ret_event) {
    const unsigned char *bytes = (const unsigned char *)record->value.data;
    size_t size = record->value.size;
    if (size > 0 && bytes[0] != 0)
        return TW_REASON_MALFORMED;
    if (size < CONFLUENT_SIZE)
        return TW_REASON_TRUNCATED;
    const tw_avro_plan *plan =
        tw_avro_schemas_by_id(((framed_decoder *)decoder)->schemas, (uint32_t)big_endian(bytes + 1, 4));
    if (!plan)
        return TW_REASON_UNKNOWN_SCHEMA;
    return run(plan, (tw_slice){record->value.data + CONFLUENT_SIZE, size - CONFLUENT_SIZE}, arena, ret_event);
}

static tw_reason single_object_decode(tw_decoder *decoder, const tw_record *record, tw_arena *arena,
                                      tw_event *ret_event) {
    const unsigned char *bytes = (const unsigned char *)record->value.data;
    size_t size = record->value.size;
    if ((size > 0 && bytes[0] != 0xc3) || (size > 1 && bytes[1] != 0x01))
        return TW_REASON_MALFORMED;
    if (size < SINGLE_OBJECT_SIZE)
        return TW_REASON_TRUNCATED;
    const tw_avro_plan *plan =
        tw_avro_schemas_by_fingerprint(((framed_decoder *)decoder)->schemas, little_endian(bytes + 2, 8));
    if (!plan)
        return TW_REASON_UNKNOWN_SCHEMA;
    return run(plan, (tw_slice){record->value.data + SINGLE_OBJECT_SIZE, size - SINGLE_OBJECT_SIZE}, arena, ret_event);
}

static tw_decoder *avro_free(tw_decoder *decoder) {
    tw_avro_plan_free(((avro_decoder *)decoder)->plan);
    free(decoder);
    return NULL;
}

static tw_decoder *framed_free(tw_decoder *decoder) {
    free(decoder);
    return NULL;
}

tw_code tw_decoder_avro(tw_slice writer_schema, const tw_mapping *mapping, tw_decoder **ret_decoder, tw_err *err) {
    static const tw_decoder_ops ops = {avro_decode, avro_free};
    avro_decoder *self = tw_zalloc(sizeof *self);
    self->decoder.ops = &ops;
    tw_code code = tw_avro_plan_create(writer_schema, mapping, &self->plan, err);
    if (code != TW_OK) {
        free(self);
        return code;
    }
    *ret_decoder = &self->decoder;
    return TW_OK;
}

tw_code tw_decoder_framed(tw_framing framing, const tw_avro_schemas *schemas, tw_decoder **ret_decoder, tw_err *err) {
    static const tw_decoder_ops confluent = {confluent_decode, framed_free};
    static const tw_decoder_ops single_object = {single_object_decode, framed_free};
    (void)err;
    framed_decoder *self = tw_zalloc(sizeof *self);
    self->decoder.ops = framing == TW_FRAMING_CONFLUENT ? &confluent : &single_object;
    self->schemas = schemas;
    *ret_decoder = &self->decoder;
    return TW_OK;
}
