/* The harness behind test.h. A failing assertion leaves its test by longjmp; memory it held leaks, which is why
 * sanitizer runs treat leaks of failed tests as noise. */
#include "support/test.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static tw_test *tests_first, **tests_last = &tests_first;
static jmp_buf test_left;
static uint64_t test_seed;
static char test_root[512];
static bool in_helper; /* no test to leave: a failed assertion ends the process */

enum { LEFT_FAILED = 1, LEFT_SKIPPED };

void tw_test_add(tw_test *test) {
    *tests_last = test;
    tests_last = &test->next;
}

void tw_test_fail(const char *file, int line, const char *fmt, ...) {
    FILE *to = in_helper ? stderr : stdout;
    va_list args;
    va_start(args, fmt);
    fprintf(to, "  %s:%d: ", file, line);
    vfprintf(to, fmt, args);
    fprintf(to, "\n");
    va_end(args);
    if (in_helper)
        exit(1);
    longjmp(test_left, LEFT_FAILED);
}

void tw_test_skip(const char *why) {
    printf("  skipped: %s\n", why);
    longjmp(test_left, LEFT_SKIPPED);
}

uint64_t tw_test_seed(void) {
    return test_seed;
}

/* One folder a test, and in it one for each call. */
const char *tw_test_dir(void) {
    static char dir[600];
    static int calls;
    const char *tmp = getenv("TMPDIR");
    if (!test_root[0]) {
        snprintf(test_root, sizeof test_root, "%s/tailwater-test-XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(test_root)) {
            perror(test_root);
            exit(1);
        }
    }
    snprintf(dir, sizeof dir, "%s/%d", test_root, ++calls);
    if (mkdir(dir, 0777) != 0) {
        perror(dir);
        exit(1);
    }
    return dir;
}

static tw_helper *helpers;

void tw_helper_add(tw_helper *helper) {
    helper->next = helpers;
    helpers = helper;
}

pid_t tw_test_spawn(const char *helper, const char *const *args, int *ret_out) {
    const char *argv[16] = {"test", "--helper", helper};
    int pipe_fds[2] = {-1, -1};
    for (int i = 0; args[i]; i++)
        argv[3 + i] = args[i];
    if (ret_out && pipe(pipe_fds) != 0)
        tw_test_fail(__FILE__, __LINE__, "no pipe");
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        tw_test_fail(__FILE__, __LINE__, "no process");
    if (pid == 0) {
        if (ret_out)
            dup2(pipe_fds[1], STDOUT_FILENO);
        if (ret_out && close(pipe_fds[0]) + close(pipe_fds[1]) != 0)
            _exit(126);
        execv("/proc/self/exe", (char **)argv);
        _exit(127);
    }
    if (ret_out) {
        close(pipe_fds[1]);
        *ret_out = pipe_fds[0];
    }
    return pid;
}

int tw_test_wait(pid_t pid) {
    int status = 0;
    if (waitpid(pid, &status, 0) != pid)
        tw_test_fail(__FILE__, __LINE__, "no such process");
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

int main(int argc, char **argv) {
    const char *only = NULL;
    for (tw_helper *helper = helpers; helper && argc > 2 && strcmp(argv[1], "--helper") == 0; helper = helper->next)
        if (strcmp(helper->name, argv[2]) == 0 && (in_helper = true))
            return helper->run(argc - 3, argv + 3);
    test_seed = (uint64_t)time(NULL);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            test_seed = strtoull(argv[++i], NULL, 10);
        else
            only = argv[i];
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("seed %" PRIu64 "\n", test_seed);
    volatile int passed = 0, failed = 0, skipped = 0;
    for (tw_test *volatile test = tests_first; test; test = test->next) {
        if (only && !strstr(test->name, only))
            continue;
        int left = setjmp(test_left);
        if (left == 0)
            test->run();
        printf("%s %s\n", left == 0 ? "ok    " : left == LEFT_FAILED ? "FAILED" : "skip  ", test->name);
        if (left == LEFT_FAILED)
            failed++;
        else if (left == LEFT_SKIPPED)
            skipped++;
        else
            passed++;
        if (test_root[0])
            nftw(test_root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        test_root[0] = '\0';
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed ? 1 : passed == 0 && skipped ? 77 : 0;
}
