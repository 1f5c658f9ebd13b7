/* The bytes of a file, unzipped when they are gzip, in a window that moves forward. Engine thread. */
#ifndef TW_INGEST_BYTES_H
#define TW_INGEST_BYTES_H

#include "base/err.h"
#include "base/slice.h"

typedef struct tw_bytes tw_bytes;

/* Errors: TW_E_IO. ret_identity (at least 64 bytes): hex of size and XXH3-128 of the content as stored. */
tw_code tw_bytes_open(const char *path, tw_bytes **ret_bytes, char *ret_identity, tw_err *err);
tw_bytes *tw_bytes_close(tw_bytes *bytes);

/* What is in the window and not yet taken; it moves only in tw_bytes_more. */
tw_slice tw_bytes_window(const tw_bytes *bytes);
void tw_bytes_take(tw_bytes *bytes, size_t size);

/* Brings more into the window, moving what is not taken to its front (slices of it die). *ret_more false: the end. Errors: TW_E_IO,
 * TW_E_BAD_FILE (a torn or damaged gzip). */
tw_code tw_bytes_more(tw_bytes *bytes, bool *ret_more, tw_err *err);

int64_t tw_bytes_file_size(const tw_bytes *bytes);
int64_t tw_bytes_file_read(const tw_bytes *bytes); /* of the file as stored */
int64_t tw_bytes_offset(const tw_bytes *bytes);    /* of the window's start in the unzipped content */

#endif
