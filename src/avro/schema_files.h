/* The schemas of schemas/ as they are inside the program; the table is generated at build time. */
#ifndef TW_AVRO_SCHEMA_FILES_H
#define TW_AVRO_SCHEMA_FILES_H

#include "base/embedded.h"

extern const tw_embedded_file tw_schema_files[];
extern const size_t tw_schema_files_count;

/* The schema of that file name, "recommendation.avsc"; asserts that it is there. */
tw_slice tw_schema_file(const char *name);

#endif
