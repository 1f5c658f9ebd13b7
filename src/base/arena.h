/* Memory for one batch: allocate by moving a pointer, release everything at once.
 *
 * Suits decoded fields, encoded rows and other things that die together. Not thread-safe: one arena, one thread. */
#ifndef TW_BASE_ARENA_H
#define TW_BASE_ARENA_H

#include "base/slice.h"

typedef struct tw_arena tw_arena;

/* An arena that grows by chunks of chunk_size bytes (larger requests get a chunk of their own). Never NULL: memory
 * exhausted at this size ends the process with a message, as in tw_alloc. */
tw_arena *tw_arena_create(size_t chunk_size);
tw_arena *tw_arena_free(tw_arena *arena);

/* size bytes, aligned for any type, uninitialised, valid until the next reset. */
void *tw_arena_alloc(tw_arena *arena, size_t size);

/* A copy of s in the arena. */
tw_slice tw_arena_copy(tw_arena *arena, tw_slice s);

/* Forgets everything and keeps the chunks for reuse. */
void tw_arena_reset(tw_arena *arena);

/* Bytes held from the system. */
size_t tw_arena_size(const tw_arena *arena);

#endif
