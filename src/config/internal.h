/* What the files of config share: the table of keys as rows, and one assignment. */
#ifndef TW_CONFIG_INTERNAL_H
#define TW_CONFIG_INTERNAL_H

#include "config/config.h"

#include <stddef.h>

typedef enum tw_key_type { TW_KEY_INT, TW_KEY_REAL, TW_KEY_BOOL, TW_KEY_TEXT, TW_KEY_CHOICE } tw_key_type;

typedef enum tw_tune_model { TW_TUNE_NOT, TW_TUNE_DEFAULT, TW_TUNE_MF, TW_TUNE_BOTH } tw_tune_model;
typedef enum tw_tune_scale { TW_TUNE_LINEAR, TW_TUNE_LOG } tw_tune_scale;

typedef struct tw_key {
    const char *name;
    tw_key_type type;
    size_t offset; /* of the field in tw_config */
    double def;
    const char *def_text;
    double min, max;
    const char *unit, *doc;
    struct {
        tw_tune_model model; /* TW_TUNE_NOT: the others say nothing */
        tw_tune_scale scale;
        double from, to, step;
    } tune;
} tw_key;

extern const tw_key tw_keys[];
extern const size_t tw_keys_count;

typedef struct tw_kafka_pair {
    const char *name, *value;
    const char *text; /* as it was given: what is shown */
    bool elsewhere;   /* value stands elsewhere, see secrets.c */
} tw_kafka_pair;

/* A text key whose value stands elsewhere, as it was given. */
typedef struct tw_config_given {
    const tw_key *key;
    const char *text;
} tw_config_given;

typedef struct tw_config_owned {
    char **texts;
    size_t texts_count, texts_capacity;
    tw_kafka_pair *pairs;
    size_t pairs_count, pairs_capacity;
    tw_config_given *given;
    size_t given_count, given_capacity;
} tw_config_owned;

const tw_key *tw_key_find(const char *name); /* NULL: no such key */
tw_code tw_key_assign(tw_config *config, const tw_key *key, const char *text, tw_err *err);
tw_code tw_config_put(tw_config *config, const char *name, const char *value, tw_err *err); /* with the nearest name */
tw_code tw_config_put_kafka(tw_config *config, const char *name, const char *value, tw_err *err);
bool tw_key_tunes(const tw_key *key,
                  const tw_config *config); /* may it be moved, and does it act under this learn.model? */
bool tw_key_differs(const tw_config *a, const tw_config *b, const tw_key *key);
const char *tw_config_given_text(const tw_config *config, const tw_key *key); /* NULL: its value stands here */

/* write.c. Appends a value as YAML or JSON shows it. */
void tw_key_show(const tw_config *config, const tw_key *key, tw_buf *out, bool json);

/* secrets.c. Appends text with what ${env:NAME} and ${file:PATH} stand for (of a file without its last line break), then a zero byte
 * beyond the end. Errors: TW_E_CONFIG naming key and place, never a value. */
tw_code tw_config_resolve(const char *key, const char *text, tw_buf *out, bool *ret_elsewhere, tw_err *err);
/* Appends a value as it may be shown. */
void tw_config_show(const char *name, const char *value, tw_buf *out);

#endif
