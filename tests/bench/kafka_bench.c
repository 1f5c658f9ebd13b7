/* What the Kafka benchmark measures with: a bare poll loop, and a reader of lists. Run by tests/bench/kafka/run.sh; each prints one JSON
 * object.
 *   kafka_bench poll   BOOTSTRAP TOPIC                    every record once, by a loop that does nothing with it
 *   kafka_bench times  BOOTSTRAP LISTS                    how fast the events behind the lists were taken, by the broker's clock
 *   kafka_bench follow BOOTSTRAP LISTS EVENTS SECONDS     from now on: from the produce time of an event to its list here, by wall clock */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PARTITIONS_MAX 64
/* The share of the events that is warm-up: class loading, compilation, first pages. */
#define WARM_UP 0.2

typedef struct seen {  /* a list */
    int32_t partition; /* of the event behind it */
    int64_t offset;
    double ms; /* when it came */
} seen;

typedef struct lists {
    seen *list;
    size_t count, capacity;
} lists;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "kafka_bench: %s: %s\n", what, why);
    exit(1);
}

static double now_ms(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        fail(name, why);
}

/* A consumer at `from` of each partition of a topic. Returns how many partitions it has. */
static int open_topic(const char *bootstrap, const char *topic, int64_t from, rd_kafka_t **ret_client) {
    char why[256];
    const struct rd_kafka_metadata *metadata;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "group.id", "bench-reader");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "isolation.level", "read_committed");
    set(conf, "queued.min.messages", "1000000"); /* above it librdkafka 2.0 stops fetching for a second */
    set(conf, "queued.max.messages.kbytes", "1000000");
    set(conf, "fetch.wait.max.ms", "5");
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    if (!client)
        fail("consumer", why);
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, handle, &metadata, 10000);
    if (code || metadata->topic_cnt != 1 || metadata->topics[0].partition_cnt > PARTITIONS_MAX)
        fail(topic, rd_kafka_err2str(code));
    int partitions = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = from;
    rd_kafka_assign(client, list);
    rd_kafka_topic_partition_list_destroy(list);
    *ret_client = client;
    return partitions;
}

static void close_topic(rd_kafka_t *client) {
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
}

/* The next record of the topic; NULL when every partition was read to its end. The caller destroys it. */
static rd_kafka_message_t *next(rd_kafka_t *client, int *left) {
    while (*left > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 1000);
        if (message && !message->err)
            return message;
        if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            --*left;
        else if (message)
            fail("poll", rd_kafka_message_errstr(message));
        if (message)
            rd_kafka_message_destroy(message);
    }
    return NULL;
}

static void poll_all(const char *bootstrap, const char *topic) {
    rd_kafka_t *client;
    rd_kafka_message_t *message;
    int left = open_topic(bootstrap, topic, RD_KAFKA_OFFSET_BEGINNING, &client);
    int64_t records = 0;
    double first_ms = 0;
    while ((message = next(client, &left))) {
        if (records++ == 0)
            first_ms = now_ms(CLOCK_MONOTONIC);
        rd_kafka_message_destroy(message);
    }
    printf("{\"records\": %" PRId64 ", \"seconds\": %.4f}\n", records, (now_ms(CLOCK_MONOTONIC) - first_ms) / 1e3);
    close_topic(client);
}

/* The number behind a name in a list's JSON; values are not terminated, so they are searched within their size. */
static int64_t field(const rd_kafka_message_t *message, const char *name) {
    const char *at = message->payload, *end = at + message->len;
    size_t size = strlen(name);
    for (; at + size < end; at++)
        if (memcmp(at, name, size) == 0) {
            int64_t value = 0;
            for (at += size; at < end && *at >= '0' && *at <= '9'; at++)
                value = 10 * value + (*at - '0');
            return value;
        }
    fail(name, "a list without it");
    return -1;
}

static void keep(lists *l, const rd_kafka_message_t *message, double ms) {
    if (l->count == l->capacity) {
        l->capacity = 2 * l->capacity + 1024;
        l->list = realloc(l->list, l->capacity * sizeof *l->list);
        if (!l->list)
            fail("lists", "no memory");
    }
    seen s = {(int32_t)field(message, "\"partition\":"), field(message, "\"offset\":"), ms};
    if (s.partition < 0 || s.partition >= PARTITIONS_MAX)
        fail("lists", "a partition that no topic here has");
    l->list[l->count++] = s;
}

static int by_time(const void *a_, const void *b_) {
    const seen *a = a_, *b = b_;
    return (a->ms > b->ms) - (a->ms < b->ms);
}

/* Events taken up to each list: the furthest offset of each partition, added up. The rate goes from the list at which the warm-up's share
 * is taken to the last one. */
