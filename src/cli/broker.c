/* `tailwater broker`: the embedded broker as a process of its own, for tests and for a first look without Kafka.
 * SIGUSR1 and SIGUSR2 make an outage and end it. */
#include "cli/cli.h"

#include "kafka/broker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PARTITIONS_MAX 64

/* "name" or "name:partitions". */
static tw_code create_topic(tw_kafka_broker *broker, const char *text, tw_err *err) {
    char name[250];
    const char *colon = strrchr(text, ':');
    size_t size = colon ? (size_t)(colon - text) : strlen(text);
    long partitions = 1;
    if (colon) {
        char *end;
        partitions = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end || partitions < 1 || partitions > PARTITIONS_MAX)
            return tw_fail(err, TW_E_USAGE, "%s: 1 to %d partitions", text, PARTITIONS_MAX);
    }
    if (size == 0 || size >= sizeof name)
        return tw_fail(err, TW_E_USAGE, "%s: a topic's name has 1 to 249 bytes", text);
    memcpy(name, text, size);
    name[size] = '\0';
    return tw_kafka_broker_create_topic(broker, name, (int)partitions, err);
}

/* SIGUSR1 takes the broker away, connections and all; SIGUSR2 brings it back with what it held. */
static volatile sig_atomic_t wanted_up = 1;

static void on_outage(int signal_number) {
    wanted_up = signal_number == SIGUSR2;
}

static tw_code serve(tw_kafka_broker *broker, tw_err *err) {
    bool up = true;
    while (!tw_stop_wanted()) {
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        if (up == (wanted_up != 0))
            continue;
        up = !up;
        TW_TRY(tw_kafka_broker_set_up(broker, up, err));
    }
    return TW_OK;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const tw_option options[] = {{0}};
    tw_args args;
    tw_kafka_broker *broker = NULL;
    tw_code code = tw_args_parse(&tw_command_broker, options, argc, argv, NULL, 0, TW_POSITIONALS_MAX, &args, err);
    if (code != TW_OK || args.help)
        return code;
    tw_stop_catch();
    signal(SIGUSR1, on_outage);
    signal(SIGUSR2, on_outage);
    if ((code = tw_kafka_broker_start(&broker, err)) != TW_OK)
        return code;
    for (int i = 0; code == TW_OK && i < args.positionals_count; i++)
        code = create_topic(broker, args.positionals[i], err);
    if (code == TW_OK) {
        printf("bootstrap.servers=%s\n", tw_kafka_broker_address(broker));
        fflush(stdout);
    }
    if (code == TW_OK)
        code = serve(broker, err);
    tw_kafka_broker_stop(broker);
    return code;
}

const tw_command tw_command_broker = {
    "broker", "[TOPIC[:PARTITIONS]...]",
    "Starts the embedded broker (in memory, about 5 MiB a partition, gone when it ends)", run};
