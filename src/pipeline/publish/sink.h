/* Where results go: a struct of functions that a JSON lines file and Kafka fill.
 *
 * The engine hands over lists, tombstones and dead letters during steps (bytes are copied or encoded before the call
 * returns), then calls flush: when it returns TW_OK, everything handed over is durable (file) or acknowledged (Kafka), and
 * only then does the engine commit the state that no longer owes it. Thread: engine. */
#ifndef TW_PUBLISH_SINK_H
#define TW_PUBLISH_SINK_H

#include "base/buf.h"
#include "base/drift.h"
#include "base/err.h"
#include "base/event.h"
#include "base/list.h"
#include "base/user_profile.h"
#include "config/config.h"

typedef struct tw_sink tw_sink;

typedef struct tw_sink_ops {
    tw_code (*list)(tw_sink *sink, const tw_list *list, tw_err *err);
    tw_code (*profile)(tw_sink *sink, const tw_user_profile *profile, tw_err *err); /* where takes_profiles says so */
    tw_code (*gone)(tw_sink *sink, uint32_t task, tw_slice user_id, tw_err *err);   /* tombstones of list and profile */
    tw_code (*dead)(tw_sink *sink, const char *input_name, const tw_record *record, tw_reason reason, tw_err *err);
    tw_code (*drift)(tw_sink *sink, const tw_drift_record *record, tw_err *err); /* NULL: nobody wants it */
    tw_code (*flush)(tw_sink *sink, tw_err *err); /* TW_E_BUSY: not yet, ask again; nothing is lost */
    /* No more may be handed over until this says false again (asked between records; NULL: never full). */
    bool (*full)(tw_sink *sink);
    /* What the engine commits with the state and hands back at the next start (file lengths); empty: nothing. */
    void (*position)(tw_sink *sink, tw_buf *out);
    tw_code (*resume)(tw_sink *sink, tw_slice position,
                      tw_err *err); /* before the first hand-over; empty slice: from nothing */
    tw_sink *(*close)(tw_sink *sink);
} tw_sink_ops;

struct tw_sink { /* first member of each implementation */
    const tw_sink_ops *ops;
    bool takes_profiles; /* beside lists */
};

/* The JSON of a list, as `recommend --json`, `replay --out` and the API give it:
 * {"user_id", "known", "list_version", "items": [{"item_id", "score", "title"?, "category"?, "reasons": [{"source", "share", "because_item"?, "because_title"?}]}]} */
void tw_list_write_json(const tw_list *list, tw_buf *out);
void tw_list_write_items_json(const tw_list *list, tw_buf *out); /* the array of items alone */

/* The same as one datum of schemas/recommendation.avsc. */
void tw_list_write_avro(const tw_list *list, tw_buf *out);

/* A profile as one JSON object with the names of schemas/profile.avsc, what is null there left out, as `profile --json`, `replay
 * --profiles` and the API give it; and as one datum of that schema. */
void tw_profile_write_json(const tw_user_profile *profile, tw_buf *out);
void tw_profile_write_avro(const tw_user_profile *profile, tw_buf *out);

/* A change as one JSON object: {"scope","subject","user_id"?,"task","event_ms","number","from":{"since_ms"?,"count","mean"?},"to":{...},"size","bound" or
 * "p","evidence":[{"name","from","to"}]}; and as one datum of schemas/drift.avsc. */
void tw_drift_write_json(const tw_drift_record *record, tw_buf *out);
void tw_drift_write_avro(const tw_drift_record *record, tw_buf *out);
/* Its key on the topic: the user, or scope and subject. */
tw_slice tw_drift_key(const tw_drift_record *record, char *text, size_t size);

/* Paths of JSON lines files: "-" is stdout, NULL nowhere. */
typedef struct tw_sink_paths {
    const char *lists, *dead, *profiles, *drift;
} tw_sink_paths;

/* JSON lines files. A regular file is cut to the committed length on resume, so that each line is there exactly once; stdout repeats at most
 * what was not committed. A dead letter's line: {"reason","input","partition","offset","value"} (value as text when UTF-8,
 * else "value_base64"). A user who is gone: {"user_id","gone":true} beside lists and profiles. Errors: TW_E_IO, TW_E_FULL. */
tw_code tw_sink_file(const tw_sink_paths *paths, tw_sink **ret_sink, tw_err *err);

/* Kafka topics (output.*): lists and profiles keyed by user id with tombstones for those who are gone; changes keyed by tw_drift_key; dead letters as they came (key, value,
 * headers, timestamp) with the headers tailwater.error.{reason,topic,partition,offset}; one that is too large for its topic goes without
 * its value, with tailwater.error.value.bytes. Does not wait for a connection. Errors: TW_E_CONFIG. */
tw_code tw_sink_kafka(const tw_config *config, tw_sink **ret_sink, tw_err *err);

/* The same through a transactional producer (borrowed): flush waits for nothing, what was handed over comes out with the commit of the
 * changelog that shares the producer, or not at all. */
struct tw_kafka_producer;
tw_code tw_sink_kafka_transactional(const tw_config *config, struct tw_kafka_producer *producer, tw_sink **ret_sink,
                                    tw_err *err);

/* Before the first list: waits at most wait_ms for the schema registry to name the schemas of what goes out, where it is asked for them. Errors:
 * TW_E_BUSY (it does not answer yet: ask again), TW_E_CONFIG. */
tw_code tw_sink_kafka_ready(tw_sink *sink, int wait_ms, tw_err *err);

#endif
