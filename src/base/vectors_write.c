/* Writing word2vec's formats and GloVe's, whole or not at all. Called by whoever exports or trains vectors. */
#include "base/vectors_internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLUSH_BYTES (1 << 20)

struct tw_vectors_out {
    FILE *file;
    char *path, *part;
    tw_vectors_format format;
    int D;
    uint32_t left;
    int error; /* errno of the first write that failed; 0: none */
    tw_buf buf, word;
};

tw_code tw_vectors_create(const char *path, tw_vectors_format format, uint32_t count, int dim, tw_vectors_out **ret_out,
                          tw_err *err) {
    struct stat found;
    tw_buf part = {0};
    TW_ASSERT(format != TW_VECTORS_AUTO && count > 0);
    if (stat(path, &found) == 0 && S_ISDIR(found.st_mode)) {
        errno = EISDIR;
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    }
    tw_buf_printf(&part, "%s.part", path);
    tw_buf_u8(&part, '\0');
    FILE *file = fopen(part.data, "wb");
    if (!file) {
        tw_code code = tw_fail_errno(err, TW_E_IO, "%s", part.data);
        tw_buf_done(&part);
        return code;
    }
    tw_vectors_out *out = tw_zalloc(sizeof *out);
    *out = (tw_vectors_out){
        .file = file, .path = tw_strdup(path), .part = part.data, .format = format, .D = dim, .left = count};
    if (format != TW_VECTORS_GLOVE)
        tw_buf_printf(&out->buf, "%" PRIu32 " %d\n", count, dim);
    *ret_out = out;
    return TW_OK;
}

static void flush(tw_vectors_out *out) {
    if (!out->error && fwrite(out->buf.data, 1, out->buf.size, out->file) != out->buf.size)
        out->error = errno;
    tw_buf_clear(&out->buf);
}

void tw_vectors_put(tw_vectors_out *out, tw_slice id, const float *vector) {
    tw_slice word = tw_vectors_word_of(id, &out->word);
    TW_ASSERT(out->left > 0 && word.size > 0);
    out->left--;
    tw_buf_put(&out->buf, word.data, word.size);
    if (out->format == TW_VECTORS_WORD2VEC_BINARY) {
        tw_buf_u8(&out->buf, ' ');
        tw_buf_put(&out->buf, vector, (size_t)out->D * sizeof *vector);
    } else {
        for (int d = 0; d < out->D; d++)
            tw_buf_printf(&out->buf, " %.9g", (double)vector[d]);
    }
    tw_buf_u8(&out->buf, '\n');
    if (out->buf.size >= FLUSH_BYTES)
        flush(out);
}

static void release(tw_vectors_out *out) {
    free(out->path);
    free(out->part);
    tw_buf_done(&out->buf);
    tw_buf_done(&out->word);
    free(out);
}

tw_code tw_vectors_finish(tw_vectors_out *out, tw_err *err) {
    TW_ASSERT(out->left == 0);
    flush(out);
    if (!out->error && (fflush(out->file) != 0 || fsync(fileno(out->file)) != 0))
        out->error = errno;
    if (fclose(out->file) != 0 && !out->error)
        out->error = errno;
    if (!out->error && rename(out->part, out->path) != 0)
        out->error = errno;
    tw_code code = TW_OK;
    if (out->error) {
        remove(out->part);
        errno = out->error;
        code = tw_fail_errno(err, TW_E_IO, "%s", out->path);
    }
    release(out);
    return code;
}

tw_vectors_out *tw_vectors_drop(tw_vectors_out *out) {
    if (!out)
        return NULL;
    fclose(out->file);
    remove(out->part);
    release(out);
    return NULL;
}
