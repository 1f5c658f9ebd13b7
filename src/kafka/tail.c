/* Reading to the end that a partition has now. Called by the Kafka changelog at the start of a task. */
#include "kafka/tail.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "kafka/internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define ASK_WAIT_MS 5000
/* Nothing came for so long: a broker that is away, or a transaction that nobody ends (its own time-out is 10 s). */
#define SILENCE_MS 60000

/* The end is told by an answer without records, and the next partition is asked for behind the last answer: with librdkafka's own 500 ms
 * each task took a second to restore, however little it had (librdkafka 2.0.2, 2026-11-25). */
#define WAIT_MS "10"

struct tw_kafka_tail {
    rd_kafka_t *client;
};

tw_code tw_kafka_tail_open(const tw_config *config, tw_kafka_tail **ret_tail, tw_err *err) {
    rd_kafka_conf_t *conf;
    rd_kafka_t *client;
    TW_TRY(tw_kafka_conf(config, TW_KAFKA_READER, &conf, err));
    rd_kafka_conf_set(conf, "fetch.wait.max.ms", WAIT_MS, NULL, 0);
    TW_TRY(tw_kafka_new(conf, TW_KAFKA_READER, &client, err));
    *ret_tail = tw_zalloc(sizeof **ret_tail);
    (*ret_tail)->client = client;
    return TW_OK;
}

tw_kafka_tail *tw_kafka_tail_close(tw_kafka_tail *tail) {
    if (tail) {
        rd_kafka_consumer_close(tail->client);
        rd_kafka_destroy(tail->client);
        free(tail);
    }
    return NULL;
}

static tw_code assign(tw_kafka_tail *tail, const char *topic, int32_t partition, int64_t from, tw_err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = from;
    rd_kafka_resp_err_t code = rd_kafka_assign(tail->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? TW_OK
               : tw_fail(err, TW_E_KAFKA, "%s[%" PRId32 "]: %s", topic, partition, rd_kafka_err2str(code));
}

/* The topics were all there at the start: a broker that does not know of one has just come back. */
static tw_code ends_of(tw_kafka_tail *tail, const char *topic, int32_t partition, int64_t *ret_low, int64_t *ret_high,
                       tw_err *err) {
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + SILENCE_MS * 1000000LL;
    rd_kafka_resp_err_t code;
    while ((code = rd_kafka_query_watermark_offsets(tail->client, topic, partition, ret_low, ret_high, ASK_WAIT_MS)) !=
           RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (tw_kafka_denied(tail->client, code, topic, "Read", err))
            return TW_E_KAFKA;
        if (tw_clock_steady_ns(&tw_clock_system) > until_ns)
            return tw_fail(err, TW_E_BUSY, "%s[%" PRId32 "]: %s", topic, partition, rd_kafka_err2str(code));
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    }
    return TW_OK;
}

/* One message, of the partition or about it. *ret_at: how far reading has come. */
static tw_code take_message(const rd_kafka_message_t *message, const char *topic,
                            tw_code (*take)(void *self, const tw_record *record, tw_err *err), void *self,
                            int64_t *ret_at, tw_err *err) {
    rd_kafka_timestamp_type_t type;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        *ret_at = message->offset;
        return TW_OK;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bool passes = message->err == RD_KAFKA_RESP_ERR__TRANSPORT ||
                      message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                      message->err == RD_KAFKA_RESP_ERR__TIMED_OUT;
        return passes ? TW_OK : tw_fail(err, TW_E_KAFKA, "%s: %s", topic, rd_kafka_message_errstr(message));
    }
    const tw_record record = {.partition = message->partition,
                              .offset = message->offset,
                              .timestamp_ms = rd_kafka_message_timestamp(message, &type),
                              .key = {message->key, message->key_len},
                              .value = {message->payload, message->len}};
    TW_TRY(take(self, &record, err));
    *ret_at = message->offset + 1;
    return TW_OK;
}

tw_code tw_kafka_tail_read(tw_kafka_tail *tail, const char *topic, int32_t partition, int64_t from,
                           tw_code (*take)(void *self, const tw_record *record, tw_err *err), void *self,
                           int64_t *ret_next, tw_err *err) {
    int64_t low, high;
    TW_TRY(ends_of(tail, topic, partition, &low, &high, err));
    int64_t at = from > low ? from : low, heard_ns = tw_clock_steady_ns(&tw_clock_system);
    if (at >= high) {
        *ret_next = at;
        return TW_OK;
    }
    TW_TRY(assign(tail, topic, partition, at, err));
    tw_code code = TW_OK;
    while (code == TW_OK && at < high) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(tail->client, 100);
        int64_t now_ns = tw_clock_steady_ns(&tw_clock_system), before = at;
        if (message) {
            code = take_message(message, topic, take, self, &at, err);
            rd_kafka_message_destroy(message);
        }
        if (at > before)
            heard_ns = now_ns;
        else if (now_ns - heard_ns > SILENCE_MS * 1000000LL)
            code =
                tw_fail(err, TW_E_BUSY, "%s[%" PRId32 "]: nothing came for %d s", topic, partition, SILENCE_MS / 1000);
    }
    rd_kafka_assign(tail->client, NULL);
    *ret_next = at;
    return code;
}
