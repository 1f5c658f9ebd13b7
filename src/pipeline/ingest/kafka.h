/* Kafka topics as a source (input.*): clicks, purchases, reviews and mixed events as a member of the group application.id, one task a
 * partition; the items topic read whole, outside of the group. Engine thread. */
#ifndef TW_INGEST_KAFKA_H
#define TW_INGEST_KAFKA_H

#include "config/config.h"
#include "kafka/topics.h"
#include "pipeline/ingest/source.h"

/* topics have answered; they may be closed afterwards. The group is joined at the first poll. Errors: TW_E_CONFIG (inputs, a topic that
 * is not there, unequal partition counts), TW_E_IO and TW_E_BAD_FILE (schemas). Records of the form
 * confluent are held back until schema.registry.url has said what their ids stand for. poll fails for good with TW_E_KAFKA,
 * TW_E_MISMATCH (a stored position is gone), or TW_E_LOCKED (another member of the group holds partitions). */
tw_code tw_source_kafka(const tw_config *config, const tw_kafka_topics *topics, tw_source **ret_source, tw_err *err);

#endif
