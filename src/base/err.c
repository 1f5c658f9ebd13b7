/* Codes with their class and sentence, and the one way to fill a tw_err. Called everywhere, on any thread. */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct code_row {
    const char *name;
    tw_class class_;
    const char *text;
} code_rows[] = {[TW_OK] = {"TW_OK", TW_CLASS_OK, "no error"},
#define CODE_ROW(name, cls, text) [name] = {#name, TW_CLASS_##cls, text},
                 TW_CODE_LIST(CODE_ROW)
#undef CODE_ROW
};

const char *tw_code_name(tw_code code) {
    return code_rows[code].name;
}
tw_class tw_code_class(tw_code code) {
    return code_rows[code].class_;
}
const char *tw_code_text(tw_code code) {
    return code_rows[code].text;
}

static void fill(tw_err *err, tw_code code, const char *fmt, va_list args) {
    if (!err)
        return;
    err->code = code;
    vsnprintf(err->text, sizeof err->text, fmt, args);
}

void tw_fail_text(tw_err *err, tw_code code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    fill(err, code, fmt, args);
    va_end(args);
}

tw_code tw_fail_errno(tw_err *err, tw_code code, const char *fmt, ...) {
    int number = errno;
    if (number == ENOSPC || number == EDQUOT)
        code = TW_E_FULL;
    else if (number == ENOMEM)
        code = TW_E_NO_MEMORY;
    va_list args;
    va_start(args, fmt);
    fill(err, code, fmt, args);
    va_end(args);
    if (err) {
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(number));
    }
    return code;
}

tw_code tw_wrap(tw_err *err, const char *fmt, ...) {
    if (!err)
        return TW_OK;
    char old[sizeof err->text];
    memcpy(old, err->text, sizeof old);
    va_list args;
    va_start(args, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    size_t used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", old);
    return err->code;
}

void tw_assert_failed(const char *fact, const char *file, int line) {
    fprintf(stderr, "%s:%d: bug: not true: %s\n", file, line, fact);
    abort();
}
