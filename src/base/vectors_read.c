/* The three forms of a file of vectors: which one it is, every record checked, and the numbers of one record. Called by vectors.c. */
#include "base/vectors_internal.h"

#include "base/number.h"

#include <inttypes.h>
#include <math.h>

#define BAD(err, ...) tw_fail((err), TW_E_BAD_FILE, __VA_ARGS__)

/* What tells text from floats: so many bytes are looked at (chosen). */
#define LOOK_BYTES 65536

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* The line at `at` without its break and the blanks around it; *ret_next is where the next one begins. */
static tw_slice line_at(const char *at, const char *end, const char **ret_next) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    *ret_next = stop ? stop + 1 : end;
    stop = stop ? stop : end;
    while (at < stop && is_blank(*at))
        at++;
    while (stop > at && (is_blank(stop[-1]) || stop[-1] == '\r'))
        stop--;
    return (tw_slice){at, (size_t)(stop - at)};
}

/* The last field before end, and *end moves before it and its blanks; empty at the start. */
static tw_slice last_field(const char *start, const char **end) {
    const char *stop = *end, *at = stop;
    while (at > start && !is_blank(at[-1]))
        at--;
    *end = at;
    while (*end > start && is_blank((*end)[-1]))
        (*end)--;
    return (tw_slice){at, (size_t)(stop - at)};
}

static uint32_t fields_of(tw_slice line) {
    uint32_t fields = 0;
    for (size_t i = 0; i < line.size; i++)
        fields += !is_blank(line.data[i]) && (i == 0 || is_blank(line.data[i - 1]));
    return fields;
}

/* Digits alone, as far as they fit. */
static bool take_count(const char **at, const char *end, uint64_t *ret_count) {
    const char *start = *at;
    uint64_t count = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++)
        count = count < UINT64_MAX / 10 - 1 ? count * 10 + (uint64_t)(**at - '0') : UINT64_MAX / 10;
    *ret_count = count;
    return *at > start;
}

static bool is_header(tw_slice line, uint64_t *ret_count, uint64_t *ret_dim) {
    const char *at = line.data, *end = at + line.size;
    if (!take_count(&at, end, ret_count) || at == end || !is_blank(*at))
        return false;
    while (at < end && is_blank(*at))
        at++;
    return take_count(&at, end, ret_dim) && at == end;
}

/* The word of a line of text, its numbers checked. line_number is for messages. */
static tw_code text_record(tw_slice line, int D, uint64_t line_number, tw_slice *ret_word, tw_err *err) {
    const char *start = line.data, *end = start + line.size;
    uint32_t fields = fields_of(line);
    double value;
    if (fields <= (uint32_t)D)
        return BAD(err, "line %" PRIu64 ": %" PRIu32 " fields, where a word and %d numbers are wanted", line_number,
                   fields, D);
    for (int d = D; d > 0; d--) {
        tw_slice field = last_field(start, &end);
        if (!tw_number_real(field, &value))
            return BAD(err, "line %" PRIu64 ": number %d is not a number", line_number, d);
        if (!isfinite((float)value))
            return BAD(err, "line %" PRIu64 ": number %d is not finite", line_number, d);
    }
    *ret_word = (tw_slice){start, (size_t)(end - start)};
    for (uint32_t more = fields - 1 - (uint32_t)D; more > 0;
         more--) /* a word with blanks in it, or too many numbers? */
        if (tw_number_real(last_field(start, &end), &value))
            return BAD(err, "line %" PRIu64 ": %" PRIu32 " fields, where a word and %d numbers are wanted", line_number,
                       fields, D);
    return ret_word->size <= TW_VECTORS_WORD_MAX
               ? TW_OK
               : BAD(err, "line %" PRIu64 ": a word of more than %d bytes", line_number, TW_VECTORS_WORD_MAX);
}

static tw_code check_dim(uint64_t dim, tw_err *err) {
    if (dim >= 1 && dim <= TW_VECTORS_DIM_MAX)
        return TW_OK;
    return BAD(err, "line 1: vectors of %" PRIu64 " numbers; 1 to %d are read", dim, TW_VECTORS_DIM_MAX);
}

/* Before anything is believed: could so many words of this width be in so many bytes? */
static tw_code check_header(const tw_vectors *vectors, uint64_t count, uint64_t dim, size_t left, tw_err *err) {
    TW_TRY(check_dim(dim, err));
    size_t least = vectors->format == TW_VECTORS_WORD2VEC_BINARY ? 2 + 4 * dim : 1 + 2 * dim;
    if (count == 0)
        return BAD(err, "line 1: the header says that there is no word");
    if (count > left / least || count >= TW_VECTORS_NONE)
        return BAD(err, "line 1: the header says %" PRIu64 " words of %" PRIu64 " numbers; %zu bytes cannot hold them",
                   count, dim, left);
    return TW_OK;
}

/* count: as the header says; 0: as many as there are. */
static tw_code read_text(tw_vectors *vectors, const char *at, uint64_t count, uint64_t line_number, tw_err *err) {
    const char *end = vectors->bytes.data + vectors->bytes.size;
    uint64_t words = 0;
    for (; at < end; line_number++) {
        tw_slice line = line_at(at, end, &at), word;
        if (line.size == 0)
            continue;
        if (vectors->D == 0) {
            uint32_t fields = fields_of(line);
            if (fields < 2)
                return BAD(err, "line %" PRIu64 ": a word without a number", line_number);
            TW_TRY(check_dim(fields - 1, err));
            vectors->D = (int)fields - 1;
        }
        TW_TRY(text_record(line, vectors->D, line_number, &word, err));
        if (++words >= TW_VECTORS_NONE || (count && words > count))
            return BAD(err, "line %" PRIu64 ": one word more than the %" PRIu64 " that %s", line_number, words - 1,
                       count ? "the header says" : "are read");
        tw_vectors_add(vectors, word);
    }
    if (words < count)
        return BAD(err, "ends after %" PRIu64 " words of the %" PRIu64 " that its header says", words, count);
    return words ? TW_OK : BAD(err, "there is no word in it");
}

