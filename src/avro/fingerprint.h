/* What a schema is called by its content: the parsing canonical form and its CRC-64-AVRO fingerprint (Avro 1.11 specification,
 * "Parsing Canonical Form for Schemas" and "Schema Fingerprints"), as the single object encoding carries it.
 * Thread: one at a time (avro-c keeps its last error in a global). */
#ifndef TW_AVRO_FINGERPRINT_H
#define TW_AVRO_FINGERPRINT_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the canonical form of a schema (JSON text). Errors: TW_E_BAD_FILE. */
tw_code tw_avro_canonical(tw_slice schema_json, tw_buf *out, tw_err *err);

/* CRC-64-AVRO of bytes, which are a canonical form. Thread: any. */
uint64_t tw_avro_crc64(tw_slice bytes);

/* The fingerprint of a schema. Errors: TW_E_BAD_FILE. */
tw_code tw_avro_fingerprint(tw_slice schema_json, uint64_t *ret_fingerprint, tw_err *err);

#endif
