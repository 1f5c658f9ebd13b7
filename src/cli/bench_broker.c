/* The embedded broker in a process of its own, as a broker is: its threads take nothing from the process that is measured but the second
 * core. Called by the sections with a topic. */
#include "cli/bench_kafka.h"

#include "avro/fingerprint.h"
#include "avro/schema_files.h"
#include "avro/write.h"
#include "cli/cli.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ADDRESS_NAME "bootstrap.servers="
#define FLUSH_WAIT_MS 100

extern char **environ;

static tw_code read_address(tw_bench_broker *broker, tw_err *err) {
    char line[256];
    size_t size = 0;
    while (size + 1 < sizeof line && read(broker->out, line + size, 1) == 1 && line[size] != '\n')
        size++;
    line[size] = '\0';
    if (strncmp(line, ADDRESS_NAME, sizeof ADDRESS_NAME - 1) != 0)
        return tw_fail(err, TW_E_KAFKA, "the embedded broker did not start");
    snprintf(broker->address, sizeof broker->address, "%.*s", (int)sizeof broker->address - 1,
             line + sizeof ADDRESS_NAME - 1);
    return TW_OK;
}

tw_code tw_bench_broker_start(tw_bench_broker *broker, const char *const *topics, tw_err *err) {
    char *args[16] = {"tailwater", "broker"};
    int ends[2], n = 2;
    *broker = (tw_bench_broker){.pid = -1, .out = -1};
    for (; *topics && n < 15; topics++)
        args[n++] = (char *)*topics; /* which execv promises not to change */
    if (pipe(ends) != 0)
        return tw_fail(err, TW_E_IO, "no pipe to be had");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    int failed = posix_spawn(&broker->pid, "/proc/self/exe", &actions, NULL, args, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    broker->out = ends[0];
    if (failed)
        broker->pid = -1;
    tw_code code = failed ? tw_fail(err, TW_E_IO, "the embedded broker cannot be started") : read_address(broker, err);
    if (code != TW_OK)
        tw_bench_broker_stop(broker);
    return code;
}

void tw_bench_broker_stop(tw_bench_broker *broker) {
    if (broker->pid > 0) {
        kill(broker->pid, SIGTERM);
        waitpid(broker->pid, NULL, 0);
    }
    if (broker->out >= 0)
        close(broker->out);
    *broker = (tw_bench_broker){.pid = -1, .out = -1};
}

/* The mock broker holds a group's first member back for the session's time-out less a second, and 3 s at least. */
tw_code tw_bench_broker_config(const tw_bench_broker *broker, const tw_bench *bench, const char *const *settings,
                               tw_config *ret_config, tw_err *err) {
    static const char *const common[] = {"input.clicks.topic=clicks",
                                         "input.purchases.topic=",
                                         "input.reviews.topic=",
                                         "input.items.topic=",
                                         "output.recommendations.topic=lists",
                                         "output.dead.letters.topic=dead",
                                         "serve.enabled=false",
                                         "log.level=warn",
                                         "kafka.fetch.wait.max.ms=10",
                                         "kafka.session.timeout.ms=6000",
                                         NULL};
    char servers[160];
    tw_config_init(ret_config);
    ret_config->seed = bench->config->seed;
    snprintf(servers, sizeof servers, "kafka.bootstrap.servers=%s", broker->address);
    tw_code code = tw_config_set(ret_config, servers, err);
    for (int i = 0; code == TW_OK && common[i]; i++)
        code = tw_config_set(ret_config, common[i], err);
    for (int i = 0; code == TW_OK && settings[i]; i++)
        code = tw_config_set(ret_config, settings[i], err);
    if (code != TW_OK)
        tw_config_done(ret_config);
    return code;
}

void tw_bench_write_click(const tw_event *e, tw_buf *out) {
    static uint64_t fingerprint;
    if (!fingerprint)
        tw_avro_fingerprint(tw_schema_file("click.avsc"), &fingerprint, NULL);
    tw_buf_u8(out, 0xc3);
    tw_buf_u8(out, 0x01);
    tw_buf_u64(out, fingerprint);
    tw_avro_put_optional(out, e->event_id);
    tw_avro_put_text(out, e->user_id);
    tw_avro_put_text(out, e->item_id);
    tw_avro_put_long(out, e->event_ms);
    tw_avro_put_long(out, 0); /* a click */
    tw_avro_put_optional(out, e->category);
    tw_avro_put_optional(out, e->title);
    tw_buf_u8(out, 0); /* no price */
}

tw_code tw_bench_send(tw_kafka_producer *producer, const tw_kafka_message *message, tw_err *err) {
    tw_code code;
    while ((code = tw_kafka_producer_send(producer, message, err)) == TW_E_BUSY) {
        code = tw_kafka_producer_flush(producer, FLUSH_WAIT_MS, err);
        if (code != TW_OK && code != TW_E_BUSY)
            break;
    }
    return code;
}

tw_code tw_bench_flush(tw_kafka_producer *producer, tw_err *err) {
    tw_code code;
    while ((code = tw_kafka_producer_flush(producer, FLUSH_WAIT_MS, err)) == TW_E_BUSY && !tw_stop_wanted())
        continue;
    return code;
}
