/* A small table, searched in order: a stream names few schemas. Filled by the source, read by the framed
 * decoder. */
#include "avro/schemas.h"

#include "avro/fingerprint.h"
#include "avro/internal.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_SIZE_MAX ((size_t)1 << 20)

typedef struct known {
    uint64_t fingerprint;
    tw_avro_plan *plan;
    bool ambiguous; /* another plan has the same fingerprint */
} known;

typedef struct named {
    uint32_t id;
    size_t known; /* place in schemas->known */
} named;

struct tw_avro_schemas {
    const tw_mapping *mapping;
    known *known;
    size_t known_count, known_capacity;
    named *named;
    size_t named_count, named_capacity;
};

tw_avro_schemas *tw_avro_schemas_create(const tw_mapping *mapping) {
    tw_avro_schemas *schemas = tw_zalloc(sizeof *schemas);
    schemas->mapping = mapping;
    return schemas;
}

tw_avro_schemas *tw_avro_schemas_free(tw_avro_schemas *schemas) {
    if (schemas) {
        for (size_t i = 0; i < schemas->known_count; i++)
            tw_avro_plan_free(schemas->known[i].plan);
        free(schemas->known);
        free(schemas->named);
        free(schemas);
    }
    return NULL;
}

/* The canonical form drops logical types and aliases, so that schemas of one fingerprint may still read differently: what a plan does
 * decides whether it is the same. */
static tw_code find_or_compile(tw_avro_schemas *schemas, tw_slice schema_json, size_t *ret_place, tw_err *err) {
    known one = {0};
    TW_TRY(tw_avro_fingerprint(schema_json, &one.fingerprint, err));
    TW_TRY(tw_avro_plan_create(schema_json, schemas->mapping, &one.plan, err));
    for (size_t i = 0; i < schemas->known_count; i++) {
        known *other = &schemas->known[i];
        if (other->fingerprint != one.fingerprint)
            continue;
        if (tw_avro_plan_same(other->plan, one.plan)) {
            tw_avro_plan_free(one.plan);
            *ret_place = i;
            return TW_OK;
        }
        other->ambiguous = one.ambiguous = true;
    }
    schemas->known =
        tw_grow(schemas->known, &schemas->known_capacity, schemas->known_count + 1, sizeof *schemas->known);
    schemas->known[schemas->known_count] = one;
    *ret_place = schemas->known_count++;
    return TW_OK;
}

tw_code tw_avro_schemas_add(tw_avro_schemas *schemas, int64_t id, tw_slice schema_json, tw_err *err) {
    size_t place;
    TW_TRY(find_or_compile(schemas, schema_json, &place, err));
    if (id == TW_AVRO_NO_ID)
        return TW_OK;
    for (size_t i = 0; i < schemas->named_count; i++)
        if (schemas->named[i].id == (uint32_t)id)
            return schemas->named[i].known == place
                       ? TW_OK
                       : tw_fail(err, TW_E_CONFIG, "id %lld stands for another schema already", (long long)id);
    schemas->named =
        tw_grow(schemas->named, &schemas->named_capacity, schemas->named_count + 1, sizeof *schemas->named);
    schemas->named[schemas->named_count++] = (named){(uint32_t)id, place};
    return TW_OK;
}

tw_code tw_avro_schemas_add_file(tw_avro_schemas *schemas, int64_t id, const char *path, tw_err *err) {
    tw_buf text = {0};
    tw_code code = tw_file_read(path, FILE_SIZE_MAX, &text, err);
    if (code == TW_OK && (code = tw_avro_schemas_add(schemas, id, tw_buf_slice(&text), err)) != TW_OK)
        tw_wrap(err, "%s", path);
    tw_buf_done(&text);
    return code;
}

/* One line of a map: "7 schemas/click.avsc". */
static tw_code add_line(tw_avro_schemas *schemas, const char *map_path, char *line, tw_err *err) {
    char path[4096], *end;
    line[strcspn(line, "#")] = '\0';
    line += strspn(line, " \t\r");
    for (size_t n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--)
        line[n - 1] = '\0';
    if (!*line)
        return TW_OK;
    errno = 0;
    unsigned long long id = strtoull(line, &end, 10);
    if (*line < '0' || *line > '9' || errno || id > UINT32_MAX || !strchr(" \t", *end) || !*end)
        return tw_fail(err, TW_E_CONFIG, "wants an id and the path of a schema");
    end += strspn(end, " \t");
    const char *slash = strrchr(map_path, '/');
    int folder_size = *end == '/' || !slash ? 0 : (int)(slash - map_path + 1);
    if (snprintf(path, sizeof path, "%.*s%s", folder_size, map_path, end) >= (int)sizeof path)
        return tw_fail(err, TW_E_CONFIG, "the path is too long");
    return tw_avro_schemas_add_file(schemas, (int64_t)id, path, err);
}

tw_code tw_avro_schemas_add_map(tw_avro_schemas *schemas, const char *path, tw_err *err) {
    tw_buf text = {0};
    tw_code code = tw_file_read(path, FILE_SIZE_MAX, &text, err);
    if (code == TW_OK && text.size && memchr(text.data, '\0', text.size))
        code = tw_fail(err, TW_E_CONFIG, "%s: holds a zero byte", path);
    if (code == TW_OK)
        tw_buf_u8(&text, '\0');
    int number = 0;
    for (char *line = text.data; code == TW_OK && line; number++) {
        char *next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if ((code = add_line(schemas, path, line, err)) != TW_OK)
            tw_wrap(err, "%s:%d", path, number + 1);
        line = next;
    }
    tw_buf_done(&text);
    return code;
}

const tw_avro_plan *tw_avro_schemas_by_id(const tw_avro_schemas *schemas, uint32_t id) {
    for (size_t i = 0; i < schemas->named_count; i++)
        if (schemas->named[i].id == id)
            return schemas->known[schemas->named[i].known].plan;
    return NULL;
}

const tw_avro_plan *tw_avro_schemas_by_fingerprint(const tw_avro_schemas *schemas, uint64_t fingerprint) {
    for (size_t i = 0; i < schemas->known_count; i++)
        if (schemas->known[i].fingerprint == fingerprint)
            return schemas->known[i].ambiguous ? NULL : schemas->known[i].plan;
    return NULL;
}
