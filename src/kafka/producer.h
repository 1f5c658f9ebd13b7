/* Records out: idempotent, acknowledged by all replicas, in order for each key. A broker that is away is waited for; what it
 * refuses for good is heard at the next flush. Thread: its owner's. */
#ifndef TW_KAFKA_PRODUCER_H
#define TW_KAFKA_PRODUCER_H

#include "base/err.h"
#include "base/slice.h"
#include "config/config.h"

typedef struct tw_kafka_producer tw_kafka_producer;

typedef struct tw_kafka_header {
    const char *name;
    tw_slice value;
} tw_kafka_header;

typedef struct tw_kafka_message {
    const char *topic;
    tw_slice key;                   /* data NULL: none */
    tw_slice value;                 /* data NULL: a tombstone */
    int64_t timestamp_ms;           /* -1: now */
    const void *original;           /* tw_record.headers of a consumed record, copied; NULL: none */
    const tw_kafka_header *headers; /* (headers_count) more */
    int headers_count;
    const int32_t *to_partition; /* NULL: by its key */
    int64_t *ret_offset;         /* NULL, or where its offset is written once it is acknowledged */
    uint32_t tag; /* brought back by its acknowledgement; 0: nobody waits for it; not beside ret_offset and cut */
    /* Refused for its size: send key and headers alone, with the header tailwater.error.value.bytes. A broker refuses whole batches
     * and does not say which record was too large, so those beside it go without their values as well. */
    bool cut;
    bool cut_now; /* sent so at once */
} tw_kafka_message;

/* Does not wait for a connection. Errors: TW_E_CONFIG. */
tw_code tw_kafka_producer_open(const tw_config *config, tw_kafka_producer **ret_producer, tw_err *err);
/* What is not acknowledged yet is dropped. */
tw_kafka_producer *tw_kafka_producer_close(tw_kafka_producer *producer);

/* Who hears what became of each message with a tag; called within flush and close. */
void tw_kafka_producer_on_delivery(tw_kafka_producer *producer,
                                   void (*heard)(void *self, uint32_t tag, bool acknowledged), void *self);

/* Hands a message over; its bytes are copied. Errors: TW_E_BUSY (the queue is full: flush a little and try again),
 * TW_E_KAFKA (it can never be sent). */
tw_code tw_kafka_producer_send(tw_kafka_producer *producer, const tw_kafka_message *message, tw_err *err);

/* Waits at most wait_ms for acknowledgements. TW_OK: everything handed over is acknowledged. Errors: TW_E_BUSY (not yet),
 * TW_E_KAFKA (something was refused for good; stays so). */
tw_code tw_kafka_producer_flush(tw_kafka_producer *producer, int wait_ms, tw_err *err);

size_t tw_kafka_producer_waiting(const tw_kafka_producer *producer); /* records not acknowledged yet */

/* What waits takes more than half of the queue, by records or by bytes (queue.buffering.max.messages and .kbytes). */
bool tw_kafka_producer_crowded(const tw_kafka_producer *producer);

#endif
