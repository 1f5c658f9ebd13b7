/* What the files of kafka share: how a librdkafka client is set up. Nobody outside src/kafka includes this. */
#ifndef TW_KAFKA_INTERNAL_H
#define TW_KAFKA_INTERNAL_H

#include "base/err.h"
#include "base/event.h"
#include "config/config.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

typedef enum tw_kafka_role {
    TW_KAFKA_MEMBER, /* consumer in the group application.id */
    TW_KAFKA_READER, /* consumer of partitions that it names itself */
    TW_KAFKA_PRODUCER,
    TW_KAFKA_ASKER /* metadata only */
} tw_kafka_role;

/* A configuration for a role: our defaults, then the pairs of `kafka:`, then what a promise depends on. The caller owns it until
 * tw_kafka_new takes it. Errors: TW_E_CONFIG naming the pair. */
tw_code tw_kafka_conf(const tw_config *config, tw_kafka_role role, rd_kafka_conf_t **ret_conf, tw_err *err);

/* A client of that configuration, which is consumed in any case. Errors: TW_E_CONFIG. */
tw_code tw_kafka_new(rd_kafka_conf_t *conf, tw_kafka_role role, rd_kafka_t **ret_client, tw_err *err);

typedef enum tw_transaction {
    TW_TRANSACTION_OFF, /* a producer without */
    TW_TRANSACTION_NONE,
    TW_TRANSACTION_BEGUN,
    TW_TRANSACTION_COMMITTING /* positions are in; nothing more may be sent */
} tw_transaction;

struct tw_kafka_producer {
    rd_kafka_t *client;
    tw_transaction transaction;
    void (*heard)(void *self, uint32_t tag, bool acknowledged); /* NULL: nobody */
    void *heard_self;
    size_t waiting_bytes;            /* of records not acknowledged yet: keys and values */
    size_t records_half, bytes_half; /* of the queue */
    tw_err refused;                  /* the first delivery that failed for good; code TW_OK: none */
};

/* Begins a transaction unless one has begun. Errors: TW_E_ABORTED. */
tw_code tw_kafka_transaction_begin(struct tw_kafka_producer *producer, tw_err *err);

struct tw_kafka_consumer;
rd_kafka_t *tw_kafka_consumer_client(const struct tw_kafka_consumer *consumer);

/* refusal.c. Has the broker refused this client for good (credentials, certificates; a consumer's fatal error)? Errors: TW_E_KAFKA with the
 * sentence. Ask after a poll; tw_kafka_conf and tw_kafka_new prepare it. Thread: any. */
tw_code tw_kafka_refused(const rd_kafka_t *client, tw_err *err);
void tw_kafka_refusal_watch(rd_kafka_conf_t *conf);
void tw_kafka_refusal_forget(const rd_kafka_t *client);

/* Is code a right that is missing? Then err names what, the operation (as kafka-acls does) and the principal. topic may be NULL
 * for the others. */
bool tw_kafka_denied(const rd_kafka_t *client, rd_kafka_resp_err_t code, const char *topic, const char *operation,
                     tw_err *err);

/* principal.c. Who we are to the broker, for messages; the common name of the first certificate in a PEM file; a setting's value. */
void tw_kafka_principal(const rd_kafka_t *client, char *ret_principal, size_t size);
bool tw_kafka_certificate_name(const char *path, char *ret_name, size_t size);
void tw_kafka_conf_text(const rd_kafka_t *client, const char *name, char *ret, size_t size);

/* topics.c */
struct tw_kafka_topics;
rd_kafka_t *tw_kafka_topics_client(const struct tw_kafka_topics *topics);

#endif
