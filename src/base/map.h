/* From a text id to a dense 32-bit index: open addressing, the ids owned by the caller.
 *
 * The map stores 8-byte slots (32 bits of the hash, 32 bits of index) and asks the caller for the id of an index when
 * the hash bits agree, so that a million ids cost about 16 MB and no copy of the text. One owner, one thread. */
#ifndef TW_BASE_MAP_H
#define TW_BASE_MAP_H

#include "base/slice.h"

typedef struct tw_map tw_map;

#define TW_MAP_NONE UINT32_MAX

/* id of index, as it was at insertion; salt tells apart equal ids (a user's task), 0 where there is none. */
typedef bool (*tw_map_equal_fn)(const void *owner, uint32_t index, tw_slice id, uint32_t salt);

tw_map *tw_map_create(tw_map_equal_fn equal, const void *owner);
tw_map *tw_map_free(tw_map *map);

/* The index of id, or TW_MAP_NONE. hash is tw_map_hash(id, salt): callers keep it to prefetch and to insert. */
uint64_t tw_map_hash(tw_slice id, uint32_t salt);
uint32_t tw_map_find(const tw_map *map, tw_slice id, uint32_t salt, uint64_t hash);
void tw_map_prefetch(const tw_map *map, uint64_t hash);

/* Adds an id that is not in the map. */
void tw_map_insert(tw_map *map, uint64_t hash, uint32_t index);

/* Takes an id out (the entry with this hash and index must be there); later probes stay correct. */
void tw_map_remove(tw_map *map, uint64_t hash, uint32_t index);

size_t tw_map_count(const tw_map *map);
size_t tw_map_size_bytes(const tw_map *map);

#endif
