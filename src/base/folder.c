/* Temporary folders of the demo and the benchmarks. */
#include "base/folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

tw_code tw_folder_temporary(const char *prefix, char *ret_path, size_t size, tw_err *err) {
    const char *tmp = getenv("TMPDIR");
    int length = snprintf(ret_path, size, "%s/%s-XXXXXX", tmp && *tmp ? tmp : "/tmp", prefix);
    if (length < 0 || (size_t)length >= size)
        return tw_fail(err, TW_E_IO, "TMPDIR is too long");
    return mkdtemp(ret_path) ? TW_OK : tw_fail_errno(err, TW_E_IO, "%s", ret_path);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void tw_folder_remove(const char *path) {
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
