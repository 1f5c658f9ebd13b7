/* Avro records to events: a plan and nothing around it. Called by the engine for each record of an Avro input. */
#include "pipeline/decode/decode.h"

#include "avro/plan.h"
#include "base/alloc.h"

#include <stdlib.h>

typedef struct avro_decoder {
    tw_decoder decoder; /* first */
    tw_avro_plan *plan;
} avro_decoder;

static tw_reason avro_decode(tw_decoder *decoder, const tw_record *record, tw_arena *arena, tw_event *ret_event) {
    size_t size;
    tw_reason reason = tw_avro_plan_decode(((avro_decoder *)decoder)->plan, record->value, arena, ret_event, &size);
    if (reason != TW_REASON_NONE)
        return reason;
    return size == record->value.size ? TW_REASON_NONE
                                      : TW_REASON_MALFORMED; /* bytes are left: another schema wrote this */
}

static tw_decoder *avro_free(tw_decoder *decoder) {
    tw_avro_plan_free(((avro_decoder *)decoder)->plan);
    free(decoder);
    return NULL;
}

tw_code tw_decoder_avro(tw_slice writer_schema, tw_decoder **ret_decoder, tw_err *err) {
    static const tw_decoder_ops ops = {avro_decode, avro_free};
    avro_decoder *self = tw_zalloc(sizeof *self);
    self->decoder.ops = &ops;
    tw_code code = tw_avro_plan_create(writer_schema, &self->plan, err);
    if (code != TW_OK) {
        free(self);
        return code;
    }
    *ret_decoder = &self->decoder;
    return TW_OK;
}
