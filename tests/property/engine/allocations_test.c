/* The engine on a small shop, with each of its allocations made to fail, one by one: the process ends with one line and exit code 1, what
 * it had committed is what the next one opens with, and that one ends where an undisturbed run ends. */
#include "base/failpoint.h"
#include "property/engine/life.h"
#include "support/test.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static tw_err err;

/* A life in a process of its own, whose n-th allocation fails; *one lies in memory that both see. Returns the exit code; text gets what it
 * said. */
static int live_and_fail(const char *dir, long n, life *one, char *text, size_t size) {
    int said[2], status;
    fflush(stdout);
    ASSERT_EQ(pipe(said), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(said[1], STDERR_FILENO);
        tw_failpoint_arm(TW_FAILPOINT_ALLOC, n);
        tw_code code = life_go_on(dir, one, &err);
        _exit(code == TW_OK ? 0 : 99);
    }
    close(said[1]);
    ssize_t got = read(said[0], text, size - 1);
    text[got > 0 ? got : 0] = '\0';
    close(said[0]);
    ASSERT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

TEST(each_allocation_that_fails_ends_the_process_with_a_line_and_loses_nothing) {
    life_begin(400, false);
    char dir[700], text[512];
    const char *root = tw_test_dir();
    life whole = {0}, rest, *one = mmap(NULL, sizeof *one, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_TRUE(one != MAP_FAILED);
    snprintf(dir, sizeof dir, "%s/whole", root);
    ASSERT_OK(life_go_on(dir, &whole, &err));
    long n = 1, opening = 0;
    for (;; n++) {
        snprintf(dir, sizeof dir, "%s/%ld", root, n);
        *one = (life){.no_digests = true};
        int code = live_and_fail(dir, n, one, text, sizeof text);
        if (code == 0)
            break;
        if (code != 1 || !strstr(text, "tailwater: out of memory: ") || !strstr(text, "what was committed is kept"))
            tw_test_fail(__FILE__, __LINE__, "allocation %ld: exit %d: %s", n, code, text);
        opening += !one->opened;
        /* What it knew to be committed, or the commit in which it ended. */
        tw_hash128 state = life_state(dir);
        ASSERT_TRUE(life_same(state, whole.digests[one->commits]) ||
                    (one->commits < whole.commits && life_same(state, whole.digests[one->commits + 1])));
        if (n % 4) /* all of them would take a minute of waiting for the disk */
            continue;
        rest = (life){.no_digests = true};
        ASSERT_OK(life_go_on(dir, &rest, &err));
        ASSERT_TRUE(life_same(life_state(dir), whole.digests[whole.commits]));
    }
    printf("  %ld allocations made to fail, %ld of them while it opened\n", n - 1, opening);
    ASSERT_GT(n, 200);
    ASSERT_GT(n - opening, 50);
    munmap(one, sizeof *one);
    life_end();
}
