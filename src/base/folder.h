/* Folders that come and go: a temporary one, and a whole one with all that is in it. Thread: any. */
#ifndef TW_BASE_FOLDER_H
#define TW_BASE_FOLDER_H

#include "base/err.h"

#include <stddef.h>

/* Makes a folder of its own below TMPDIR (else /tmp), named after prefix. Errors: TW_E_IO. */
tw_code tw_folder_temporary(const char *prefix, char *ret_path, size_t size, tw_err *err);

/* Removes a folder with everything below it, links as links. What cannot be removed is left. */
void tw_folder_remove(const char *path);

#endif
