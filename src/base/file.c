/* Reading a small file as a whole: schemas, maps of ids. Called at start. */
#include "base/file.h"

#include <stdio.h>

tw_code tw_file_read(const char *path, size_t size_max, tw_buf *out, tw_err *err) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    size_t start = out->size;
    tw_code code = TW_OK;
    for (;;) {
        char *to = tw_buf_reserve(out, 4096);
        size_t got = fread(to, 1, 4096, file);
        out->size += got;
        if (out->size - start > size_max)
            code = tw_fail(err, TW_E_BAD_FILE, "%s: larger than %zu bytes", path, size_max);
        if (got == 0 || code != TW_OK)
            break;
    }
    if (code == TW_OK && ferror(file))
        code = tw_fail_errno(err, TW_E_IO, "%s", path);
    fclose(file);
    return code;
}
