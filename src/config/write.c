/* Settings shown: YAML that loads back, JSON, and the Markdown reference, all from the one table. */
#include "config/internal.h"

#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const void *at(const tw_config *config, const tw_key *key) {
    return (const char *)config + key->offset;
}

static void put_text(const char *name, const char *value, tw_buf *out) {
    tw_buf shown = {0};
    tw_config_show(name, value, &shown);
    tw_json_text(out, tw_buf_slice(&shown));
    tw_buf_done(&shown);
}

/* The index-th of "a|b|c". */
static tw_slice choice_of(const char *choices, int index) {
    while (index-- > 0)
        choices += strcspn(choices, "|") + 1;
    return (tw_slice){choices, strcspn(choices, "|")};
}

void tw_key_show(const tw_config *config, const tw_key *key, tw_buf *out, bool json) {
    const char *given = tw_config_given_text(config, key);
    if (given) {
        put_text(key->name, given, out);
        return;
    }
    switch (key->type) {
    case TW_KEY_INT:
        tw_buf_printf(out, "%" PRId64, *(const int64_t *)at(config, key));
        break;
    case TW_KEY_REAL:
        tw_buf_printf(out, "%.9g", *(const double *)at(config, key));
        break;
    case TW_KEY_BOOL:
        tw_buf_printf(out, "%s", *(const bool *)at(config, key) ? "true" : "false");
        break;
    case TW_KEY_CHOICE: {
        tw_slice choice = choice_of(key->unit, *(const int *)at(config, key));
        tw_buf_printf(out, json ? "\"" TW_SLICE_FMT "\"" : TW_SLICE_FMT, TW_SLICE_ARG(choice));
        break;
    }
    case TW_KEY_TEXT:
        put_text(key->name, *(const char *const *)at(config, key), out);
        break;
    }
}

/* "unit, from min to max" or the choices. */
static void put_range(const tw_key *key, tw_buf *out) {
    if (key->type == TW_KEY_CHOICE)
        tw_buf_printf(out, "%s", key->unit);
    else if (key->type == TW_KEY_BOOL)
        tw_buf_printf(out, "true or false");
    else if (key->type == TW_KEY_TEXT)
        tw_buf_printf(out, "text%s%s", *key->unit ? ", " : "", key->unit);
    else
        tw_buf_printf(out, "%.12g to %.12g%s%s", key->min, key->max, *key->unit ? " " : "", key->unit);
    if (key->tune.model != TW_TUNE_NOT)
        tw_buf_printf(out, "; tuned from %.12g to %.12g", key->tune.from, key->tune.to);
}

static void put_group(const tw_key *key, const char **group, size_t *length, tw_buf *out) {
    size_t n = strcspn(key->name, ".");
    if (*group && *length == n && strncmp(*group, key->name, n) == 0)
        return;
    *group = key->name;
    *length = n;
    tw_buf_u8(out, '\n');
}

static void put_line(const tw_config *config, const tw_key *key, tw_buf *out) {
    tw_buf_printf(out, "# %s (", key->doc);
    put_range(key, out);
    tw_buf_printf(out, ")\n%s: ", key->name);
    tw_key_show(config, key, out, false);
    tw_buf_u8(out, '\n');
}

void tw_config_write_tuned(const tw_config *config, tw_buf *out) {
    tw_config defaults;
    tw_config_init(&defaults);
    for (size_t k = 0; k < tw_keys_count; k++) {
        const tw_key *key = &tw_keys[k];
        bool ranks = strncmp(key->name, "learn.", 6) == 0 || strncmp(key->name, "rank.", 5) == 0;
        if (tw_key_tunes(key, config) || (ranks && tw_key_differs(config, &defaults, key)))
            put_line(config, key, out);
    }
    tw_config_done(&defaults);
}

void tw_config_write_yaml(const tw_config *config, tw_buf *out) {
    const char *group = NULL;
    size_t group_length = 0;
    tw_buf_printf(out, "# Settings of Tailwater: every key with what it means, its range and its value.\n"
                       "# Any of them can be overridden on the command line by --set key=value.\n");
    for (size_t k = 0; k < tw_keys_count; k++) {
        put_group(&tw_keys[k], &group, &group_length, out);
        put_line(config, &tw_keys[k], out);
    }
    tw_buf_printf(out, "\n# Everything below goes to librdkafka unchanged.\nkafka:\n");
    const char *name, *value;
    for (int n = 0; tw_config_kafka(config, n, &name, &value); n++) {
        tw_buf_printf(out, "  %s: ", name);
        put_text(name, config->owned->pairs[n].text, out);
        tw_buf_u8(out, '\n');
    }
    if (!tw_config_kafka(config, 0, &name, &value))
        out->size -= strlen("kafka:\n"), tw_buf_printf(out, "# kafka:\n#   bootstrap.servers: localhost:9092\n");
}

void tw_config_write_json(const tw_config *config, tw_buf *out) {
    tw_buf_printf(out, "{\"keys\":[");
    for (size_t k = 0; k < tw_keys_count; k++) {
        const tw_key *key = &tw_keys[k];
        tw_buf_printf(out, "%s{\"key\":\"%s\",\"value\":", k ? "," : "", key->name);
        tw_key_show(config, key, out, true);
        tw_buf_printf(out, ",\"range\":\"");
        put_range(key, out);
        tw_buf_printf(out, "\",\"doc\":");
        tw_json_text(out, tw_slice_of(key->doc));
        tw_buf_u8(out, '}');
    }
    tw_buf_printf(out, "],\"kafka\":{");
    const char *name, *value;
    for (int n = 0; tw_config_kafka(config, n, &name, &value); n++) {
        if (n)
            tw_buf_u8(out, ',');
        tw_json_text(out, tw_slice_of(name));
        tw_buf_u8(out, ':');
        put_text(name, config->owned->pairs[n].text, out);
    }
    tw_buf_printf(out, "}}");
}

void tw_config_write_markdown(tw_buf *out) {
    tw_config defaults;
    tw_config_init(&defaults);
    tw_buf_printf(out, "| key | default | range | meaning |\n|---|---|---|---|\n");
    for (size_t k = 0; k < tw_keys_count; k++) {
        size_t start;
        tw_buf_printf(out, "| `%s` | `", tw_keys[k].name);
        tw_key_show(&defaults, &tw_keys[k], out, false);
        tw_buf_printf(out, "` | ");
        start = out->size;
        put_range(&tw_keys[k], out);
        for (size_t i = start; i < out->size; i++) /* a bar would end the cell */
            if (out->data[i] == '|')
                out->data[i] = '/';
        tw_buf_printf(out, " | %s |\n", tw_keys[k].doc);
    }
    tw_config_done(&defaults);
}
