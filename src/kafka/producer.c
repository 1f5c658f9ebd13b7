/* The producer. Delivery reports come in flush, on the owner's thread. Called by the Kafka sink and the feeder. */
#include "kafka/producer.h"

#include "base/alloc.h"
#include "kafka/internal.h"
#include "kafka/transaction.h"

#include <stdio.h>
#include <stdlib.h>

/* What a message carries to its delivery report: nothing, a tag alone (odd), or the address of what else there is (even). */
#define TAG_ALONE(tag) ((void *)(uintptr_t)((uint64_t)(tag) << 1 | 1))
#define IS_TAG(opaque) ((uintptr_t)(opaque)&1)
#define TAG_OF(opaque) ((uint32_t)((uintptr_t)(opaque) >> 1))

static rd_kafka_vu_t bytes_field(rd_kafka_vtype_t type, const void *bytes, size_t size) {
    return (rd_kafka_vu_t){.vtype = type, .u.mem = {(void *)(uintptr_t)bytes, size}};
}

/* Hands fields (count, room for one more) and headers (NULL: none) over; headers are consumed. */
static rd_kafka_resp_err_t produce(tw_kafka_producer *producer, rd_kafka_vu_t *fields, size_t count,
                                   rd_kafka_headers_t *headers) {
    if (headers)
        fields[count++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    rd_kafka_error_t *error = rd_kafka_produceva(producer->client, fields, count);
    if (!error)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers)
        rd_kafka_headers_destroy(headers);
    return code;
}

static rd_kafka_headers_t *with_size(rd_kafka_headers_t *headers, size_t value_size) {
    char size[24];
    int n = snprintf(size, sizeof size, "%zu", value_size);
    if (!headers)
        headers = rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, "tailwater.error.value.bytes", -1, size, n);
    return headers;
}

/* What a message carries to its delivery report. */
typedef struct delivery {
    bool cut;             /* may go without its value */
    int64_t timestamp_ms; /* which a delivery that failed no longer tells */
    int64_t *ret_offset;  /* NULL: nobody asks */
} delivery;

/* A dead letter that the broker finds too large goes without its value: the value still stands where the headers say. */
static rd_kafka_resp_err_t send_cut(tw_kafka_producer *producer, const rd_kafka_message_t *message) {
    const delivery *d = message->_private;
    rd_kafka_headers_t *original = NULL;
    rd_kafka_vu_t fields[5];
    size_t n = 0;
    rd_kafka_message_headers(message, &original);
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = message->rkt};
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    if (message->key)
        fields[n++] = bytes_field(RD_KAFKA_VTYPE_KEY, message->key, message->key_len);
    if (d->timestamp_ms >= 0)
        fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = d->timestamp_ms};
    producer->waiting_bytes += message->key_len;
    return produce(producer, fields, n, with_size(original ? rd_kafka_headers_copy(original) : NULL, message->len));
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    tw_kafka_producer *producer = opaque;
    rd_kafka_resp_err_t code = message->err;
    (void)client;
    producer->waiting_bytes -= message->len + message->key_len;
    if (IS_TAG(message->_private)) {
        if (producer->heard)
            producer->heard(producer->heard_self, TAG_OF(message->_private), code == RD_KAFKA_RESP_ERR_NO_ERROR);
    } else if (message->_private) {
        delivery *d = message->_private;
        if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && d->cut)
            code = send_cut(producer, message);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR && d->ret_offset)
            *d->ret_offset = message->offset;
        free(d);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
        code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT || producer->refused.code != TW_OK)
        return;
    if (tw_kafka_denied(client, code, rd_kafka_topic_name(message->rkt), "Write", &producer->refused))
        return;
    tw_fail_text(&producer->refused, TW_E_KAFKA, "topic \"%s\" refused a record of %zu bytes: %s",
                 rd_kafka_topic_name(message->rkt), message->len, rd_kafka_err2str(code));
}

static size_t setting(rd_kafka_t *client, const char *name) {
    char text[32] = "";
    size_t size = sizeof text;
    rd_kafka_conf_get(rd_kafka_conf(client), name, text, &size);
    return strtoull(text, NULL, 10);
}

static tw_code open_producer(const tw_config *config, const char *transactional_id, tw_kafka_producer **ret_producer,
                             tw_err *err) {
    rd_kafka_conf_t *conf;
    char why[256], timeout[32] = "";
    TW_TRY(tw_kafka_conf(config, TW_KAFKA_PRODUCER, &conf, err));
    if (transactional_id) {
        size_t size = sizeof timeout; /* a record must not outlive the transaction that it belongs to */
        rd_kafka_conf_get(conf, "transaction.timeout.ms", timeout, &size);
        if (rd_kafka_conf_set(conf, "transactional.id", transactional_id, why, sizeof why) != RD_KAFKA_CONF_OK ||
            rd_kafka_conf_set(conf, "message.timeout.ms", timeout, why, sizeof why) != RD_KAFKA_CONF_OK) {
            rd_kafka_conf_destroy(conf);
            return tw_fail(err, TW_E_CONFIG, "transactions: %s", why);
        }
    }
    tw_kafka_producer *producer = tw_zalloc(sizeof *producer);
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    producer->transaction = transactional_id ? TW_TRANSACTION_NONE : TW_TRANSACTION_OFF;
    tw_code code = tw_kafka_new(conf, TW_KAFKA_PRODUCER, &producer->client, err);
    if (code != TW_OK) {
        free(producer);
        return code;
    }
    producer->records_half = setting(producer->client, "queue.buffering.max.messages") / 2;
    producer->bytes_half = setting(producer->client, "queue.buffering.max.kbytes") * 1024 / 2;
    *ret_producer = producer;
    return TW_OK;
}

