/* Reading and unzipping in blocks. Called by the file source. */
#include "pipeline/ingest/bytes.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK ((size_t)256 << 10)

struct tw_bytes {
    int fd;
    char *path;
    int64_t file_size, file_read;
    bool gzip, member_open, ended;
    z_stream z;
    char *stored; /* (BLOCK) as read from a gzip file */
    char *window;
    size_t start, end, capacity;
    int64_t offset;
};

static tw_code read_some(tw_bytes *b, char *to, size_t size, size_t *ret_size, tw_err *err) {
    ssize_t n;
    do
        n = read(b->fd, to, size);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", b->path);
    b->file_read += n;
    *ret_size = (size_t)n;
    return TW_OK;
}

static tw_code hash_content(tw_bytes *b, char *ret_identity, tw_err *err) {
    tw_hasher *hasher = tw_hasher_create();
    size_t n = 0;
    tw_code code;
    do {
        code = read_some(b, b->stored, BLOCK, &n, err);
        if (code == TW_OK)
            tw_hasher_add(hasher, b->stored, n);
    } while (code == TW_OK && n > 0);
    tw_hash128 h = tw_hasher_value(hasher);
    tw_hasher_free(hasher);
    snprintf(ret_identity, 64, "%" PRIx64 "-%016" PRIx64 "%016" PRIx64, (uint64_t)b->file_size, h.hi, h.lo);
    b->file_read = 0;
    if (code == TW_OK && lseek(b->fd, 0, SEEK_SET) < 0)
        code = tw_fail_errno(err, TW_E_IO, "%s", b->path);
    return code;
}

tw_code tw_bytes_open(const char *path, tw_bytes **ret_bytes, char *ret_identity, tw_err *err) {
    struct stat st;
    unsigned char magic[2] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return tw_fail(err, TW_E_IO, "%s: not a regular file", path);
    }
    tw_bytes *b = tw_zalloc(sizeof *b);
    b->fd = fd;
    b->path = tw_strdup(path);
    b->file_size = st.st_size;
    b->stored = tw_alloc(BLOCK);
    b->capacity = 2 * BLOCK;
    b->window = tw_alloc(b->capacity);
    tw_code code = hash_content(b, ret_identity, err);
    b->gzip = pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
    if (code == TW_OK && b->gzip && inflateInit2(&b->z, 15 + 16) != Z_OK)
        code = tw_fail(err, TW_E_NO_MEMORY, "%s", path);
    if (code != TW_OK) {
        b->gzip = false;
        tw_bytes_close(b);
        return code;
    }
    *ret_bytes = b;
    return TW_OK;
}

tw_bytes *tw_bytes_close(tw_bytes *b) {
    if (b) {
        if (b->gzip)
            inflateEnd(&b->z);
        close(b->fd);
        free(b->path);
        free(b->stored);
        free(b->window);
        free(b);
    }
    return NULL;
}

tw_slice tw_bytes_window(const tw_bytes *b) {
    return (tw_slice){b->window + b->start, b->end - b->start};
}

void tw_bytes_take(tw_bytes *b, size_t size) {
    TW_ASSERT(size <= b->end - b->start);
    b->start += size;
    b->offset += (int64_t)size;
}

static void make_room(tw_bytes *b) {
    memmove(b->window, b->window + b->start, b->end - b->start);
    b->end -= b->start;
    b->start = 0;
    b->window = tw_grow(b->window, &b->capacity, b->end + BLOCK, 1);
}

/* One block of a gzip file; members may follow one another. */
static tw_code unzip_some(tw_bytes *b, bool *ret_more, tw_err *err) {
    size_t before = b->end;
    while (b->end == before && !b->ended) {
        if (b->z.avail_in == 0) {
            size_t n = 0;
            TW_TRY(read_some(b, b->stored, BLOCK, &n, err));
            if (n == 0) {
                b->ended = true;
                if (b->member_open)
                    return tw_fail(err, TW_E_BAD_FILE, "%s: gzip ends inside its data, at byte %" PRId64, b->path,
                                   b->file_read);
                break;
            }
            b->z.next_in = (Bytef *)b->stored;
            b->z.avail_in = (uInt)n;
        }
        b->member_open = true;
        b->z.next_out = (Bytef *)b->window + b->end;
        b->z.avail_out = (uInt)(b->capacity - b->end);
        int result = inflate(&b->z, Z_NO_FLUSH);
        b->end = (size_t)((char *)b->z.next_out - b->window);
        if (result == Z_STREAM_END) {
            b->member_open = false;
            if (inflateReset(&b->z) != Z_OK)
                return tw_fail(err, TW_E_BAD_FILE, "%s: gzip", b->path);
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            b->ended = true;
            return tw_fail(err, TW_E_BAD_FILE, "%s: gzip is damaged before byte %" PRId64 ": %s", b->path, b->file_read,
                           b->z.msg ? b->z.msg : "bad data");
        }
    }
    *ret_more = b->end > before;
    return TW_OK;
}

tw_code tw_bytes_more(tw_bytes *b, bool *ret_more, tw_err *err) {
    make_room(b);
    if (b->gzip)
        return unzip_some(b, ret_more, err);
    size_t n = 0;
    TW_TRY(read_some(b, b->window + b->end, b->capacity - b->end, &n, err));
    b->end += n;
    *ret_more = n > 0;
    return TW_OK;
}

int64_t tw_bytes_file_size(const tw_bytes *b) {
    return b->file_size;
}
int64_t tw_bytes_file_read(const tw_bytes *b) {
    return b->file_read;
}
int64_t tw_bytes_offset(const tw_bytes *b) {
    return b->offset;
}
