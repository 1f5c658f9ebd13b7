/* Walking an Avro container: header, then block by block, each inflated when it must be, then datum by datum by the plan, which
 * knows where one ends. Called by the file source. */
#include "pipeline/ingest/avro_blocks.h"

#include "avro/container.h"
#include "avro/plan.h"
#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

struct tw_avro_blocks {
    char *schema;
    size_t schema_size;
    tw_avro_codec codec;
    char sync[16];
    tw_avro_plan *plan;
    tw_buf inflated;
    tw_slice data;     /* of the block, not yet given */
    int64_t left;      /* datums of the block, not yet given */
    size_t block_size; /* bytes of the window that the block took, to be given up when it is through */
};

static tw_code read_header(tw_avro_blocks *blocks, tw_bytes *bytes, tw_err *err) {
    tw_avro_header header;
    size_t size;
    for (;;) {
        tw_code code = tw_avro_header_read(tw_bytes_window(bytes), &header, &size, err);
        if (code == TW_OK)
            break;
        bool more = false;
        if (code == TW_E_AGAIN && tw_bytes_window(bytes).size <= (size_t)TW_AVRO_BLOCK_MAX)
            TW_TRY(tw_bytes_more(bytes, &more, err));
        if (!more)
            return code == TW_E_AGAIN ? tw_fail(err, TW_E_BAD_FILE, "Avro file: ends inside its header") : code;
    }
    blocks->schema = tw_alloc(header.schema.size);
    blocks->schema_size = header.schema.size;
    memcpy(blocks->schema, header.schema.data, header.schema.size);
    blocks->codec = header.codec;
    memcpy(blocks->sync, header.sync, sizeof blocks->sync);
    tw_bytes_take(bytes, size);
    return TW_OK;
}

tw_code tw_avro_blocks_open(tw_bytes *bytes, tw_avro_blocks **ret_blocks, tw_err *err) {
    tw_avro_blocks *blocks = tw_zalloc(sizeof *blocks);
    tw_code code = read_header(blocks, bytes, err);
    if (code == TW_OK)
        code = tw_avro_plan_create_skipper(tw_avro_blocks_schema(blocks), &blocks->plan, err);
    if (code != TW_OK) {
        tw_avro_blocks_free(blocks);
        return code;
    }
    *ret_blocks = blocks;
    return TW_OK;
}

tw_avro_blocks *tw_avro_blocks_free(tw_avro_blocks *blocks) {
    if (blocks) {
        tw_avro_plan_free(blocks->plan);
        tw_buf_done(&blocks->inflated);
        free(blocks->schema);
        free(blocks);
    }
    return NULL;
}

tw_slice tw_avro_blocks_schema(const tw_avro_blocks *blocks) {
    return (tw_slice){blocks->schema, blocks->schema_size};
}

/* Gives up the block that is through and brings the next one into the window. */
static tw_code next_block(tw_avro_blocks *blocks, tw_bytes *bytes, bool *ret_found, tw_err *err) {
    tw_avro_header header = {.codec = blocks->codec};
    tw_avro_block block;
    memcpy(header.sync, blocks->sync, sizeof header.sync);
    tw_bytes_take(bytes, blocks->block_size);
    blocks->block_size = 0;
    *ret_found = false;
    for (;;) {
        tw_slice window = tw_bytes_window(bytes);
        tw_code code = tw_avro_block_read(window, &header, &block, &blocks->block_size, err);
        if (code == TW_OK)
            break;
        blocks->block_size = 0;
        bool more = false;
        if (code == TW_E_AGAIN)
            TW_TRY(tw_bytes_more(bytes, &more, err));
        if (!more && code == TW_E_AGAIN && window.size == 0)
            return TW_OK; /* the end, where one may be */
        if (!more)
            return tw_fail(err, TW_E_BAD_FILE, "Avro file: a block at byte %" PRId64 " is torn or damaged",
                           tw_bytes_offset(bytes));
    }
    TW_TRY(tw_avro_block_data(&block, blocks->codec, &blocks->inflated, &blocks->data, err));
    blocks->left = block.count;
    *ret_found = true;
    return TW_OK;
}

tw_code tw_avro_blocks_next(tw_avro_blocks *blocks, tw_bytes *bytes, bool may_move, tw_slice *ret_datum,
                            bool *ret_found, tw_err *err) {
    *ret_found = false;
    while (blocks->left == 0) {
        bool found;
        if (!may_move)
            return TW_OK;
        if (blocks->data.size)
            return tw_fail(err, TW_E_BAD_FILE, "Avro file: %zu bytes too many in the block before byte %" PRId64,
                           blocks->data.size, tw_bytes_offset(bytes));
        TW_TRY(next_block(blocks, bytes, &found, err));
        if (!found)
            return TW_OK;
    }
    size_t size = 0;
    tw_reason reason = tw_avro_plan_skip(blocks->plan, blocks->data, &size);
    if (reason != TW_REASON_NONE)
        return tw_fail(err, TW_E_BAD_FILE, "Avro file: a record in the block at byte %" PRId64 " is %s",
                       tw_bytes_offset(bytes), tw_reason_name(reason));
    *ret_datum = (tw_slice){blocks->data.data, size};
    blocks->data = (tw_slice){blocks->data.data + size, blocks->data.size - size};
    blocks->left--;
    *ret_found = true;
    return TW_OK;
}
