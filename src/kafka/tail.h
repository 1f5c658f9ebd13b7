/* One partition read from an offset to its end, once, without a group: what a changelog is read back with. Committed records only, and
 * the end is that of everything written before the call: a transaction still open then is waited for. Thread: its owner's. */
#ifndef TW_KAFKA_TAIL_H
#define TW_KAFKA_TAIL_H

#include "base/err.h"
#include "base/event.h"
#include "config/config.h"

typedef struct tw_kafka_tail tw_kafka_tail;

tw_code tw_kafka_tail_open(const tw_config *config, tw_kafka_tail **ret_tail, tw_err *err); /* Errors: TW_E_CONFIG */
tw_kafka_tail *tw_kafka_tail_close(tw_kafka_tail *tail);

/* Hands every record over in order (valued or not; input of the record is 0). *ret_next: the offset to go on from another time. Errors:
 * TW_E_BUSY (no broker answers in time), TW_E_KAFKA (no such topic, not allowed), and those of take, which end the reading. */
tw_code tw_kafka_tail_read(tw_kafka_tail *tail, const char *topic, int32_t partition, int64_t from,
                           tw_code (*take)(void *self, const tw_record *record, tw_err *err), void *self,
                           int64_t *ret_next, tw_err *err);

#endif
