/* A small file as a whole. Thread: any. */
#ifndef TW_BASE_FILE_H
#define TW_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Appends what the file holds. Errors: TW_E_IO, TW_E_BAD_FILE (larger than size_max bytes). */
tw_code tw_file_read(const char *path, size_t size_max, tw_buf *out, tw_err *err);

#endif
