/* Records that carry a decoded event in memory (synthetic shop, bench): the decoder is a copy. */
#include "pipeline/decode/decode.h"

#include "base/alloc.h"

#include <stdlib.h>

static tw_reason event_decode(tw_decoder *decoder, const tw_record *record, tw_arena *arena, tw_event *ret_event) {
    (void)decoder, (void)arena;
    if (record->value.size != sizeof *ret_event)
        return TW_REASON_MALFORMED;
    memcpy(ret_event, record->value.data, sizeof *ret_event);
    return TW_REASON_NONE;
}

static tw_decoder *event_free(tw_decoder *decoder) {
    free(decoder);
    return NULL;
}

tw_code tw_decoder_event(tw_decoder **ret_decoder, tw_err *err) {
    static const tw_decoder_ops ops = {event_decode, event_free};
    (void)err;
    *ret_decoder = tw_zalloc(sizeof **ret_decoder);
    (*ret_decoder)->ops = &ops;
    return TW_OK;
}