static tw_code read_binary(tw_vectors *vectors, const char *at, uint64_t count, tw_err *err) {
    const char *start = vectors->bytes.data, *end = start + vectors->bytes.size;
    size_t width = (size_t)vectors->D * sizeof(float);
    for (uint64_t i = 0; i < count; i++) {
        while (at < end && *at == '\n')
            at++;
        size_t left = (size_t)(end - at), most = left <= TW_VECTORS_WORD_MAX ? left : TW_VECTORS_WORD_MAX + 1;
        const char *stop = most ? memchr(at, ' ', most) : NULL;
        if (!stop && most == left)
            return BAD(err, "offset %zu: ends inside word %" PRIu64 " of %" PRIu64, (size_t)(at - start), i + 1, count);
        if (!stop)
            return BAD(err, "offset %zu: word %" PRIu64 " of %" PRIu64 " is longer than %d bytes", (size_t)(at - start),
                       i + 1, count, TW_VECTORS_WORD_MAX);
        if (stop == at)
            return BAD(err, "offset %zu: word %" PRIu64 " of %" PRIu64 " is empty", (size_t)(at - start), i + 1, count);
        tw_slice word = {at, (size_t)(stop - at)};
        at = stop + 1;
        if ((size_t)(end - at) < width)
            return BAD(err, "offset %zu: ends inside the vector of word %" PRIu64 " of %" PRIu64, (size_t)(at - start),
                       i + 1, count);
        for (int d = 0; d < vectors->D; d++) {
            float x;
            memcpy(&x, at + (size_t)d * sizeof x, sizeof x);
            if (!isfinite(x))
                return BAD(err, "offset %zu: number %d of word %" PRIu64 " is not finite",
                           (size_t)(at - start) + (size_t)d * sizeof x, d + 1, i + 1);
        }
        at += width;
        tw_vectors_add(vectors, word);
    }
    for (; at < end; at++)
        if (!tw_vectors_splits(*at))
            return BAD(err, "offset %zu: more follows than the %" PRIu64 " words that the header says",
                       (size_t)(at - start), count);
    return TW_OK;
}

/* Text behind a header: its first line is a record, or at least it holds nothing that no text does. */
static bool looks_like_text(const char *at, const char *end, uint64_t dim) {
    const char *next;
    tw_slice word, line = line_at(at, end, &next);
    if (dim <= TW_VECTORS_DIM_MAX && line.size && text_record(line, (int)dim, 2, &word, NULL) == TW_OK)
        return true;
    size_t look = (size_t)(end - at) < LOOK_BYTES ? (size_t)(end - at) : LOOK_BYTES;
    for (size_t i = 0; i < look; i++)
        if ((unsigned char)at[i] < ' ' && !is_blank(at[i]) && at[i] != '\n' && at[i] != '\r')
            return false;
    return true;
}

tw_code tw_vectors_read(tw_vectors *vectors, tw_err *err) {
    const char *at = vectors->bytes.data, *end = at + vectors->bytes.size, *body;
    uint64_t count, dim;
    if (vectors->bytes.size == 0)
        return BAD(err, "the file is empty");
    if (vectors->bytes.size >= 2 && at[0] == '\x1f' && at[1] == '\x8b')
        return BAD(err, "is gzipped; vectors are mapped, so unpack it first");
    tw_slice first = line_at(at, end, &body);
    bool header = is_header(first, &count, &dim);
    if (vectors->format == TW_VECTORS_AUTO && !header)
        vectors->format = TW_VECTORS_GLOVE;
    else if (vectors->format == TW_VECTORS_AUTO)
        vectors->format = looks_like_text(body, end, dim) ? TW_VECTORS_WORD2VEC_TEXT : TW_VECTORS_WORD2VEC_BINARY;
    if (vectors->format == TW_VECTORS_GLOVE)
        return read_text(vectors, at, 0, 1, err);
    if (!header)
        return BAD(err, "line 1: not a header \"COUNT DIM\", which %s begins with",
                   tw_vectors_format_name(vectors->format));
    TW_TRY(check_header(vectors, count, dim, (size_t)(end - body), err));
    vectors->D = (int)dim;
    return vectors->format == TW_VECTORS_WORD2VEC_TEXT ? read_text(vectors, body, count, 2, err)
                                                       : read_binary(vectors, body, count, err);
}

void tw_vectors_get(const tw_vectors *vectors, uint32_t index, float *vector) {
    const tw_vectors_entry *entry = &vectors->words[index];
    const char *at = vectors->bytes.data + entry->at + entry->size, *end = vectors->bytes.data + vectors->bytes.size;
    if (vectors->format == TW_VECTORS_WORD2VEC_BINARY) {
        memcpy(vector, at + 1, (size_t)vectors->D * sizeof *vector);
        return;
    }
    for (int d = 0; d < vectors->D; d++) {
        double value = 0;
        while (at < end && is_blank(*at))
            at++;
        const char *start = at;
        while (at < end && !is_blank(*at) && *at != '\r' && *at != '\n')
            at++;
        if (!tw_number_real((tw_slice){start, (size_t)(at - start)}, &value) || !isfinite((float)value))
            value = 0; /* somebody writes into the file: it was a number when it was opened */
        vector[d] = (float)value;
    }
}
