/* Values that stand elsewhere, ${env:NAME} and ${file:PATH}, and values that are never shown. Called by the parser and by whatever
 * prints settings; main thread. */
#include "config/internal.h"

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define SECRET_SIZE_MAX ((size_t)64 << 10)

bool tw_config_is_secret(const char *name) {
    static const char *const marks[] = {"password", "secret", "jaas", "basic.auth", ".key", "token", "credential"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (strcasestr(name, marks[i]))
            return true;
    return false;
}

static tw_code put_file(const char *key, const char *path, tw_buf *out, tw_err *err) {
    size_t start = out->size;
    if (tw_file_read(path, SECRET_SIZE_MAX, out, err) != TW_OK) {
        tw_wrap(err, "%s: ${file:...}", key);
        if (err)
            err->code = TW_E_CONFIG;
        return TW_E_CONFIG;
    }
    if (out->size > start && out->data[out->size - 1] == '\n')
        out->size--;
    if (out->size > start && out->data[out->size - 1] == '\r')
        out->size--;
    if (memchr(out->data + start, '\0', out->size - start))
        return tw_fail(err, TW_E_CONFIG, "%s: ${file:%s}: a zero byte", key, path);
    return TW_OK;
}

tw_code tw_config_resolve(const char *key, const char *text, tw_buf *out, bool *ret_elsewhere, tw_err *err) {
    char name[4096];
    *ret_elsewhere = false;
    while (*text) {
        bool env = strncmp(text, "${env:", 6) == 0, file = strncmp(text, "${file:", 7) == 0;
        if (!env && !file) {
            tw_buf_u8(out, (uint8_t)*text++);
            continue;
        }
        text += env ? 6 : 7;
        size_t size = strcspn(text, "}");
        if (text[size] != '}' || size == 0 || size >= sizeof name)
            return tw_fail(err, TW_E_CONFIG, "%s: ${%s:...} wants a name and a closing brace", key,
                           env ? "env" : "file");
        memcpy(name, text, size);
        name[size] = '\0';
        text += size + 1;
        *ret_elsewhere = true;
        if (file) {
            TW_TRY(put_file(key, name, out, err));
            continue;
        }
        const char *value = getenv(name);
        if (!value)
            return tw_fail(err, TW_E_CONFIG, "%s: the environment has no variable \"%s\"", key, name);
        tw_buf_put(out, value, strlen(value));
    }
    tw_buf_u8(out, '\0');
    out->size--;
    return TW_OK;
}

void tw_config_show(const char *name, const char *value, tw_buf *out) {
    const char *scheme = strstr(value, "://"), *at = scheme ? strchr(scheme, '@') : NULL;
    if (tw_config_is_secret(name) && *value)
        tw_buf_printf(out, "***");
    else if (at) /* a name and a password within a URL */
        tw_buf_printf(out, "%.*s***%s", (int)(scheme + 3 - value), value, at);
    else
        tw_buf_put(out, value, strlen(value));
}
