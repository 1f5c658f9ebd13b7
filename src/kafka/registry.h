/* A schema registry by Confluent's HTTP API: which schema an id stands for, and under which id a subject holds a schema.
 *
 * One question at a time; nothing blocks for longer than the caller says. A registry that is away, slow, overloaded or talking nonsense is
 * asked again, each attempt bounded by schema.registry.timeout.ms, with growing pauses between them, until it gives an answer that
 * means something: to ask again is never a loss, to guess is. Meanwhile tailwater_registry_waiting is 1 and each failed attempt counts in
 * tailwater_registry_errors_total. Thread: its owner's. */
#ifndef TW_KAFKA_REGISTRY_H
#define TW_KAFKA_REGISTRY_H

#include "base/err.h"
#include "base/slice.h"
#include "config/config.h"

typedef struct tw_registry tw_registry;

typedef enum tw_registry_verdict {
    TW_REGISTRY_FOUND,
    TW_REGISTRY_UNKNOWN,  /* it says itself that it has no such id, subject or schema under that subject */
    TW_REGISTRY_UNUSABLE, /* the schema is there and is not for us: another language, references to other schemas */
    TW_REGISTRY_REFUSED   /* it will not do it: incompatible, not allowed, not valid */
} tw_registry_verdict;

typedef struct tw_registry_answer {
    tw_registry_verdict verdict;
    uint32_t id;     /* asked for or FOUND */
    int status;      /* HTTP */
    tw_slice schema; /* of an id that was FOUND: JSON text; lives until the next question */
    const char *why; /* not FOUND: what the registry said, one line without double quotes; lives as long */
} tw_registry_answer;

/* schema.registry.* are set; does not connect. Errors: TW_E_CONFIG (a URL that is none, a file that cannot be read). */
tw_code tw_registry_open(const tw_config *config, tw_registry **ret_registry, tw_err *err);
tw_registry *tw_registry_close(tw_registry *registry); /* whatever it waits for */

/* A new question; the one before was answered. */
void tw_registry_ask_schema(tw_registry *registry, uint32_t id);
/* The id that subject holds schema (JSON text, copied) under; add: puts it there when it is not. */
void tw_registry_ask_id(tw_registry *registry, const char *subject, tw_slice schema, bool add);
bool tw_registry_asking(const tw_registry *registry); /* a question waits for its answer */

/* Goes on with the question for at most wait_ms. Errors: TW_E_BUSY (no answer yet: ask for it again; err says what failed last). */
tw_code tw_registry_answered(tw_registry *registry, int wait_ms, tw_registry_answer *ret_answer, tw_err *err);

#endif
