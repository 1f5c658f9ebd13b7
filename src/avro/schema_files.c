/* Finding a schema of ours by its file name. Called when sources and sinks are opened. */
#include "avro/schema_files.h"

#include "base/err.h"

tw_slice tw_schema_file(const char *name) {
    size_t i = 0;
    while (i < tw_schema_files_count && strcmp(tw_schema_files[i].name, name) != 0)
        i++;
    TW_ASSERT(i < tw_schema_files_count);
    return tw_embedded_slice(&tw_schema_files[i]);
}