tw_code tw_kafka_producer_open(const tw_config *config, tw_kafka_producer **ret_producer, tw_err *err) {
    return open_producer(config, NULL, ret_producer, err);
}

tw_code tw_kafka_producer_open_transactional(const tw_config *config, const char *id, tw_kafka_producer **ret_producer,
                                             tw_err *err) {
    return open_producer(config, id, ret_producer, err);
}

tw_kafka_producer *tw_kafka_producer_close(tw_kafka_producer *producer) {
    if (producer) {
        rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(producer->client, 1000); /* takes the reports of what was purged */
        rd_kafka_destroy(producer->client);
        free(producer);
    }
    return NULL;
}

void tw_kafka_producer_on_delivery(tw_kafka_producer *producer,
                                   void (*heard)(void *self, uint32_t tag, bool acknowledged), void *self) {
    producer->heard = heard;
    producer->heard_self = self;
}

static rd_kafka_headers_t *make_headers(const tw_kafka_message *message) {
    rd_kafka_headers_t *original = NULL, *headers = NULL;
    if (message->original)
        rd_kafka_message_headers(message->original, &original);
    if (original)
        headers = rd_kafka_headers_copy(original);
    else if (message->headers_count)
        headers = rd_kafka_headers_new((size_t)message->headers_count);
    for (int i = 0; i < message->headers_count; i++)
        rd_kafka_header_add(headers, message->headers[i].name, -1, message->headers[i].value.data,
                            (ssize_t)message->headers[i].value.size);
    return headers;
}

/* Is it over for this client: a right that it needs for anything at all, credentials, or a failure that librdkafka cannot get over? */
static tw_code check_alive(const tw_kafka_producer *producer, tw_err *err) {
    char why[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(producer->client, why, sizeof why);
    if (tw_kafka_denied(producer->client, fatal, NULL, "IdempotentWrite", err))
        return TW_E_KAFKA;
    TW_TRY(tw_kafka_refused(producer->client, err));
    if (fatal == RD_KAFKA_RESP_ERR_NO_ERROR)
        return TW_OK;
    return tw_fail(err, producer->transaction == TW_TRANSACTION_OFF ? TW_E_KAFKA : TW_E_ABORTED,
                   "the producer failed: %s", why);
}

static rd_kafka_resp_err_t send_part(tw_kafka_producer *producer, const tw_kafka_message *message, bool whole) {
    delivery *d = NULL;
    rd_kafka_vu_t fields[8];
    size_t n = 0;
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = message->topic};
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    if (whole)
        fields[n++] = bytes_field(RD_KAFKA_VTYPE_VALUE, message->value.data, message->value.size);
    if (message->to_partition)
        fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = *message->to_partition};
    if ((whole && message->cut) || message->ret_offset) {
        d = tw_zalloc(sizeof *d);
        *d = (delivery){whole && message->cut, message->timestamp_ms, message->ret_offset};
        fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = d};
    } else if (message->tag) {
        fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = TAG_ALONE(message->tag)};
    }
    if (message->key.data)
        fields[n++] = bytes_field(RD_KAFKA_VTYPE_KEY, message->key.data, message->key.size);
    if (message->timestamp_ms >= 0)
        fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message->timestamp_ms};
    rd_kafka_headers_t *headers = make_headers(message);
    rd_kafka_resp_err_t code = produce(producer, fields, n, whole ? headers : with_size(headers, message->value.size));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        free(d); /* else the delivery report's */
    else
        producer->waiting_bytes += (whole ? message->value.size : 0) + message->key.size;
    return code;
}

/* What exceeds message.max.bytes is refused here already; what exceeds the topic's own bound, by the broker: see on_delivery. */
tw_code tw_kafka_producer_send(tw_kafka_producer *producer, const tw_kafka_message *message, tw_err *err) {
    if (producer->transaction != TW_TRANSACTION_OFF)
        TW_TRY(tw_kafka_transaction_begin(producer, err));
    rd_kafka_resp_err_t code = send_part(producer, message, !message->cut_now);
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && message->cut)
        code = send_part(producer, message, false);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return TW_OK;
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL)
        return tw_fail(err, TW_E_BUSY, "the queue of the producer is full");
    TW_TRY(check_alive(producer, err));
    bool undone = producer->transaction != TW_TRANSACTION_OFF && code != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    return tw_fail(err, undone ? TW_E_ABORTED : TW_E_KAFKA, "topic \"%s\": a record of %zu bytes: %s", message->topic,
                   message->value.size, rd_kafka_err2str(code));
}

tw_code tw_kafka_producer_flush(tw_kafka_producer *producer, int wait_ms, tw_err *err) {
    if (wait_ms > 0)
        rd_kafka_flush(producer->client, wait_ms);
    else
        rd_kafka_poll(producer->client, 0);
    if (producer->refused.code != TW_OK) {
        if (err)
            *err = producer->refused;
        return producer->refused.code;
    }
    TW_TRY(check_alive(producer, err));
    size_t waiting = tw_kafka_producer_waiting(producer);
    return waiting ? tw_fail(err, TW_E_BUSY, "%zu records are not acknowledged yet", waiting) : TW_OK;
}

size_t tw_kafka_producer_waiting(const tw_kafka_producer *producer) {
    return (size_t)rd_kafka_outq_len(producer->client);
}

bool tw_kafka_producer_crowded(const tw_kafka_producer *producer) {
    return tw_kafka_producer_waiting(producer) > producer->records_half ||
           producer->waiting_bytes > producer->bytes_half;
}
