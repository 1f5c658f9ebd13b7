/* What was trained, as a file: a head that says what it is, the weights, a checksum over all of it.
 *
 *   "TAILWMDL"  u32 kind  u32 version  u64 bytes of the payload  payload  u64 XXH3-64 of everything before it
 *
 * little-endian, as the buffers are. What the payload holds is its kind's business. Thread: any. */
#ifndef TW_MODEL_MODEL_FILE_H
#define TW_MODEL_MODEL_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Kinds, with the name of what was trained and the version of the payload that this program writes and reads. */
#define TW_MODEL_FILE_LIST(X) X(PROPENSITY, "propensity", 1, 1) X(PROFILE, "profiles", 2, 1)

typedef enum tw_model_kind {
#define TW_MODEL_FILE_ENUM(name, text, number, version) TW_MODEL_FILE_##name = number,
    TW_MODEL_FILE_LIST(TW_MODEL_FILE_ENUM)
#undef TW_MODEL_FILE_ENUM
} tw_model_kind;

/* Appends a file with that payload. */
void tw_model_file_write(tw_model_kind kind, tw_slice payload, tw_buf *out);

/* Reads a file whole and checks head and checksum. ret_payload is borrowed from bytes, which is the caller's. Errors: TW_E_IO; TW_E_BAD_FILE
 * (no such file of ours, of another kind, cut short, damaged); TW_E_VERSION, naming both. */
tw_code tw_model_file_read(const char *path, tw_model_kind kind, tw_buf *bytes, tw_slice *ret_payload, tw_err *err);

#endif
