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
#include "base/mapping.h"

typedef struct tw_decoder tw_decoder;

typedef struct tw_decoder_ops {
    /* TW_REASON_NONE: *ret_event is filled. */
    tw_reason (*decode)(tw_decoder *decoder, const tw_record *record, tw_arena *arena, tw_event *ret_event);
    tw_decoder *(*free)(tw_decoder *decoder);
} tw_decoder_ops;

struct tw_decoder { /* first member of each implementation */
    const tw_decoder_ops *ops;
};

/* In all of them mapping (borrowed while the decoder lives; NULL: plain) names fields and kinds and gives the unit of time. A decoder
 * that only guesses the kind (from a record's name) sets event.kind without TW_HAS_KIND. */

/* CSV with a header line of column names: ts_ms, event_type, user_id, item_id are required; category, rating, price,
 * text_or_title, event_id, quantity, in_stock, retired are known; other columns are ignored. RFC 4180 quoting. Errors: TW_E_BAD_FILE. */
tw_code tw_decoder_csv(tw_slice header, const tw_mapping *mapping, tw_decoder **ret_decoder, tw_err *err);

/* One JSON object: the fields of the schemas by name (the CSV names too); unknown fields are skipped. */
tw_code tw_decoder_json(const tw_mapping *mapping, tw_decoder **ret_decoder, tw_err *err);

/* Avro binary by a plan compiled from the writer's schema (JSON text). Errors: TW_E_BAD_FILE names the field. */
tw_code tw_decoder_avro(tw_slice writer_schema, const tw_mapping *mapping, tw_decoder **ret_decoder, tw_err *err);

/* Avro binary behind a header that names the writer's schema, of those that are known (borrowed while the decoder lives):
 * Confluent's (0x00, id in 4 bytes, big-endian) or single object encoding (0xC3 0x01, fingerprint in 8 bytes, little-endian). */
typedef enum tw_framing { TW_FRAMING_CONFLUENT, TW_FRAMING_SINGLE_OBJECT } tw_framing;
struct tw_avro_schemas;
tw_code tw_decoder_framed(tw_framing framing, const struct tw_avro_schemas *schemas, tw_decoder **ret_decoder,
                          tw_err *err);

/* The record's value is a tw_event in memory (synthetic shop, bench): a copy. */
tw_code tw_decoder_event(tw_decoder **ret_decoder, tw_err *err);

#endif
