/* Lists, profiles, changes and dead letters as JSON lines in files. Called by the engine; engine thread.
 *
 * Lines gather in memory and are written and synced at flush, before the state commits; the lengths are committed with
 * the state. On resume a file is cut to its committed length, so that a crash between the two leaves no line twice. What is not
 * a regular file (stdout, /dev/null, a pipe) cannot be cut and repeats at most what was not committed. */
#include "base/json.h"
#include "pipeline/publish/sink.h"

#include "base/alloc.h"
#include "base/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beyond this the lines are written without waiting for the flush, so that memory stays small. */
#define GATHERED_MAX ((size_t)1 << 20)

typedef struct output {
    char *path; /* NULL: nowhere */
    int fd;
    bool regular;
    uint64_t length;
    tw_buf gathered;
} output;

enum { LISTS, DEAD, PROFILES, DRIFT, OUTPUTS };

typedef struct file_sink {
    tw_sink sink; /* first */
    output outputs[OUTPUTS];
} file_sink;

static output *output_of(tw_sink *sink, int which) {
    return &((file_sink *)sink)->outputs[which];
}

static tw_code open_output(output *o, const char *path, tw_err *err) {
    struct stat st;
    o->fd = -1;
    if (!path)
        return TW_OK;
    o->path = tw_strdup(path);
    o->fd = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (o->fd < 0 || fstat(o->fd, &st) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    o->regular = S_ISREG(st.st_mode) && strcmp(path, "-") != 0;
    return TW_OK;
}

static void close_output(output *o) {
    if (o->fd >= 0)
        close(o->fd);
    free(o->path);
    tw_buf_done(&o->gathered);
}

static tw_code write_gathered(output *o, tw_err *err) {
    size_t written = 0;
    if (o->gathered.size && TW_FAILPOINT(SINK_WRITE)) {
        errno = ENOSPC;
        return tw_fail_errno(err, TW_E_IO, "%s", o->path);
    }
    while (written < o->gathered.size) {
        ssize_t n = write(o->fd, o->gathered.data + written, o->gathered.size - written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tw_fail_errno(err, TW_E_IO, "%s", o->path);
        written += (size_t)n;
    }
    o->length += o->gathered.size;
    tw_buf_clear(&o->gathered);
    return TW_OK;
}

static tw_code line_done(output *o, tw_err *err) {
    tw_buf_u8(&o->gathered, '\n');
    return o->gathered.size < GATHERED_MAX ? TW_OK : write_gathered(o, err);
}

static tw_code file_list(tw_sink *sink, const tw_list *list, tw_err *err) {
    output *o = output_of(sink, LISTS);
    if (!o->path)
        return TW_OK;
    tw_list_write_json(list, &o->gathered);
    return line_done(o, err);
}

static tw_code file_profile(tw_sink *sink, const tw_user_profile *profile, tw_err *err) {
    output *o = output_of(sink, PROFILES);
    if (!o->path)
        return TW_OK;
    tw_profile_write_json(profile, &o->gathered);
    return line_done(o, err);
}

static tw_code write_gone(output *o, tw_slice user_id, tw_err *err) {
    if (!o->path)
        return TW_OK;
    tw_buf_printf(&o->gathered, "{\"user_id\":");
    tw_json_text(&o->gathered, user_id);
    tw_buf_printf(&o->gathered, ",\"gone\":true}");
    return line_done(o, err);
}

static tw_code file_gone(tw_sink *sink, uint32_t task, tw_slice user_id, tw_err *err) {
    (void)task;
    TW_TRY(write_gone(output_of(sink, LISTS), user_id, err));
    return write_gone(output_of(sink, PROFILES), user_id, err);
}

static void put_base64(tw_buf *out, tw_slice bytes) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.size; i += 3) {
        uint32_t v = 0;
        size_t n = bytes.size - i < 3 ? bytes.size - i : 3;
        for (size_t j = 0; j < 3; j++)
            v = v << 8 | (j < n ? (unsigned char)bytes.data[i + j] : 0);
        for (size_t j = 0; j < 4; j++)
            tw_buf_u8(out, j <= n ? (uint8_t)digits[v >> (18 - 6 * j) & 63] : '=');
    }
}

