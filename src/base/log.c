/* One line per decision to stderr, logfmt or JSON, written with one write() so that threads do not mix. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <stdatomic.h>

#define LINES_PER_SECOND 10

static _Atomic int log_level = TW_LOG_INFO;
static _Atomic int log_format = TW_LOG_LOGFMT;
static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

void tw_log_set(tw_log_level level, tw_log_format format) {
    log_level = (int)level;
    log_format = (int)format;
}

bool tw_log_json(tw_log_level level) {
    return log_format == TW_LOG_JSON && (int)level >= log_level;
}

/* Copies logfmt pairs as JSON members. A value that is quoted in logfmt keeps its quotes; any other becomes a string. */
static size_t pairs_to_json(char *out, size_t size, const char *pairs) {
    size_t n = 0;
    bool in_key = true, quoted = false, opened = false;
#define EMIT(c)             \
    do {                    \
        if (n + 1 < size)   \
            out[n++] = (c); \
    } while (0)
    for (const char *p = pairs; *p; p++) {
        if (in_key) {
            if (!opened) {
                if (*p == ' ')
                    continue;
                EMIT(',');
                EMIT('"');
                opened = true;
            }
            if (*p == '=') {
                EMIT('"');
                EMIT(':');
                EMIT('"');
                in_key = opened = false;
                quoted = p[1] == '"';
                p += quoted;
            } else {
                EMIT(*p);
            }
        } else if (quoted ? *p == '"' : *p == ' ') {
            EMIT('"');
            in_key = true;
        } else {
            if (*p == '"' || *p == '\\')
                EMIT('\\');
            EMIT((unsigned char)*p < 0x20 ? ' ' : *p);
        }
    }
    if (!in_key || opened)
        EMIT('"');
#undef EMIT
    out[n] = '\0';
    return n;
}

void tw_log_write(tw_log_site *site, tw_log_level level, const char *event, const char *fmt, ...) {
    if ((int)level < log_level)
        return;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (site->second != now.tv_sec) {
        site->second = now.tv_sec;
        site->lines = 0;
    }
    if (++site->lines > LINES_PER_SECOND) {
        site->held_back++;
        return;
    }
    char pairs[1024], line[2304], held[48] = "", time_text[40];
    va_list args;
    va_start(args, fmt);
    vsnprintf(pairs, sizeof pairs, fmt, args);
    va_end(args);
    int held_back = atomic_exchange(&site->held_back, 0);
    if (held_back)
        snprintf(held, sizeof held, " held_back=%d", held_back);
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    size_t stamp = strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(time_text + stamp, sizeof time_text - stamp, ".%03ldZ", now.tv_nsec / 1000000);
    int size;
    if (log_format == TW_LOG_JSON) {
        char members[1200], all[1100];
        snprintf(all, sizeof all, "%s%s", pairs, held);
        pairs_to_json(members, sizeof members, all);
        size = snprintf(line, sizeof line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"%s}\n", time_text,
                        level_names[level], event, members);
    } else {
        size = snprintf(line, sizeof line, "time=%s level=%s event=%s %s%s\n", time_text, level_names[level], event,
                        pairs, held);
    }
    if (size >= (int)sizeof line)
        size = (int)sizeof line - 1;
    if (write(STDERR_FILENO, line, (size_t)size) < 0)
        return; /* a log that cannot be written has nowhere to say so */
}
