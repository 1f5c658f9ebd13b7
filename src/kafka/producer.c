/* The producer. Delivery reports come in flush, on the owner's thread. Called by the Kafka sink and the feeder. */
#include "kafka/producer.h"

#include "base/alloc.h"
#include "kafka/internal.h"

#include <stdio.h>
#include <stdlib.h>

struct tw_kafka_producer {
    rd_kafka_t *client;
    tw_err refused; /* the first delivery that failed for good; code TW_OK: none */
};

static rd_kafka_vu_t bytes_field(rd_kafka_vtype_t type, const void *bytes, size_t size) {
    return (rd_kafka_vu_t){.vtype = type, .u.mem = {(void *)(uintptr_t)bytes, size}};
}

/* A dead letter that the topic finds too large goes without its value: the value still stands where the headers say. */
static rd_kafka_resp_err_t send_cut(rd_kafka_t *client, const rd_kafka_message_t *message) {
    rd_kafka_headers_t *original = NULL, *headers;
    rd_kafka_timestamp_type_t type;
    rd_kafka_vu_t fields[5];
    char size[24];
    size_t n = 0;
    rd_kafka_message_headers(message, &original);
    headers = original ? rd_kafka_headers_copy(original) : rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, "tailwater.error.value.bytes", -1, size,
                        snprintf(size, sizeof size, "%zu", message->len));
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = message->rkt};
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    if (message->key)
        fields[n++] = bytes_field(RD_KAFKA_VTYPE_KEY, message->key, message->key_len);
    fields[n++] =
        (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = rd_kafka_message_timestamp(message, &type)};
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    rd_kafka_error_t *error = rd_kafka_produceva(client, fields, n);
    if (!error)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    rd_kafka_headers_destroy(headers);
    return code;
}

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    tw_kafka_producer *producer = opaque;
    rd_kafka_resp_err_t code = message->err;
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && message->_private)
        code = send_cut(client, message);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
        code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT || producer->refused.code != TW_OK)
        return;
    tw_fail_text(&producer->refused, TW_E_KAFKA, "topic \"%s\" refused a record of %zu bytes: %s",
                 rd_kafka_topic_name(message->rkt), message->len, rd_kafka_err2str(code));
}

tw_code tw_kafka_producer_open(const tw_config *config, tw_kafka_producer **ret_producer, tw_err *err) {
    rd_kafka_conf_t *conf;
    TW_TRY(tw_kafka_conf(config, TW_KAFKA_PRODUCER, &conf, err));
    tw_kafka_producer *producer = tw_zalloc(sizeof *producer);
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    tw_code code = tw_kafka_new(conf, TW_KAFKA_PRODUCER, &producer->client, err);
    if (code != TW_OK) {
        free(producer);
        return code;
    }
    *ret_producer = producer;
    return TW_OK;
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

tw_code tw_kafka_producer_send(tw_kafka_producer *producer, const tw_kafka_message *message, tw_err *err) {
    rd_kafka_headers_t *headers = make_headers(message);
    rd_kafka_vu_t fields[7];
    size_t n = 0;
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = message->topic};
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY};
    fields[n++] = bytes_field(RD_KAFKA_VTYPE_VALUE, message->value.data, message->value.size);
    fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = message->cut ? producer : NULL};
    if (message->key.data)
        fields[n++] = bytes_field(RD_KAFKA_VTYPE_KEY, message->key.data, message->key.size);
    if (message->timestamp_ms >= 0)
        fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_TIMESTAMP, .u.i64 = message->timestamp_ms};
    if (headers)
        fields[n++] = (rd_kafka_vu_t){.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers};
    rd_kafka_error_t *error = rd_kafka_produceva(producer->client, fields, n);
    if (!error)
        return TW_OK;
    if (headers)
        rd_kafka_headers_destroy(headers);
    tw_code code = rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL ? TW_E_BUSY : TW_E_KAFKA;
    tw_fail_text(err, code, "topic \"%s\": %s", message->topic, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return code;
}

tw_code tw_kafka_producer_flush(tw_kafka_producer *producer, int wait_ms, tw_err *err) {
    char why[256];
    if (wait_ms > 0)
        rd_kafka_flush(producer->client, wait_ms);
    else
        rd_kafka_poll(producer->client, 0);
    if (producer->refused.code != TW_OK) {
        if (err)
            *err = producer->refused;
        return producer->refused.code;
    }
    if (rd_kafka_fatal_error(producer->client, why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return tw_fail(err, TW_E_KAFKA, "the producer failed: %s", why);
    size_t waiting = tw_kafka_producer_waiting(producer);
    return waiting ? tw_fail(err, TW_E_BUSY, "%zu records are not acknowledged yet", waiting) : TW_OK;
}

size_t tw_kafka_producer_waiting(const tw_kafka_producer *producer) {
    return (size_t)rd_kafka_outq_len(producer->client);
}