static void times(const char *bootstrap, const char *topic) {
    rd_kafka_t *client;
    rd_kafka_message_t *message;
    rd_kafka_timestamp_type_t type;
    int left = open_topic(bootstrap, topic, RD_KAFKA_OFFSET_BEGINNING, &client);
    lists all = {0};
    while ((message = next(client, &left))) {
        keep(&all, message, (double)rd_kafka_message_timestamp(message, &type));
        if (type != RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME)
            fail(topic, "wants message.timestamp.type=LogAppendTime");
        rd_kafka_message_destroy(message);
    }
    close_topic(client);
    if (all.count == 0)
        fail(topic, "has no lists");
    qsort(all.list, all.count, sizeof *all.list, by_time);
    int64_t reached[PARTITIONS_MAX] = {0}, total = 0, taken = 0, warm_events = 0;
    double warm_ms = 0;
    for (size_t i = 0; i < all.count; i++) {
        seen *s = &all.list[i];
        total += s->offset + 1 > reached[s->partition] ? s->offset + 1 - reached[s->partition] : 0;
        reached[s->partition] = s->offset + 1 > reached[s->partition] ? s->offset + 1 : reached[s->partition];
    }
    memset(reached, 0, sizeof reached);
    for (size_t i = 0; i < all.count; i++) {
        seen *s = &all.list[i];
        if (s->offset + 1 > reached[s->partition]) {
            taken += s->offset + 1 - reached[s->partition];
            reached[s->partition] = s->offset + 1;
        }
        if (warm_ms == 0 && (double)taken >= WARM_UP * (double)total) {
            warm_ms = s->ms;
            warm_events = taken;
        }
    }
    double last_ms = all.list[all.count - 1].ms;
    printf("{\"lists\": %zu, \"events\": %" PRId64 ", \"seconds\": %.3f, \"steady_events\": %" PRId64
           ", \"steady_seconds\": %.3f}\n",
           all.count, total, (last_ms - all.list[0].ms) / 1e3, total - warm_events, (last_ms - warm_ms) / 1e3);
    free(all.list);
}

/* Produce times of all events, by partition and offset. */
typedef struct produced {
    double *ms[PARTITIONS_MAX];
    int64_t count[PARTITIONS_MAX], capacity[PARTITIONS_MAX];
} produced;

static void read_events(const char *bootstrap, const char *topic, produced *p) {
    rd_kafka_t *client;
    rd_kafka_message_t *message;
    rd_kafka_timestamp_type_t type;
    int left = open_topic(bootstrap, topic, RD_KAFKA_OFFSET_BEGINNING, &client);
    while ((message = next(client, &left))) {
        int32_t at = message->partition;
        if (message->offset >= p->capacity[at]) {
            p->capacity[at] = 2 * message->offset + 1024;
            p->ms[at] = realloc(p->ms[at], (size_t)p->capacity[at] * sizeof(double));
            if (!p->ms[at])
                fail("events", "no memory");
        }
        p->ms[at][message->offset] = (double)rd_kafka_message_timestamp(message, &type);
        p->count[at] = message->offset + 1;
        rd_kafka_message_destroy(message);
    }
    close_topic(client);
}

static int by_value(const void *a, const void *b) {
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* The longest time without a list behind any one partition's events: what a move of that partition costs its users. One that has
 * not come back when watching ends counts as far as it was seen. */
static double longest_gap(const lists *l, double end_ms) {
    double last[PARTITIONS_MAX] = {0}, gap = 0;
    for (size_t i = 0; i < l->count; i++) {
        const seen *s = &l->list[i];
        if (last[s->partition] > 0 && s->ms - last[s->partition] > gap)
            gap = s->ms - last[s->partition];
        last[s->partition] = s->ms;
    }
    for (int i = 0; i < PARTITIONS_MAX; i++)
        if (last[i] > 0 && end_ms - last[i] > gap)
            gap = end_ms - last[i];
    return gap;
}

static void follow(const char *bootstrap, const char *topic, const char *events, double seconds) {
    rd_kafka_t *client;
    lists all = {0};
    produced p = {0};
    open_topic(bootstrap, topic, RD_KAFKA_OFFSET_END, &client);
    double until_ms = now_ms(CLOCK_MONOTONIC) + seconds * 1e3;
    while (now_ms(CLOCK_MONOTONIC) < until_ms) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 50);
        if (message && !message->err)
            keep(&all, message, now_ms(CLOCK_REALTIME));
        if (message)
            rd_kafka_message_destroy(message);
    }
    double end_ms = now_ms(CLOCK_REALTIME);
    close_topic(client);
    read_events(bootstrap, events, &p);
    double *waits = calloc(all.count + 1, sizeof *waits);
    size_t count = 0;
    for (size_t i = 0; waits && i < all.count; i++) {
        const seen *s = &all.list[i];
        if (s->offset < p.count[s->partition])
            waits[count++] = s->ms - p.ms[s->partition][s->offset];
    }
    if (count == 0)
        fail(topic, "no list came");
    qsort(waits, count, sizeof *waits, by_value);
    printf("{\"lists\": %zu, \"p50_ms\": %.1f, \"p99_ms\": %.1f, \"max_ms\": %.1f, \"gap_ms\": %.1f}\n", count,
           waits[count / 2], waits[count * 99 / 100], waits[count - 1], longest_gap(&all, end_ms));
    free(waits);
    free(all.list);
    for (int i = 0; i < PARTITIONS_MAX; i++)
        free(p.ms[i]);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "poll") == 0)
        poll_all(argv[2], argv[3]);
    else if (argc == 4 && strcmp(argv[1], "times") == 0)
        times(argv[2], argv[3]);
    else if (argc == 6 && strcmp(argv[1], "follow") == 0)
        follow(argv[2], argv[3], argv[4], atof(argv[5]));
    else
        fail("usage", "poll BOOTSTRAP TOPIC | times BOOTSTRAP LISTS | follow BOOTSTRAP LISTS EVENTS SECONDS");
    return 0;
}
