/* Finds the schemas that the records of a batch name by id (format confluent) before the batch is handed out, so that the engine
 * decodes without waiting for anyone. A batch whose ids are not all known or answered is held here until they are.
 *
 * What a registry does not know (and says so) is asked for again after 30 s; what cannot be read as an event is never asked for
 * again. Records of both become dead letters in the decoder (unknown_schema). Thread: engine. */
#ifndef TW_INGEST_RESOLVER_H
#define TW_INGEST_RESOLVER_H

#include "config/config.h"
#include "pipeline/ingest/inputs.h"

typedef struct tw_resolver tw_resolver;

/* *ret_resolver NULL: nothing to resolve (no input of that format, or no schema.registry.url); inputs are borrowed, ids found are
 * added to their schemas. Errors: those of tw_registry_open. */
tw_code tw_resolver_open(const tw_config *config, tw_inputs *inputs, tw_resolver **ret_resolver, tw_err *err);
tw_resolver *tw_resolver_close(tw_resolver *resolver);

/* true: not all schemas of these records are known, and a copy of the records (not of their bytes) is held. resolver NULL: false. */
bool tw_resolver_hold(tw_resolver *resolver, const tw_record *records, int count);
bool tw_resolver_holds(const tw_resolver *resolver);

/* Asks on for at most wait_ms. true: what is held may be handed out. */
bool tw_resolver_resolve(tw_resolver *resolver, int wait_ms);
int64_t tw_resolver_held_ms(const tw_resolver *resolver); /* how long the batch has been held */

/* Only the first count of the held records are left (a rebalance took the others). */
void tw_resolver_keep(tw_resolver *resolver, int count);

/* Hands the held records out; returns how many. */
int tw_resolver_take(tw_resolver *resolver, tw_record *records);

#endif
