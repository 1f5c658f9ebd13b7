/* The steps of a commit, each of which may have to be taken up again. Called by the Kafka changelog. */
#include "kafka/transaction.h"

#include "base/log.h"
#include "kafka/internal.h"

/* An abort waits this long for the broker; beyond it the producer is closed all the same, and the broker times the transaction out. */
#define ABORT_WAIT_MS 5000

/* What an error asks for. Consumes error. */
static tw_code take_error(tw_kafka_producer *producer, rd_kafka_error_t *error, const char *what, tw_err *err) {
    bool fatal = rd_kafka_error_is_fatal(error), retriable = rd_kafka_error_is_retriable(error);
    bool abortable = rd_kafka_error_txn_requires_abort(error);
    tw_code code = retriable && !fatal && !abortable ? TW_E_BUSY : TW_E_ABORTED;
    tw_fail_text(err, code, "%s: %s", what, rd_kafka_error_string(error));
    if (code == TW_E_ABORTED)
        tw_log_warn("transaction", "step=%s error=%s fatal=%s text=\"%s\"", what, rd_kafka_error_name(error),
                    fatal ? "true" : "false", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    if (abortable && !fatal) {
        rd_kafka_error_t *later = rd_kafka_abort_transaction(producer->client, ABORT_WAIT_MS);
        if (later)
            rd_kafka_error_destroy(later);
    }
    return code;
}

tw_code tw_kafka_transaction_start(tw_kafka_producer *producer, int wait_ms, tw_err *err) {
    const struct rd_kafka_metadata *metadata;
    rd_kafka_error_t *error = rd_kafka_init_transactions(producer->client, wait_ms);
    if (error) {
        tw_code code = rd_kafka_error_is_retriable(error) ? TW_E_BUSY : TW_E_KAFKA;
        tw_fail_text(err, code, "starting transactions: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        return code;
    }
    /* The first transaction would wait a second for the topics' metadata. */
    if (rd_kafka_metadata(producer->client, 1, NULL, &metadata, wait_ms) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
    producer->transaction = TW_TRANSACTION_NONE;
    return TW_OK;
}

tw_code tw_kafka_transaction_begin(tw_kafka_producer *producer, tw_err *err) {
    if (producer->transaction != TW_TRANSACTION_NONE)
        return TW_OK;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(producer->client);
    if (error) {
        tw_code code = take_error(producer, error, "begin", err);
        return code == TW_E_BUSY ? TW_E_ABORTED : code;
    }
    producer->transaction = TW_TRANSACTION_BEGUN;
    return TW_OK;
}

static tw_code send_positions(tw_kafka_producer *producer, tw_kafka_consumer *consumer,
                              const tw_kafka_position *positions, int count, int wait_ms, tw_err *err) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(tw_kafka_consumer_client(consumer));
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, positions[i].topic, positions[i].partition)->offset =
            positions[i].offset;
    rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(producer->client, list, group, wait_ms);
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? take_error(producer, error, "positions", err) : TW_OK;
}

tw_code tw_kafka_transaction_commit(tw_kafka_producer *producer, tw_kafka_consumer *consumer,
                                    const tw_kafka_position *positions, int count, int wait_ms, tw_err *err) {
    TW_TRY(tw_kafka_transaction_begin(producer, err));
    if (producer->transaction == TW_TRANSACTION_BEGUN) {
        if (count > 0 && consumer)
            TW_TRY(send_positions(producer, consumer, positions, count, wait_ms, err));
        producer->transaction = TW_TRANSACTION_COMMITTING;
    }
    rd_kafka_error_t *error = rd_kafka_commit_transaction(producer->client, wait_ms);
    if (error)
        return take_error(producer, error, "commit", err);
    producer->transaction = TW_TRANSACTION_NONE;
    return TW_OK;
}
