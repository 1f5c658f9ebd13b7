/* Every way in which Tailwater can fail, in one list.
 *
 * A code has a class, and the class says what the engine does: RETRY waits and tries again, DROP sends the record to
 * the dead letters with its reason and goes on, FATAL stops the process, and start-up is the recovery. */
#ifndef TAILWATER_ERRORS_H
#define TAILWATER_ERRORS_H

#include "tailwater/version.h"

#define TW_CODE_LIST(X)                                                          \
    X(TW_E_CORRUPT, DROP, "payload does not match its schema")                   \
    X(TW_E_INVALID, DROP, "event breaks a validation rule")                      \
    X(TW_E_BUSY, RETRY, "broker, registry or store is busy")                     \
    X(TW_E_AGAIN, RETRY, "nothing to read yet")                                  \
    X(TW_E_ABORTED, RETRY, "a transaction was undone: reopen from the store")    \
    X(TW_E_USAGE, FATAL, "command line is wrong")                                \
    X(TW_E_CONFIG, FATAL, "configuration is wrong")                              \
    X(TW_E_BAD_FILE, FATAL, "input file cannot be read as what it claims to be") \
    X(TW_E_IO, FATAL, "the operating system refused")                            \
    X(TW_E_NO_MEMORY, FATAL, "memory is exhausted")                              \
    X(TW_E_NOT_FOUND, FATAL, "no such thing")                                    \
    X(TW_E_LOCKED, FATAL, "the state has another writer")                        \
    X(TW_E_VERSION, FATAL, "format of another version")                          \
    X(TW_E_MISMATCH, FATAL, "state and configuration do not fit")                \
    X(TW_E_FULL, FATAL, "disk or map is full")                                   \
    X(TW_E_STORE, FATAL, "the store failed")                                     \
    X(TW_E_KAFKA, FATAL, "the broker refused")                                   \
    X(TW_E_FENCED, FATAL, "another instance took over")                          \
    X(TW_E_DIVERGED, FATAL, "model weights are no longer finite")                \
    X(TW_E_INTERRUPTED, FATAL, "stopped by a signal")

typedef enum tw_code {
    TW_OK = 0,
#define TW_CODE_ENUM(name, class_, text) name,
    TW_CODE_LIST(TW_CODE_ENUM)
#undef TW_CODE_ENUM
} tw_code;

typedef enum tw_class { TW_CLASS_OK, TW_CLASS_RETRY, TW_CLASS_DROP, TW_CLASS_FATAL } tw_class;

/* What went wrong, as one line for a person. It belongs to the caller, lives on its stack, owns no heap; wherever one is asked for it may be
 * NULL. */
typedef struct tw_err {
    tw_code code;
    char text[512];
} tw_err;

#ifdef __cplusplus
extern "C" {
#endif

/* The enumerator's name, its class and its sentence. Thread: any. */
TW_PUBLIC const char *tw_code_name(tw_code code);
TW_PUBLIC tw_class tw_code_class(tw_code code);
TW_PUBLIC const char *tw_code_text(tw_code code);

#ifdef __cplusplus
}
#endif
#endif
