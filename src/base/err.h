/* Errors: a code for the program, one line of text for the person.
 *
 * A tw_err belongs to the caller, lives on its stack, owns no heap and may be NULL. Library code fills it and returns
 * the code; whoever calls adds what it knows with tw_wrap; only the engine and the commands decide what to do. */
#ifndef TW_BASE_ERR_H
#define TW_BASE_ERR_H

#include "tailwater/errors.h"

#include <stdarg.h>

/* Fills err (if any) and returns code, so that a failure is one line: return tw_fail(err, TW_E_IO, "%s: ...", path);
 * Thread: any. */
__attribute__((format(printf, 3, 4))) void tw_fail_text(tw_err *err, tw_code code, const char *fmt, ...);
#define tw_fail(err, code, ...) \
    (tw_fail_text((err), (code), __VA_ARGS__), (code)) /* the compiler sees that it is the code */

/* As tw_fail, with ": " and the text of errno appended. ENOSPC and EDQUOT become TW_E_FULL, ENOMEM TW_E_NO_MEMORY. */
__attribute__((format(printf, 3, 4))) tw_code tw_fail_errno(tw_err *err, tw_code code, const char *fmt, ...);

/* Puts "prefix: " before the text of err and returns its code. */
__attribute__((format(printf, 2, 3))) tw_code tw_wrap(tw_err *err, const char *fmt, ...);

/* Asserts stay on in release builds: they guard against our own bugs, never against data. */
#define TW_ASSERT(fact)                                  \
    do {                                                 \
        if (__builtin_expect(!(fact), 0))                \
            tw_assert_failed(#fact, __FILE__, __LINE__); \
    } while (0)
_Noreturn void tw_assert_failed(const char *fact, const char *file, int line);

/* Passes a failure on: TW_TRY(f(...)); A caller with something to release uses goto done instead. */
#define TW_TRY(call)                   \
    do {                               \
        tw_code tw_try_code_ = (call); \
        if (tw_try_code_ != TW_OK)     \
            return tw_try_code_;       \
    } while (0)

#endif
