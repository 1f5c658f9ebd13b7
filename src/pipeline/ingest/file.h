/* Files as a source: CSV with a header line, JSON lines, Avro containers; each also gzipped. What a file is shows in its first
 * bytes, not in its name.
 *
 * One record is one row, line or datum; its offset is its number from 0 (blank lines are not records). A row longer than
 * ingest.record.max.bytes is handed out cut to one byte more than that, which the engine answers with OVERSIZED; reading goes
 * on at the next line. Torn or damaged files give the whole records before the damage, then TW_E_BAD_FILE with the byte offset. */
#ifndef TW_INGEST_FILE_H
#define TW_INGEST_FILE_H

#include "config/config.h"
#include "pipeline/ingest/source.h"

/* Opens, hashes the content (its identity) and reads the header. Errors: TW_E_IO, TW_E_BAD_FILE. */
tw_code tw_source_file(const char *path, const tw_config *config, tw_source **ret_source, tw_err *err);

#endif
