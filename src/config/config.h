/* Settings: one YAML file of flat dotted keys, overridden by --set key=value, checked against the table in keys.h.
 *
 * An unknown key, a duplicate, a YAML alias or a value out of range stops the start with file, line and the nearest
 * name. Only `kafka:` is a map: its pairs go to librdkafka unchanged. A value may stand elsewhere: ${env:NAME}, ${file:PATH}. Thread:
 * any after load; nothing changes it then but tw_config_take_over. */
#ifndef TW_CONFIG_CONFIG_H
#define TW_CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "config/keys.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct tw_config {
#define TW_FIELD_INT(f) int64_t f;
#define TW_FIELD_REAL(f) double f;
#define TW_FIELD_BOOL(f) bool f;
#define TW_FIELD_TEXT(f) const char *f; /* owned by the config */
#define TW_FIELD_CHOICE(f) int f;
#define TW_FIELD(type, field, key, def, min, max, unit, doc, ...) TW_FIELD_##type(field)
    TW_KEY_TABLE(TW_FIELD)
#undef TW_FIELD
    struct tw_config_owned *owned; /* texts and kafka pairs */
} tw_config;

enum { TW_LEARN_DEFAULT, TW_LEARN_MF };
enum { TW_OPTIMIZER_SGD, TW_OPTIMIZER_ADAM };
enum { TW_AT_LEAST_ONCE, TW_EXACTLY_ONCE };
enum { TW_EXCLUDE_NONE, TW_EXCLUDE_PURCHASED, TW_EXCLUDE_CONSUMED };

/* All defaults. */
void tw_config_init(tw_config *config);
void tw_config_done(tw_config *config);

/* Another one with the same values of all keys, without the kafka map; to be done as well. */
void tw_config_copy(tw_config *ret_config, const tw_config *config);

/* Reads a file over what is there. Errors: TW_E_CONFIG "path:line: ...", TW_E_IO. */
tw_code tw_config_load(tw_config *config, const char *path, tw_err *err);

/* One "key=value" as from --set; kafka.NAME=value reaches the kafka map. Errors: TW_E_CONFIG. */
tw_code tw_config_set(tw_config *config, const char *assignment, tw_err *err);
/* Several, split by commas (so that none of the values can hold one); empty: none. */
tw_code tw_config_set_all(tw_config *config, const char *assignments, tw_err *err);

/* Rules that span keys (a window shorter than the lateness, dim not a multiple of 4). Call once, after the last set. */
tw_code tw_config_check(const tw_config *config, tw_err *err);

/* commit.interval.ms, or what it is by default under the guarantee. */
int64_t tw_config_commit_interval_ms(const tw_config *config);

/* The n-th pair of the kafka map; false past the end. */
bool tw_config_kafka(const tw_config *config, int n, const char **ret_name, const char **ret_value);

/* Must the value of that pair stay out of every message? */
bool tw_config_kafka_hidden(const tw_config *config, int n);

/* A key whose value is never shown: its name contains password, secret, jaas, basic.auth, .key, token or credential. */
bool tw_config_is_secret(const char *name);

/* Takes over the values of fresh that differ where may says so. Appends the names of those to taken and of the others to ignored, split
 * by spaces; a pair of the kafka map is kafka.NAME. */
void tw_config_take_over(tw_config *config, const tw_config *fresh, bool (*may)(const char *key), tw_buf *taken,
                         tw_buf *ignored);

/* Effective values with their docs: YAML (commented, loadable as a file), one JSON object, or the Markdown reference.
 * Secret values are shown as "***"; one that stands elsewhere as it was given. */
void tw_config_write_yaml(const tw_config *config, tw_buf *out);
void tw_config_write_json(const tw_config *config, tw_buf *out);
void tw_config_write_markdown(tw_buf *out);
/* As YAML the learn.* and rank.* keys that differ from their defaults, and those that `tailwater tune` may move. */
void tw_config_write_tuned(const tw_config *config, tw_buf *out);

#endif
