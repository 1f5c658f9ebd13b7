/* From a record's bytes to an event: one decoder per input, chosen by the input's format.
 *
 * decode fills *ret_event (slices borrowed from the record or from arena) or answers why the record is a dead letter.
 * It never allocates more than a small multiple of the record, never recurses without bound and never fails
 * otherwise. Which fields are there is told in event.has; what they must be is clean's business. Thread: engine. */
#ifndef TW_DECODE_DECODE_H
#define TW_DECODE_DECODE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/event.h"

typedef struct tw_decoder tw_decoder;

typedef struct tw_decoder_ops {
    /* TW_REASON_NONE: *ret_event is filled. */
    tw_reason (*decode)(tw_decoder *decoder, const tw_record *record, tw_arena *arena, tw_event *ret_event);
    tw_decoder *(*free)(tw_decoder *decoder);
} tw_decoder_ops;

struct tw_decoder { /* first member of each implementation */
    const tw_decoder_ops *ops;
};

/* CSV with a header line of column names: ts_ms, event_type, user_id, item_id are required; category, rating, price,
 * text_or_title, event_id, quantity, in_stock, retired are known; other columns are ignored. RFC 4180 quoting. Errors: TW_E_BAD_FILE. */
tw_code tw_decoder_csv(tw_slice header, tw_decoder **ret_decoder, tw_err *err);

/* One JSON object: the fields of the schemas by name (the CSV names too); unknown fields are skipped. */
tw_code tw_decoder_json(tw_decoder **ret_decoder, tw_err *err);

/* Avro binary by a plan compiled from the writer's schema (JSON text). Errors: TW_E_BAD_FILE names the field. */
tw_code tw_decoder_avro(tw_slice writer_schema, tw_decoder **ret_decoder, tw_err *err);

/* The record's value is a tw_event in memory (synthetic shop, bench): a copy. */
tw_code tw_decoder_event(tw_decoder **ret_decoder, tw_err *err);

#endif
