/* The table of keys as code: defaults, one assignment, ranges, nearest names, and rules that span keys. yaml.c reads files,
 * write.c shows values. Called at start, main thread. */
#include "config/config.h"

#include "base/alloc.h"
#include "config/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const tw_key tw_keys[] = {
#define DEFAULT_INT(d) (double)(d), NULL
#define DEFAULT_REAL(d) (d), NULL
#define DEFAULT_BOOL(d) (d), NULL
#define DEFAULT_CHOICE(d) (d), NULL
#define DEFAULT_TEXT(d) 0, (d)
#define KEY(type, field, key, def, min, max, unit, doc, ...)                                                  \
    {key, TW_KEY_##type, offsetof(tw_config, field), DEFAULT_##type(def), (double)(min), (double)(max), unit, \
     doc, __VA_ARGS__},
    TW_KEY_TABLE(KEY)
#undef KEY
};
const size_t tw_keys_count = sizeof tw_keys / sizeof tw_keys[0];

static void *at(tw_config *config, const tw_key *key) {
    return (char *)config + key->offset;
}

static const char *keep_text(tw_config *config, const char *text) {
    tw_config_owned *owned = config->owned;
    owned->texts = tw_grow(owned->texts, &owned->texts_capacity, owned->texts_count + 1, sizeof *owned->texts);
    return owned->texts[owned->texts_count++] = tw_strdup(text);
}

void tw_config_init(tw_config *config) {
    *config = (tw_config){.owned = tw_zalloc(sizeof(tw_config_owned))};
    for (size_t k = 0; k < tw_keys_count; k++) {
        const tw_key *key = &tw_keys[k];
        switch (key->type) {
        case TW_KEY_INT:
            break;
        case TW_KEY_REAL:
            *(double *)at(config, key) = key->def;
            break;
        case TW_KEY_BOOL:
            *(bool *)at(config, key) = key->def != 0;
            break;
        case TW_KEY_CHOICE:
            *(int *)at(config, key) = (int)key->def;
            break;
        case TW_KEY_TEXT:
            *(const char **)at(config, key) = key->def_text;
            break;
        }
    }
#define SET_INT(field, def) config->field = (def); /* exact: the table's double holds 53 bits only */
#define SET_REAL(field, def)
#define SET_BOOL(field, def)
#define SET_CHOICE(field, def)
#define SET_TEXT(field, def)
#define SET(type, field, key, def, min, max, unit, doc, ...) SET_##type(field, def)
    TW_KEY_TABLE(SET)
#undef SET
}

void tw_config_done(tw_config *config) {
    tw_config_owned *owned = config->owned;
    if (!owned)
        return;
    for (size_t i = 0; i < owned->texts_count; i++)
        free(owned->texts[i]);
    free(owned->texts);
    free(owned->pairs);
    free(owned->given);
    free(owned);
    config->owned = NULL;
}

const tw_key *tw_key_find(const char *name) {
    for (size_t k = 0; k < tw_keys_count; k++)
        if (strcmp(tw_keys[k].name, name) == 0)
            return &tw_keys[k];
    return NULL;
}

/* Edit distance (Levenshtein 1966) with one row; names are short. */
static size_t distance(const char *a, const char *b) {
    size_t row[128], n = strlen(b);
    if (n >= 128)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; *a; a++, i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t up = row[j], best = diagonal + (*a != b[j - 1]);
            if (up + 1 < best)
                best = up + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = up;
            row[j] = best;
        }
    }
    return row[n];
}

static const char *nearest(const char *name) {
    const char *best = tw_keys[0].name;
    size_t least = SIZE_MAX;
    for (size_t k = 0; k < tw_keys_count; k++) {
        size_t d = distance(name, tw_keys[k].name);
        if (d < least) {
            least = d;
            best = tw_keys[k].name;
        }
    }
    return best;
}

/* k, m, g count in 1,024s for bytes; ms, s, min, h, d stretch milliseconds. */
static bool scale_of(const tw_key *key, const char *suffix, double *ret_scale) {
    static const struct {
        const char *unit, *suffix;
        double scale;
    } scales[] = {{"bytes", "k", 1024}, {"bytes", "m", 1048576}, {"bytes", "g", 1073741824}, {"ms", "ms", 1},
                  {"ms", "s", 1000},    {"ms", "min", 60000},    {"ms", "h", 3600000},       {"ms", "d", 86400000}};
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++)
        if (strcmp(key->unit, scales[i].unit) == 0 && strcmp(suffix, scales[i].suffix) == 0) {
            *ret_scale = scales[i].scale;
            return true;
        }
    return false;
}

static tw_code out_of_range(const tw_key *key, const char *text, tw_err *err) {
    return tw_fail(err, TW_E_CONFIG, "%s: %s is out of range (%.15g to %.15g%s%s)", key->name, text, key->min, key->max,
                   *key->unit ? " " : "", key->unit);
}

