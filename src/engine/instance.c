/* The instance file. Called by `run` before anything else is opened. */
#include "engine/instance.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIGITS 16

static tw_code make(const char *dir, const char *path, uint64_t *ret_instance, tw_err *err) {
    char next[4200], text[DIGITS + 2];
    uint64_t instance;
    do
        if (getrandom(&instance, sizeof instance, 0) != sizeof instance)
            return tw_fail_errno(err, TW_E_IO, "no random number to be had");
    while (instance == 0);
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return tw_fail_errno(err, TW_E_IO, "%s", dir);
    snprintf(next, sizeof next, "%s.new", path);
    snprintf(text, sizeof text, "%016" PRIx64 "\n", instance);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", next);
    bool written = write(fd, text, DIGITS + 1) == DIGITS + 1 && fsync(fd) == 0;
    if (close(fd) != 0 || !written || rename(next, path) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s", next);
    *ret_instance = instance;
    return TW_OK;
}

tw_code tw_instance_of(const char *state_dir, uint64_t *ret_instance, tw_err *err) {
    char path[4100], *end;
    tw_buf text = {0};
    snprintf(path, sizeof path, "%s/instance", state_dir);
    if (access(path, F_OK) != 0)
        return make(state_dir, path, ret_instance, err);
    tw_code code = tw_file_read(path, 64, &text, err);
    if (code == TW_OK) {
        tw_buf_u8(&text, '\0');
        uint64_t instance = strtoull(text.data, &end, 16);
        if (instance == 0 || (size_t)(end - text.data) != DIGITS)
            code = tw_fail(err, TW_E_BAD_FILE, "%s: not the number of an instance", path);
        else
            *ret_instance = instance;
    }
    tw_buf_done(&text);
    return code;
}
