/* Where the state of tasks is kept a second time, so that another process can take a task over: a struct of functions that Kafka fills.
 *
 * Between two commits the engine puts rows: key and value of a task, a value without data being a tombstone. commit makes them durable
 * together with the positions of the inputs and, under exactly_once, with the lists and dead letters that went through the
 * same producer. What is read back are committed rows only, in order. Thread: engine. */
#ifndef TW_PUBLISH_CHANGELOG_H
#define TW_PUBLISH_CHANGELOG_H

#include "base/err.h"
#include "base/event.h"
#include "config/config.h"
#include "pipeline/publish/sink.h"

typedef struct tw_changelog tw_changelog;

/* The task that rows of items and weights are put under: they belong to the process. */
#define TW_CHANGELOG_MODEL UINT32_MAX

typedef struct tw_changelog_position {
    const char *topic; /* borrowed for the call */
    int32_t partition;
    int64_t offset;
} tw_changelog_position;

typedef struct tw_changelog_row {
    tw_slice key, value; /* value without data: a tombstone */
    int64_t written_ms;
} tw_changelog_row;

typedef struct tw_changelog_ops {
    /* *ret_offset (may be NULL): where the row stands, written by the commit. */
    tw_code (*put)(tw_changelog *changelog, uint32_t task, tw_slice key, tw_slice value, int64_t *ret_offset,
                   tw_err *err);
    /* group: what the source gives as its group. Errors: TW_E_BUSY (call again, put nothing before), TW_E_ABORTED. */
    tw_code (*commit)(tw_changelog *changelog, void *group, const tw_changelog_position *positions, int count,
                      tw_err *err);
    /* Hands over all rows of a task from an offset (-1: all). *ret_next: where to go on another time. */
    tw_code (*read)(tw_changelog *changelog, uint32_t task, int64_t from,
                    tw_code (*take)(void *self, const tw_changelog_row *row, tw_err *err), void *self,
                    int64_t *ret_next, tw_err *err);
    tw_changelog *(*close)(tw_changelog *changelog);
} tw_changelog_ops;

struct tw_changelog { /* first member of each implementation */
    const tw_changelog_ops *ops;
};

struct tw_kafka_producer;
struct tw_kafka_topics;

/* The topics <application.id>-state-changelog, whose partition p is task p, and <application.id>-model-changelog. producer (borrowed) is to be shared with the sink under exactly_once. topics have answered. Errors: TW_E_CONFIG (a topic is
 * not there or has not one partition a task). */
tw_code tw_changelog_kafka(const tw_config *config, const struct tw_kafka_topics *topics, int tasks,
                           struct tw_kafka_producer *producer, tw_changelog **ret_changelog, tw_err *err);

#endif