static tw_code set_int(const tw_key *key, const char *text, int64_t *ret, tw_err *err) {
    char *end;
    double scale = 1;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || errno || (*end && !scale_of(key, end, &scale)))
        return tw_fail(err, TW_E_CONFIG, "%s: \"%s\" is not a whole number", key->name, text);
    double scaled = (double)value * scale;
    if (!(scaled >= key->min && scaled <= key->max))
        return out_of_range(key, text, err);
    *ret = scale == 1 ? value : (int64_t)scaled;
    return TW_OK;
}

static tw_code set_choice(const tw_key *key, const char *text, int *ret, tw_err *err) {
    int index = 0;
    for (const char *p = key->unit; *p; index++) {
        size_t n = strcspn(p, "|");
        if (strlen(text) == n && strncmp(p, text, n) == 0) {
            *ret = index;
            return TW_OK;
        }
        p += n + (p[n] == '|');
    }
    return tw_fail(err, TW_E_CONFIG, "%s: \"%s\" is none of %s", key->name, text, key->unit);
}

tw_code tw_key_assign(tw_config *config, const tw_key *key, const char *text, tw_err *err) {
    switch (key->type) {
    case TW_KEY_INT:
        return set_int(key, text, at(config, key), err);
    case TW_KEY_CHOICE:
        return set_choice(key, text, at(config, key), err);
    case TW_KEY_REAL: {
        char *end;
        double value = strtod(text, &end);
        if (end == text || *end || !isfinite(value))
            return tw_fail(err, TW_E_CONFIG, "%s: \"%s\" is not a number", key->name, text);
        if (value < key->min || value > key->max)
            return out_of_range(key, text, err);
        *(double *)at(config, key) = value;
        return TW_OK;
    }
    case TW_KEY_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return tw_fail(err, TW_E_CONFIG, "%s: \"%s\" is neither true nor false", key->name, text);
        *(bool *)at(config, key) = *text == 't';
        return TW_OK;
    case TW_KEY_TEXT:
        if ((double)strlen(text) < key->min || (double)strlen(text) > key->max)
            return tw_fail(err, TW_E_CONFIG, "%s: wants %.0f to %.0f bytes", key->name, key->min, key->max);
        *(const char **)at(config, key) = keep_text(config, text);
        return TW_OK;
    }
    return TW_OK;
}

static void add_kafka(tw_config *config, tw_kafka_pair pair) {
    tw_config_owned *owned = config->owned;
    for (size_t i = 0; i < owned->pairs_count; i++)
        if (strcmp(owned->pairs[i].name, pair.name) == 0) {
            owned->pairs[i] = pair;
            return;
        }
    owned->pairs = tw_grow(owned->pairs, &owned->pairs_capacity, owned->pairs_count + 1, sizeof *owned->pairs);
    owned->pairs[owned->pairs_count++] = pair;
}

tw_code tw_config_put_kafka(tw_config *config, const char *name, const char *value, tw_err *err) {
    char key[300];
    tw_buf resolved = {0};
    bool elsewhere;
    snprintf(key, sizeof key, "kafka.%s", name);
    tw_code code = tw_config_resolve(key, value, &resolved, &elsewhere, err);
    if (code == TW_OK)
        add_kafka(config, (tw_kafka_pair){keep_text(config, name), keep_text(config, resolved.data),
                                          keep_text(config, value), elsewhere});
    tw_buf_done(&resolved);
    return code;
}

static void set_given(tw_config *config, const tw_key *key, const char *text) {
    tw_config_owned *owned = config->owned;
    size_t i = 0;
    while (i < owned->given_count && owned->given[i].key != key)
        i++;
    if (i == owned->given_count) {
        if (!text)
            return;
        owned->given = tw_grow(owned->given, &owned->given_capacity, i + 1, sizeof *owned->given);
        owned->given_count++;
    }
    owned->given[i] = (tw_config_given){key, text ? keep_text(config, text) : NULL};
}

const char *tw_config_given_text(const tw_config *config, const tw_key *key) {
    for (size_t i = 0; i < config->owned->given_count; i++)
        if (config->owned->given[i].key == key)
            return config->owned->given[i].text;
    return NULL;
}

tw_code tw_config_put(tw_config *config, const char *name, const char *value, tw_err *err) {
    const tw_key *key = tw_key_find(name);
    tw_buf resolved = {0};
    bool elsewhere;
    if (!key)
        return tw_fail(err, TW_E_CONFIG, "unknown key \"%s\"; the nearest is \"%s\"", name, nearest(name));
    tw_code code = tw_config_resolve(name, value, &resolved, &elsewhere, err);
    if (code == TW_OK) {
        code = tw_key_assign(config, key, resolved.data, err);
        if (code != TW_OK && (elsewhere || tw_config_is_secret(name))) /* the refusal quotes the value */
            tw_fail_text(err, code, "%s: the value that was given for it does not fit", name);
    }
    if (code == TW_OK)
        set_given(config, key, elsewhere ? value : NULL);
    tw_buf_done(&resolved);
    return code;
}

