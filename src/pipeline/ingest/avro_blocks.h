/* The datums of an Avro container, one after the other, from a window of bytes. Used by the file source; engine thread. */
#ifndef TW_INGEST_AVRO_BLOCKS_H
#define TW_INGEST_AVRO_BLOCKS_H

#include "pipeline/ingest/bytes.h"

typedef struct tw_avro_blocks tw_avro_blocks;

/* Reads the header at the front of bytes and compiles its schema. Errors: TW_E_BAD_FILE, TW_E_IO. */
tw_code tw_avro_blocks_open(tw_bytes *bytes, tw_avro_blocks **ret_blocks, tw_err *err);
tw_avro_blocks *tw_avro_blocks_free(tw_avro_blocks *blocks);
tw_slice tw_avro_blocks_schema(const tw_avro_blocks *blocks); /* owned by blocks */

/* The next datum. may_move: the window may move on to the next block (datums given before die); else *ret_found is false at the
 * end of the block. *ret_found false with may_move: the end of the file. Errors: TW_E_BAD_FILE with the byte offset, TW_E_IO. */
tw_code tw_avro_blocks_next(tw_avro_blocks *blocks, tw_bytes *bytes, bool may_move, tw_slice *ret_datum,
                            bool *ret_found, tw_err *err);

#endif
