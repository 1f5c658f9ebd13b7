/* fork, and memory that parent and child share for the figures and for how far they are. */
#include "evaluate/pool.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 5

/* What a run leaves for its parent. */
typedef struct outcome {
    _Atomic int64_t rows;
    tw_code code;
    tw_err err;
    tw_evaluation evaluation;
} outcome;

typedef struct pool {
    const tw_pool_run *runs;
    outcome *outcomes;          /* (count), shared */
    pid_t *pids;                /* (count), shared only because it lies beside them; 0: not running */
    tw_evaluation *evaluations; /* (count) the caller's; told of them are there */
    int count, begun, ended, told;
} pool;

int tw_pool_processors(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

static bool note_rows(void *self, int64_t rows) {
    atomic_store(&((outcome *)self)->rows, rows);
    return true;
}

/* Signals of the terminal are the parent's to answer. */
static _Noreturn void run_here(const tw_pool_run *run, outcome *out, pid_t parent) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before that call */
        _exit(1);
    const tw_beat beat = {note_rows, out};
    out->code = tw_evaluation_run(&run->ask, run->config, beat, &out->evaluation, &out->err);
    _exit(0);
}

static tw_code begin(pool *p, tw_err *err) {
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return tw_fail_errno(err, TW_E_IO, "fork");
    if (pid == 0)
        run_here(&p->runs[p->begun], &p->outcomes[p->begun], parent);
    p->pids[p->begun++] = pid;
    return TW_OK;
}

/* Takes in the runs that have ended. Errors: that of the first that failed. */
static tw_code look(pool *p, tw_err *err) {
    for (int i = 0; i < p->begun; i++) {
        int status;
        if (p->pids[i] == 0 || waitpid(p->pids[i], &status, WNOHANG) != p->pids[i])
            continue;
        p->pids[i] = 0;
        p->ended++;
        if (WIFSIGNALED(status))
            return tw_fail(err, TW_E_IO, "a run was ended by signal %d%s", WTERMSIG(status),
                           WTERMSIG(status) == SIGKILL ? " (out of memory?)" : "");
        if (WEXITSTATUS(status) != 0)
            return tw_fail(err, TW_E_IO, "a run ended with exit code %d", WEXITSTATUS(status));
        if (p->outcomes[i].code != TW_OK) {
            *err = p->outcomes[i].err;
            return p->outcomes[i].code;
        }
    }
    return TW_OK;
}

/* Hands over what is there, in order. */
static tw_code tell(pool *p, tw_pool_beat beat, tw_err *err) {
    while (p->told < p->begun && p->pids[p->told] == 0) {
        int run = p->told++;
        p->evaluations[run] = p->outcomes[run].evaluation;
        if (beat.done)
            TW_TRY(beat.done(beat.self, run, err));
    }
    return TW_OK;
}

static int64_t rows_through(const pool *p) {
    int64_t rows = 0;
    for (int i = 0; i < p->begun; i++)
        rows += atomic_load(&p->outcomes[i].rows);
    return rows;
}

static tw_code run_all(pool *p, int jobs, tw_pool_beat beat, tw_err *err) {
    while (p->ended < p->count) {
        while (p->begun < p->count && p->begun - p->ended < jobs)
            TW_TRY(begin(p, err));
        TW_TRY(look(p, err));
        TW_TRY(tell(p, beat, err));
        if (!beat.go_on(beat.self, rows_through(p)))
            return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal");
        if (p->begun - p->ended == jobs || p->begun == p->count)
            nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
    return TW_OK;
}

static void end_all(pool *p) {
    for (int i = 0; i < p->begun; i++)
        if (p->pids[i]) {
            kill(p->pids[i], SIGKILL);
            waitpid(p->pids[i], NULL, 0);
        }
}

tw_code tw_pool_evaluate(const tw_pool_run *runs, int count, int jobs, tw_pool_beat beat,
                         tw_evaluation *ret_evaluations, tw_err *err) {
    size_t size = (size_t)count * (sizeof(outcome) + sizeof(pid_t));
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    tw_err own;
    err = err ? err : &own;
    if (shared == MAP_FAILED)
        return tw_fail_errno(err, TW_E_IO, "memory to share");
    pool p = {.runs = runs, .outcomes = shared, .evaluations = ret_evaluations, .count = count};
    p.pids = (pid_t *)(p.outcomes + count);
    tw_code code = run_all(&p, jobs, beat, err);
    end_all(&p);
    munmap(shared, size);
    return code;
}
