/* The test harness: TEST(name_says_the_promise) { ASSERT_...; } in any *_test.c file, gathered by the linker.
 *
 * Each program prints one line per test and ends with `N passed, N failed`; exit 0, or 1 if any failed, 77 if all were
 * skipped. A failed assertion ends its test. Run one with its name (or a part of it) as the argument; --seed N sets the
 * property seed, which is printed. */
#ifndef TW_TEST_H
#define TW_TEST_H

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

typedef struct tw_test {
    const char *name;
    void (*run)(void);
    struct tw_test *next;
} tw_test;

void tw_test_add(tw_test *test);
_Noreturn void tw_test_fail(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
_Noreturn void tw_test_skip(const char *why);

/* The seed of this run's property tests (time of start, or --seed). */
uint64_t tw_test_seed(void);

/* A fresh directory under $TMPDIR, removed with its contents after the test. */
const char *tw_test_dir(void);

/* Work for another process: HELPER(name) { ... return 0; } runs in a fresh process of this program, started by tw_test_spawn with
 * texts as argv[0..argc-1]; what it prints can be read from *ret_out (NULL: it goes where ours goes). tw_test_wait gives
 * the exit code, or minus the signal that ended it. */
typedef struct tw_helper {
    const char *name;
    int (*run)(int argc, char **argv);
    struct tw_helper *next;
} tw_helper;
void tw_helper_add(tw_helper *helper);
pid_t tw_test_spawn(const char *helper, const char *const *args, int *ret_out); /* args end with NULL */
int tw_test_wait(pid_t pid);

#define HELPER(name)                                                  \
    static int name(int argc, char **argv);                           \
    __attribute__((constructor)) static void name##_register_(void) { \
        static tw_helper helper = {#name, name, NULL};                \
        tw_helper_add(&helper);                                       \
    }                                                                 \
    static int name(int argc, char **argv)

#define TEST(name)                                                    \
    static void name(void);                                           \
    __attribute__((constructor)) static void name##_register_(void) { \
        static tw_test test = {#name, name, NULL};                    \
        tw_test_add(&test);                                           \
    }                                                                 \
    static void name(void)

#define ASSERT_TRUE(fact)                                         \
    do {                                                          \
        if (!(fact))                                              \
            tw_test_fail(__FILE__, __LINE__, "false: %s", #fact); \
    } while (0)
#define ASSERT_FALSE(fact) ASSERT_TRUE(!(fact))
#define ASSERT_CMP_(a, op, b)                                                                            \
    do {                                                                                                 \
        int64_t a_ = (int64_t)(a), b_ = (int64_t)(b);                                                    \
        if (!(a_ op b_))                                                                                 \
            tw_test_fail(__FILE__, __LINE__, "%s " #op " %s: %" PRId64 " and %" PRId64, #a, #b, a_, b_); \
    } while (0)
#define ASSERT_EQ(a, b) ASSERT_CMP_(a, ==, b)
#define ASSERT_NE(a, b) ASSERT_CMP_(a, !=, b)
#define ASSERT_LT(a, b) ASSERT_CMP_(a, <, b)
#define ASSERT_LE(a, b) ASSERT_CMP_(a, <=, b)
#define ASSERT_GT(a, b) ASSERT_CMP_(a, >, b)
#define ASSERT_GE(a, b) ASSERT_CMP_(a, >=, b)
#define ASSERT_NEAR(a, b, tolerance)                                                       \
    do {                                                                                   \
        double a_ = (a), b_ = (b);                                                         \
        if (!(fabs(a_ - b_) <= (tolerance)))                                               \
            tw_test_fail(__FILE__, __LINE__, "%s near %s: %.9g and %.9g", #a, #b, a_, b_); \
    } while (0)
#define ASSERT_STR(a, b)                                                                   \
    do {                                                                                   \
        const char *a_ = (a), *b_ = (b);                                                   \
        if (strcmp(a_, b_) != 0)                                                           \
            tw_test_fail(__FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #a, a_, b_); \
    } while (0)
/* A call that must succeed; its tw_err is called err. */
#define ASSERT_OK(call)                                                                  \
    do {                                                                                 \
        int code_ = (int)(call);                                                         \
        if (code_ != 0)                                                                  \
            tw_test_fail(__FILE__, __LINE__, "%s: code %d: %s", #call, code_, err.text); \
    } while (0)

#endif
