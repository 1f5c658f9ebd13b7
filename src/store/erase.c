/* The end of a state: its files deleted under the writer's lock. Called by `tailwater reset --all`. */
#include "store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static tw_code erase(const char *dir, const char *name, tw_err *err) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (unlink(path) == 0 || errno == ENOENT)
        return TW_OK;
    return tw_fail_errno(err, TW_E_IO, "%s", path);
}

bool tw_store_exists(const char *dir) {
    char path[4200];
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    return access(path, F_OK) == 0;
}

/* The owner's note first: without data.mdb it would say that a state was lost here. The instance's number last: it belongs to the
 * state, and a new one must not be taken for the old. */
tw_code tw_store_erase(const char *dir, tw_err *err) {
    static const char *const names[] = {"owner.pid", "data.mdb", "lock.mdb", "instance"};
    tw_store store = {.dir = (char *)(uintptr_t)dir, .lock_fd = -1};
    if (!tw_store_exists(dir))
        return tw_fail(err, TW_E_NOT_FOUND, "%s holds no state", dir);
    tw_code code = tw_store_lock_writer(&store, err);
    if (code == TW_E_STORE && store.lock_fd >= 0) /* cut: ours to erase all the same */
        code = TW_OK;
    for (size_t i = 0; code == TW_OK && i < sizeof names / sizeof names[0]; i++)
        code = erase(dir, names[i], err);
    tw_store_unlock(&store);
    return code;
}
