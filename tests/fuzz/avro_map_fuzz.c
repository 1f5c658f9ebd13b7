/* Any bytes as a map of schema ids, beside one schema called s: known ids or one clear error with its line. */
#include "avro/schemas.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void write_file(const char *path, const void *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"user_id\",\"type\":\"int\"}]}";
    char folder[] = "/tmp/tailwater-fuzz-XXXXXX", map[64], s[64];
    tw_err err = {0};
    if (!mkdtemp(folder))
        abort();
    snprintf(map, sizeof map, "%s/map", folder);
    snprintf(s, sizeof s, "%s/s", folder);
    write_file(map, bytes, size);
    write_file(s, schema, sizeof schema - 1);
    tw_avro_schemas *schemas = tw_avro_schemas_create(NULL);
    tw_code code = tw_avro_schemas_add_map(schemas, map, &err);
    if (code != TW_OK && !strstr(err.text, map))
        __builtin_trap();
    (void)tw_avro_schemas_by_id(schemas, 7);
    tw_avro_schemas_free(schemas);
    unlink(map);
    unlink(s);
    rmdir(folder);
    return 0;
}
