/* The canonical form is written from avro-c's tree, which has already dropped what the form leaves out (docs, aliases, defaults,
 * logical types, other attributes). Called when schemas are made known. */
#include "avro/fingerprint.h"

#include "avro/internal.h"

#include <avro.h>

static void put_canonical(avro_schema_t schema, tw_buf *out);

/* A named type's full name, quoted. */
static void put_name(avro_schema_t schema, tw_buf *out) {
    const char *space = avro_schema_namespace(schema);
    if (space && *space)
        tw_buf_printf(out, "\"%s.%s\"", space, avro_schema_name(schema));
    else
        tw_buf_printf(out, "\"%s\"", avro_schema_name(schema));
}

static void put_record(avro_schema_t schema, tw_buf *out) {
    tw_buf_printf(out, "{\"name\":");
    put_name(schema, out);
    tw_buf_printf(out, ",\"type\":\"record\",\"fields\":[");
    int count = (int)avro_schema_record_size(schema);
    for (int i = 0; i < count; i++) {
        tw_buf_printf(out, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", avro_schema_record_field_name(schema, i));
        put_canonical(avro_schema_record_field_get_by_index(schema, i), out);
        tw_buf_u8(out, '}');
    }
    tw_buf_printf(out, "]}");
}

static void put_enum(avro_schema_t schema, tw_buf *out) {
    tw_buf_printf(out, "{\"name\":");
    put_name(schema, out);
    tw_buf_printf(out, ",\"type\":\"enum\",\"symbols\":[");
    for (int i = 0; i < avro_schema_enum_number_of_symbols(schema); i++)
        tw_buf_printf(out, "%s\"%s\"", i ? "," : "", avro_schema_enum_get(schema, i));
    tw_buf_printf(out, "]}");
}

static void put_union(avro_schema_t schema, tw_buf *out) {
    tw_buf_u8(out, '[');
    for (int i = 0; i < (int)avro_schema_union_size(schema); i++) {
        if (i)
            tw_buf_u8(out, ',');
        put_canonical(avro_schema_union_branch(schema, i), out);
    }
    tw_buf_u8(out, ']');
}

static void put_canonical(avro_schema_t schema, tw_buf *out) {
    switch (avro_typeof(schema)) {
    case AVRO_RECORD:
        put_record(schema, out);
        break;
    case AVRO_ENUM:
        put_enum(schema, out);
        break;
    case AVRO_FIXED:
        tw_buf_printf(out, "{\"name\":");
        put_name(schema, out);
        tw_buf_printf(out, ",\"type\":\"fixed\",\"size\":%lld}", (long long)avro_schema_fixed_size(schema));
        break;
    case AVRO_ARRAY:
        tw_buf_printf(out, "{\"type\":\"array\",\"items\":");
        put_canonical(avro_schema_array_items(schema), out);
        tw_buf_u8(out, '}');
        break;
    case AVRO_MAP:
        tw_buf_printf(out, "{\"type\":\"map\",\"values\":");
        put_canonical(avro_schema_map_values(schema), out);
        tw_buf_u8(out, '}');
        break;
    case AVRO_UNION:
        put_union(schema, out);
        break;
    case AVRO_LINK:
        put_name(avro_schema_link_target(schema), out);
        break;
    default:
        tw_buf_printf(out, "\"%s\"", avro_schema_type_name(schema));
    }
}

tw_code tw_avro_canonical(tw_slice schema_json, tw_buf *out, tw_err *err) {
    avro_schema_t schema = NULL;
    TW_TRY(tw_avro_parse(schema_json, &schema, err));
    put_canonical(schema, out);
    avro_schema_decref(schema);
    return TW_OK;
}

/* The polynomial of the specification, bit-reversed; also the fingerprint of nothing. */
#define EMPTY 0xc15d213aa4d7a795u

uint64_t tw_avro_crc64(tw_slice bytes) {
    uint64_t crc = EMPTY;
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= (unsigned char)bytes.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (EMPTY & -(crc & 1));
    }
    return crc;
}

tw_code tw_avro_fingerprint(tw_slice schema_json, uint64_t *ret_fingerprint, tw_err *err) {
    tw_buf form = {0};
    tw_code code = tw_avro_canonical(schema_json, &form, err);
    if (code == TW_OK)
        *ret_fingerprint = tw_avro_crc64(tw_buf_slice(&form));
    tw_buf_done(&form);
    return code;
}
