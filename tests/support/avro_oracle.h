/* The oracle of the Avro plan: a plain recursive reader that follows the specification type by type, with no regard for speed, and
 * shares no code with what it judges. Its schemas are trees in memory, drawn by a test, not parsed. */
#ifndef TW_TEST_AVRO_ORACLE_H
#define TW_TEST_AVRO_ORACLE_H

#include "base/arena.h"
#include "base/event.h"

typedef enum tw_oracle_kind {
    TW_ORACLE_NULL,
    TW_ORACLE_BOOLEAN,
    TW_ORACLE_INT,
    TW_ORACLE_LONG,
    TW_ORACLE_FLOAT,
    TW_ORACLE_DOUBLE,
    TW_ORACLE_BYTES,
    TW_ORACLE_STRING,
    TW_ORACLE_FIXED,
    TW_ORACLE_ENUM,
    TW_ORACLE_ARRAY,
    TW_ORACLE_MAP,
    TW_ORACLE_UNION,
    TW_ORACLE_RECORD
} tw_oracle_kind;

#define TW_ORACLE_PARTS_MAX 16

typedef struct tw_oracle_type {
    tw_oracle_kind kind;
    const char *logical; /* NULL: none */
    int number;          /* of a named type, its name; of a record within itself, how it is written the second time */
    int count;           /* fields, branches or symbols; 1 for an array or map */
    size_t size;         /* of a fixed */
    struct tw_oracle_type *parts[TW_ORACLE_PARTS_MAX];
    const char *names[TW_ORACLE_PARTS_MAX];   /* of fields or symbols */
    tw_field fields[TW_ORACLE_PARTS_MAX];     /* what a field of the top record is to us */
    const char *aliases[TW_ORACLE_PARTS_MAX]; /* of fields; NULL: none */
} tw_oracle_type;

/* Reads one datum; false when the bytes are not of the type. Joined and printed texts come from arena. */
bool tw_oracle_read(const tw_oracle_type *record, tw_slice bytes, tw_arena *arena, tw_event *ret_event,
                    size_t *ret_size);

#endif
