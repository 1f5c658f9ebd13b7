/* A file of word vectors, mapped: word2vec's text and binary formats and GloVe's text, which has no header line.
 *
 * Opening reads the file once from end to end, so that everything that is wrong with it is said then, and keeps an index of 16 bytes a word
 * (and as much for the map); the numbers stay where they are and are read when asked for.
 *
 *   word2vec text    "COUNT DIM" line, then COUNT lines "word x1 ... xDIM"
 *   word2vec binary  the same line, then COUNT times word, blank, DIM little-endian floats, perhaps a line break
 *   GloVe            lines "word x1 ... xDIM"; the first one, whose word has no blank, says how many numbers a line has
 *
 * What is wrong with the form stops with line or offset: a number that is none or not finite, another number of numbers, a missing word, an
 * end inside a vector, more or fewer words than the header says, a header that cannot be true of a file of this size, an empty file. A word
 * that stands twice is the first of the two, and counted. A word may hold blanks in text where nothing behind its first blank is a number
 * (GloVe's 840B has such), and any bytes. Empty lines are left out.
 *
 * The file must stay as it is while it is open: replace it by another one of the same name, do not write into it (a mapped page that is
 * cut off ends the process). Thread: any, after open. */
#ifndef TW_BASE_VECTORS_H
#define TW_BASE_VECTORS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"

typedef struct tw_vectors tw_vectors;

/* AUTO goes by the content; a GloVe file of one number a line whose first word is a
 * whole number looks like a header and has to be named. */
typedef enum tw_vectors_format {
    TW_VECTORS_AUTO,
    TW_VECTORS_WORD2VEC_TEXT,
    TW_VECTORS_WORD2VEC_BINARY,
    TW_VECTORS_GLOVE,
    TW_VECTORS_FORMATS
} tw_vectors_format;

#define TW_VECTORS_DIM_MAX 16384
#define TW_VECTORS_WORD_MAX 4096 /* bytes */

const char *tw_vectors_format_name(tw_vectors_format format); /* auto, word2vec, word2vec-binary, glove */
bool tw_vectors_format_named(const char *name, tw_vectors_format *ret_format);

/* Maps and checks it. Errors: TW_E_IO; TW_E_BAD_FILE with the path, and line or offset. */
tw_code tw_vectors_open(const char *path, tw_vectors_format format, tw_vectors **ret_vectors, tw_err *err);
/* The same of bytes in memory (borrowed until close); name stands for the path. */
tw_code tw_vectors_of(tw_slice bytes, const char *name, tw_vectors_format format, tw_vectors **ret_vectors,
                      tw_err *err);
tw_vectors *tw_vectors_close(tw_vectors *vectors);

tw_vectors_format tw_vectors_form(const tw_vectors *vectors);
int tw_vectors_dim(const tw_vectors *vectors);
uint32_t tw_vectors_count(const tw_vectors *vectors);      /* different words */
uint32_t tw_vectors_duplicates(const tw_vectors *vectors); /* left out */
tw_hash128 tw_vectors_hash(const tw_vectors *vectors);     /* XXH3-128 of the whole file */

#define TW_VECTORS_NONE UINT32_MAX
uint32_t tw_vectors_find(const tw_vectors *vectors, tw_slice word); /* TW_VECTORS_NONE: not there */
tw_slice tw_vectors_word(const tw_vectors *vectors, uint32_t index);
void tw_vectors_get(const tw_vectors *vectors, uint32_t index, float *vector); /* (dim) out, finite */

/* An id as a word of these formats, which know no blank: blanks and control characters become '_', as word2vec's phrases have it. The slice
 * is id's own where nothing changes, else scratch's until that is used again. */
tw_slice tw_vectors_word_of(tw_slice id, tw_buf *scratch);

/* ---- writing ---- */

/* Writes one of the forms to PATH.part, which becomes PATH at the end. Text has nine digits: it reads back as it was. A line
 * break ends each word's numbers in binary too, as word2vec's own program has it; gensim reads it with and without. */
typedef struct tw_vectors_out tw_vectors_out;

/* format: any but AUTO; count > 0: nobody reads a file without a word. Errors: TW_E_IO. */
tw_code tw_vectors_create(const char *path, tw_vectors_format format, uint32_t count, int dim, tw_vectors_out **ret_out,
                          tw_err *err);
/* id becomes a word as tw_vectors_word_of has it. Errors of writing are told by finish. */
void tw_vectors_put(tw_vectors_out *out, tw_slice id, const float *vector);
/* Consumes out; exactly count words must have been put. Errors: TW_E_IO; then the part is gone. */
tw_code tw_vectors_finish(tw_vectors_out *out, tw_err *err);
tw_vectors_out *tw_vectors_drop(tw_vectors_out *out); /* nothing is left of it */

#endif
