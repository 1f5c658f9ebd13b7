/* What a partition has: its first and its next offset. Called when a stream is connected. */
#include "kafka/internal.h"
#include "kafka/topics.h"

#include <inttypes.h>

tw_code tw_kafka_topics_bounds(const tw_kafka_topics *topics, const char *topic, int32_t partition, int wait_ms,
                               int64_t *ret_low, int64_t *ret_high, tw_err *err) {
    rd_kafka_t *client = tw_kafka_topics_client(topics);
    if (partition >= tw_kafka_topics_partitions(topics, topic))
        return tw_fail(err, TW_E_NOT_FOUND, "%s[%" PRId32 "] does not exist", topic, partition);
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(client, topic, partition, ret_low, ret_high, wait_ms);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return TW_OK;
    if (tw_kafka_denied(client, code, topic, "Read", err))
        return TW_E_KAFKA;
    return tw_fail(err, TW_E_BUSY, "%s[%" PRId32 "]: asking for its offsets: %s", topic, partition,
                   rd_kafka_err2str(code));
}
