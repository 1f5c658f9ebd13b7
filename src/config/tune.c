/* Marks of the table as moves through a range. Called by the tuner. */
#include "config/tune.h"

#include "config/internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool tw_key_tunes(const tw_key *key, const tw_config *config) {
    tw_tune_model now = config->learn_model == TW_LEARN_MF ? TW_TUNE_MF : TW_TUNE_DEFAULT;
    return key->tune.model == TW_TUNE_BOTH || key->tune.model == now;
}

static const tw_key *key_of(int t) {
    const tw_key *key = tw_keys;
    while (key->tune.model == TW_TUNE_NOT || t-- > 0)
        key++;
    return key;
}

int tw_tune_count(void) {
    int count = 0;
    for (size_t k = 0; k < tw_keys_count; k++)
        count += tw_keys[k].tune.model != TW_TUNE_NOT;
    return count;
}

const char *tw_tune_name(int t) {
    return key_of(t)->name;
}

int tw_tune_find(const char *name) {
    for (int t = 0; t < tw_tune_count(); t++)
        if (strcmp(tw_tune_name(t), name) == 0)
            return t;
    return -1;
}

bool tw_tune_applies(int t, const tw_config *config) {
    return tw_key_tunes(key_of(t), config);
}

/* Three digits: what a file shows is what was tried. */
static double rounded(double value) {
    char text[32];
    snprintf(text, sizeof text, "%.3g", value);
    return strtod(text, NULL);
}

void tw_tune_put(int t, double u, tw_config *config) {
    const tw_key *key = key_of(t);
    double from = key->tune.from, to = key->tune.to;
    bool log_scale = key->tune.scale == TW_TUNE_LOG;
    double value = log_scale ? from * pow(to / from, u) : from + u * (to - from);
    void *field = (char *)config + key->offset;
    TW_ASSERT(key->type == TW_KEY_INT || key->type == TW_KEY_REAL);
    if (key->type == TW_KEY_REAL)
        *(double *)field = rounded(value);
    else
        *(int64_t *)field = (int64_t)(round(value / key->tune.step) * key->tune.step);
}

void tw_tune_show(int t, const tw_config *config, tw_buf *out) {
    tw_key_show(config, key_of(t), out, false);
}
