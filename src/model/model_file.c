/* The envelope of trained models. Called by the commands that train and by whoever starts from a file. */
#include "model/model_file.h"

#include "base/file.h"
#include "base/hash.h"

#include <inttypes.h>

#define MAGIC "TAILWMDL"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define HEAD_SIZE (MAGIC_SIZE + 16)
#define SIZE_MAX_BYTES ((size_t)1 << 30)

static const struct {
    const char *name;
    uint32_t kind, version;
} kinds[] = {
#define KIND(name, text, number, version) {text, number, version},
    TW_MODEL_FILE_LIST(KIND)
#undef KIND
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static size_t find(uint32_t kind) {
    size_t k = 0;
    while (k < KINDS && kinds[k].kind != kind)
        k++;
    return k;
}

void tw_model_file_write(tw_model_kind kind, tw_slice payload, tw_buf *out) {
    size_t start = out->size;
    tw_buf_put(out, MAGIC, MAGIC_SIZE);
    tw_buf_u32(out, (uint32_t)kind);
    tw_buf_u32(out, kinds[find((uint32_t)kind)].version);
    tw_buf_u64(out, payload.size);
    tw_buf_put(out, payload.data, payload.size);
    tw_buf_u64(out, tw_hash64((tw_slice){out->data + start, out->size - start}));
}

static tw_code check(tw_slice file, size_t wanted, tw_slice *ret_payload, tw_err *err) {
    tw_cursor c = tw_cursor_of(file);
    if (file.size < HEAD_SIZE || memcmp(tw_cursor_take(&c, MAGIC_SIZE), MAGIC, MAGIC_SIZE) != 0)
        return tw_fail(err, TW_E_BAD_FILE, "not a model that tailwater trained");
    uint32_t kind = tw_cursor_u32(&c), version = tw_cursor_u32(&c);
    uint64_t size = tw_cursor_u64(&c);
    size_t found = find(kind), rest = file.size - HEAD_SIZE;
    if (found != wanted)
        return tw_fail(err, TW_E_BAD_FILE, "a model of %s, where one of %s is wanted",
                       found < KINDS ? kinds[found].name : "something unknown", kinds[wanted].name);
    if (version != kinds[wanted].version)
        return tw_fail(err, TW_E_VERSION, "a model of version %" PRIu32 "; this program reads version %" PRIu32,
                       version, kinds[wanted].version);
    if (rest < 8 || size > rest - 8)
        return tw_fail(err, TW_E_BAD_FILE, "cut short: %zu bytes are there", file.size);
    if (size < rest - 8)
        return tw_fail(err, TW_E_BAD_FILE, "%zu bytes follow its end", rest - 8 - (size_t)size);
    *ret_payload = (tw_slice){tw_cursor_take(&c, (size_t)size), (size_t)size};
    if (tw_cursor_u64(&c) != tw_hash64((tw_slice){file.data, file.size - 8}))
        return tw_fail(err, TW_E_BAD_FILE, "damaged: its checksum is another");
    return TW_OK;
}

tw_code tw_model_file_read(const char *path, tw_model_kind kind, tw_buf *bytes, tw_slice *ret_payload, tw_err *err) {
    tw_buf_clear(bytes);
    TW_TRY(tw_file_read(path, SIZE_MAX_BYTES, bytes, err));
    return check(tw_buf_slice(bytes), find((uint32_t)kind), ret_payload, err) == TW_OK ? TW_OK
                                                                                       : tw_wrap(err, "%s", path);
}
