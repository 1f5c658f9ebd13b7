/* learn.*, profile.* and rank.* as (key, number) pairs in the store; called when the engine opens and commits. Texts among them (files of ids) are
 * not kept: a path means something to the process that was given it alone. */
#include "engine/settings.h"

#include <string.h>

static bool is_kept(const char *key) {
    return strncmp(key, "learn.", 6) == 0 || strncmp(key, "rank.", 5) == 0 || strncmp(key, "profile.", 8) == 0;
}
static bool is_shape(const char *key) {
    static const char *const shapes[] = {
        "learn.model",           "learn.dim",     "profile.enabled",  "profile.categories.max", "profile.hidden.first",
        "profile.hidden.second", "profile.batch", "profile.optimizer"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(key, shapes[i]) == 0)
            return true;
    return false;
}

enum { HAS_INT = 1, HAS_REAL = 1, HAS_BOOL = 1, HAS_CHOICE = 1, HAS_TEXT = 0 }; /* a number */

/* The branch of a text only has to compile. */
#define NUMBER_OF(value)                                                       \
    _Generic((value), const char * : 0.0, char * : 0.0, default                \
             : (double)_Generic((value), const char * : 0, char * : 0, default \
                                : (value)))

void tw_settings_encode(const tw_config *config, tw_buf *out) {
#define PUT(type, field, key, def, min, max, unit, doc, ...) \
    if (HAS_##type && is_kept(key)) {                        \
        tw_buf_text(out, tw_slice_of(key));                  \
        tw_buf_f64(out, NUMBER_OF(config->field));           \
    }
    TW_KEY_TABLE(PUT)
#undef PUT
}

/* The next pair; false at the end. */
static bool next(tw_cursor *c, tw_slice *ret_key, double *ret_value) {
    if (c->bad || c->at == c->end)
        return false;
    *ret_key = tw_cursor_text(c);
    *ret_value = tw_cursor_f64(c);
    return !c->bad;
}

tw_code tw_settings_agree(const tw_config *config, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    tw_slice key;
    double value;
    while (next(&c, &key, &value)) {
#define AGREE(type, field, name, def, min, max, unit, doc, ...)                                                     \
    if (is_shape(name) && tw_slice_equal(key, tw_slice_of(name)) && value != NUMBER_OF(config->field))              \
        return tw_fail(err, TW_E_MISMATCH, "the state was learned with %s %g, the configuration says %g%s%s", name, \
                       value, NUMBER_OF(config->field), *unit ? " of " : "", unit);
        TW_KEY_TABLE(AGREE)
#undef AGREE
    }
    return c.bad ? tw_fail(err, TW_E_STORE, "meta \"settings\" is damaged") : TW_OK;
}

#define ADOPT_INT(field, value) config->field = (int64_t)(value)
#define ADOPT_REAL(field, value) config->field = (value)
#define ADOPT_BOOL(field, value) config->field = (value) != 0
#define ADOPT_CHOICE(field, value) config->field = (int)(value)
#define ADOPT_TEXT(field, value) (void)(value)

tw_code tw_settings_adopt(tw_config *config, tw_slice bytes, tw_err *err) {
    tw_cursor c = tw_cursor_of(bytes);
    tw_slice key;
    double value;
    while (next(&c, &key, &value)) {
#define ADOPT(type, field, name, def, min, max, unit, doc, ...)                                                \
    if (is_kept(name) && tw_slice_equal(key, tw_slice_of(name)) && NUMBER_OF(config->field) == NUMBER_OF(def)) \
        ADOPT_##type(field, value);
        TW_KEY_TABLE(ADOPT)
#undef ADOPT
    }
    return c.bad ? tw_fail(err, TW_E_STORE, "meta \"settings\" is damaged") : TW_OK;
}
