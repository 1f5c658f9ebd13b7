/* Reading containers. Called by the file source. */
#include "avro/container.h"

#include <inttypes.h>
#include <zlib.h>

#define ENTRIES_MAX 1000 /* of a header's map in one block */

bool tw_avro_is_container(tw_slice start) {
    return start.size >= 4 && memcmp(start.data, "Obj\x01", 4) == 0;
}

/* TW_E_AGAIN when the varint is not whole. */
static tw_code take_long(tw_slice *bytes, int64_t *ret_value, tw_err *err) {
    uint64_t value = 0;
    for (size_t i = 0; i < 10; i++) {
        if (i == bytes->size)
            return tw_fail(err, TW_E_AGAIN, "Avro file: ends inside a number");
        value |= (uint64_t)((unsigned char)bytes->data[i] & 0x7f) << (7 * i);
        if (!(bytes->data[i] & 0x80)) {
            *bytes = (tw_slice){bytes->data + i + 1, bytes->size - i - 1};
            *ret_value = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return TW_OK;
        }
    }
    return tw_fail(err, TW_E_BAD_FILE, "Avro file: a number of more than 64 bits");
}

static tw_code take_bytes(tw_slice *bytes, int64_t size, tw_slice *ret, tw_err *err) {
    if (size < 0 || size > TW_AVRO_BLOCK_MAX)
        return tw_fail(err, TW_E_BAD_FILE, "Avro file: a length of %" PRId64, size);
    if ((size_t)size > bytes->size)
        return tw_fail(err, TW_E_AGAIN, "Avro file: ends inside %" PRId64 " bytes", size);
    *ret = (tw_slice){bytes->data, (size_t)size};
    *bytes = (tw_slice){bytes->data + size, bytes->size - (size_t)size};
    return TW_OK;
}

static tw_code take_entry(tw_slice *bytes, tw_avro_header *header, tw_err *err) {
    int64_t size;
    tw_slice name, value;
    TW_TRY(take_long(bytes, &size, err));
    TW_TRY(take_bytes(bytes, size, &name, err));
    TW_TRY(take_long(bytes, &size, err));
    TW_TRY(take_bytes(bytes, size, &value, err));
    if (tw_slice_equal(name, TW_SLICE_LITERAL("avro.schema"))) {
        header->schema = value;
    } else if (tw_slice_equal(name, TW_SLICE_LITERAL("avro.codec"))) {
        if (tw_slice_equal(value, TW_SLICE_LITERAL("deflate")))
            header->codec = TW_AVRO_DEFLATE;
        else if (!tw_slice_equal(value, TW_SLICE_LITERAL("null")))
            return tw_fail(err, TW_E_BAD_FILE, "Avro file: codec \"" TW_SLICE_FMT "\"; null and deflate are read",
                           TW_SLICE_ARG(value));
    }
    return TW_OK;
}

tw_code tw_avro_header_read(tw_slice bytes, tw_avro_header *ret_header, size_t *ret_size, tw_err *err) {
    tw_slice left = bytes, sync;
    tw_avro_header header = {.codec = TW_AVRO_NULL};
    if (left.size < 4)
        return tw_fail(err, TW_E_AGAIN, "Avro file: ends inside its header");
    if (!tw_avro_is_container(left))
        return tw_fail(err, TW_E_BAD_FILE, "not an Avro file");
    left = (tw_slice){left.data + 4, left.size - 4};
    for (;;) {
        int64_t count, block_size;
        TW_TRY(take_long(&left, &count, err));
        if (count == 0)
            break;
        if (count < 0 && count >= -ENTRIES_MAX) {
            TW_TRY(take_long(&left, &block_size, err));
            count = -count;
        }
        if (count < 0 || count > ENTRIES_MAX)
            return tw_fail(err, TW_E_BAD_FILE, "Avro file: a header of %" PRId64 " entries", count);
        for (; count > 0; count--)
            TW_TRY(take_entry(&left, &header, err));
    }
    TW_TRY(take_bytes(&left, sizeof header.sync, &sync, err));
    if (!header.schema.size)
        return tw_fail(err, TW_E_BAD_FILE, "Avro file: no schema in its header");
    memcpy(header.sync, sync.data, sizeof header.sync);
    *ret_header = header;
    *ret_size = bytes.size - left.size;
    return TW_OK;
}

tw_code tw_avro_block_read(tw_slice bytes, const tw_avro_header *header, tw_avro_block *ret_block, size_t *ret_size,
                           tw_err *err) {
    tw_slice left = bytes, sync;
    tw_avro_block block;
    int64_t size;
    TW_TRY(take_long(&left, &block.count, err));
    TW_TRY(take_long(&left, &size, err));
    if (block.count < 0)
        return tw_fail(err, TW_E_BAD_FILE, "Avro file: a block of %" PRId64 " records", block.count);
    TW_TRY(take_bytes(&left, size, &block.data, err));
    TW_TRY(take_bytes(&left, sizeof header->sync, &sync, err));
    if (memcmp(sync.data, header->sync, sizeof header->sync) != 0)
        return tw_fail(err, TW_E_BAD_FILE, "Avro file: the marker behind a block is not the file's");
    *ret_block = block;
    *ret_size = bytes.size - left.size;
    return TW_OK;
}

tw_code tw_avro_block_data(const tw_avro_block *block, tw_avro_codec codec, tw_buf *buf, tw_slice *ret_data,
                           tw_err *err) {
    if (codec == TW_AVRO_NULL) {
        *ret_data = block->data;
        return TW_OK;
    }
    z_stream z = {.next_in = (Bytef *)block->data.data, .avail_in = (uInt)block->data.size};
    if (inflateInit2(&z, -15) != Z_OK) /* raw deflate, as the specification says */
        return tw_fail(err, TW_E_NO_MEMORY, "inflate");
    tw_buf_clear(buf);
    int result = Z_OK;
    while (result == Z_OK && buf->size <= (size_t)TW_AVRO_BLOCK_MAX) {
        size_t room = (size_t)1 << 16;
        z.next_out = tw_buf_reserve(buf, room);
        z.avail_out = (uInt)room;
        result = inflate(&z, Z_NO_FLUSH);
        buf->size += room - z.avail_out;
    }
    inflateEnd(&z);
    if (result != Z_STREAM_END)
        return tw_fail(err, TW_E_BAD_FILE, "Avro file: a deflated block is damaged or larger than %" PRId64 " bytes",
                       TW_AVRO_BLOCK_MAX);
    *ret_data = tw_buf_slice(buf);
    return TW_OK;
}