tw_code tw_config_set(tw_config *config, const char *assignment, tw_err *err) {
    const char *equals = strchr(assignment, '=');
    char name[256];
    if (!equals || equals == assignment ||
        (size_t)(equals - assignment) >= sizeof name) /* what is there may be secret */
        return tw_fail(err, TW_E_CONFIG, "%.*s: wants key=value",
                       (int)strspn(assignment, "abcdefghijklmnopqrstuvwxyz._"), assignment);
    memcpy(name, assignment, (size_t)(equals - assignment));
    name[equals - assignment] = '\0';
    return strncmp(name, "kafka.", 6) == 0 ? tw_config_put_kafka(config, name + 6, equals + 1, err)
                                           : tw_config_put(config, name, equals + 1, err);
}

tw_code tw_config_set_all(tw_config *config, const char *assignments, tw_err *err) {
    if (!*assignments)
        return TW_OK;
    char *texts = tw_strdup(assignments), *rest = texts;
    tw_code code = TW_OK;
    for (char *one; code == TW_OK && (one = strsep(&rest, ","));)
        code = tw_config_set(config, one, err);
    free(texts);
    return code;
}

/* Half of the default of transaction.timeout.ms: a commit may have to wait for acknowledgements. */
#define EXACTLY_ONCE_INTERVAL_MAX_MS 5000

static tw_code window_holds(const char *kind, int64_t window_ms, int64_t lateness_ms, tw_err *err) {
    if (window_ms >= lateness_ms)
        return TW_OK;
    return tw_fail(err, TW_E_CONFIG,
                   "dedup.window.%s.ms (%" PRId64 ") is shorter than clean.lateness.%s.ms (%" PRId64
                   "): a late duplicate would be applied",
                   kind, window_ms, kind, lateness_ms);
}

tw_code tw_config_check(const tw_config *config, tw_err *err) {
    if (config->dedup_enabled) {
        TW_TRY(window_holds("click", config->dedup_window_click_ms, config->clean_lateness_click_ms, err));
        TW_TRY(window_holds("purchase", config->dedup_window_purchase_ms, config->clean_lateness_purchase_ms, err));
        TW_TRY(window_holds("review", config->dedup_window_review_ms, config->clean_lateness_review_ms, err));
    }
    if (config->processing_guarantee == TW_EXACTLY_ONCE && !config->state_changelog)
        return tw_fail(err, TW_E_CONFIG, "processing.guarantee: exactly_once wants state.changelog: true");
    if (config->processing_guarantee == TW_EXACTLY_ONCE && config->commit_interval_ms > EXACTLY_ONCE_INTERVAL_MAX_MS)
        return tw_fail(err, TW_E_CONFIG,
                       "commit.interval.ms (%" PRId64
                       ") is above %d under exactly_once: the broker ends a transaction that "
                       "takes longer than transaction.timeout.ms (10000)",
                       config->commit_interval_ms, EXACTLY_ONCE_INTERVAL_MAX_MS);
    if (*config->output_profiles_topic && !config->profile_enabled)
        return tw_fail(err, TW_E_CONFIG, "output.profiles.topic wants profile.enabled: true");
    if (config->learn_dim % 4)
        return tw_fail(err, TW_E_CONFIG, "learn.dim: %" PRId64 " is not a multiple of 4", config->learn_dim);
    if (*config->learn_vectors_file && config->learn_model == TW_LEARN_MF)
        return tw_fail(err, TW_E_CONFIG, "learn.vectors.file: learn.model: mf has nothing that starts from vectors");
    if (config->rank_max_delay_ms < config->rank_min_interval_ms)
        return tw_fail(err, TW_E_CONFIG, "rank.max.delay.ms (%" PRId64 ") is below rank.min.interval.ms (%" PRId64 ")",
                       config->rank_max_delay_ms, config->rank_min_interval_ms);
    return TW_OK;
}

int64_t tw_config_commit_interval_ms(const tw_config *config) {
    if (config->commit_interval_ms)
        return config->commit_interval_ms;
    return config->processing_guarantee == TW_EXACTLY_ONCE ? 500 : 1000;
}

bool tw_config_kafka(const tw_config *config, int n, const char **ret_name, const char **ret_value) {
    if (n < 0 || (size_t)n >= config->owned->pairs_count)
        return false;
    *ret_name = config->owned->pairs[n].name;
    *ret_value = config->owned->pairs[n].value;
    return true;
}

bool tw_config_kafka_hidden(const tw_config *config, int n) {
    const tw_kafka_pair *pair = &config->owned->pairs[n];
    return pair->elsewhere || tw_config_is_secret(pair->name);
}
