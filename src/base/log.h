/* The log: one line per decision, `time level event=... key=value`, to stderr. No user ids. Rate-limited per call
 * site (10 lines a second; what was held back is counted in the next line). Thread: any. */
#ifndef TW_BASE_LOG_H
#define TW_BASE_LOG_H

#include <stdbool.h>

typedef enum tw_log_level { TW_LOG_DEBUG, TW_LOG_INFO, TW_LOG_WARN, TW_LOG_ERROR, TW_LOG_OFF } tw_log_level;
typedef enum tw_log_format { TW_LOG_LOGFMT, TW_LOG_JSON } tw_log_format;

typedef struct tw_log_site { /* one per call site, static; several threads may write from it */
    _Atomic long second;
    _Atomic int lines, held_back;
} tw_log_site;

void tw_log_set(tw_log_level level, tw_log_format format);

/* Are lines of this level written, and as JSON? Then whatever else goes to stderr should be as well. */
bool tw_log_json(tw_log_level level);

/* fmt makes logfmt pairs after `event=`: tw_log_info("rebalance", "topic=%s parts=%d", topic, n). Quote values that may
 * hold spaces: reason=\"%s\". */
__attribute__((format(printf, 4, 5))) void tw_log_write(tw_log_site *site, tw_log_level level, const char *event,
                                                        const char *fmt, ...);

#define tw_log_at(level, event, ...)                            \
    do {                                                        \
        static tw_log_site tw_log_site_;                        \
        tw_log_write(&tw_log_site_, level, event, __VA_ARGS__); \
    } while (0)
#define tw_log_debug(event, ...) tw_log_at(TW_LOG_DEBUG, event, __VA_ARGS__)
#define tw_log_info(event, ...) tw_log_at(TW_LOG_INFO, event, __VA_ARGS__)
#define tw_log_warn(event, ...) tw_log_at(TW_LOG_WARN, event, __VA_ARGS__)
#define tw_log_error(event, ...) tw_log_at(TW_LOG_ERROR, event, __VA_ARGS__)

#endif
