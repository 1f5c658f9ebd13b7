/* What the files of config share: the table of keys as rows, and one assignment. */
#ifndef TW_CONFIG_INTERNAL_H
#define TW_CONFIG_INTERNAL_H

#include "config/config.h"

#include <stddef.h>

typedef enum tw_key_type { TW_KEY_INT, TW_KEY_REAL, TW_KEY_BOOL, TW_KEY_TEXT, TW_KEY_CHOICE } tw_key_type;

typedef struct tw_key {
    const char *name;
    tw_key_type type;
    size_t offset; /* of the field in tw_config */
    double def;
    const char *def_text;
    double min, max;
    const char *unit, *doc;
} tw_key;

extern const tw_key tw_keys[];
extern const size_t tw_keys_count;

typedef struct tw_kafka_pair {
    const char *name, *value;
} tw_kafka_pair;

typedef struct tw_config_owned {
    char **texts;
    size_t texts_count, texts_capacity;
    tw_kafka_pair *pairs;
    size_t pairs_count, pairs_capacity;
} tw_config_owned;

const tw_key *tw_key_find(const char *name); /* NULL: no such key */
tw_code tw_key_assign(tw_config *config, const tw_key *key, const char *text, tw_err *err);
tw_code tw_config_put(tw_config *config, const char *name, const char *value, tw_err *err); /* with the nearest name */
void tw_config_add_kafka(tw_config *config, const char *name, const char *value);

#endif
