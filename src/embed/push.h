/* The events of a program that embeds Tailwater, as a source: one at a time, handed over before each step. Thread: engine. */
#ifndef TW_EMBED_PUSH_H
#define TW_EMBED_PUSH_H

#include "pipeline/ingest/source.h"

/* Two inputs of one stream, which has one position and one order: decoded events and JSON. Never NULL. */
enum { TW_PUSH_EVENT, TW_PUSH_JSON };
tw_source *tw_source_push(void);

/* The value (borrowed) that the next poll hands out, as of that input. */
void tw_push(tw_source *source, uint16_t input, tw_slice value);

/* How many were handed out, with those of the state that it goes on from. */
uint64_t tw_pushed(const tw_source *source);

#endif
