/* From settings to topics. Called by `tailwater topics`. */
#include "kafka/plan.h"

#include "base/clock.h"
#include "kafka/internal.h"

#include <stdio.h>
#include <time.h>

/* A broker that does not tell a topic's settings in this time never will: the embedded one. */
#define POLICY_WAIT_MS 3000

__attribute__((format(printf, 3, 4))) static tw_kafka_planned *add(tw_kafka_plan *plan, const char *key,
                                                                   const char *fmt, ...) {
    char name[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(name, sizeof name, fmt, args);
    va_end(args);
    TW_ASSERT(plan->count < TW_KAFKA_PLAN_MAX);
    tw_kafka_planned *topic = &plan->topics[plan->count++];
    *topic = (tw_kafka_planned){.key = key};
    snprintf(topic->name, sizeof topic->name, "%s", name);
    return topic;
}

static void add_input(tw_kafka_plan *plan, const char *key, const char *name, int make) {
    if (!*name)
        return;
    tw_kafka_planned *topic = add(plan, key, "%s", name);
    topic->of_users = true;
    topic->make = make;
}

void tw_kafka_plan_make(const tw_config *config, tw_kafka_plan *plan) {
    int make = (int)config->topics_partitions;
    plan->count = 0;
    add_input(plan, "input.clicks.topic", config->input_clicks_topic, make);
    add_input(plan, "input.purchases.topic", config->input_purchases_topic, make);
    add_input(plan, "input.reviews.topic", config->input_reviews_topic, make);
    add_input(plan, "input.events.topic", config->input_events_topic, make);
    tw_kafka_planned *topic;
    if (*config->input_items_topic) {
        topic = add(plan, "input.items.topic", "%s", config->input_items_topic);
        topic->compacted = true;
        topic->make = make;
    }
    topic = add(plan, "output.recommendations.topic", "%s", config->output_recommendations_topic);
    topic->compacted = true;
    topic->make = make;
    topic = add(plan, "output.dead.letters.topic", "%s", config->output_dead_letters_topic);
    topic->make = make;
    if (*config->output_profiles_topic) {
        topic = add(plan, "output.profiles.topic", "%s", config->output_profiles_topic);
        topic->compacted = true;
        topic->make = make;
    }
    if (*config->output_drift_topic) {
        topic = add(plan, "output.drift.topic", "%s", config->output_drift_topic);
        topic->make = make;
    }
    if (!config->state_changelog)
        return;
    topic = add(plan, "state.changelog", "%s-state-changelog", config->application_id);
    topic->compacted = topic->ours = topic->of_users = true; /* partition p holds task p */
    topic->make = make;
    topic = add(plan, "state.changelog", "%s-model-changelog", config->application_id);
    topic->compacted = topic->ours = true;
    topic->partitions = topic->make = 1;
}

__attribute__((format(printf, 3, 4))) static void judge(tw_kafka_planned *topic, tw_kafka_fit fit, const char *fmt,
                                                        ...) {
    va_list args;
    if (topic->fit >= fit && topic->fit != TW_KAFKA_FIT)
        return;
    topic->fit = fit;
    va_start(args, fmt);
    vsnprintf(topic->text, sizeof topic->text, fmt, args);
    va_end(args);
}

/* The topic of users whose partition count the others must have: the first that is there; an input before our own. */
static const tw_kafka_planned *measure_of(const tw_kafka_plan *plan) {
    for (int ours = 0; ours < 2; ours++)
        for (int i = 0; i < plan->count; i++)
            if (plan->topics[i].of_users && plan->topics[i].ours == (ours != 0) && plan->topics[i].has_partitions)
                return &plan->topics[i];
    return NULL;
}

static void judge_all(tw_kafka_plan *plan) {
    const tw_kafka_planned *first = measure_of(plan);
    for (int i = 0; i < plan->count; i++) {
        tw_kafka_planned *topic = &plan->topics[i];
        topic->fit = TW_KAFKA_FIT;
        topic->text[0] = '\0';
        if (topic->of_users && first)
            topic->partitions = topic->make = first->has_partitions;
        if (topic->has_partitions == 0) {
            judge(topic, TW_KAFKA_MISSING, "to be made with %d partitions", topic->make);
            continue;
        }
        if (topic->partitions && topic->has_partitions != topic->partitions)
            judge(topic, TW_KAFKA_UNFIT, "%d partitions%s%s%s are wanted", topic->partitions,
                  topic->of_users ? ", as \"" : "", topic->of_users ? first->name : "",
                  topic->of_users ? "\" has," : "");
        if (topic->compacted && *topic->has_policy && !strstr(topic->has_policy, "compact"))
            judge(topic, topic->ours ? TW_KAFKA_UNFIT : TW_KAFKA_WARNING,
                  "not compacted: what is older than its retention is lost to who reads it from the start");
        for (int k = 0; k < i; k++)
            if (strcmp(plan->topics[k].name, topic->name) == 0)
                judge(topic, TW_KAFKA_UNFIT, "%s names it as well", plan->topics[k].key);
    }
}

tw_code tw_kafka_plan_look(tw_kafka_plan *plan, tw_kafka_topics *topics, int wait_ms, tw_err *err) {
    bool tells = true;
    TW_TRY(tw_kafka_topics_ask(topics, wait_ms, err));
    for (int i = 0; i < plan->count; i++) {
        tw_kafka_planned *topic = &plan->topics[i];
        topic->has_partitions = tw_kafka_topics_partitions(topics, topic->name);
        tw_err why = {0};
        tw_code code = tw_kafka_topics_want(topics, topic->name, topic->key, "Describe", &why);
        if (code != TW_OK && code != TW_E_CONFIG) {
            if (err)
                *err = why;
            return code;
        }
        if (code == TW_OK && tells)
            tells = tw_kafka_policy(topics, topic->name, POLICY_WAIT_MS, topic->has_policy, NULL) == TW_OK;
    }
    judge_all(plan);
    return TW_OK;
}

static bool all_there(const tw_kafka_plan *plan, const tw_kafka_topics *topics) {
    for (int i = 0; i < plan->count; i++)
        if (plan->topics[i].made && tw_kafka_topics_partitions(topics, plan->topics[i].name) == 0)
            return false;
    return true;
}

tw_code tw_kafka_plan_create(tw_kafka_plan *plan, tw_kafka_topics *topics, int replication, int wait_ms, tw_err *err) {
    for (int i = 0; i < plan->count; i++) {
        tw_kafka_planned *topic = &plan->topics[i];
        if (topic->fit != TW_KAFKA_MISSING)
            continue;
        TW_TRY(tw_kafka_create(topics, topic->name, topic->make, replication, topic->compacted, wait_ms, err));
        topic->made = true;
    }
    int64_t until_ns = tw_clock_steady_ns(&tw_clock_system) + (int64_t)wait_ms * 1000000;
    for (;;) {
        TW_TRY(tw_kafka_topics_ask(topics, wait_ms, err));
        if (all_there(plan, topics))
            return TW_OK;
        if (tw_clock_steady_ns(&tw_clock_system) > until_ns)
            return tw_fail(err, TW_E_BUSY, "the topics that were made do not show");
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
}
