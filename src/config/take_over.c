/* What changed between two readings of the settings, and taking over the part that may change while running. Called on SIGHUP; main
 * thread. */
#include "config/internal.h"

static size_t size_of(const tw_key *key) {
    switch (key->type) {
    case TW_KEY_INT:
        return sizeof(int64_t);
    case TW_KEY_REAL:
        return sizeof(double);
    case TW_KEY_BOOL:
        return sizeof(bool);
    case TW_KEY_CHOICE:
        return sizeof(int);
    case TW_KEY_TEXT:
        break;
    }
    return sizeof(const char *);
}

bool tw_key_differs(const tw_config *a, const tw_config *b, const tw_key *key) {
    const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;
    if (key->type != TW_KEY_TEXT)
        return memcmp(x, y, size_of(key)) != 0;
    return strcmp(*(const char *const *)x, *(const char *const *)y) != 0;
}

static void name_it(tw_buf *names, const char *prefix, const char *name) {
    tw_buf_printf(names, "%s%s%s", names->size ? " " : "", prefix, name);
}

static const tw_kafka_pair *pair_of(const tw_config *config, const char *name) {
    for (size_t i = 0; i < config->owned->pairs_count; i++)
        if (strcmp(config->owned->pairs[i].name, name) == 0)
            return &config->owned->pairs[i];
    return NULL;
}

/* Of the kafka map nothing can change while clients run. */
static void compare_kafka(const tw_config *config, const tw_config *fresh, tw_buf *ignored) {
    for (size_t i = 0; i < config->owned->pairs_count; i++) {
        const tw_kafka_pair *now = pair_of(fresh, config->owned->pairs[i].name);
        if (!now || strcmp(now->value, config->owned->pairs[i].value) != 0)
            name_it(ignored, "kafka.", config->owned->pairs[i].name);
    }
    for (size_t i = 0; i < fresh->owned->pairs_count; i++)
        if (!pair_of(config, fresh->owned->pairs[i].name))
            name_it(ignored, "kafka.", fresh->owned->pairs[i].name);
}

static void assign(tw_config *config, const tw_config *from, const tw_key *key) {
    if (key->type == TW_KEY_TEXT)
        tw_key_assign(config, key, *(const char *const *)((const char *)from + key->offset), NULL);
    else
        memcpy((char *)config + key->offset, (const char *)from + key->offset, size_of(key));
}

void tw_config_copy(tw_config *ret_config, const tw_config *config) {
    tw_config_init(ret_config);
    for (size_t k = 0; k < tw_keys_count; k++)
        if (tw_key_differs(ret_config, config, &tw_keys[k]))
            assign(ret_config, config, &tw_keys[k]);
}

void tw_config_take_over(tw_config *config, const tw_config *fresh, bool (*may)(const char *key), tw_buf *taken,
                         tw_buf *ignored) {
    for (size_t k = 0; k < tw_keys_count; k++) {
        const tw_key *key = &tw_keys[k];
        if (!tw_key_differs(config, fresh, key))
            continue;
        bool takes = may(key->name);
        name_it(takes ? taken : ignored, "", key->name);
        if (takes)
            assign(config, fresh, key);
    }
    compare_kafka(config, fresh, ignored);
}