static tw_code file_dead(tw_sink *sink, const char *input_name, const tw_record *record, tw_reason reason,
                         tw_err *err) {
    output *o = output_of(sink, DEAD);
    if (!o->path)
        return TW_OK;
    tw_buf *out = &o->gathered;
    tw_buf_printf(out, "{\"reason\":\"%s\",\"input\":", tw_reason_name(reason));
    tw_json_text(out, tw_slice_of(input_name));
    tw_buf_printf(out, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, record->partition, record->offset);
    if (tw_slice_is_utf8(record->value)) {
        tw_buf_printf(out, ",\"value\":");
        tw_json_text(out, record->value);
    } else {
        tw_buf_printf(out, ",\"value_base64\":\"");
        put_base64(out, record->value);
        tw_buf_u8(out, '"');
    }
    tw_buf_u8(out, '}');
    return line_done(o, err);
}

static tw_code file_drift(tw_sink *sink, const tw_drift_record *record, tw_err *err) {
    output *o = output_of(sink, DRIFT);
    if (!o->path)
        return TW_OK;
    tw_drift_write_json(record, &o->gathered);
    return line_done(o, err);
}

static tw_code flush_output(output *o, tw_err *err) {
    if (!o->path)
        return TW_OK;
    TW_TRY(write_gathered(o, err));
    if (o->regular && fdatasync(o->fd) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s", o->path);
    return TW_OK;
}

static tw_code file_flush(tw_sink *sink, tw_err *err) {
    for (int i = 0; i < OUTPUTS; i++)
        TW_TRY(flush_output(output_of(sink, i), err));
    return TW_OK;
}

/* The file that the length belongs to is named: another --out on the same state begins with its own length. */
static void put_position(const output *o, tw_buf *out) {
    tw_buf_text(out, o->path ? tw_slice_of(o->path) : (tw_slice){0});
    tw_buf_u64(out, o->length);
}

static void file_position(tw_sink *sink, tw_buf *out) {
    for (int i = 0; i < OUTPUTS; i++)
        put_position(output_of(sink, i), out);
}

static tw_code resume_output(output *o, tw_cursor *c, tw_err *err) {
    tw_slice path = tw_cursor_text(c);
    uint64_t length = tw_cursor_u64(c);
    if (!o->path || !o->regular)
        return TW_OK;
    struct stat st;
    if (fstat(o->fd, &st) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s", o->path);
    bool same = !c->bad && tw_slice_equal(path, tw_slice_of(o->path));
    o->length = same ? length : 0;
    if ((uint64_t)st.st_size < o->length)
        return tw_fail(err, TW_E_IO, "%s has %lld bytes, the state committed %" PRIu64 ": it was changed from outside",
                       o->path, (long long)st.st_size, o->length);
    if (ftruncate(o->fd, (off_t)o->length) != 0 || lseek(o->fd, (off_t)o->length, SEEK_SET) < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", o->path);
    return TW_OK;
}

static tw_code file_resume(tw_sink *sink, tw_slice position, tw_err *err) {
    tw_cursor c = tw_cursor_of(position);
    for (int i = 0; i < OUTPUTS; i++)
        TW_TRY(resume_output(output_of(sink, i), &c, err));
    return TW_OK;
}

static tw_sink *file_close(tw_sink *sink) {
    if (sink) {
        for (int i = 0; i < OUTPUTS; i++)
            close_output(output_of(sink, i));
        free(sink);
    }
    return NULL;
}

tw_code tw_sink_file(const tw_sink_paths *paths, tw_sink **ret_sink, tw_err *err) {
    static const tw_sink_ops ops = {.list = file_list,
                                    .profile = file_profile,
                                    .gone = file_gone,
                                    .dead = file_dead,
                                    .drift = file_drift,
                                    .flush = file_flush,
                                    .position = file_position,
                                    .resume = file_resume,
                                    .close = file_close};
    file_sink *self = tw_zalloc(sizeof *self);
    self->sink.ops = &ops;
    self->sink.takes_profiles = paths->profiles != NULL;
    const char *const all[OUTPUTS] = {paths->lists, paths->dead, paths->profiles, paths->drift};
    for (int i = 0; i < OUTPUTS; i++)
        self->outputs[i].fd = -1;
    tw_code code = TW_OK;
    for (int i = 0; i < OUTPUTS && code == TW_OK; i++)
        code = open_output(&self->outputs[i], all[i], err);
    if (code != TW_OK) {
        file_close(&self->sink);
        return code;
    }
    *ret_sink = &self->sink;
    return TW_OK;
}
