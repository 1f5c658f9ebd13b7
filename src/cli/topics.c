/* `tailwater topics`: the topics that the settings name, what the cluster has, and what is missing or unfit; --create makes what is
 * missing. Nothing that is there is changed. */
#include "cli/cli.h"

#include "base/json.h"
#include "base/log.h"
#include "kafka/plan.h"

#include <stdio.h>

/* A command at a prompt: a broker that does not answer in this time is told, not waited for. */
#define WAIT_MS 10000
#define ASK_WAIT_MS 500

static const char *const fits[] = {"ok", "warning", "missing", "unfit"};

/* What a topic should be: 0 partitions stands for any number. */
static void put_json(const tw_kafka_planned *topic, tw_buf *buf) {
    tw_buf_printf(buf, "{\"topic\":");
    tw_json_text(buf, tw_slice_of(topic->name));
    tw_buf_printf(buf, ",\"key\":\"%s\",\"wanted\":{\"partitions\":%d,\"compacted\":%s},\"partitions\":%d", topic->key,
                  topic->has_partitions ? topic->partitions : topic->make, topic->compacted ? "true" : "false",
                  topic->has_partitions);
    if (*topic->has_policy)
        tw_buf_printf(buf, ",\"cleanup_policy\":\"%s\"", topic->has_policy);
    tw_buf_printf(buf, ",\"created\":%s,\"verdict\":\"%s\",\"text\":", topic->made ? "true" : "false",
                  fits[topic->fit]);
    tw_json_text(buf, tw_slice_of(topic->text));
    tw_buf_u8(buf, '}');
}

static void put_line(const tw_kafka_planned *topic, int width, tw_buf *buf) {
    char has[64], wants[64];
    int partitions = topic->has_partitions ? topic->partitions : topic->make;
    snprintf(wants, sizeof wants, "%.0d%s%s", partitions, partitions ? "" : "any", topic->compacted ? " compact" : "");
    snprintf(has, sizeof has, "%d %s", topic->has_partitions, *topic->has_policy ? topic->has_policy : "?");
    tw_buf_printf(buf, "\n%-*s  %-29s  %-12s  %-18s  %s%s%s", width, topic->name, topic->key, wants,
                  topic->has_partitions ? has : "-", topic->made ? "made" : fits[topic->fit], *topic->text ? ": " : "",
                  topic->text);
}

static tw_code print(const tw_kafka_plan *plan, bool json, bool good, tw_err *err) {
    tw_buf buf = {0};
    int width = 5;
    for (int i = 0; i < plan->count; i++)
        if ((int)strlen(plan->topics[i].name) > width)
            width = (int)strlen(plan->topics[i].name);
    if (json)
        tw_buf_printf(&buf, "{\"topics\":[");
    else
        tw_buf_printf(&buf, "%-*s  %-29s  %-12s  %-18s  %s", width, "topic", "setting", "wanted", "there", "verdict");
    for (int i = 0; i < plan->count; i++) {
        if (json && i)
            tw_buf_u8(&buf, ',');
        if (json)
            put_json(&plan->topics[i], &buf);
        else
            put_line(&plan->topics[i], width, &buf);
    }
    if (json)
        tw_buf_printf(&buf, "],\"ok\":%s}", good ? "true" : "false");
    tw_code code = tw_print(&buf, err);
    tw_buf_done(&buf);
    return code;
}

static tw_code look(tw_kafka_plan *plan, tw_kafka_topics *topics, tw_err *err) {
    tw_code code = TW_E_BUSY;
    for (int waited_ms = 0; code == TW_E_BUSY && waited_ms < WAIT_MS && !tw_stop_wanted(); waited_ms += ASK_WAIT_MS)
        code = tw_kafka_topics_ask(topics, ASK_WAIT_MS, err);
    return code == TW_OK ? tw_kafka_plan_look(plan, topics, WAIT_MS, err) : code;
}

static tw_code verdict(const tw_kafka_plan *plan, tw_err *err) {
    int missing = 0;
    for (int i = 0; i < plan->count; i++) {
        const tw_kafka_planned *topic = &plan->topics[i];
        if (topic->fit == TW_KAFKA_UNFIT)
            return tw_fail(err, TW_E_MISMATCH, "topic \"%s\" is unfit (%s); it is left as it is", topic->name,
                           topic->text);
        missing += topic->fit == TW_KAFKA_MISSING;
    }
    return missing ? tw_fail(err, TW_E_NOT_FOUND, "%d of %d topics are missing; `tailwater topics --create` makes them",
                             missing, plan->count)
                   : TW_OK;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    bool create = false, json = false;
    const tw_option options[] = {{.name = "create", .doc = "Make the topics that are missing", .flag = &create},
                                 {.name = "json", .doc = "One JSON object", .flag = &json},
                                 {0}};
    tw_config config;
    tw_args args;
    tw_kafka_plan plan;
    tw_kafka_topics *topics = NULL;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_topics, options, argc, argv, &config, 0, 0, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    tw_log_set((tw_log_level)config.log_level, (tw_log_format)config.log_format);
    tw_stop_catch();
    tw_kafka_plan_make(&config, &plan);
    if ((code = tw_kafka_topics_open(&config, &topics, err)) != TW_OK)
        goto done;
    if ((code = look(&plan, topics, err)) != TW_OK)
        goto done;
    if (create) {
        code = tw_kafka_plan_create(&plan, topics, (int)config.topics_replication_factor, WAIT_MS, err);
        if (code == TW_OK)
            code = tw_kafka_plan_look(&plan, topics, WAIT_MS, err);
        if (code != TW_OK)
            goto done;
    }
    tw_err why = {0};
    code = verdict(&plan, &why);
    tw_code printed = print(&plan, json, code == TW_OK, err);
    if (printed != TW_OK)
        code = printed;
    else if (err)
        *err = why;
done:
    tw_kafka_topics_close(topics);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_topics = {
    "topics", "[--create] [--json]",
    "Compares the topics that the settings name with those of the cluster, and makes what is missing", run};
