/* Named points at which a test kills the process or makes a call fail: TAILWATER_FAILPOINT="name:count" sends SIGKILL to the
 * process itself at the count-th pass of that point, "name:count:fail" makes the fallible call there fail once. Without the
 * variable a point costs one predictable branch. Thread: any. */
#ifndef TW_BASE_FAILPOINT_H
#define TW_BASE_FAILPOINT_H

#include <stdbool.h>

#define TW_FAILPOINT_LIST(X)                                                               \
    X(ALLOC, "alloc", "each allocation")                                                   \
    X(STORE_CALL, "store.call", "each call of the store that may fail")                    \
    X(STORE_BEGIN, "store.begin", "before the transaction of a commit")                    \
    X(STORE_JOURNAL, "store.journal", "the journal is written, nothing else")              \
    X(STORE_METAS, "store.metas", "metas and logs are written, the fold is not")           \
    X(STORE_FOLD, "store.fold", "after a slice of rows was folded")                        \
    X(STORE_SETTLE, "store.settle", "rows are put that memory forgets, not committed")     \
    X(STORE_COMMIT, "store.commit", "just before LMDB's own commit; may be made to fail")  \
    X(STORE_COMMITTED, "store.committed", "just after LMDB's own commit")                  \
    X(STORE_COPIED, "store.copied", "a copy of the store is written and has no name")      \
    X(ENGINE_FLUSHED, "engine.flushed", "outputs are flushed, the state is not committed") \
    X(ENGINE_SHARED, "engine.shared", "the changelog is committed, the store is not")      \
    X(ENGINE_COMMITTED, "engine.committed", "the state is committed, the source not told") \
    X(ENGINE_STEP, "engine.step", "after a step, between commits")                         \
    X(SINK_WRITE, "sink.write", "before the output file is written; may be made to fail")

typedef enum tw_failpoint {
#define TW_FAILPOINT_ENUM(name, text, doc) TW_FAILPOINT_##name,
    TW_FAILPOINT_LIST(TW_FAILPOINT_ENUM)
#undef TW_FAILPOINT_ENUM
        TW_FAILPOINT_COUNT
} tw_failpoint;

extern bool tw_failpoint_armed; /* read the variable once, before main */

/* Kills the process when its time has come; true when the call there must fail. */
bool tw_failpoint_pass(tw_failpoint point);

/* Arms or, with passes 0, disarms from within a test, on one thread: the pass of that number fails. */
void tw_failpoint_arm(tw_failpoint point, long passes);

#define TW_FAILPOINT(point) (tw_failpoint_armed && tw_failpoint_pass(TW_FAILPOINT_##point))

#endif
