/* Fresh lists as they come out on the recommendations topic, made readable: for a person at a terminal. Thread: its owner's. */
#ifndef TW_CLI_WATCHER_H
#define TW_CLI_WATCHER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/event.h"
#include "config/config.h"

typedef struct tw_watcher tw_watcher;

#define TW_WATCHER_RECORDS_MAX 256

/* Reads from the end of the topic on, or from its beginning. Errors: TW_E_CONFIG (lists are not JSON, no such topic), TW_E_BUSY
 * (no broker answers). */
tw_code tw_watcher_open(const tw_config *config, bool from_beginning, tw_watcher **ret_watcher, tw_err *err);
tw_watcher *tw_watcher_close(tw_watcher *watcher);

/* At most TW_WATCHER_RECORDS_MAX records, which live until the next call. Errors: TW_E_KAFKA. */
tw_code tw_watcher_poll(tw_watcher *watcher, int wait_ms, const tw_record **ret_records, int *ret_count, tw_err *err);

/* Appends one line: user, what the list knows and its first titles with the reason for the first; a tombstone says so.
 * Errors: TW_E_CORRUPT (no list). */
tw_code tw_watcher_write(const tw_record *record, int titles, tw_buf *out, tw_err *err);

#endif
