/* A source of events that are already decoded and in memory: for measuring the engine without the cost of reading, and for
 * tests. One input, one partition, bounded. Thread: engine. */
#ifndef TW_INGEST_MEMORY_H
#define TW_INGEST_MEMORY_H

#include "pipeline/ingest/source.h"

/* events (count) are borrowed, with the bytes they point to, until close. Never NULL. */
tw_source *tw_source_memory(const tw_event *events, size_t count);

#endif
