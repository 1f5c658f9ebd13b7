/* Where records come from: a struct of functions that Kafka, a file and the synthetic shop fill.
 *
 * poll hands out a batch in order; its bytes live until the next poll. seek says where to go on (once, before the first
 * poll). ack tells the source that everything up to a position is durable. Errors of class RETRY mean: poll again later.
 * Thread: engine. */
#ifndef TW_INGEST_SOURCE_H
#define TW_INGEST_SOURCE_H

#include "base/err.h"
#include "base/event.h"
#include "base/mapping.h"

typedef enum tw_format {
    TW_FORMAT_CSV,
    TW_FORMAT_JSON,
    TW_FORMAT_AVRO,          /* one writer's schema for all records */
    TW_FORMAT_CONFLUENT,     /* Avro, each record names its schema by a registry's id */
    TW_FORMAT_SINGLE_OBJECT, /* Avro, each record names its schema by fingerprint */
    TW_FORMAT_EVENT          /* records carry decoded events (tests, bench, synthetic shop) */
} tw_format;

struct tw_avro_schemas;

/* What the decoder of an input must know. */
typedef struct tw_input {
    const char *name;                      /* topic or file name, for messages and dead letters */
    tw_format format;                      /* of the values */
    tw_slice schema;                       /* AVRO: the writer's schema as JSON text; CSV: the header line */
    const struct tw_avro_schemas *schemas; /* CONFLUENT, SINGLE_OBJECT: those that are known */
    const tw_mapping *mapping;             /* names of fields and kinds, unit of time; NULL: plain */
    tw_kind kind;                          /* when the event does not say; TW_KIND_COUNT: it must say */
    char identity[264]; /* what the position belongs to: hex of size and content hash of a file, name of a topic */
} tw_input;

typedef struct tw_source tw_source;

typedef struct tw_source_ops {
    /* Fills at most max records; *ret_count 0 with TW_OK means the end (files) or nothing for wait_ms (streams). */
    tw_code (*poll)(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *err);
    /* Paused, poll keeps its connections and hands out nothing. NULL: it needs no polling to stay. */
    void (*pause)(tw_source *source, bool pause);
    tw_code (*seek)(tw_source *source, uint16_t input, int32_t partition, int64_t offset, tw_err *err);
    /* What a commit of positions goes through, for the changelog; NULL: none. */
    void *(*group)(tw_source *source);
    void (*ack)(tw_source *source, uint16_t input, int32_t partition, int64_t offset);
    tw_source *(*close)(tw_source *source);
} tw_source_ops;

/* What a source with partitions that come and go asks of the engine; set before the first poll. Called within poll. */
typedef struct tw_source_hooks {
    void *self;
    /* The partition of every user-keyed input is ours now: bring its task here. Before assigned. NULL: tasks never move. */
    tw_code (*take_over)(void *self, int32_t partition, tw_err *err);
    /* A partition is ours now: the offset to go on from, or -1 for "never seen" (from the beginning). */
    int64_t (*assigned)(void *self, uint16_t input, int32_t partition);
    /* Partitions are about to be given up: commit what was consumed. lost: too late, another member may own them. */
    tw_code (*revoked)(void *self, bool lost, tw_err *err);
} tw_source_hooks;

struct tw_source { /* first member of each implementation */
    const tw_source_ops *ops;
    tw_source_hooks hooks; /* zeroed: none (files are one partition, assigned from the start) */
    tw_input *inputs;
    int inputs_count;
    int partitions;     /* of the inputs keyed by user: the number of tasks; 0: a file */
    bool caught_up;     /* what the inputs held at the start (items too) has been handed out; set by poll */
    bool idle;          /* the group has no partition for this process, for now */
    bool bounded;       /* it has an end: a file */
    int64_t size_bytes; /* for a progress bar; 0 unknown */
    int64_t read_bytes; /* of size_bytes */
};

#endif
