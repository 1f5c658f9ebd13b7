/* Mapping a file of vectors, its index, and what is asked of it. The forms are in vectors_read.c. Called at start by whoever needs vectors. */
#include "base/vectors.h"

#include "base/alloc.h"
#include "base/vectors_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *tw_vectors_format_name(tw_vectors_format format) {
    static const char *const names[TW_VECTORS_FORMATS] = {"auto", "word2vec", "word2vec-binary", "glove"};
    return names[format];
}

bool tw_vectors_format_named(const char *name, tw_vectors_format *ret_format) {
    for (int format = 0; format < TW_VECTORS_FORMATS; format++)
        if (strcmp(name, tw_vectors_format_name((tw_vectors_format)format)) == 0) {
            *ret_format = (tw_vectors_format)format;
            return true;
        }
    return false;
}

static bool same_word(const void *owner, uint32_t index, tw_slice id, uint32_t salt) {
    (void)salt;
    return tw_slice_equal(tw_vectors_word(owner, index), id);
}

void tw_vectors_add(tw_vectors *vectors, tw_slice word) {
    uint64_t hash = tw_map_hash(word, 0);
    if (tw_map_find(vectors->map, word, 0, hash) != TW_MAP_NONE) {
        vectors->duplicates++;
        return;
    }
    vectors->words = tw_grow(vectors->words, &vectors->capacity, (size_t)vectors->count + 1, sizeof *vectors->words);
    vectors->words[vectors->count] =
        (tw_vectors_entry){(uint64_t)(word.data - vectors->bytes.data), (uint32_t)word.size};
    tw_map_insert(vectors->map, hash, vectors->count++);
}

tw_code tw_vectors_of(tw_slice bytes, const char *name, tw_vectors_format format, tw_vectors **ret_vectors,
                      tw_err *err) {
    tw_vectors *vectors = tw_zalloc(sizeof *vectors);
    vectors->bytes = bytes;
    vectors->format = format;
    vectors->map = tw_map_create(same_word, vectors);
    tw_code code = tw_vectors_read(vectors, err);
    if (code != TW_OK) {
        tw_vectors_close(vectors);
        return err ? tw_wrap(err, "%s", name) : code;
    }
    vectors->hash = tw_hash128_of(bytes);
    *ret_vectors = vectors;
    return TW_OK;
}

static tw_code map_file(const char *path, tw_slice *ret_bytes, tw_err *err) {
    struct stat found;
    void *at = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    tw_code code = TW_OK;
    if (fstat(file, &found) != 0)
        code = tw_fail_errno(err, TW_E_IO, "%s", path);
    else if (!S_ISREG(found.st_mode))
        code = tw_fail(err, TW_E_IO, "%s: not a regular file, which could be mapped", path);
    else if (found.st_size > 0 &&
             (at = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_PRIVATE, file, 0)) == MAP_FAILED)
        code = tw_fail_errno(err, TW_E_IO, "%s", path);
    close(file);
    if (code == TW_OK)
        *ret_bytes = (tw_slice){at, (size_t)found.st_size};
    return code;
}

tw_code tw_vectors_open(const char *path, tw_vectors_format format, tw_vectors **ret_vectors, tw_err *err) {
    tw_slice bytes = {NULL, 0};
    TW_TRY(map_file(path, &bytes, err));
    void *at = (void *)(uintptr_t)bytes.data;
    if (at)
        madvise(at, bytes.size, MADV_SEQUENTIAL);
    tw_code code = tw_vectors_of(bytes, path, format, ret_vectors, err);
    if (code != TW_OK) {
        if (at)
            munmap(at, bytes.size);
        return code;
    }
    madvise(at, bytes.size, MADV_RANDOM);
    (*ret_vectors)->mapped = true;
    return TW_OK;
}

tw_vectors *tw_vectors_close(tw_vectors *vectors) {
    if (!vectors)
        return NULL;
    if (vectors->mapped)
        munmap((void *)(uintptr_t)vectors->bytes.data, vectors->bytes.size);
    tw_map_free(vectors->map);
    free(vectors->words);
    free(vectors);
    return NULL;
}

tw_vectors_format tw_vectors_form(const tw_vectors *vectors) {
    return vectors->format;
}
int tw_vectors_dim(const tw_vectors *vectors) {
    return vectors->D;
}
uint32_t tw_vectors_count(const tw_vectors *vectors) {
    return vectors->count;
}
uint32_t tw_vectors_duplicates(const tw_vectors *vectors) {
    return vectors->duplicates;
}
tw_hash128 tw_vectors_hash(const tw_vectors *vectors) {
    return vectors->hash;
}

uint32_t tw_vectors_find(const tw_vectors *vectors, tw_slice word) {
    return tw_map_find(vectors->map, word, 0, tw_map_hash(word, 0));
}
tw_slice tw_vectors_word(const tw_vectors *vectors, uint32_t index) {
    const tw_vectors_entry *entry = &vectors->words[index];
    return (tw_slice){vectors->bytes.data + entry->at, entry->size};
}

tw_slice tw_vectors_word_of(tw_slice id, tw_buf *scratch) {
    bool same = true;
    for (size_t i = 0; i < id.size; i++)
        same &= !tw_vectors_splits(id.data[i]);
    if (same)
        return id;
    tw_buf_clear(scratch);
    for (size_t i = 0; i < id.size; i++)
        tw_buf_u8(scratch, tw_vectors_splits(id.data[i]) ? '_' : (uint8_t)id.data[i]);
    return tw_buf_slice(scratch);
}
