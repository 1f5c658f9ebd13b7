/* What the sections with a broker share: the embedded broker in a process of its own, settings of its clients, and a producer that knows when
 * it sent what. Thread: main, but for what says so. */
#ifndef TW_CLI_BENCH_KAFKA_H
#define TW_CLI_BENCH_KAFKA_H

#include "cli/bench.h"
#include "kafka/producer.h"

#include <sys/types.h>

typedef struct tw_bench_broker {
    pid_t pid;
    int out;           /* what it prints */
    char address[128]; /* for bootstrap.servers */
} tw_bench_broker;

/* Starts `tailwater broker` with these topics ("name:partitions", ended by NULL). Errors: TW_E_IO, TW_E_KAFKA. */
tw_code tw_bench_broker_start(tw_bench_broker *broker, const char *const *topics, tw_err *err);
void tw_bench_broker_stop(tw_bench_broker *broker);

/* base with the settings of a client of that broker and these ("key=value", ended by NULL) over it; tw_config_done releases it. */
tw_code tw_bench_broker_config(const tw_bench_broker *broker, const tw_bench *bench, const char *const *settings,
                               tw_config *ret_config, tw_err *err);

/* A click as a record's value: the bytes of schemas/click.avsc as a single object, so that a reader knows its schema. */
void tw_bench_write_click(const tw_event *event, tw_buf *out);

/* Sends, and waits where the queue is full. */
tw_code tw_bench_send(tw_kafka_producer *producer, const tw_kafka_message *message, tw_err *err);
/* Until all is acknowledged. */
tw_code tw_bench_flush(tw_kafka_producer *producer, tw_err *err);

#endif
