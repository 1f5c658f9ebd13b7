/* Ids to schemas, one after the other. Called by the Kafka source. */
#include "pipeline/ingest/resolver.h"

#include "avro/schemas.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "kafka/registry.h"

#include <inttypes.h>
#include <stdlib.h>

/* How long the registry's word that it has no such id is believed (chosen: a producer that registers and then sends is never met
 * by it; one that sends first loses no more than this to the dead letters). */
#define UNKNOWN_NS 30000000000

/* Ids remembered as of no use; the oldest makes room. A stream of made-up ids then costs one question an id, and no memory. */
#define USELESS_MAX 1024

typedef struct useless {
    uint32_t id;
    int64_t until_ns;
} useless;

struct tw_resolver {
    tw_inputs *inputs;
    tw_registry *registry;
    tw_record *held;
    size_t held_capacity;
    int held_count, held_at; /* records before held_at are resolved */
    int64_t held_ns;
    useless useless[USELESS_MAX];
    int useless_count, useless_next;
};

static int64_t now_ns(void) {
    return tw_clock_steady_ns(&tw_clock_system);
}

tw_code tw_resolver_open(const tw_config *config, tw_inputs *inputs, tw_resolver **ret_resolver, tw_err *err) {
    tw_registry *registry;
    bool wanted = false;
    for (int i = 0; i < inputs->count; i++)
        wanted |= inputs->list[i].format == TW_FORMAT_CONFLUENT;
    *ret_resolver = NULL;
    if (!wanted || !*config->schema_registry_url)
        return TW_OK;
    TW_TRY(tw_registry_open(config, &registry, err));
    tw_resolver *resolver = tw_zalloc(sizeof *resolver);
    resolver->inputs = inputs;
    resolver->registry = registry;
    *ret_resolver = resolver;
    return TW_OK;
}

tw_resolver *tw_resolver_close(tw_resolver *resolver) {
    if (resolver) {
        tw_registry_close(resolver->registry);
        free(resolver->held);
        free(resolver);
    }
    return NULL;
}

/* The id in Confluent's header: 0x00 and 4 bytes, big-endian. Anything else is the decoder's to refuse. */
static bool id_of(const tw_resolver *resolver, const tw_record *record, uint32_t *ret_id) {
    const unsigned char *bytes = (const unsigned char *)record->value.data;
    if (resolver->inputs->list[record->input].format != TW_FORMAT_CONFLUENT || record->value.size < 5 || bytes[0] != 0)
        return false;
    *ret_id = (uint32_t)bytes[1] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 8 | bytes[4];
    return true;
}

static bool is_useless(const tw_resolver *resolver, uint32_t id) {
    for (int i = 0; i < resolver->useless_count; i++)
        if (resolver->useless[i].id == id && (resolver->useless[i].until_ns == INT64_MAX || /* for good */
                                              now_ns() < resolver->useless[i].until_ns))
            return true;
    return false;
}

static void remember(tw_resolver *resolver, uint32_t id, int64_t until_ns) {
    int at = 0;
    while (at < resolver->useless_count && resolver->useless[at].id != id)
        at++;
    if (at == USELESS_MAX) {
        at = resolver->useless_next;
        resolver->useless_next = (at + 1) % USELESS_MAX;
    }
    if (at == resolver->useless_count)
        resolver->useless_count++;
    resolver->useless[at] = (useless){id, until_ns};
}

/* The first record from at on whose id must be asked for, or count. */
static int first_open(const tw_resolver *resolver, const tw_record *records, int at, int count, uint32_t *ret_id) {
    uint32_t id, good_id = 0;
    bool good = false;
    for (; at < count; at++) {
        if (!id_of(resolver, &records[at], &id) || (good && id == good_id))
            continue;
        good = tw_avro_schemas_by_id(resolver->inputs->schemas, id) || is_useless(resolver, id);
        if (!good) {
            *ret_id = id;
            break;
        }
        good_id = id;
    }
    return at;
}

static void ask(tw_resolver *resolver) {
    uint32_t id;
    resolver->held_at = first_open(resolver, resolver->held, resolver->held_at, resolver->held_count, &id);
    if (resolver->held_at < resolver->held_count)
        tw_registry_ask_schema(resolver->registry, id);
}

bool tw_resolver_hold(tw_resolver *resolver, const tw_record *records, int count) {
    uint32_t id;
    if (!resolver)
        return false;
    TW_ASSERT(!tw_resolver_holds(resolver));
    tw_resolver_resolve(resolver, 0); /* for a batch that a rebalance took: its answer is as good */
    int at = first_open(resolver, records, 0, count, &id);
    if (at == count)
        return false;
    resolver->held = tw_grow(resolver->held, &resolver->held_capacity, (size_t)count, sizeof *resolver->held);
    memcpy(resolver->held, records, (size_t)count * sizeof *records);
    resolver->held_count = count;
    resolver->held_at = at;
    resolver->held_ns = now_ns();
    if (!tw_registry_asking(resolver->registry))
        ask(resolver);
    return true;
}

bool tw_resolver_holds(const tw_resolver *resolver) {
    return resolver && resolver->held_count > 0;
}

int64_t tw_resolver_held_ms(const tw_resolver *resolver) {
    return (now_ns() - resolver->held_ns) / 1000000;
}

static void take_answer(tw_resolver *resolver, const tw_registry_answer *answer) {
    tw_err err = {0};
    uint32_t id = answer->id;
    if (answer->verdict == TW_REGISTRY_UNKNOWN) {
        remember(resolver, id, now_ns() + UNKNOWN_NS);
        tw_log_warn("schema", "id=%" PRIu32 " text=\"the registry does not know it; its records are dead letters\"",
                    id);
    } else if (answer->verdict != TW_REGISTRY_FOUND) {
        remember(resolver, id, INT64_MAX);
        tw_log_warn("schema", "id=%" PRIu32 " text=\"%s; its records are dead letters\"", id, answer->why);
    } else if (tw_avro_schemas_add(resolver->inputs->schemas, id, answer->schema, &err) != TW_OK) {
        for (char *c = err.text; *c; c++) /* it quotes names */
            *c = *c == '"' || *c == '\n' ? '\'' : *c;
        remember(resolver, id, INT64_MAX);
        tw_log_warn("schema", "id=%" PRIu32 " text=\"no events can be read by it: %s; its records are dead letters\"",
                    id, err.text);
    } else {
        tw_log_info("schema", "id=%" PRIu32, id);
    }
}

bool tw_resolver_resolve(tw_resolver *resolver, int wait_ms) {
    tw_registry_answer answer;
    int64_t until_ns = now_ns() + (int64_t)wait_ms * 1000000;
    while (tw_registry_asking(resolver->registry)) {
        int64_t left_ns = until_ns - now_ns();
        if (tw_registry_answered(resolver->registry, left_ns > 0 ? (int)(left_ns / 1000000) : 0, &answer, NULL) !=
            TW_OK)
            return false;
        take_answer(resolver, &answer);
        ask(resolver);
    }
    return true;
}

void tw_resolver_keep(tw_resolver *resolver, int count) {
    if (count >= resolver->held_count)
        return;
    resolver->held_count = count;
    if (resolver->held_at > count)
        resolver->held_at = count;
}

int tw_resolver_take(tw_resolver *resolver, tw_record *records) {
    int count = resolver->held_count;
    memcpy(records, resolver->held, (size_t)count * sizeof *records);
    resolver->held_count = 0;
    return count;
}
