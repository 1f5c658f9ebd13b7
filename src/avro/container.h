/* Avro object container files (Avro 1.11 specification, "Object Container Files"): the header and the blocks, from bytes that may
 * not all be there yet. Codecs null and deflate. Thread: its owner's. */
#ifndef TW_AVRO_CONTAINER_H
#define TW_AVRO_CONTAINER_H

#include "base/buf.h"
#include "base/err.h"

typedef enum tw_avro_codec { TW_AVRO_NULL, TW_AVRO_DEFLATE } tw_avro_codec;

typedef struct tw_avro_header {
    tw_slice schema; /* borrowed from the bytes */
    tw_avro_codec codec;
    char sync[16];
} tw_avro_header;

typedef struct tw_avro_block {
    int64_t count; /* datums */
    tw_slice data; /* as stored, borrowed */
} tw_avro_block;

#define TW_AVRO_BLOCK_MAX ((int64_t)64 << 20) /* a block larger than this is refused, stored or inflated */

bool tw_avro_is_container(tw_slice start); /* the first four bytes say so */

/* From the front of bytes; *ret_size: how many they took. Errors: TW_E_AGAIN (more bytes are needed), TW_E_BAD_FILE. */
tw_code tw_avro_header_read(tw_slice bytes, tw_avro_header *ret_header, size_t *ret_size, tw_err *err);
tw_code tw_avro_block_read(tw_slice bytes, const tw_avro_header *header, tw_avro_block *ret_block, size_t *ret_size,
                           tw_err *err);

/* The datums of a block: borrowed from it (null), or inflated into buf. Errors: TW_E_BAD_FILE. */
tw_code tw_avro_block_data(const tw_avro_block *block, tw_avro_codec codec, tw_buf *buf, tw_slice *ret_data,
                           tw_err *err);

#endif
