/* Who may open a store: the directory, the lock of the writer, and the lock of readers that LMDB cannot count. Called by open
 * and close; engine thread.
 *
 * The lock is flock's, on data.mdb itself: it goes with the process however it ends, and with the file wherever that is moved.
 * owner.pid only says who holds it, for people; its being there says that a state was made here once, so that a missing
 * data.mdb is told and not taken for a first start. */
#include "store/internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* LMDB's two meta pages, of the smallest size that it knows. */
#define DATA_BYTES_MIN 8192

/* What a directory lists is durable when the directory is. */
static tw_code sync_dir(const char *dir, tw_err *err) {
    int fd = TW_STORE_SYSTEM(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0 &&
        errno == EACCES) /* one may write into a directory and not read it; it goes to the disk in its own time */
        return TW_OK;
    if (fd < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", dir);
    int result = TW_STORE_SYSTEM(fsync(fd));
    tw_code code = TW_OK;
    if (result != 0 && errno != EINVAL) /* EINVAL: a file system that has no such thing */
        code = tw_fail_errno(err, TW_E_IO, "%s", dir);
    close(fd);
    return code;
}

tw_code tw_store_make_dir(const char *dir, tw_err *err) {
    char path[4200], parent[4200] = ".";
    snprintf(path, sizeof path, "%s", dir);
    if (path[0] == '/')
        snprintf(parent, sizeof parent, "/");
    for (char *at = path + 1;; at++) {
        if (*at && *at != '/')
            continue;
        char kept = *at;
        *at = '\0';
        if (TW_STORE_SYSTEM(mkdir(path, 0777)) == 0)
            TW_TRY(sync_dir(parent, err));
        else if (errno != EEXIST)
            return tw_fail_errno(err, TW_E_IO, "%s", path);
        snprintf(parent, sizeof parent, "%s", path);
        *at = kept;
        if (!kept)
            return TW_OK;
    }
}

static const char *path_of(const tw_store *store, const char *name, char *path, size_t size) {
    snprintf(path, size, "%s/%s", store->dir, name);
    return path;
}

/* Whoever holds the lock, as far as owner.pid tells: it is written a moment after the lock was taken, so a process that is no
 * more is not named. */
static tw_code refuse_second_writer(const tw_store *store, tw_err *err) {
    char path[4300], text[32] = "";
    int fd = open(path_of(store, "owner.pid", path, sizeof path), O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    long pid = strtol(text, NULL, 10);
    if (pid <= 0 || (kill((pid_t)pid, 0) != 0 && errno == ESRCH))
        return tw_fail(err, TW_E_LOCKED, "%s is open for writing in another process", store->dir);
    return tw_fail(err, TW_E_LOCKED, "%s is open for writing in process %ld", store->dir, pid);
}

static tw_code lock_alone(tw_store *store, const char *path, tw_err *err) {
    if (TW_STORE_SYSTEM(flock(store->lock_fd, LOCK_EX | LOCK_NB)) == 0)
        return TW_OK;
    if (errno != EWOULDBLOCK)
        return tw_fail_errno(err, TW_E_IO, "%s: lock", path);
    if (flock(store->lock_fd, LOCK_SH | LOCK_NB) != 0)
        return refuse_second_writer(store, err);
    return tw_fail(
        err, TW_E_LOCKED,
        "%s is being read by a process that may not write to %s/lock.mdb, which no writer may disturb: start "
        "again when it is through",
        store->dir, store->dir);
}

static tw_code check_heads(const tw_store *store, int fd, tw_err *err) {
    struct stat st;
    if (TW_STORE_SYSTEM(fstat(fd, &st)) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s/data.mdb", store->dir);
    if (st.st_size < DATA_BYTES_MIN)
        return tw_fail(err, TW_E_STORE,
                       "%s/data.mdb is truncated: %" PRId64 " bytes, a store has at least %d; bring back a copy, or "
                       "remove the directory to begin anew",
                       store->dir, (int64_t)st.st_size, DATA_BYTES_MIN);
    if (!tw_pages_size_fits(fd))
        return tw_fail(
            err, TW_E_STORE,
            "the heads of %s/data.mdb do not agree on the size of a page: it is damaged; bring back a copy, or "
            "remove the directory to begin anew",
            store->dir);
    return TW_OK;
}

/* The answer where there is no data.mdb: never a state, or one that is gone. */
static tw_code check_never_made(const tw_store *store, tw_err *err) {
    char path[4300];
    struct stat st;
    if (stat(path_of(store, "owner.pid", path, sizeof path), &st) == 0)
        return tw_fail(
            err, TW_E_STORE,
            "%s/data.mdb is missing, though a state was kept here: bring it back, or remove the directory to "
            "begin anew",
            store->dir);
    return TW_OK;
}

tw_code tw_store_lock_new(tw_store *store, bool *ret_there, tw_err *err) {
    char path[4300], fresh[4300];
    struct stat st;
    path_of(store, "data.mdb", path, sizeof path);
    path_of(store, TW_STORE_NEW_FILE, fresh, sizeof fresh);
    store->lock_fd = TW_STORE_SYSTEM(open(fresh, O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (store->lock_fd < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", fresh);
    TW_TRY(lock_alone(store, fresh, err));
    *ret_there = stat(path, &st) == 0; /* another process may have made it since */
    if (*ret_there)
        tw_store_unlock(store);
    else if (TW_STORE_SYSTEM(ftruncate(store->lock_fd, 0)) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s", fresh);
    return TW_OK;
}

tw_code tw_store_keep_new(tw_store *store, tw_err *err) {
    char path[4300], fresh[4300];
    path_of(store, "data.mdb", path, sizeof path);
    if (TW_STORE_SYSTEM(rename(path_of(store, TW_STORE_NEW_FILE, fresh, sizeof fresh), path)) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    return sync_dir(store->dir, err);
}

tw_code tw_store_lock_writer(tw_store *store, tw_err *err) {
    char path[4300], fresh[4300];
    bool there = true;
    path_of(store, "data.mdb", path, sizeof path);
    while (there) {
        store->lock_fd = TW_STORE_SYSTEM(open(path, O_RDWR | O_CLOEXEC));
        if (store->lock_fd >= 0) {
            TW_TRY(lock_alone(store, path, err));
            return check_heads(store, store->lock_fd, err);
        }
        if (errno != ENOENT)
            return tw_fail_errno(err, TW_E_IO, "%s", path);
        TW_TRY(check_never_made(store, err));
        TW_TRY(tw_store_lock_new(store, &there, err));
    }
    TW_TRY(tw_store_create(store, path_of(store, TW_STORE_NEW_FILE, fresh, sizeof fresh), err));
    store->made = true;
    return tw_store_keep_new(store, err);
}

/* LMDB takes a reader that cannot write to lock.mdb for one that nobody disturbs: a writer would give away the pages under it. */
tw_code tw_store_lock_reader(tw_store *store, bool *ret_listed, tw_err *err) {
    char path[4300], lock[4300];
    path_of(store, "data.mdb", path, sizeof path);
    path_of(store, "lock.mdb", lock, sizeof lock);
    store->lock_fd = TW_STORE_SYSTEM(open(path, O_RDONLY | O_CLOEXEC));
    if (store->lock_fd < 0 && errno == ENOENT) {
        TW_TRY(check_never_made(store, err));
        return tw_fail(err, TW_E_NOT_FOUND, "%s holds no state yet", store->dir);
    }
    if (store->lock_fd < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    TW_TRY(check_heads(store, store->lock_fd, err));
    int fd = TW_STORE_SYSTEM(open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    *ret_listed = fd >= 0;
    if (fd >= 0) {
        close(fd); /* before LMDB opens it: its locks would go with the first descriptor that is closed */
        tw_store_unlock(store);
        return TW_OK;
    }
    if (errno != EACCES && errno != EPERM && errno != EROFS)
        return tw_fail_errno(err, TW_E_IO, "%s", lock);
    if (TW_STORE_SYSTEM(flock(store->lock_fd, LOCK_SH | LOCK_NB)) == 0)
        return TW_OK;
    if (errno != EWOULDBLOCK)
        return tw_fail_errno(err, TW_E_IO, "%s: lock", path);
    return tw_fail(err, TW_E_LOCKED,
                   "%s is open for writing, and reading beside a writer needs leave to write to %s: read it as the "
                   "writer's user, or when the writer has stopped",
                   store->dir, lock);
}

tw_code tw_store_check_kept(const tw_store *store, tw_err *err) {
    struct stat st;
    if (TW_STORE_SYSTEM(fstat(store->lock_fd, &st)) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s/data.mdb", store->dir);
    if (st.st_nlink == 0)
        return tw_fail(err, TW_E_STORE, "%s/data.mdb was removed or replaced while it was open for writing",
                       store->dir);
    return TW_OK;
}

void tw_store_unlock(tw_store *store) {
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    store->lock_fd = -1;
}

tw_code tw_store_sign(tw_store *store, tw_err *err) {
    char path[4300], text[32];
    int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    int fd = TW_STORE_SYSTEM(open(path_of(store, "owner.pid", path, sizeof path), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (fd < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    tw_code code = TW_OK;
    if (TW_STORE_SYSTEM(ftruncate(fd, 0)) != 0 || TW_STORE_SYSTEM(pwrite(fd, text, (size_t)size, 0)) != size)
        code = tw_fail_errno(err, TW_E_IO, "%s", path);
    close(fd);
    return code == TW_OK ? sync_dir(store->dir, err) : code;
}
