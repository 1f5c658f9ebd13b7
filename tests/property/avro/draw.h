/* Random schemas of writers that evolved in every way, and random datums of them. */
#ifndef TW_TEST_AVRO_DRAW_H
#define TW_TEST_AVRO_DRAW_H

#include "base/buf.h"
#include "base/rng.h"
#include "support/avro_oracle.h"

/* A record with some fields of ours, in any order and of any type that can be read, among others of any type. plain: ours have the types
 * and names that avro-c's side of the comparison knows: no aliases, logical types or numbers as ids. */
tw_oracle_type *tw_draw_record(tw_rng *rng, bool plain, tw_arena *arena);

/* Its schema as JSON text. */
void tw_draw_schema(const tw_oracle_type *record, tw_buf *out);

/* A datum of it. */
void tw_draw_datum(tw_rng *rng, const tw_oracle_type *record, tw_buf *out);

#endif
