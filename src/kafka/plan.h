/* Every topic that the settings name: what it must be, what the cluster has, and what is wrong with it. Thread: its owner's. */
#ifndef TW_KAFKA_PLAN_H
#define TW_KAFKA_PLAN_H

#include "kafka/admin.h"

#include <stdbool.h>

#define TW_KAFKA_PLAN_MAX 16

typedef enum tw_kafka_fit {
    TW_KAFKA_FIT,     /* as it should be */
    TW_KAFKA_WARNING, /* works, but not for long or not well */
    TW_KAFKA_MISSING,
    TW_KAFKA_UNFIT /* `run` refuses it */
} tw_kafka_fit;

typedef struct tw_kafka_planned {
    char name[256];
    const char *key; /* the setting that names it */
    bool of_users;   /* must have as many partitions as the others of its kind */
    bool compacted;  /* wanted */
    bool ours;       /* nobody else writes it: it must be right, not only better so */
    int partitions;  /* wanted; 0: any number does */
    int make;        /* partitions to make it with */

    int has_partitions; /* 0: it is not there */
    char has_policy[TW_KAFKA_POLICY_SIZE];
    bool made; /* by us, just now */
    tw_kafka_fit fit;
    char text[256]; /* what is wrong; empty: nothing */
} tw_kafka_planned;

typedef struct tw_kafka_plan {
    tw_kafka_planned topics[TW_KAFKA_PLAN_MAX];
    int count;
} tw_kafka_plan;

void tw_kafka_plan_make(const tw_config *config, tw_kafka_plan *ret_plan);

/* Fills in what the cluster has, and judges. Errors: those of tw_kafka_topics_ask and tw_kafka_topics_want but for topics that are missing. */
tw_code tw_kafka_plan_look(tw_kafka_plan *plan, tw_kafka_topics *topics, int wait_ms, tw_err *err);

/* Makes what is missing and waits until the cluster shows it; look again afterwards. Errors: those of tw_kafka_create. */
tw_code tw_kafka_plan_create(tw_kafka_plan *plan, tw_kafka_topics *topics, int replication, int wait_ms, tw_err *err);

#endif
